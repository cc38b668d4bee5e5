//! What the path of an operation leads to: a single element, or the list that its results make up. Used by FHIRPath Patch.

use serde_json::Value;

use super::build::Content;
use super::element::{self, Element};
use super::place::{Declared, Place, Step, object};
use crate::clock::Micros;
use crate::fhir::types::{TypeIndex, TypeKind, Types};
use crate::fhirpath::{Context, Expression, Item, Limits};

/// Bounds of one path: a patch may have many.
const LIMITS: Limits = Limits { steps: 200_000, items: 20_000, text: 65_536 };

/// What is said where a path finds nothing.
pub(super) fn absent() -> String {
    "there is nothing at its path".to_owned()
}

/// A result of a path, found again in the resource.
#[derive(Debug)]
pub(super) struct Found {
    /// None for the resource itself.
    pub(super) place: Option<Place>,
    pub(super) type_: TypeIndex,
    /// The type that has the element, and the element's name there.
    parent: Option<TypeIndex>,
}

impl Found {
    /// The only result of a path; none where there is none.
    pub(super) fn only(resource: &Value, path: &Expression, now: Micros) -> Result<Option<Self>, String> {
        let mut all = Self::all(resource, path, now)?;
        match (all.pop(), all.is_empty()) {
            (None, _) => Ok(None),
            (Some(found), true) => Ok(Some(found)),
            (Some(_), false) => Err("its path leads to more than one element; it must be a single one".to_owned()),
        }
    }

    fn all(resource: &Value, path: &Expression, now: Micros) -> Result<Vec<Self>, String> {
        let mut context = Context::new(resource, now);
        context.limits = LIMITS;
        let focus = Item::resource(resource, Types::r4());
        let items = path.evaluate(&context, focus).map_err(|error| format!("its path cannot be followed: {error}"))?;
        if let (true, Some(type_)) = (items.is_empty(), type_of(resource, &[])) {
            // Where nothing is found, a misspelt name must not pass for an element that happens to be absent.
            path.check(type_).map_err(|error| format!("its path cannot be followed: {error}"))?;
        }
        items.iter().map(|item| Self::of(resource, item)).collect()
    }

    fn of(resource: &Value, item: &Item<'_>) -> Result<Self, String> {
        let foreign = || "its path must lead to elements of the resource".to_owned();
        let node = item.as_node().ok_or_else(foreign)?;
        let type_ = node.type_index().ok_or_else(foreign)?;
        if std::ptr::eq(node.value(), resource) {
            return Ok(Self { place: None, type_, parent: None });
        }
        let place = Place::find(resource, node).ok_or_else(foreign)?;
        let parent = type_of(resource, &place.holder);
        Ok(Self { place: Some(place), type_, parent })
    }

    pub(super) fn element(&self) -> Result<Place, String> {
        self.place.clone().ok_or_else(|| "the resource itself can be neither deleted nor replaced".to_owned())
    }

    /// The way to the object of the element's children.
    pub(super) fn inner(&self, resource: &mut Value) -> Result<Vec<Step>, String> {
        let Some(place) = &self.place else { return Ok(Vec::new()) };
        let primitive = matches!(Types::r4().definition(self.type_).kind, TypeKind::Primitive(_));
        place.inner(resource, primitive).ok_or_else(absent)
    }

    /// The element that takes the place of this one; for a choice the type of the content decides its name.
    pub(super) fn declared(&self, content: &Content) -> Result<Option<Declared>, String> {
        let (Some(place), Some(parent)) = (&self.place, self.parent) else { return Ok(None) };
        let Some((child, _)) = Types::r4().child(parent, &place.name) else { return Ok(None) };
        let declared = Declared::find(parent, &child.name, content.suffix());
        declared.map(Some).map_err(|text| format!("the element {text}"))
    }
}

/// The type of the object at the end of a way.
fn type_of(resource: &Value, way: &[Step]) -> Option<TypeIndex> {
    let table = Types::r4();
    let own = |value: &Value| value.get("resourceType").and_then(Value::as_str).and_then(|name| table.get(name));
    let mut value = resource;
    let mut type_ = own(value)?;
    for step in way {
        match step {
            Step::Item(index) => value = value.get(index)?,
            Step::Member(name) => {
                let plain = name.strip_prefix('_').unwrap_or(name);
                type_ = table.child(type_, plain)?.1;
                value = value.get(name)?;
            }
        }
        type_ = own(value).unwrap_or(type_);
    }
    Some(type_)
}

/// The list that a path means: all occurrences of one element of one parent.
#[derive(Debug)]
pub(super) struct List {
    holder: Vec<Step>,
    name: String,
    pub(super) type_: TypeIndex,
}

impl List {
    pub(super) fn find(resource: &mut Value, path: &Expression, now: Micros) -> Result<Self, String> {
        let found = Found::all(resource, path, now)?;
        if found.is_empty() {
            return Self::empty(resource, path, now);
        }
        let type_ = found.first().map(|first| first.type_).ok_or_else(absent)?;
        let places: Vec<Place> = found.iter().map(Found::element).collect::<Result<_, _>>()?;
        let first = places.first().ok_or_else(absent)?;
        let (holder, name) = (first.holder.clone(), first.name.clone());
        let whole = object(resource, &holder).map_or(0, |map| element::list(map, &name).len());
        let together = places.iter().all(|place| place.holder == holder && place.name == name && place.index.is_some());
        if !together || places.len() != whole {
            return Err("its path must lead to all items of one list".to_owned());
        }
        Ok(Self { holder, name, type_ })
    }

    /// A list without items: its parent by the path up to the last name.
    fn empty(resource: &mut Value, path: &Expression, now: Micros) -> Result<Self, String> {
        let (parent, name) = path.source().rsplit_once('.').ok_or_else(absent)?;
        let parent = Expression::compile(parent).map_err(|_| absent())?;
        let parent = Found::only(resource, &parent, now)?.ok_or_else(absent)?;
        let declared = Declared::find(parent.type_, name.trim(), None).map_err(|text| format!("the element {text}"))?;
        if !declared.repeats {
            return Err("its path must lead to an element that repeats".to_owned());
        }
        Ok(Self { holder: parent.inner(resource)?, name: declared.name, type_: declared.type_ })
    }

    pub(super) fn change(
        &self,
        resource: &mut Value,
        change: impl FnOnce(&mut Vec<Element>) -> bool,
    ) -> Result<(), String> {
        let map = object(resource, &self.holder).ok_or_else(absent)?;
        let mut all = element::list(map, &self.name);
        if !change(&mut all) {
            return Err("the list has no such place".to_owned());
        }
        element::put_list(map, &self.name, all);
        Ok(())
    }
}
