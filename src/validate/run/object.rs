//! One JSON object against its type: names, kinds, counts; its members are handed to `element`.

use serde_json::{Map, Value};

use crate::fhir::issue::IssueCode;
use crate::fhir::member;

use crate::validate::rules::{cardinality, choice_type, json_kind, must_support, unknown_element};
use crate::validate::schema::{Element, MAX_ELEMENTS, Name, Shape, TypeSchema, WHOLE, key};

use super::{Origin, Place, Range, Run};

/// Steps of the path of an entry of the outermost Bundle: `Bundle.entry[0]`.
const ENTRY_DEPTH: usize = 3;

/// The elements of most datatypes and backbone elements.
const FEW_ELEMENTS: usize = 16;

/// The occurrences of one element: values and, for primitives, the `_name` values.
#[derive(Debug, Clone, Copy)]
pub struct Items<'a> {
    /// Values in order; JSON null where there is none.
    pub values: &'a [Value],
    /// `_name` values in order.
    pub siblings: &'a [Value],
}

impl<'a> Items<'a> {
    /// True where there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        if self.values.len() > self.siblings.len() { self.values.len() } else { self.siblings.len() }
    }

    /// The occurrence at `index`.
    #[must_use]
    pub fn get(&self, index: usize) -> (Option<&'a Value>, Option<&'a Value>) {
        let present = |list: &'a [Value]| list.get(index).filter(|value| !value.is_null());
        (present(self.values), present(self.siblings))
    }
}

impl TypeSchema {
    /// The name's position; names mostly come in definition order, so the search begins after the last one found.
    fn find(&self, json: &str, cursor: &mut usize) -> Option<&Name> {
        let wanted = key(json);
        let is_it = |position: &usize| {
            self.keys.get(*position) == Some(&wanted)
                && (json.len() <= WHOLE || self.names.get(*position).is_some_and(|name| name.json == json))
        };
        let position = (*cursor..self.keys.len()).find(is_it).or_else(|| (0..*cursor).find(is_it))?;
        *cursor = position + 1;
        self.names.get(position)
    }

    /// Position of an element by its name without `[x]`, whose key is given.
    #[must_use]
    pub fn element(&self, name: &str, wanted: u64) -> Option<usize> {
        self.elements.iter().position(|element| element.key == wanted && element.name == name)
    }
}

impl<'v, 'a> Run<'v, 'a> {
    /// Checks the members of an object; `range` are the profile nodes that apply to the object.
    pub(super) fn object(
        &mut self,
        schema: &'v TypeSchema,
        object: &'a Map<String, Value>,
        range: Range,
        place: Place<'_, 'a>,
    ) {
        let origin = Origin { profile: &schema.url, element: &schema.name, base: true };
        if object.is_empty() {
            return json_kind::empty_object(self, place.path, origin);
        }
        // Most objects are small, and clearing the room for the largest costs as much as checking one of them.
        let (mut few, mut many);
        let counts: &mut [u32] = if schema.elements.len() <= FEW_ELEMENTS {
            few = [0; FEW_ELEMENTS];
            &mut few
        } else {
            many = [0; MAX_ELEMENTS];
            &mut many
        };
        let mut cursor = 0;
        let has_siblings = object.keys().any(|key| key.starts_with('_'));
        for (key, value) in object {
            if key == "resourceType" && matches!(schema.shape, Shape::Resource) {
                continue;
            }
            let (json, alone) = match key.strip_prefix('_') {
                Some(json) if member::of(object, json).is_some() => continue,
                Some(json) => (json, true),
                None => (key.as_str(), false),
            };
            let Some(name) = schema.find(json, &mut cursor) else {
                unknown_element::report(self, schema, key, place.path, origin);
                continue;
            };
            let element = &schema.elements[usize::from(name.element)];
            let (value, sibling) = if alone {
                (None, Some(value))
            } else {
                (Some(value), if has_siblings { member::of(object, &name.sibling) } else { None })
            };
            let count = &mut counts[usize::from(name.element)];
            if *count > 0 {
                choice_type::twice(self, element, place.path);
            }
            *count += self.member(name, element, value, sibling, range, place);
        }
        self.count(schema, counts, range, place);
    }

    /// The occurrences of one element; returns how many there are.
    fn member(
        &mut self,
        name: &'v Name,
        element: &'v Element,
        value: Option<&'a Value>,
        sibling: Option<&'a Value>,
        range: Range,
        place: Place<'_, 'a>,
    ) -> u32 {
        let path = place.path.element(&name.step);
        let place = place.with_path(&path);
        let Some(items) = json_kind::items(self, name, element, value, sibling, place.path) else {
            return 1;
        };
        let nodes = self.gather(range, &element.name, element.key);
        let base = self.assigned.len();
        if nodes.end > nodes.start {
            choice_type::check(self, name, nodes, place.path);
            self.slice(nodes, items, name.type_, place);
        }
        if self.divides(element, items, place) {
            self.divided(name, element, items, nodes, base, place);
        } else {
            self.occurrences(name, element, items, 0..items.len(), (nodes, base), place);
        }
        self.assigned.truncate(base);
        self.overlays.truncate(nodes.start);
        u32::try_from(items.len()).unwrap_or(u32::MAX)
    }

    /// Some of the occurrences of an element. `nodes` apply to each, with those of the slices that begin at `base`.
    pub(super) fn occurrences(
        &mut self,
        name: &'v Name,
        element: &'v Element,
        items: Items<'a>,
        which: std::ops::Range<usize>,
        (nodes, base): (Range, usize),
        place: Place<'_, 'a>,
    ) {
        for index in which {
            let indexed;
            let place = if element.repeats {
                indexed = place.path.index(index);
                place.with_path(&indexed)
            } else {
                place
            };
            if element.id == "Bundle.entry" && place.path.depth() == ENTRY_DEPTH {
                self.issues_before = self.issues.len();
            }
            let end = self.overlays.len();
            let own = self.slices_of(base, index, nodes);
            self.item(name, element, items.get(index), own, place);
            self.overlays.truncate(end);
        }
    }

    /// The nodes that apply to one occurrence: those of the element, and those of the slices it belongs to.
    fn slices_of(&mut self, base: usize, index: usize, nodes: Range) -> Range {
        if self.assigned.len() == base {
            return nodes;
        }
        let start = self.overlays.len();
        self.overlays.extend_from_within(nodes.start..nodes.end);
        for (item, overlay) in &self.assigned[base..] {
            if *item == index {
                self.overlays.push(*overlay);
            }
        }
        Range { start, end: self.overlays.len() }
    }

    /// Least and greatest number of occurrences, of the base and of each profile.
    fn count(&mut self, schema: &'v TypeSchema, counts: &[u32], range: Range, place: Place<'_, 'a>) {
        for position in &schema.required {
            let element = &schema.elements[usize::from(*position)];
            if counts[usize::from(*position)] < element.min {
                let origin = Origin { profile: &element.url, element: &element.id, base: true };
                cardinality::too_few(self, &element.id, element.min, 0, place.path, origin);
            }
        }
        for position in range.start..range.end {
            let overlay = self.overlays[position];
            if self.must_support {
                let found = |name: &str, key| schema.element(name, key).is_some_and(|element| counts[element] > 0);
                must_support::children(self, overlay, found, place.path);
            }
            for position in &overlay.node.limited {
                let (name, node) = &overlay.node.children[*position as usize];
                let node = &overlay.profile.nodes[*node as usize];
                let element = schema.element(name, overlay.node.keys[*position as usize]);
                let found = element.map_or(0, |element| counts[element]);
                cardinality::check(self, overlay.profile, node, found, place.path);
            }
        }
    }

    /// Reports that the nesting is too deep, once.
    pub(super) fn too_deep(&mut self, place: Place<'_, 'a>, origin: Origin<'_>) {
        let text = "Elements are nested more deeply than this server reads. Flatten the content.".to_owned();
        self.error(IssueCode::TooCostly, "nesting-depth", text, place.path, origin);
    }
}
