//! Where in a resource a FHIRPath result stands: evaluation borrows the resource, so a result is found again by its address.
//! Used by FHIRPath Patch.

use serde_json::{Map, Value};

use super::element;
use crate::fhir::types::{TypeIndex, Types};
use crate::fhirpath::Node;

/// One step down into JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Member(String),
    Item(usize),
}

/// The place of an element that is not the resource itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The way to the object that has it.
    pub(super) holder: Vec<Step>,
    /// Its JSON name, without underscore.
    pub(super) name: String,
    /// Which occurrence, where JSON has an array.
    pub(super) index: Option<usize>,
}

/// The object at the end of a way.
pub(super) fn object<'a>(root: &'a mut Value, way: &[Step]) -> Option<&'a mut Map<String, Value>> {
    let found = way.iter().try_fold(root, |value, step| match (value, step) {
        (Value::Object(map), Step::Member(name)) => map.get_mut(name),
        (Value::Array(items), Step::Item(index)) => items.get_mut(*index),
        _ => None,
    });
    found.and_then(Value::as_object_mut)
}

impl Place {
    /// Finds a node of `root`; none where it is not part of it.
    pub(super) fn find(root: &Value, node: &Node<'_>) -> Option<Self> {
        let mut way = Vec::new();
        search(root, node, &mut way)
    }

    /// The way to the object that holds this element's children; for a primitive that is the object beside it, which is made
    /// where there is none.
    pub(super) fn inner(&self, root: &mut Value, primitive: bool) -> Option<Vec<Step>> {
        let name = if primitive { format!("_{}", self.name) } else { self.name.clone() };
        if primitive {
            self.make_sibling(object(root, &self.holder)?);
        }
        let mut way = self.holder.clone();
        way.push(Step::Member(name));
        way.extend(self.index.map(Step::Item));
        Some(way)
    }

    fn make_sibling(&self, map: &mut Map<String, Value>) {
        let empty = || Some(Value::Object(Map::new()));
        match self.index {
            Some(index) => {
                let mut all = element::list(map, &self.name);
                if let Some(element) = all.get_mut(index) {
                    element.sibling = element.sibling.take().or_else(empty);
                }
                element::put_list(map, &self.name, all);
            }
            None => drop(map.entry(format!("_{}", self.name)).or_insert_with(|| Value::Object(Map::new()))),
        }
    }
}

fn search(value: &Value, node: &Node<'_>, way: &mut Vec<Step>) -> Option<Place> {
    match value {
        Value::Object(map) => map.iter().find_map(|(key, child)| {
            let name = key.strip_prefix('_').unwrap_or(key);
            let place = |way: &[Step], index| Place { holder: way.to_vec(), name: name.to_owned(), index };
            if let Value::Array(items) = child {
                if let Some(index) = items.iter().position(|item| is(item, node)) {
                    return Some(place(way, Some(index)));
                }
            } else if is(child, node) {
                return Some(place(way, None));
            }
            below(child, Step::Member(key.clone()), node, way)
        }),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| below(item, Step::Item(index), node, way))
        }
        _ => None,
    }
}

fn below(value: &Value, step: Step, node: &Node<'_>, way: &mut Vec<Step>) -> Option<Place> {
    if !value.is_object() && !value.is_array() {
        return None;
    }
    way.push(step);
    let found = search(value, node, way);
    way.pop();
    found
}

fn is(value: &Value, node: &Node<'_>) -> bool {
    std::ptr::eq(value, node.value()) || node.sibling().is_some_and(|sibling| std::ptr::eq(value, sibling))
}

/// An element that a type may have, as it is written in JSON.
#[derive(Debug)]
pub(super) struct Declared {
    /// The JSON name: `valueQuantity` for `value`.
    pub(super) name: String,
    /// Its type.
    pub(super) type_: TypeIndex,
    /// True where JSON has an array.
    pub(super) repeats: bool,
    /// Every JSON name that the element may have.
    pub(super) names: Vec<String>,
}

impl Declared {
    /// The element `name` of a type; `suffix` (`Quantity`) chooses the type of a choice.
    pub(super) fn find(parent: TypeIndex, name: &str, suffix: Option<&str>) -> Result<Self, &'static str> {
        let table = Types::r4();
        let plain = table.definition(parent).children.iter().find(|child| &*child.name == name);
        let Some(child) = plain.or_else(|| table.child(parent, name).map(|(child, _)| child)) else {
            return Err("has no element with this name");
        };
        let wanted = if child.is_choice && &*child.name == name {
            suffix.map(|suffix| format!("{name}{suffix}"))
        } else {
            Some(name.to_owned())
        };
        let choice = child.choices.iter().find(|(json, _)| Some(&**json) == wanted.as_deref());
        let Some((json, own)) = choice else { return Err("does not allow a value of this type here") };
        let all = child.choices.iter().map(|(json, _)| json.to_string()).collect();
        Ok(Self { name: json.to_string(), type_: *own, repeats: child.repeats, names: all })
    }
}
