//! `choice-type`: of a choice such as `value[x]` one type may stand, and only one that the profile allows.

use crate::fhir::issue::IssueCode;
use crate::fhir::path::Path;

use crate::fhir::types::{TypeIndex, TypeKind};

use crate::validate::run::{Origin, Overlay, Range, Run};
use crate::validate::schema::{Element, Name};

/// Reports a choice that stands twice.
pub fn twice(run: &mut Run<'_, '_>, element: &Element, path: &Path<'_>) {
    let origin = Origin { profile: &element.url, element: &element.id, base: true };
    let text = format!("{} stands more than once, with different types. Keep one of them.", element.id);
    run.error(IssueCode::Structure, "choice-type", text, path, origin);
}

/// Checks the type of a resource against a profile node of the element that holds it.
pub fn check_resource(run: &mut Run<'_, '_>, overlay: Overlay<'_>, found: TypeIndex, path: &Path<'_>) {
    let types = run.validator.types();
    let allowed = &overlay.node.types;
    if !allowed.is_empty() && !allowed.iter().any(|wanted| types.is_subtype(found, *wanted)) {
        wrong(run, overlay, found, path);
    }
}

/// Checks the type of a choice against the profile nodes of the element.
pub fn check(run: &mut Run<'_, '_>, name: &Name, nodes: Range, path: &Path<'_>) {
    for position in nodes.start..nodes.end {
        let overlay = run.overlays(Range { start: position, end: position + 1 })[0];
        let allowed = &overlay.node.types;
        let is_resource = run.validator.types().definition(name.type_).kind == TypeKind::Resource;
        if !is_resource && !allowed.is_empty() && !allowed.contains(&name.type_) {
            wrong(run, overlay, name.type_, path);
        }
    }
}

fn wrong(run: &mut Run<'_, '_>, overlay: Overlay<'_>, found: TypeIndex, path: &Path<'_>) {
    let types = run.validator.types();
    let names: Vec<&str> = overlay.node.types.iter().map(|index| &*types.definition(*index).name).collect();
    let found = &types.definition(found).name;
    let text = format!("{} has type {found}; the profile allows {}.", overlay.node.id, names.join(", "));
    let origin = Origin { profile: &overlay.profile.url, element: &overlay.node.id, base: false };
    // The value of an extension is the extension's: the issue stands there.
    let path = if overlay.profile.contexts.is_empty() { path } else { path.parent().unwrap_or(path) };
    run.error(IssueCode::Structure, "choice-type", text, path, origin);
}
