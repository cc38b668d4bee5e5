//! `must-support`: which elements that a profile marks as mustSupport a resource has and which it has not
//! (<https://hl7.org/fhir/R4/conformance-rules.html#mustSupport>). Silent unless asked for. The walk calls it where the
//! occurrences of an object's elements are counted and where they are divided into slices.

use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::path::Path;

use crate::validate::run::{Origin, Overlay, Run};
use crate::validate::schema::Node;

/// Says of the children of a profile's node whether they are there; `path` is that of the object that holds them.
pub fn children(run: &mut Run<'_, '_>, overlay: Overlay<'_>, found: impl Fn(&str, u64) -> bool, path: &Path<'_>) {
    for ((name, child), key) in overlay.node.children.iter().zip(&overlay.node.keys) {
        let Some(node) = overlay.profile.nodes.get(*child as usize) else { continue };
        let overlay = Overlay { node, ..overlay };
        let (is_there, path) = (found(name, *key), path.element(name));
        say(run, overlay, is_there, &path);
        if !is_there {
            absent_slices(run, overlay, &path);
        }
    }
}

/// Says whether an element or slice is there, where the profile marks it.
pub fn say(run: &mut Run<'_, '_>, Overlay { profile, node }: Overlay<'_>, is_there: bool, path: &Path<'_>) {
    if !node.must_support {
        return;
    }
    let Node { id, .. } = node;
    let state = if is_there { "present" } else { "absent" };
    let text = format!("{id} is {state}; the profile marks it as mustSupport.");
    let origin = Origin { profile: &profile.url, element: id, base: false };
    run.push(Issue::new(Severity::Information, IssueCode::Informational, "must-support", text), path, origin);
}

/// Where there is no occurrence of an element there is none of its slices.
fn absent_slices(run: &mut Run<'_, '_>, overlay: Overlay<'_>, path: &Path<'_>) {
    let slices = overlay.node.slicing.as_ref().map(|slicing| slicing.slices.as_slice()).unwrap_or_default();
    for node in slices.iter().filter_map(|slice| overlay.profile.nodes.get(slice.node as usize)) {
        say(run, Overlay { node, ..overlay }, false, path);
    }
}
