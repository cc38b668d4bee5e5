//! `cardinality-min`, `cardinality-max`: how often an element occurs. Issues stand at the element that holds it, since a
//! missing element has no place of its own.

use crate::fhir::issue::IssueCode;
use crate::fhir::path::Path;

use crate::validate::run::{Origin, Run};
use crate::validate::schema::{Node, ProfileSchema};

/// Reports an element that occurs too seldom.
pub fn too_few(run: &mut Run<'_, '_>, element: &str, min: u32, found: u32, path: &Path<'_>, origin: Origin<'_>) {
    let text = if found == 0 && min == 1 {
        format!("{element} is required and missing. Add it.")
    } else {
        format!("{element} occurs {found} times; at least {min} are required.")
    };
    run.error(IssueCode::Required, "cardinality-min", text, path, origin);
}

/// Checks the occurrences of an element against a node of a profile.
pub fn check(run: &mut Run<'_, '_>, profile: &ProfileSchema, node: &Node, found: u32, path: &Path<'_>) {
    let origin = Origin { profile: &profile.url, element: &node.id, base: false };
    if found < node.min {
        return too_few(run, &node.id, node.min, found, path, origin);
    }
    if let Some(max) = node.max.filter(|max| found > *max) {
        let text = if max == 0 {
            format!("{} is not allowed by the profile. Remove it.", node.id)
        } else {
            format!("{} occurs {found} times; at most {max} are allowed.", node.id)
        };
        run.error(IssueCode::Structure, "cardinality-max", text, path, origin);
    }
    if found == 0
        && let Some(slicing) = &node.slicing
    {
        for slice in slicing.slices.iter().filter(|slice| slice.min > 0) {
            super::slicing::missing(run, profile, node, slice, path);
        }
    }
}
