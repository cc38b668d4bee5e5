//! What FHIR is, without input or output: issues, paths, types, definitions, primitive values, codecs.

pub mod base64;
pub mod canonical;
pub mod codec;
pub mod decimal;
pub mod definitions;
pub mod hash;
pub mod issue;
pub mod language;
pub mod member;
pub mod path;
pub mod primitive;
pub mod reference;
pub mod specification;
pub mod suggest;
pub mod temporal;
pub mod types;
pub mod ucum;
