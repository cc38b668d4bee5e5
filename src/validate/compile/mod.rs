//! Definitions into schemas: `types` for base types, `profile` for profiles and extensions (with `draft` and `slicing`),
//! `facets` for what one ElementDefinition demands of a value.

pub mod draft;
pub mod facets;
pub mod profile;
pub mod slicing;
pub mod trees;
pub mod types;

use crate::fhir::issue::{Issue, IssueCode, Severity};

/// What does not compile: canonical, element and reason.
#[must_use]
pub fn failure(canonical: &str, element: &str, reason: &str) -> Issue {
    let text = format!("{canonical} cannot be used: element {element}: {reason}");
    Issue::new(Severity::Fatal, IssueCode::Exception, "definition", text).asked_by(canonical, element)
}
