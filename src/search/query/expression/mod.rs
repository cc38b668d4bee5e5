//! `_filter` (<https://hl7.org/fhir/R4/search_filter.html>): an expression over search parameters. `parser` reads it, `syntax`
//! holds and prints it, `meaning` turns it into conditions.

mod meaning;
mod parser;
mod syntax;

pub use parser::{Mistake, parse};
pub use syntax::{Filter, Operand, Operator, Step};

pub(super) use meaning::condition;
