//! `ref-1`, `reference-format`, `reference-type`, `reference-target`: what a Reference is in itself, and whether the
//! type it points at is allowed (<https://hl7.org/fhir/R4/references.html>). Nothing is looked up outside the input.

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member;
use crate::fhir::reference::{Reference, Target as Named};

use crate::validate::rule::Target;
use crate::validate::run::{Focus, Origin, Place, Run};

/// Checks a Reference in itself: its form, contained targets that exist, `type` that agrees.
pub fn check<'a>(run: &mut Run<'_, 'a>, value: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let stated = member::text(value, "type");
    if let Some(stated) = stated
        && !is_resource_type(run, stated)
    {
        let types = run.validator.definitions().resource_types();
        let hint = run.did_you_mean(stated, types.iter().map(String::as_str));
        let text = format!("Reference.type names no resource type of FHIR R4.{hint}");
        run.error(IssueCode::Value, "reference-type", text, place.path, origin);
        return;
    }
    let Some(text) = member::text(value, "reference") else { return };
    let path = place.path.element("reference");
    match Reference::parse(text) {
        None => {
            let text = "The reference is neither Type/id nor an absolute url, urn:uuid:…, urn:oid:… or #id.".to_owned();
            run.warn(IssueCode::Value, "reference-format", text, &path, origin);
        }
        Some(Reference::Contained(id)) if !id.is_empty() && contained(place.scope.root, id).is_none() => {
            let text = "The reference names a contained resource that is not there.".to_owned();
            run.error(IssueCode::Invariant, "ref-1", text, place.path, origin);
        }
        Some(Reference::Relative(target)) if !run.validator.definitions().is_resource_type(target.resource_type) => {
            let types = run.validator.definitions().resource_types();
            let hint = run.did_you_mean(target.resource_type, types.iter().map(String::as_str));
            let text = format!("The reference begins with a name that is no resource type of FHIR R4.{hint}");
            run.warn(IssueCode::Value, "reference-format", text, &path, origin);
        }
        Some(Reference::Relative(target)) => other_type_by_uuid(run, target, place, origin),
        Some(_) => {}
    }
    if let Some(stated) = stated
        && let Some(found) = type_by_reference(run, value, place)
        && stated != found
    {
        let path = place.path.element("type");
        let text = format!("Reference.type says {stated}, the reference points at {found}. Make them agree.");
        run.error(IssueCode::Value, "reference-type", text, &path, origin);
    }
}

/// A relative reference by the UUID of an entry: the type it names is that of the entry.
fn other_type_by_uuid(run: &mut Run<'_, '_>, target: Named<'_>, place: Place<'_, '_>, origin: Origin<'_>) {
    let is_uuid = target.id.len() == 36;
    let Some(bundle) = run.bundle.as_ref().filter(|_| is_uuid) else { return };
    let found = bundle.find(&format!("urn:uuid:{}", target.id)).and_then(|found| member::text(found, "resourceType"));
    if let Some(found) = found.filter(|found| *found != target.resource_type) {
        let text = format!("The reference names a {}; the entry with this UUID is a {found}.", target.resource_type);
        run.error(IssueCode::Structure, "reference-target", text, place.path, origin);
    }
}

/// Checks the type that a Reference points at against the allowed ones. References by identifier alone, and those whose
/// type cannot be told without looking them up, are accepted.
pub fn check_targets<'a>(
    run: &mut Run<'_, 'a>,
    targets: &[Target],
    focus: Focus<'a>,
    place: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    let Some(value) = focus.value.filter(|value| value.is_object()) else { return };
    let stated = || member::text(value, "type").filter(|name| is_resource_type(run, name));
    let Some(found) = type_by_reference(run, value, place).or_else(stated) else { return };
    if targets.iter().any(|target| target.type_ == "Resource" || target.type_ == found) {
        return;
    }
    let mut allowed: Vec<&str> = targets.iter().map(|target| target.type_.as_str()).collect();
    allowed.dedup();
    let text = format!("{} points at a {found}; allowed are {}.", origin.element, allowed.join(", "));
    run.error(IssueCode::Structure, "reference-target", text, place.path, origin);
}

/// The resource type that the reference itself shows: contained, in the Bundle, or in the text of the reference.
#[must_use]
pub fn type_by_reference<'a>(run: &Run<'_, 'a>, value: &'a Value, place: Place<'_, 'a>) -> Option<&'a str> {
    let text = member::text(value, "reference")?;
    if let Some(resource) = resolve(run, text, place) {
        return member::text(resource, "resourceType");
    }
    let name = match Reference::parse(text)? {
        Reference::Relative(target) | Reference::Absolute { target, .. } => target.resource_type,
        Reference::Conditional { resource_type, .. } => resource_type,
        _ => return None,
    };
    is_resource_type(run, name).then_some(name)
}

/// The resource that a reference names within the input.
#[must_use]
pub fn resolve<'a>(run: &Run<'_, 'a>, text: &str, place: Place<'_, 'a>) -> Option<&'a Value> {
    match text.strip_prefix('#') {
        Some("") => Some(place.scope.root),
        Some(id) => contained(place.scope.root, id),
        None => run.bundle.as_ref()?.find(text),
    }
}

fn contained<'a>(root: &'a Value, id: &str) -> Option<&'a Value> {
    let list = member::member(root, "contained")?.as_array()?;
    list.iter().find(|resource| member::text(resource, "id") == Some(id))
}

fn is_resource_type(run: &Run<'_, '_>, name: &str) -> bool {
    run.validator.definitions().is_resource_type(name)
}
