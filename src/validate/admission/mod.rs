//! Whether a definition can be worked by: every reason why not, with the place in the definition. The write path asks before it
//! stores one, `kith package check` for each of a package.

mod structure;
mod value_set;

use serde_json::Value;

use super::Validator;
use crate::fhir::issue::{Issue, IssueCode, Severity};

/// Everything that stands against using `definition`, which `validator` has among its definitions under `canonical`. Empty for
/// what is no definition that engines use.
#[must_use]
pub fn check(validator: &Validator, definition: &Value, canonical: &str) -> Vec<Issue> {
    match definition.get("resourceType").and_then(Value::as_str) {
        Some("StructureDefinition") => structure::check(validator, definition, canonical),
        Some("ValueSet") => value_set::check(validator, definition, canonical),
        _ => Vec::new(),
    }
}

/// Compiles a definition that `validator` has and returns what cannot be used of it. More is let pass than by [`check`]: packages
/// are published with what a server need not take from its clients.
#[must_use]
pub fn compile(validator: &Validator, resource_type: &str, canonical: &str) -> Vec<Issue> {
    match resource_type {
        "StructureDefinition" => structure::compile(validator, canonical),
        "ValueSet" => {
            // Compiled for its effect: what is missing of it is reported where a code is asked about.
            let _ = validator.terminology().compiled(canonical);
            let definition = validator.definitions().other(resource_type, canonical).unwrap_or_default();
            value_set::check(validator, &definition, canonical)
        }
        "CodeSystem" => {
            let _ = validator.terminology().system(canonical);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn fault(place: impl Into<String>, code: IssueCode, text: impl Into<String>) -> Issue {
    Issue::new(Severity::Error, code, "definition", text).at(place)
}

/// The items of an array member; none where there is no such array.
fn items<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}
