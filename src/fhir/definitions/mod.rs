//! FHIR definitions as facts.

pub(crate) mod embedded;
pub mod import;
pub mod package;
