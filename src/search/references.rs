//! The literal references of a resource to this server (<https://hl7.org/fhir/R4/references.html#literal>), wherever they
//! stand. Search extraction keeps a row of each that no search parameter finds, so that whoever deletes a resource learns who
//! refers to it; the write path asks whether what they name is there.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::index::{IndexRows, ParameterCode, ReferenceRow};
use crate::fhir::reference::{Reference, Target};

/// A reference to a resource of this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalReference {
    /// Resource type.
    pub resource_type: String,
    /// Logical id.
    pub id: String,
    /// The version, where it names one; a version that no version of ours can be is `i64::MAX`.
    pub version: Option<i64>,
    /// FHIRPath expression of the Reference, for example `Task.focus`.
    pub place: String,
}

/// Every reference of `resource` to the server at `base`, relative or absolute; contained, logical and `urn:` ones and those
/// to other servers are none. A stored Bundle speaks of its own entries and has none either.
#[must_use]
pub fn local(resource: &Value, base: &str) -> Vec<LocalReference> {
    let mut found = Vec::new();
    let resource_type = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default();
    if resource_type != "Bundle" {
        let mut place = resource_type.to_owned();
        walk(resource, base, &mut place, &mut found);
    }
    found
}

fn walk(value: &Value, base: &str, place: &mut String, found: &mut Vec<LocalReference>) {
    let length = place.len();
    match value {
        Value::Object(map) => {
            if let Some(target) = map.get("reference").and_then(Value::as_str).and_then(|text| target(text, base)) {
                found.push(LocalReference {
                    resource_type: target.resource_type.to_owned(),
                    id: target.id.to_owned(),
                    version: target.version.map(|version| version.parse().unwrap_or(i64::MAX)),
                    place: place.clone(),
                });
            }
            for (name, child) in map.iter().filter(|(_, child)| child.is_object() || child.is_array()) {
                place.push('.');
                place.push_str(name.strip_prefix('_').unwrap_or(name));
                walk(child, base, place, found);
                place.truncate(length);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate().filter(|(_, item)| item.is_object()) {
                let _ = write!(place, "[{index}]");
                walk(item, base, place, found);
                place.truncate(length);
            }
        }
        _ => {}
    }
}

fn target<'a>(text: &'a str, base: &str) -> Option<Target<'a>> {
    match Reference::parse(text)? {
        Reference::Relative(target) => Some(target),
        Reference::Absolute { base: other, target } if other == base => Some(target),
        _ => None,
    }
}

/// Adds a row for each local reference whose target no row names yet.
pub(super) fn add_rows(resource: &Value, base: &str, rows: &mut IndexRows) {
    for reference in local(resource, base) {
        let known = |row: &ReferenceRow| {
            row.target_id == reference.id && (row.target_type == reference.resource_type || row.target_type.is_empty())
        };
        if !rows.references.iter().any(known) {
            rows.references.push(ReferenceRow {
                parameter: elsewhere(),
                target_type: reference.resource_type,
                target_id: reference.id,
            });
        }
    }
}

/// The pseudo-code of references that no search parameter finds.
fn elsewhere() -> ParameterCode {
    static CODE: OnceLock<ParameterCode> = OnceLock::new();
    Arc::clone(CODE.get_or_init(|| Arc::from(":elsewhere")))
}
