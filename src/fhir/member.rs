//! Look-up of a member in a JSON object without hashing: FHIR's objects are small, and comparing lengths costs less than a
//! hash. Used by validation on its hot paths.

use serde_json::{Map, Value};

/// Objects of at most so many members are searched in order.
const SMALL: usize = 16;

/// The member of an object; none where `value` is no object.
#[must_use]
#[inline]
pub fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(object) => of(object, name),
        _ => None,
    }
}

/// The member of an object.
#[must_use]
#[inline]
pub fn of<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if object.len() > SMALL {
        return object.get(name);
    }
    object.iter().find(|(key, _)| is(key, name)).map(|(_, value)| value)
}

/// Whether two names are one. Most that are not differ in length or in their last letter, which costs no call to see.
#[inline]
fn is(key: &str, name: &str) -> bool {
    key.len() == name.len() && key.as_bytes().last() == name.as_bytes().last() && key.as_bytes() == name.as_bytes()
}

/// The text of a member; none where it is no string.
#[must_use]
#[inline]
pub fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    match member(value, name) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// Whether there is such a member.
#[must_use]
#[inline]
pub fn has(value: &Value, name: &str) -> bool {
    member(value, name).is_some()
}
