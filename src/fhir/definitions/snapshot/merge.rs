//! Merges one differential element into the element it constrains.

use std::sync::Arc;

use crate::fhir::definitions::model::{Constraint, ElementDefinition};

/// Overwrites what `change` says and keeps the rest; invariants add up. `source` is the canonical of the structure that
/// the change comes from.
pub(super) fn merge(target: &mut ElementDefinition, change: &ElementDefinition, source: &str) {
    set(&mut target.min, change.min.as_ref());
    set(&mut target.max, change.max.as_ref());
    set(&mut target.content_reference, change.content_reference.as_ref());
    set(&mut target.fixed, change.fixed.as_ref());
    set(&mut target.pattern, change.pattern.as_ref());
    set(&mut target.min_value, change.min_value.as_ref());
    set(&mut target.max_value, change.max_value.as_ref());
    set(&mut target.max_length, change.max_length.as_ref());
    set(&mut target.must_support, change.must_support.as_ref());
    set(&mut target.is_modifier, change.is_modifier.as_ref());
    set(&mut target.is_summary, change.is_summary.as_ref());
    set(&mut target.slicing, change.slicing.as_ref());
    merge_binding(target, change);
    if !change.types.is_empty() {
        target.types.clone_from(&change.types);
    }
    if !change.representation.is_empty() {
        target.representation.clone_from(&change.representation);
    }
    for constraint in &change.constraints {
        add_constraint(target, constraint, source);
    }
}

fn set<T: Clone>(target: &mut Option<T>, change: Option<&T>) {
    if let Some(change) = change {
        *target = Some(change.clone());
    }
}

/// A binding that names no value set keeps the one it had.
fn merge_binding(target: &mut ElementDefinition, change: &ElementDefinition) {
    let Some(new) = &change.binding else { return };
    let mut binding = new.clone();
    if let Some(old) = target.binding.take() {
        binding.value_set = binding.value_set.or(old.value_set);
    }
    target.binding = Some(binding);
}

/// Adds an invariant unless one with its key is there; one that does not say where it comes from comes from `source`.
pub(super) fn add_constraint(target: &mut ElementDefinition, constraint: &Arc<Constraint>, source: &str) {
    if target.constraints.iter().any(|known| known.key == constraint.key) {
        return;
    }
    target.constraints.push(match &constraint.source {
        Some(_) => Arc::clone(constraint),
        None => Arc::new(Constraint { source: Some(source.to_owned()), ..(**constraint).clone() }),
    });
}
