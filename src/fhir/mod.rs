//! What FHIR is, without input or output: issues, paths, types, definitions, primitive values, codecs.

pub mod issue;
pub mod path;
pub mod suggest;
