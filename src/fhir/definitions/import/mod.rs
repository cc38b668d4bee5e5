//! From full FHIR definitions to facts: what of a StructureDefinition, ValueSet, CodeSystem … the engines use, in a fixed
//! order, without prose. `kith package import` writes committed packages with it, and packages loaded at run time pass
//! through it so that they stay small. Pure: reading and writing files is `crate::package`.

mod closure;
mod layout;
mod tables;

pub use closure::{Closure, reach};
pub use layout::{compact_line, pretty};

use serde_json::{Map, Value};

use tables::{Field, Keep};

/// What to do with resource types that have no table of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// Leave them out (committed packages).
    Drop,
    /// Keep them whole but for the narrative (packages loaded at run time, where a Questionnaire may be wanted).
    Keep,
}

/// The facts of one definition. `None` for resource types without a table when `others` is [`Others::Drop`], for anything
/// without a canonical url, and for the specification's own examples.
#[must_use]
pub fn facts(resource: &Value, others: Others) -> Option<Value> {
    let kind = resource.get("resourceType")?.as_str()?;
    let url = resource.get("url")?.as_str()?;
    match tables::of(kind) {
        Some(_) if is_example(url) => None,
        Some(fields) => {
            let mut kept = keep_object(resource.as_object()?, fields);
            if kind == "StructureDefinition" && !kept.contains_key("differential") {
                keep_snapshot(resource, &mut kept);
            }
            Some(Value::Object(kept))
        }
        None if others == Others::Keep => Some(without_narrative(resource)),
        None => None,
    }
}

/// Some definitions are published with a snapshot only; then that is what they change.
fn keep_snapshot(resource: &Value, kept: &mut Map<String, Value>) {
    if let Some(snapshot) = resource.get("snapshot")
        && let Some(elements) = keep_value(snapshot, &Keep::Fields(tables::ELEMENTS), &[])
    {
        kept.insert("differential".to_owned(), elements);
    }
}

/// The specification publishes a few definitions only to show what one looks like.
fn is_example(url: &str) -> bool {
    let name = url.rsplit('/').next().unwrap_or(url);
    url.starts_with("http://hl7.org/fhir/")
        && (name == "example" || name.starts_with("example-") || name == "openEHR-test")
}

pub(super) fn without_narrative(resource: &Value) -> Value {
    let mut copy = resource.clone();
    if let Some(object) = copy.as_object_mut() {
        object.shift_remove("text");
    }
    copy
}

fn keep_object(object: &Map<String, Value>, fields: &[Field]) -> Map<String, Value> {
    let mut kept = Map::new();
    for field in fields {
        for (name, value) in object {
            if field.matches(name)
                && let Some(value) = keep_value(value, &field.keep, fields)
            {
                kept.insert(name.clone(), value);
            }
        }
    }
    kept
}

fn keep_value(value: &Value, keep: &Keep, here: &[Field]) -> Option<Value> {
    match (keep, value) {
        (Keep::All, value) => Some(value.clone()),
        (Keep::Where(test), Value::Array(items)) => {
            let items: Vec<Value> = items.iter().filter(|item| test(item)).cloned().collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        (Keep::Where(test), value) => test(value).then(|| value.clone()),
        (Keep::Fields(fields), Value::Array(items)) => keep_items(items, fields),
        (Keep::Fields(fields), value) => keep_item(value, fields),
        (Keep::Again, Value::Array(items)) => keep_items(items, here),
        (Keep::Again, value) => keep_item(value, here),
    }
}

fn keep_items(items: &[Value], fields: &[Field]) -> Option<Value> {
    let items: Vec<Value> = items.iter().filter_map(|item| keep_item(item, fields)).collect();
    (!items.is_empty()).then_some(Value::Array(items))
}

fn keep_item(item: &Value, fields: &[Field]) -> Option<Value> {
    let kept = keep_object(item.as_object()?, fields);
    (!kept.is_empty()).then_some(Value::Object(kept))
}
