//! Running a walk over a resource: borrows, never fails, and passes over whatever does not have the expected shape.

use serde_json::Value;

use super::{Step, Walk};
use crate::fhir::reference::Reference;

impl Walk {
    /// Hands every element that the walk reaches to `found`. `root` is the resource, `from` where the walk begins.
    pub fn run<'a>(&self, root: &'a Value, from: &'a Value, found: &mut dyn FnMut(&'a Value)) {
        run(&self.steps, root, from, found);
    }
}

fn run<'a>(steps: &[Step], root: &'a Value, at: &'a Value, found: &mut dyn FnMut(&'a Value)) {
    let Some((step, rest)) = steps.split_first() else {
        return found(at);
    };
    match step {
        Step::Field { name, only } => {
            if let Some(next) = at.get(&**name) {
                items(next, *only, &mut |item| run(rest, root, item, found));
            }
        }
        Step::Equals { name, text } => {
            if at.get(&**name).and_then(Value::as_str) == Some(&**text) {
                run(rest, root, at, found);
            }
        }
        Step::Refers { resource_type } => {
            if refers(root, at, resource_type) {
                run(rest, root, at, found);
            }
        }
        Step::Extension { url } => items(at.get("extension").unwrap_or(&Value::Null), None, &mut |item| {
            if item.get("url").and_then(Value::as_str) == Some(&**url) {
                run(rest, root, item, found);
            }
        }),
    }
}

fn items<'a>(value: &'a Value, only: Option<usize>, found: &mut dyn FnMut(&'a Value)) {
    match (value, only) {
        (Value::Null, _) => {}
        (Value::Array(list), None) => list.iter().filter(|item| !item.is_null()).for_each(found),
        (Value::Array(list), Some(index)) => list.get(index).into_iter().for_each(found),
        (single, None | Some(0)) => found(single),
        _ => {}
    }
}

/// Whether a Reference names a resource of this type, as far as the reference itself and the contained resources tell. A
/// server cannot look further while it indexes.
fn refers(root: &Value, reference: &Value, resource_type: &str) -> bool {
    let literal = reference.get("reference").and_then(Value::as_str).and_then(Reference::parse);
    match literal {
        Some(Reference::Contained(id)) => contained_type(root, id) == Some(resource_type),
        Some(Reference::Relative(target) | Reference::Absolute { target, .. }) => target.resource_type == resource_type,
        _ => reference.get("type").and_then(Value::as_str) == Some(resource_type),
    }
}

fn contained_type<'a>(root: &'a Value, id: &str) -> Option<&'a str> {
    let contained = root.get("contained")?.as_array()?;
    let resource = contained.iter().find(|resource| resource.get("id").and_then(Value::as_str) == Some(id))?;
    resource.get("resourceType")?.as_str()
}
