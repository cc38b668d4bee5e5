//! One element of a resource as FHIR's JSON writes it: a value, and for primitives the `_name` sibling with id and
//! extensions; and the list of those that share a name. Used by FHIRPath Patch.

use serde_json::{Map, Value};

/// An occurrence of an element.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Element {
    /// The value; null for a primitive that has only extensions.
    pub(super) value: Value,
    /// What stands beside a primitive.
    pub(super) sibling: Option<Value>,
}

/// The occurrences of an element that repeats; empty where there are none.
pub(super) fn list(map: &Map<String, Value>, name: &str) -> Vec<Element> {
    let items = |name: &str| match map.get(name) {
        Some(Value::Array(items)) => items.clone(),
        Some(single) => vec![single.clone()],
        None => Vec::new(),
    };
    let (values, siblings) = (items(name), items(&format!("_{name}")));
    let count = values.len().max(siblings.len());
    let mut values = values.into_iter();
    let mut siblings = siblings.into_iter();
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        let sibling = siblings.next().filter(|sibling| !sibling.is_null());
        all.push(Element { value: values.next().unwrap_or(Value::Null), sibling });
    }
    all
}

/// Stores the occurrences of an element that repeats; without any the element goes.
pub(super) fn put_list(map: &mut Map<String, Value>, name: &str, elements: Vec<Element>) {
    let (values, siblings): (Vec<Value>, Vec<Value>) =
        elements.into_iter().map(|element| (element.value, element.sibling.unwrap_or(Value::Null))).unzip();
    for (name, items) in [(name.to_owned(), values), (format!("_{name}"), siblings)] {
        if items.iter().all(Value::is_null) {
            map.shift_remove(&name);
        } else {
            map.insert(name, Value::Array(items));
        }
    }
}

/// Stores the only occurrence of an element that does not repeat.
pub(super) fn put_one(map: &mut Map<String, Value>, name: &str, element: Element) {
    for (name, value) in [(name.to_owned(), Some(element.value)), (format!("_{name}"), element.sibling)] {
        match value.filter(|value| !value.is_null()) {
            Some(value) => drop(map.insert(name, value)),
            None => drop(map.shift_remove(&name)),
        }
    }
}

/// Takes an element away, with what stands beside it.
pub(super) fn remove(map: &mut Map<String, Value>, name: &str) {
    map.shift_remove(name);
    map.shift_remove(&format!("_{name}"));
}

/// True where the element is there, be it with extensions only.
pub(super) fn is_there(map: &Map<String, Value>, name: &str) -> bool {
    map.contains_key(name) || map.contains_key(&format!("_{name}"))
}
