//! Search as FHIR R4 defines it (<https://hl7.org/fhir/R4/search.html>), without input or output: resources become index
//! rows when they are written, query strings become one SQL text with its values when they are read. The store executes.

pub mod compartment;
pub mod extract;
mod fold;
pub mod index;
pub mod kinds;
pub mod leading;
pub mod paging;
pub mod parameters;
pub mod query;
pub mod references;
pub mod sql;
mod walk;
