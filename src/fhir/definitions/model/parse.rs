//! Small readers of JSON members that the models share. What is absent or of the wrong kind reads as absent: facts are
//! checked when they are made, and a validator of definitions is not the place where they are used.

use serde_json::Value;

pub(super) fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(ToOwned::to_owned)
}

pub(super) fn text_or_empty(value: &Value, name: &str) -> String {
    text(value, name).unwrap_or_default()
}

pub(super) fn flag(value: &Value, name: &str) -> Option<bool> {
    value.get(name).and_then(Value::as_bool)
}

pub(super) fn count(value: &Value, name: &str) -> Option<u32> {
    value.get(name).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok())
}

pub(super) fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn texts(value: &Value, name: &str) -> Vec<String> {
    items(value, name).iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

/// The value of a choice element: the member whose name is `stem` and a capital.
pub(super) fn choice<'a>(value: &'a Value, stem: &str) -> Option<(&'a str, &'a Value)> {
    value.as_object()?.iter().find_map(|(name, value)| {
        let kind = name.strip_prefix(stem)?;
        kind.starts_with(|first: char| first.is_ascii_uppercase()).then_some((kind, value))
    })
}
