//! `profile-unknown`, `profile-requested`, `profile-kind`, `profile-type`, `profile-unmet`: which profiles a resource
//! declares, and values that must meet one of several profiles.

use serde_json::Value;

use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::member::member;
use crate::fhir::path::Path;
use crate::fhir::types::TypeIndex;

use crate::validate::run::{Focus, Origin, Place, Run};
use crate::validate::schema::{ProfileIndex, ProfileSchema};

const RESOURCE: Origin<'static> =
    Origin { profile: "http://hl7.org/fhir/StructureDefinition/Resource", element: "Resource.meta", base: true };

/// Adds the profiles that `meta.profile` declares to the stretch that begins at `start`; warns of those not loaded.
pub fn declared<'a>(run: &mut Run<'_, 'a>, resource: &'a Value, start: usize, path: &Path<'_>) {
    let declared = member(resource, "meta").and_then(|meta| member(meta, "profile")).and_then(Value::as_array);
    let Some(declared) = declared else { return };
    let meta = path.element("meta");
    let list = meta.element("profile");
    for (index, canonical) in declared.iter().enumerate() {
        let Some(canonical) = canonical.as_str() else { continue };
        if let Some(profile) = run.validator.schemas().profile_index(canonical) {
            if let Some(reason) = run.validator.schemas().refusal(profile) {
                let text = format!("{canonical} {reason}. Remove it from meta.profile, or name another profile.");
                run.error(IssueCode::Value, "profile-kind", text, &list.index(index), RESOURCE);
            } else {
                run.add_profile(start, profile);
            }
        } else {
            let hint = run.did_you_mean_profile(canonical);
            let text = format!(
                "The resource declares a profile that is not loaded; it was not checked against it.{hint} Load the package that has it."
            );
            run.warn(IssueCode::NotFound, "profile-unknown", text, &list.index(index), RESOURCE);
        }
    }
}

/// Reports a profile for another type than the resource has.
pub fn other_type(run: &mut Run<'_, '_>, profile: &ProfileSchema, path: &Path<'_>) {
    let origin = Origin { profile: &profile.url, element: &profile.type_name, base: false };
    let text = format!("Profile {} is for {}, not for this type of resource.", profile.url, profile.type_name);
    run.error(IssueCode::Structure, "profile-type", text, path, origin);
}

/// Where an element names several profiles for a type, a value must meet one of them.
pub fn check_any<'a>(
    run: &mut Run<'_, 'a>,
    type_: TypeIndex,
    profiles: &[ProfileIndex],
    focus: Focus<'a>,
    place: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    if !is_of(run, type_, focus)
        || profiles.len() < 2
        || profiles.iter().any(|profile| run.meets(*profile, focus, place))
    {
        return;
    }
    let urls: Vec<&str> = profiles.iter().filter_map(|profile| run.validator.schemas().canonical(*profile)).collect();
    let text = format!("{} meets none of the profiles it must meet one of: {}.", origin.element, urls.join(", "));
    run.error(IssueCode::Structure, "profile-unmet", text, place.path, origin);
}

/// Reports a value that must meet a profile which is not loaded.
pub fn check_unknown<'a>(
    run: &mut Run<'_, 'a>,
    type_: TypeIndex,
    profiles: &[String],
    focus: Focus<'a>,
    place: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    if focus.value.is_some() && is_of(run, type_, focus) {
        let list = profiles.join(", ");
        let text =
            format!("{} must meet a profile that is not loaded: {list}. Load the package that has it.", origin.element);
        run.error(IssueCode::NotFound, "profile-unknown", text, place.path, origin);
    }
}

fn is_of(run: &Run<'_, '_>, type_: TypeIndex, focus: Focus<'_>) -> bool {
    type_ == focus.type_ || type_ == run.actual_type(focus)
}

/// The issue for a profile that the caller asks for and that no resource can be an instance of.
#[must_use]
pub fn not_a_profile(canonical: &str, reason: &str) -> Issue {
    Issue::new(
        Severity::Error,
        IssueCode::Value,
        "profile-kind",
        format!("{canonical} {reason}. Name another profile."),
    )
}

/// The issue for a profile that the caller asks for and that is not loaded.
#[must_use]
pub fn not_loaded(canonical: &str) -> Issue {
    let text = format!("Profile {canonical} is not loaded. Add the package that has it.");
    Issue::new(Severity::Error, IssueCode::NotFound, "profile-requested", text)
}
