//! From an element to its children: plain names, choices (`value` finds `valueQuantity`), primitives with `_name`
//! siblings, nested resources. Called by `evaluate` and the tree functions.

use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::evaluate::Outcome;
use super::expression::{Meaning, Member};
use super::item::Item;
use super::node::{NULL, Node, resource_type};
use crate::fhir::types::{TypeIndex, Types};

/// Receives items one by one; says whether it wants more.
pub(super) type Sink<'k, 'a> = &'k mut dyn FnMut(Item<'a>) -> Outcome;

/// Sends the children called `member` to the sink.
pub(super) fn member<'a>(node: &Node<'a>, member: &Member, types: &Types, sink: Sink<'_, 'a>) -> Outcome {
    let Some(map) = fields(node) else { return Ok(ControlFlow::Continue(())) };
    let Some(parent) = node.type_index() else { return untyped(map, &member.name, types, sink) };
    let meaning = member.recall(parent).unwrap_or_else(|| {
        let meaning = meaning(parent, &member.name, types);
        member.remember(parent, meaning);
        meaning
    });
    meant(map, parent, &member.name, meaning, types, sink)
}

/// As [`member`], for names that the engine itself looks for.
pub(super) fn named<'a>(node: &Node<'a>, name: &str, types: &Types, sink: Sink<'_, 'a>) -> Outcome {
    let Some(map) = fields(node) else { return Ok(ControlFlow::Continue(())) };
    let Some(parent) = node.type_index() else { return untyped(map, name, types, sink) };
    meant(map, parent, name, meaning(parent, name, types), types, sink)
}

fn meant<'a>(
    map: &'a Map<String, Value>,
    parent: TypeIndex,
    name: &str,
    meaning: Meaning,
    types: &Types,
    sink: Sink<'_, 'a>,
) -> Outcome {
    match meaning {
        Meaning::Absent => Ok(ControlFlow::Continue(())),
        Meaning::Element(type_index) => {
            let (value, sibling) = pair(map, name);
            send(value, sibling, Some(type_index), types, sink)
        }
        Meaning::Choice => choice(map, parent, name, types, sink),
    }
}

/// Sends every child to the sink, in the order of the JSON.
pub(super) fn children<'a>(node: &Node<'a>, types: &Types, sink: Sink<'_, 'a>) -> Outcome {
    let Some(map) = fields(node) else { return Ok(ControlFlow::Continue(())) };
    for key in map.keys() {
        let name = key.strip_prefix('_').unwrap_or(key);
        if key == "resourceType" || (name.len() != key.len() && map.contains_key(name)) {
            continue;
        }
        let type_index =
            node.type_index().and_then(|parent| types.child(parent, name)).map(|(_, type_index)| type_index);
        let (value, sibling) = pair(map, name);
        if send(value, sibling, type_index, types, sink)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The object that holds the children: of a complex element its value, of a primitive its sibling.
fn fields<'a>(node: &Node<'a>) -> Option<&'a Map<String, Value>> {
    node.value().as_object().or_else(|| node.sibling()?.as_object())
}

/// What the name means below the type.
pub(super) fn meaning(parent: TypeIndex, name: &str, types: &Types) -> Meaning {
    if let Some((child, type_index)) = types.child(parent, name) {
        // `valueQuantity` is how JSON writes it; FHIRPath knows `value` only.
        return if child.is_choice && &*child.name != name { Meaning::Absent } else { Meaning::Element(type_index) };
    }
    let is_choice = |child: &crate::fhir::types::Child| child.is_choice && &*child.name == name;
    if types.definition(parent).children.iter().any(is_choice) { Meaning::Choice } else { Meaning::Absent }
}

/// The value and its `_name` sibling. One walk over the entries beats two hashes for the small objects FHIR has.
fn pair<'a>(map: &'a Map<String, Value>, name: &str) -> (Option<&'a Value>, Option<&'a Value>) {
    if map.len() > 24 {
        let sibling = map.get(&format!("_{name}"));
        return (map.get(name), sibling);
    }
    let (mut value, mut sibling) = (None, None);
    for (key, found) in map {
        if key == name {
            value = Some(found);
        } else if key.len() == name.len() + 1 && key.strip_prefix('_') == Some(name) {
            sibling = Some(found);
        }
    }
    (value, sibling)
}

fn choice<'a>(
    map: &'a Map<String, Value>,
    parent: TypeIndex,
    name: &str,
    types: &Types,
    sink: Sink<'_, 'a>,
) -> Outcome {
    for key in map.keys() {
        let json_name = key.strip_prefix('_').unwrap_or(key);
        if !json_name.starts_with(name) || (json_name.len() != key.len() && map.contains_key(json_name)) {
            continue;
        }
        if let Some((child, type_index)) = types.child(parent, json_name)
            && &*child.name == name
        {
            let (value, sibling) = pair(map, json_name);
            return send(value, sibling, Some(type_index), types, sink);
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Below an unknown type the JSON name decides; a choice is recognised by a suffix that is the name of a type.
fn untyped<'a>(map: &'a Map<String, Value>, name: &str, types: &Types, sink: Sink<'_, 'a>) -> Outcome {
    let (value, sibling) = pair(map, name);
    if value.is_some() || sibling.is_some() {
        return send(value, sibling, None, types, sink);
    }
    for key in map.keys() {
        let Some(suffix) = key.strip_prefix('_').unwrap_or(key).strip_prefix(name) else { continue };
        if let Some(type_index) = suffix_type(suffix, types) {
            let (value, sibling) = pair(map, key.strip_prefix('_').unwrap_or(key));
            return send(value, sibling, Some(type_index), types, sink);
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// `Quantity` or `String` (for `string`) at the end of a choice's JSON name.
fn suffix_type(suffix: &str, types: &Types) -> Option<TypeIndex> {
    let first = suffix.chars().next().filter(char::is_ascii_uppercase)?;
    let lower = format!("{}{}", first.to_ascii_lowercase(), suffix.get(1..)?);
    types.get(suffix).or_else(|| types.get(&lower))
}

/// Sends a value, or each item of an array with its sibling, to the sink.
fn send<'a>(
    value: Option<&'a Value>,
    sibling: Option<&'a Value>,
    type_index: Option<TypeIndex>,
    types: &Types,
    sink: Sink<'_, 'a>,
) -> Outcome {
    let items = value.and_then(Value::as_array);
    let siblings = sibling.and_then(Value::as_array);
    if items.is_none() && siblings.is_none() {
        return match (value, sibling) {
            (None | Some(Value::Null), None) => Ok(ControlFlow::Continue(())),
            (value, sibling) => send_one(value.unwrap_or(&NULL), sibling, type_index, types, sink),
        };
    }
    let count = items.map_or(0, Vec::len).max(siblings.map_or(0, Vec::len));
    for at in 0..count {
        let value = items.and_then(|items| items.get(at)).unwrap_or(&NULL);
        let sibling = siblings.and_then(|siblings| siblings.get(at)).filter(|sibling| !sibling.is_null());
        if value.is_null() && sibling.is_none() {
            continue;
        }
        if send_one(value, sibling, type_index, types, sink)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn send_one<'a>(
    value: &'a Value,
    sibling: Option<&'a Value>,
    type_index: Option<TypeIndex>,
    types: &Types,
    sink: Sink<'_, 'a>,
) -> Outcome {
    let is_abstract = type_index.is_none_or(|type_index| types.definition(type_index).abstract_);
    let actual = if is_abstract { resource_type(value, types).or(type_index) } else { type_index };
    sink(Item::Node(Node::new(value, sibling, actual)))
}
