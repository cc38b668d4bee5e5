//! Finds the node that a differential element is about, and makes it where the base does not spell it out: children of
//! datatypes and of referenced content, slices, re-slices, one type of a choice.

use std::sync::Arc;

use super::merge::{add_constraint, merge};
use super::segments::{Segment, segments};
use super::tree::Node;
use super::{MOST_ELEMENTS, Resolver, Snapshot, unusable};
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
        let (at, slice) = match node.child(step.name) {
            Some(at) => (at, step.slice),
            None => match choice_child(node, step.name) {
                Some(at) => (at, Some(step.slice.unwrap_or(step.name))),
                None if self.may_add && is_last => return Ok(self.add(node, step, change)),
                None => return Err(self.refuse(change, "the base has no such element")),
            },
        };
        let child = node.children.get_mut(at).ok_or_else(|| self.refuse(change, "the base has no such element"))?;
        match slice {
            Some(slice) => self.slice(child, slice, change),
            None => Ok(child),
        }
    }

    /// A new element of a new type.
    fn add<'n>(&mut self, node: &'n mut Node, step: Segment<'_>, change: &ElementDefinition) -> &'n mut Node {
        let mut element = ElementDefinition {
            id: format!("{}.{}", node.element.id, step.name),
            path: format!("{}.{}", node.element.path, step.name),
            ..ElementDefinition::default()
        };
        for constraint in self.universal_constraints(change) {
            add_constraint(&mut element, &constraint);
        }
        let at = node.children.len();
        node.children.push(Node::leaf(element));
        &mut node.children[at]
    }

    /// The invariants of Element and Extension, which hold for every element of those kinds.
    fn universal_constraints(&mut self, change: &ElementDefinition) -> Vec<Arc<Constraint>> {
        let code = change.types.first().map_or("", |kind| kind.code.as_str());
        let has_none = change.name() == "id" || change.path == "Extension.url" || code.contains("/System.");
        if has_none
            || matches!(code, "Resource" | "xhtml")
            || change.path.starts_with("Element.") && code != "Extension"
        {
            return Vec::new();
        }
        let kind = if code == "Extension" { "Extension" } else { "Element" };
        let root =
            if self.structure.type_ == kind { None } else { self.resolver.snapshot(&format!("{CORE}{kind}")).ok() };
        root.and_then(|root| root.elements.first().map(|root| root.constraints.clone())).unwrap_or_default()
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
            let canonical = content_of(&node.element.types);
            Node::from_elements(&self.resolver.snapshot(&canonical)?.elements)
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
        let at = match node.slice(name) {
            Some(at) => at,
            None => self.add_slice(node, name, change)?,
        };
        node.slices.get_mut(at).ok_or_else(|| self.refuse(change, "the slice cannot be made"))
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
        default_slicing(&mut node.element);
        node.slices.push(slice);
        Ok(node.slices.len() - 1)
    }

    /// An extension slice takes cardinality and the modifier flag of the extension it names, where that is known.
    fn adopt_profile(&mut self, node: &mut Node, change: &ElementDefinition) {
        let [TypeRef { code, profiles, .. }] = change.types.as_slice() else { return };
        let ([profile], "Extension") = (profiles.as_slice(), code.as_str()) else { return };
        let Ok(extension) = self.resolver.snapshot(profile) else { return };
        let Some(root) = extension.elements.first() else { return };
        node.element.min = root.min;
        node.element.max = root.max;
        node.element.is_modifier = root.is_modifier;
        for constraint in &root.constraints {
            add_constraint(&mut node.element, constraint);
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
fn default_slicing(element: &mut ElementDefinition) {
    if element.slicing.is_some() || element.slice_name.is_some() {
        return;
    }
    let (kind, path) = match element.name() {
        "extension" | "modifierExtension" => (DiscriminatorKind::Value, "url"),
        name if name.ends_with("[x]") => (DiscriminatorKind::Type, "$this"),
        _ => return,
    };
    let discriminators = vec![Discriminator { kind, path: path.to_owned() }];
    element.slicing = Some(Slicing { discriminators, ordered: false, rules: SlicingRules::Open });
}

/// Canonical of the structure whose children an element of these types has: the one profile, the one type, or what all
/// types have in common.
fn content_of(types: &[TypeRef]) -> String {
    match types {
        [only] => match only.profiles.as_slice() {
            [profile] => profile.clone(),
            _ if only.code.contains(':') => only.code.clone(),
            _ => format!("{CORE}{}", only.code),
        },
        _ => format!("{CORE}Element"),
    }
}
