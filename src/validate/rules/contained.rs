//! `dom-2` … `dom-5`: what contained resources may not have, and that something points at them
//! (<https://hl7.org/fhir/R4/references.html#contained>).

use std::collections::HashSet;

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member::member;

use crate::validate::run::{Origin, Place, Run};

/// Checks the contained resources of a resource.
pub fn check<'a>(run: &mut Run<'_, 'a>, resource: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let Some(contained) = member(resource, "contained").and_then(Value::as_array) else { return };
    let mut references = HashSet::new();
    collect(resource, &mut references);
    let list = place.path.element("contained");
    for (index, inner) in contained.iter().enumerate() {
        let path = list.index(index);
        let meta = inner.get("meta");
        let has = |name: &str| meta.is_some_and(|meta| meta.get(name).is_some());
        let mut report = |key: &str, text: &str| run.error(IssueCode::Invariant, key, text.to_owned(), &path, origin);
        if inner.get("contained").is_some() {
            report("dom-2", "A contained resource must not contain resources. Move them one level up.");
        }
        if has("versionId") || has("lastUpdated") {
            report("dom-4", "A contained resource has no versions: remove meta.versionId and meta.lastUpdated.");
        }
        if has("security") {
            report("dom-5", "A contained resource has no security labels of its own: remove meta.security.");
        }
        let Some(id) = inner.get("id").and_then(Value::as_str) else {
            report("dom-3", "A contained resource needs an id, so that the resource can refer to it.");
            continue;
        };
        if !references.contains(id) && !refers_to_container(inner) {
            report("dom-3", "Nothing refers to this contained resource. Refer to it (#id) or remove it.");
        }
    }
}

/// What the strings of a value that begin with `#` name.
fn collect<'a>(value: &'a Value, references: &mut HashSet<&'a str>) {
    match value {
        Value::String(text) => {
            references.extend(text.strip_prefix('#'));
            if text.starts_with("<div") {
                // Images and links of the narrative.
                let quoted = text.split("=\"#").skip(1).filter_map(|rest| rest.split('"').next());
                references.extend(quoted);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        Value::Object(members) => members.values().for_each(|member| collect(member, references)),
        _ => {}
    }
}

/// True where some string of a contained resource is `#`, the resource around it.
fn refers_to_container(value: &Value) -> bool {
    match value {
        Value::String(text) => text == "#",
        Value::Array(items) => items.iter().any(refers_to_container),
        Value::Object(members) => members.values().any(refers_to_container),
        _ => false,
    }
}
