//! Finds the node that a differential element is about, and makes it where the base does not spell it out: children of
//! datatypes and of referenced content, slices, re-slices, one type of a choice.

use std::sync::Arc;

use super::merge::{add_constraint, merge};
use super::segments::{Segment, segments};
use super::tree::Node;
use super::{DEEPEST, MOST_ELEMENTS, Resolver, Snapshot, profile_root, unusable};
use crate::fhir::definitions::model::{
    Constraint, Discriminator, DiscriminatorKind, ElementDefinition, Slicing, SlicingRules, StructureDefinition,
    TypeRef,
};
use crate::problem::Problem;

const CORE: &str = "http://hl7.org/fhir/StructureDefinition/";

pub(super) struct Placer<'a> {
    pub(super) structure: &'a StructureDefinition,
    pub(super) base: Option<&'a Snapshot>,
    pub(super) resolver: &'a mut dyn Resolver,
    /// True for new types, whose differential adds elements.
    pub(super) may_add: bool,
    pub(super) created: usize,
}

impl Placer<'_> {
    /// Merges a differential element into the tree.
    pub(super) fn place(&mut self, root: &mut Node, change: &ElementDefinition) -> Result<(), Problem> {
        let steps = segments(change);
        let (first, below) = steps.split_first().ok_or_else(|| self.refuse(change, "the path is empty"))?;
        if first.name != root.element.path {
            return Err(self.refuse(change, "the path does not begin with the type of the structure"));
        }
        if steps.len() > DEEPEST {
            return Err(self.refuse(change, "the path is too long"));
        }
        let mut node = root;
        for (at, step) in below.iter().enumerate() {
            let is_last = at + 1 == below.len();
            node = self.step(node, *step, change, is_last)?;
        }
        self.adopt_profile(node, change);
        let source = self.structure.url.clone();
        merge(&mut node.element, change, &source);
        Ok(())
    }

    fn refuse(&self, change: &ElementDefinition, reason: &str) -> Problem {
        unusable(self.structure, &change.id, reason)
    }

    /// One step down: to the child with the name, and on to the slice.
    fn step<'n>(
        &mut self,
        node: &'n mut Node,
        step: Segment<'_>,
        change: &ElementDefinition,
        is_last: bool,
    ) -> Result<&'n mut Node, Problem> {
        self.open(node, change)?;
        if let Some(at) = node.child(step.name) {
            let child = &mut node.children[at];
            return match step.slice {
                Some(slice) => self.slice(child, slice, change),
                None => Ok(child),
            };
        }
        if let Some(at) = choice_child(node, step.name) {
            return self.one_type(&mut node.children[at], step, change);
        }
        if self.may_add && is_last {
            Ok(self.add(node, step, change))
        } else {
            Err(self.refuse(change, "the base has no such element"))
        }
    }

    /// `valueQuantity`, where the base has `value[x]`: the choice is restricted to the types so named. Within a slice and with
    /// only one type that is said on the element itself, elsewhere with a slice a type, as the published snapshots do.
    fn one_type<'n>(
        &mut self,
        choice: &'n mut Node,
        step: Segment<'_>,
        change: &ElementDefinition,
    ) -> Result<&'n mut Node, Problem> {
        let name = step.slice.unwrap_or(step.name);
        if choice.slice(name).is_some() || choice.element.slicing.is_some() {
            return self.slice(choice, name, change);
        }
        let plain = choice.element.name().trim_end_matches("[x]").to_owned();
        let named = self.types_named_beside(change, &plain, step.name);
        choice.element.types.retain(|kind| named.iter().any(|suffix| is_suffix_of(suffix, &kind.code)));
        if choice.element.id.contains(':') && choice.element.types.len() == 1 {
            return Ok(choice);
        }
        default_slicing(&mut choice.element, SlicingRules::Closed);
        self.slice(choice, name, change)
    }

    /// The type suffixes of all elements `<stem><Type>` that the differential has at this place.
    fn types_named_beside(&self, change: &ElementDefinition, stem: &str, name: &str) -> Vec<String> {
        let (ids, steps) = (change.id.as_str(), segments(change));
        let depth = steps.iter().position(|step| step.name == name).unwrap_or_default();
        let parent = |id: &str| id.split('.').take(depth).collect::<Vec<_>>().join(".");
        let place = parent(ids);
        let beside = self.structure.differential.iter().filter(|element| parent(&element.id) == place);
        let names = beside.filter_map(|element| segments(element).get(depth).map(|step| step.name.to_owned()));
        names.filter_map(|name| name.strip_prefix(stem).map(ToOwned::to_owned)).collect()
    }

    /// A new element of a new type.
    fn add<'n>(&mut self, node: &'n mut Node, step: Segment<'_>, change: &ElementDefinition) -> &'n mut Node {
        let mut element = ElementDefinition {
            id: format!("{}.{}", node.element.id, step.name),
            path: format!("{}.{}", node.element.path, step.name),
            ..ElementDefinition::default()
        };
        for (constraint, source) in self.universal_constraints(change) {
            add_constraint(&mut element, &constraint, &source);
        }
        let at = node.children.len();
        node.children.push(Node::leaf(element));
        &mut node.children[at]
    }

    /// The invariants of Element and Extension, which hold for every element of those kinds.
    fn universal_constraints(&self, change: &ElementDefinition) -> Vec<(Arc<Constraint>, String)> {
        let code = change.types.first().map_or("", |kind| kind.code.as_str());
        let has_none = change.name() == "id" || change.path == "Extension.url" || code.contains("/System.");
        if has_none || code == "Resource" || change.path.starts_with("Element.") && code != "Extension" {
            return Vec::new();
        }
        let kinds: &[&str] = if code == "Extension" { &["Element", "Extension"] } else { &["Element"] };
        let roots = kinds.iter().filter_map(|kind| self.resolver.structure(&format!("{CORE}{kind}")));
        let constraints = roots.flat_map(|kind| {
            let list = kind.differential.first().map(|root| root.constraints.clone()).unwrap_or_default();
            list.into_iter().map(move |constraint| (constraint, kind.url.clone()))
        });
        constraints.collect()
    }

    /// Gives a node its children where they are not spelled out yet.
    fn open(&mut self, node: &mut Node, change: &ElementDefinition) -> Result<(), Problem> {
        if !node.children.is_empty() || !node.element.path.contains('.') && self.may_add {
            return Ok(());
        }
        let source = if let Some(reference) = &node.element.content_reference {
            let id = reference.rsplit('#').next().unwrap_or(reference);
            let tree = self.base.and_then(|base| Node::from_elements(&base.elements));
            tree.as_ref().and_then(|tree| tree.find(id)).cloned()
        } else {
            Node::from_elements(&self.content(&node.element.types)?.elements)
        };
        let mut source = source.ok_or_else(|| self.refuse(change, "its parent has no known content"))?;
        self.created += source.count();
        if self.created > MOST_ELEMENTS {
            return Err(self.refuse(change, "the structure becomes too large"));
        }
        source.rename(&node.element.id, &node.element.path);
        node.children = source.children;
        Ok(())
    }

    /// The structure whose children an element of these types has: the one profile where it is loaded, the one type, or what
    /// all types have in common.
    fn content(&mut self, types: &[TypeRef]) -> Result<Arc<Snapshot>, Problem> {
        let [only] = types else { return self.resolver.snapshot(&format!("{CORE}Element")) };
        if let [profile] = only.profiles.as_slice()
            && self.resolver.structure(profile).is_some()
        {
            return self.resolver.snapshot(profile);
        }
        // The value of a primitive has no elements of its own; what profiles say below it stays without effect.
        if only.code.contains("/System.") {
            return self.resolver.snapshot(&format!("{CORE}Element"));
        }
        let is_url = only.code.contains(':');
        self.resolver.snapshot(&if is_url { only.code.clone() } else { format!("{CORE}{}", only.code) })
    }

    /// The slice with this name, made where it does not exist. `a/b` is a slice of the slice `a`.
    fn slice<'n>(
        &mut self,
        node: &'n mut Node,
        name: &str,
        change: &ElementDefinition,
    ) -> Result<&'n mut Node, Problem> {
        if let Some((outer, _)) = name.rsplit_once('/')
            && node.element.slice_name.as_deref() != Some(outer)
        {
            let outer = self.slice(node, outer, change)?;
            return self.slice(outer, name, change);
        }
        if node.element.slice_name.as_deref() == Some(name) || self.is_lone_slice(node, name) {
            if node.element.slice_name.is_none() {
                node.element.slice_name = Some(name.to_owned());
                let (id, path) = (format!("{}:{name}", node.element.id), node.element.path.clone());
                node.rename(&id, &path);
            }
            return Ok(node);
        }
        let at = match node.slice(name) {
            Some(at) => at,
            None => self.add_slice(node, name, change)?,
        };
        node.slices.get_mut(at).ok_or_else(|| self.refuse(change, "the slice cannot be made"))
    }

    /// True where the differential names one slice of an element that nothing slices: published profiles mean the element
    /// itself then.
    fn is_lone_slice(&self, node: &Node, name: &str) -> bool {
        let element = &node.element;
        let is_type = element.name().strip_suffix("[x]").and_then(|stem| name.strip_prefix(stem));
        if element.slicing.is_some()
            || element.slice_name.is_some()
            || matches!(element.name(), "extension" | "modifierExtension")
            || is_type.is_some_and(|suffix| has_type(&element.types, suffix))
        {
            return false;
        }
        let beside = self.structure.differential.iter().filter(|other| other.path == element.path);
        beside.filter_map(|other| other.slice_name.as_deref()).all(|other| other == name)
    }

    fn add_slice(&mut self, node: &mut Node, name: &str, change: &ElementDefinition) -> Result<usize, Problem> {
        let mut slice = Node { element: node.element.clone(), children: node.children.clone(), slices: Vec::new() };
        self.created += slice.count();
        if self.created > MOST_ELEMENTS {
            return Err(self.refuse(change, "the structure becomes too large"));
        }
        let stem = node.element.id.strip_suffix(node.element.slice_name.as_deref().unwrap_or_default());
        let id = match (&node.element.slice_name, stem) {
            (Some(_), Some(stem)) => format!("{stem}{name}"),
            _ => format!("{}:{name}", node.element.id),
        };
        slice.rename(&id, &node.element.path);
        slice.element.slice_name = Some(name.to_owned());
        slice.element.slicing = None;
        // A slice is mandatory only where the profile says so; the lower bound of the list is not its own.
        slice.element.min = Some(0);
        restrict_to_named_type(&mut slice.element, name);
        default_slicing(&mut node.element, SlicingRules::Open);
        node.slices.push(slice);
        Ok(node.slices.len() - 1)
    }

    /// An element of one type with one profile takes the invariants of that profile; an extension also cardinality and the
    /// modifier flag. Profiles that are not loaded are passed over: validation says so where they are used.
    fn adopt_profile(&mut self, node: &mut Node, change: &ElementDefinition) {
        let [TypeRef { code, profiles, .. }] = change.types.as_slice() else { return };
        let [profile] = profiles.as_slice() else { return };
        if self.may_add || matches!(code.as_str(), "Reference" | "canonical") {
            return;
        }
        let Some(root) = profile_root(self.resolver, profile) else { return };
        if code == "Extension" {
            node.element.min = root.min;
            node.element.max = root.max;
            node.element.is_modifier = root.is_modifier;
        }
        for constraint in &root.constraints {
            add_constraint(&mut node.element, constraint, profile);
        }
    }
}

/// The choice element that `valueQuantity` is one of.
fn choice_child(node: &Node, name: &str) -> Option<usize> {
    node.children.iter().position(|child| {
        let stem = child.element.name().strip_suffix("[x]");
        stem.and_then(|stem| name.strip_prefix(stem)).is_some_and(|suffix| has_type(&child.element.types, suffix))
    })
}

fn has_type(types: &[TypeRef], suffix: &str) -> bool {
    types.iter().any(|kind| is_suffix_of(suffix, &kind.code))
}

/// True for `DateTime` and `dateTime`.
fn is_suffix_of(suffix: &str, code: &str) -> bool {
    let (mut a, mut b) = (suffix.chars(), code.chars());
    a.next().zip(b.next()).is_some_and(|(a, b)| a == b.to_ascii_uppercase()) && a.as_str() == b.as_str()
}

/// A slice of a choice that is named after a type (`value[x]:valueQuantity`) is of that type.
fn restrict_to_named_type(element: &mut ElementDefinition, name: &str) {
    let stem = element.name().strip_suffix("[x]");
    let Some(suffix) = stem.and_then(|stem| name.strip_prefix(stem)) else { return };
    let suffix = suffix.to_owned();
    if has_type(&element.types, &suffix) {
        element.types.retain(|kind| is_suffix_of(&suffix, &kind.code));
    }
}

/// Extensions are always sliced by url and choices by type, also where the differential takes that for granted.
fn default_slicing(element: &mut ElementDefinition, rules: SlicingRules) {
    if element.slicing.is_some() || element.slice_name.is_some() {
        return;
    }
    let (kind, path) = match element.name() {
        "extension" | "modifierExtension" => (DiscriminatorKind::Value, "url"),
        name if name.ends_with("[x]") => (DiscriminatorKind::Type, "$this"),
        _ => return,
    };
    let discriminators = vec![Discriminator { kind, path: path.to_owned() }];
    element.slicing = Some(Slicing { discriminators, ordered: false, rules });
}
