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
