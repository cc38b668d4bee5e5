//! `reference-target-profile`, `reference-aggregation`: what a reference leads to, where the input has it, meets a profile that
//! the definition names, and stands where it may (<https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.type.targetProfile>,
//! <https://hl7.org/fhir/R4/valueset-resource-aggregation-mode.html>).

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member;
use crate::fhir::types::TypeIndex;

use crate::validate::rule::{Aggregation, Target};
use crate::validate::run::{Focus, Origin, Place, Run};
use crate::validate::schema::ProfileIndex;

use super::reference::resolve;

/// Checks the resource that a reference leads to against the profiles of which it must meet one.
pub fn check_profiles<'a>(
    run: &mut Run<'_, 'a>,
    targets: &[Target],
    focus: Focus<'a>,
    place: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    let Some(text) = focus.value.and_then(|value| member::text(value, "reference")) else { return };
    if run.bundle.is_none() && !text.starts_with('#') {
        return;
    }
    let Some(resource) = resolve(run, text, place) else { return };
    let Some(name) = member::text(resource, "resourceType") else { return };
    let Some(type_) = run.validator.types().get(name) else { return };
    let candidates = || targets.iter().filter(|target| target.type_ == name || target.type_ == "Resource");
    let is_met = |target: &Target| {
        target.is_type()
            || target.profile.is_some_and(|profile| {
                is_checked_itself(run, profile, type_, resource)
                    || run.target_meets(profile, Focus { value: Some(resource), sibling: None, type_ }, place)
            })
    };
    if candidates().next().is_none() || candidates().any(is_met) {
        return;
    }
    let names: Vec<&str> = candidates().map(|target| target.canonical.as_str()).collect();
    let (rule, text) = if candidates().any(|target| target.profile.is_none()) {
        ("profile-unknown", "The target of the reference must meet a profile that is not loaded")
    } else {
        ("reference-target-profile", "The target of the reference meets none of the profiles that it must meet one of")
    };
    run.error(IssueCode::Structure, rule, format!("{text}: {}.", names.join(", ")), place.path, origin);
}

/// Whether the resource, being part of the input, is checked against the profile anyway, so that what is wrong is said there.
fn is_checked_itself(run: &Run<'_, '_>, profile: ProfileIndex, type_: TypeIndex, resource: &Value) -> bool {
    let schemas = run.validator.schemas();
    if run.applies_by_type() && schemas.by_type(type_).contains(&profile) {
        return true;
    }
    let declared = member::member(resource, "meta").and_then(|meta| member::member(meta, "profile"));
    let declared = declared.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    declared.iter().filter_map(Value::as_str).any(|canonical| schemas.profile_index(canonical) == Some(profile))
}

/// Checks that the target of a reference stands where it may: contained, in the Bundle, or elsewhere.
pub fn check_aggregation<'a>(
    run: &mut Run<'_, 'a>,
    modes: &[Aggregation],
    focus: Focus<'a>,
    place: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    let Some(text) = focus.value.and_then(|value| member::text(value, "reference")) else { return };
    let is_contained = text.starts_with('#');
    let is_bundled = !is_contained && resolve(run, text, place).is_some();
    let fits = modes.iter().any(|mode| match mode {
        Aggregation::Contained => is_contained,
        Aggregation::Bundled => is_bundled,
        Aggregation::Referenced => !is_contained,
    });
    if !fits {
        let place_of = |mode: &Aggregation| match mode {
            Aggregation::Contained => "contained in the resource",
            Aggregation::Bundled => "in the same Bundle",
            Aggregation::Referenced => "outside the resource",
        };
        let places: Vec<&str> = modes.iter().map(place_of).collect();
        let text = format!("The target of {} must be {}.", origin.element, places.join(" or "));
        run.error(IssueCode::Structure, "reference-aggregation", text, place.path, origin);
    }
}
