//! How XML values become members of JSON objects: JSON kinds by primitive type, arrays, and the `_name` members that carry
//! ids and extensions of primitives.

use serde_json::{Map, Value};

use crate::fhir::codec::json::exact_number;
use crate::fhir::primitive;
use crate::fhir::types::PrimitiveKind;

/// The JSON value of a `value` attribute; none if a boolean or number is not written as one.
pub(super) fn primitive_value(kind: PrimitiveKind, text: String) -> Option<Value> {
    match kind {
        PrimitiveKind::Boolean => match text.as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        },
        PrimitiveKind::Integer | PrimitiveKind::PositiveInt | PrimitiveKind::UnsignedInt | PrimitiveKind::Decimal => {
            primitive::is_decimal(&text).then(|| Value::Number(exact_number(&text)))
        }
        _ => Some(Value::String(text)),
    }
}

/// A primitive element that was read: its value, and what belongs into the `_name` member.
pub(super) struct Primitive {
    pub(super) value: Option<Value>,
    pub(super) sibling: Option<Map<String, Value>>,
}

/// Adds a primitive that does not repeat.
pub(super) fn put_primitive(object: &mut Map<String, Value>, name: &str, primitive: Primitive) {
    if let Some(value) = primitive.value {
        object.insert(name.to_owned(), value);
    }
    if let Some(sibling) = primitive.sibling {
        object.insert(format!("_{name}"), Value::Object(sibling));
    }
}

/// Adds an item of a repeating primitive: both arrays are filled with null where the other has something.
pub(super) fn push_primitive(object: &mut Map<String, Value>, name: &str, primitive: Primitive) {
    let sibling_name = format!("_{name}");
    let index = count(object, name);
    push(object, name, primitive.value.unwrap_or(Value::Null));
    if primitive.sibling.is_some() || object.contains_key(&sibling_name) {
        for _ in count(object, &sibling_name)..index {
            push(object, &sibling_name, Value::Null);
        }
        push(object, &sibling_name, primitive.sibling.map_or(Value::Null, Value::Object));
    }
}

/// Adds an item of a repeating element that is no primitive.
pub(super) fn push(object: &mut Map<String, Value>, name: &str, value: Value) {
    match object.get_mut(name) {
        Some(Value::Array(items)) => items.push(value),
        _ => drop(object.insert(name.to_owned(), Value::Array(vec![value]))),
    }
}

/// Removes arrays in which no item has a value: only the `_name` member stays, as with a primitive that does not repeat.
pub(super) fn drop_empty_arrays(object: &mut Map<String, Value>) {
    let is_empty = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_null));
    let empty: Vec<String> = object.iter().filter(|(_, value)| is_empty(value)).map(|(name, _)| name.clone()).collect();
    for name in empty {
        object.shift_remove(&name);
    }
}

/// How many items the member has so far.
pub(super) fn count(object: &Map<String, Value>, name: &str) -> usize {
    object.get(name).and_then(Value::as_array).map_or(0, Vec::len)
}
