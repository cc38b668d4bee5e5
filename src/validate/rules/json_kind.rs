//! `json-kind`, `ele-1`: arrays where elements repeat, objects where elements have children, nothing empty, null only
//! beside a `_name` value (<https://hl7.org/fhir/R4/json.html>).

use serde_json::{Map, Value};

use crate::fhir::issue::IssueCode;
use crate::fhir::path::Path;

use crate::validate::run::{Items, Origin, Run};
use crate::validate::schema::{Element, Name};

/// The occurrences of an element, or none where the JSON has the wrong kind for it (reported).
pub fn items<'a>(
    run: &mut Run<'_, 'a>,
    name: &Name,
    element: &Element,
    value: Option<&'a Value>,
    sibling: Option<&'a Value>,
    path: &Path<'_>,
) -> Option<Items<'a>> {
    match value {
        Some(Value::Array(items)) if sibling.is_none() && element.repeats && !items.is_empty() => {
            if items.iter().all(|item| !item.is_null()) {
                return Some(Items { values: items, siblings: &[] });
            }
        }
        Some(Value::Array(_) | Value::Null) | None => {}
        Some(value) if sibling.is_none() && !element.repeats => {
            return Some(Items { values: std::slice::from_ref(value), siblings: &[] });
        }
        Some(_) => {}
    }
    unusual_items(run, name, element, value, sibling, path)
}

/// As [`items`], with everything that may be wrong.
fn unusual_items<'a>(
    run: &mut Run<'_, 'a>,
    name: &Name,
    element: &Element,
    value: Option<&'a Value>,
    sibling: Option<&'a Value>,
    path: &Path<'_>,
) -> Option<Items<'a>> {
    let origin = Origin { profile: &element.url, element: &element.id, base: true };
    if sibling.is_some() && name.sibling.is_empty() {
        let text = format!(
            "_{} stands beside an element that is not primitive. Put its content into {}.",
            name.json, name.json
        );
        run.error(IssueCode::Structure, "json-kind", text, path, origin);
        return None;
    }
    let list = |run: &mut Run<'_, 'a>, value: Option<&'a Value>, underscore: &str| match value {
        None => Some(&[][..]),
        Some(Value::Array(items)) if element.repeats => {
            if items.is_empty() {
                let text = format!("{underscore}{} is an empty array. Leave it out.", name.json);
                run.error(IssueCode::Structure, "json-kind", text, path, origin);
            }
            Some(items.as_slice())
        }
        Some(value) if element.repeats => {
            let text = format!(
                "{underscore}{} must be a JSON array, since the element repeats; found {}.",
                name.json,
                kind(value)
            );
            run.error(IssueCode::Structure, "json-kind", text, path, origin);
            None
        }
        Some(Value::Array(_)) => {
            let text =
                format!("{underscore}{} must not be a JSON array, since the element does not repeat.", name.json);
            run.error(IssueCode::Structure, "json-kind", text, path, origin);
            None
        }
        Some(value) => {
            if value.is_null() {
                null(run, &format!("{underscore}{}", name.json), path, origin);
            }
            Some(std::slice::from_ref(value))
        }
    };
    let items = Items { values: list(run, value, "")?, siblings: list(run, sibling, "_")? };
    let is_null = |index: usize| element.repeats && items.get(index) == (None, None);
    if (0..items.len()).any(is_null) {
        null(run, &name.json, path, origin);
    }
    Some(items)
}

fn null(run: &mut Run<'_, '_>, name: &str, path: &Path<'_>, origin: Origin<'_>) {
    let text = format!(
        "{name} is null; null may stand only in an array of primitives beside a value of _{name}. Leave it out."
    );
    run.error(IssueCode::Structure, "json-kind", text, path, origin);
}

/// The members of a value that must be an object.
pub fn object<'a>(
    run: &mut Run<'_, 'a>,
    value: Option<&'a Value>,
    path: &Path<'_>,
    origin: Origin<'_>,
) -> Option<&'a Map<String, Value>> {
    let value = value?;
    if let Value::Object(object) = value {
        return Some(object);
    }
    let text = format!("A JSON object is expected here; found {}.", kind(value));
    run.error(IssueCode::Structure, "json-kind", text, path, origin);
    None
}

/// Reports an object without members.
pub fn empty_object(run: &mut Run<'_, '_>, path: &Path<'_>, origin: Origin<'_>) {
    let text = "The element is empty; every element has a value or children. Leave it out.".to_owned();
    run.error(IssueCode::Invariant, "ele-1", text, path, origin);
}

/// What a JSON value is, in words.
#[must_use]
pub const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
