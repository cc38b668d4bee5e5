//! `{{name}}` and `{{name.element.element}}` in paths, headers, bodies and expressions, filled with what was saved and captured.

use std::collections::BTreeMap;

use serde_json::Value;

/// What a journey knows so far.
pub(super) type Known = BTreeMap<String, Value>;

/// Fills every place in a text.
pub(super) fn fill(text: &str, known: &Known) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or_else(|| format!("an open {{{{ in: {text}"))?;
        out.push_str(before);
        match look_up(name, known)? {
            Value::String(text) => out.push_str(text),
            other => out.push_str(&other.to_string()),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Fills every string in a value.
pub(super) fn fill_value(value: &Value, known: &Known) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => Value::String(fill(text, known)?),
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| fill_value(item, known)).collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| Ok((name.clone(), fill_value(value, known)?)))
                .collect::<Result<_, String>>()?,
        ),
        other => other.clone(),
    })
}

fn look_up<'a>(name: &str, known: &'a Known) -> Result<&'a Value, String> {
    let mut parts = name.split('.');
    let first = parts.next().and_then(|part| known.get(part));
    parts.fold(first, |value, part| value?.get(part)).ok_or_else(|| format!("nothing was saved or captured as {name}"))
}

/// JSON Merge Patch (<https://www.rfc-editor.org/rfc/rfc7396>).
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let (Value::Object(target), Value::Object(patch)) = (&mut *target, patch) else {
        *target = patch.clone();
        return;
    };
    for (name, value) in patch {
        match (value, target.get_mut(name)) {
            (Value::Null, _) => {
                target.shift_remove(name);
            }
            (Value::Object(_), Some(existing)) => merge(existing, value),
            _ => {
                target.insert(name.clone(), value.clone());
            }
        }
    }
}

/// True where `text` follows `pattern`, in which `*` stands for any text.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(end)
}

/// `Type/id` of an address such as `http://host/fhir/Task/7/_history/1`.
pub(super) fn reference(address: &str) -> Option<String> {
    let without_version = address.split("/_history/").next().unwrap_or_default();
    let mut parts = without_version.rsplit('/');
    let (id, resource_type) = (parts.next()?, parts.next()?);
    Some(format!("{resource_type}/{id}"))
}
