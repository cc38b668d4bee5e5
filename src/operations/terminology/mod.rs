//! The operations of the terminology service (<https://hl7.org/fhir/R4/terminology-service.html>): what they share. They work
//! on what packages define and on ValueSet, CodeSystem and ConceptMap resources that are stored on this server; where both
//! have a canonical url, the packages' definition is used, as in validation.

pub mod expand;
pub(super) mod frame;
pub(super) mod inputs;
pub mod lookup;
pub(super) mod source;
pub mod subsumes;
pub mod translate;
pub mod validate_code;

use serde_json::{Value, json};

use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::problem::{Kind, Problem};
use crate::terminology::{self, CompiledCodeSystem, Edition};

/// A Parameters resource.
fn parameters(list: &[Value]) -> Value {
    json!({ "resourceType": "Parameters", "parameter": list })
}

/// 422: the question cannot be answered without something that is not loaded.
fn not_loaded(canonical: &str) -> Problem {
    let text = format!(
        "{canonical} is not loaded here, or only a part of it, so there is no answer. {}",
        terminology::how_to_load(canonical)
    );
    let issue = Issue::new(Severity::Error, IssueCode::NotFound, "terminology-not-loaded", text);
    Problem::with_issues(Kind::Unprocessable, vec![issue])
}

/// 404: the code system has no such code; 422 where it is loaded in part only and may have it.
fn no_such_code(system: &CompiledCodeSystem, canonical: &str, parameter: &str) -> Problem {
    if !system.is_complete() {
        return not_loaded(canonical);
    }
    let text = format!("The code system {} has no such code.", system.url);
    Problem::new(Kind::NotFound, text).at(format!("Parameters.parameter.where(name = '{parameter}')"))
}

/// 404: the edition of SNOMED CT has no such concept; 422 where the code is of an extension that it has not.
fn no_such_concept(edition: &Edition, code: &str, parameter: &str) -> Problem {
    if !edition.covers(code) {
        return not_loaded(&edition.beyond(code));
    }
    let text = format!("{} has no such code.", edition.version().uri());
    Problem::new(Kind::NotFound, text).at(format!("Parameters.parameter.where(name = '{parameter}')"))
}

/// 422: the answer would take more than this server gives.
fn too_costly(text: impl Into<String>) -> Problem {
    let issue = Issue::new(Severity::Error, IssueCode::TooCostly, "terminology-too-costly", text);
    Problem::with_issues(Kind::Unprocessable, vec![issue])
}
