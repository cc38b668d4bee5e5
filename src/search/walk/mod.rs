//! Direct walks: the small part of FHIRPath in which nearly every search parameter is written, compiled to steps over the
//! JSON tree. Extraction runs these on the create path; expressions beyond them go to the FHIRPath engine.

mod compile;
mod run;
mod syntax;

use crate::fhir::types::{TypeIndex, Types};

/// One alternative of an expression with every choice of type settled: steps from the resource to elements of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    steps: Vec<Step>,
    /// The type of the elements the walk ends at.
    pub end: TypeIndex,
}

/// One step down the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// Into the JSON property of this name, every item of it or only the one at an index.
    Field { name: Box<str>, only: Option<usize> },
    /// Stay if the property of this name is this text (`where(system='email')`).
    Equals { name: Box<str>, text: Box<str> },
    /// Stay if this reference names a resource of this type (`where(resolve() is Patient)`).
    Refers { resource_type: Box<str> },
    /// Into the extensions with this url.
    Extension { url: Box<str> },
}

/// The alternatives (`A.b | A.c`) of `expression` that apply to a resource of type `root`; none if some alternative for that type is
/// written in more FHIRPath than a walk covers.
#[must_use]
pub fn compile(expression: &str, root: TypeIndex, types: &Types) -> Option<Vec<Walk>> {
    compile::compile(expression, root, types)
}

/// The alternatives of `expression` as texts, cut to those that apply to resources of `resource_type`.
#[must_use]
pub fn alternatives<'a>(expression: &'a str, resource_type: &str) -> Vec<&'a str> {
    syntax::alternatives(expression).into_iter().filter(|text| syntax::applies(text, resource_type)).collect()
}
