//! Look-up of a member in a JSON object without hashing: FHIR's objects are small, and comparing a handful of names costs less
//! than a hash. Used on the hot paths of validation.

use serde_json::{Map, Value};

/// Objects of at most so many members are searched in order.
const SMALL: usize = 12;

/// The member of an object; none where `value` is no object.
#[must_use]
pub fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_object().and_then(|object| of(object, name))
}

/// The member of an object.
#[must_use]
pub fn of<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if object.len() > SMALL {
        return object.get(name);
    }
    object.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}
