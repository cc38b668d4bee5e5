//! Invariants that ask only which members stand together: `att-1`, `cpt-2`, `ext-1`, `qty-3`.

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member;

use crate::validate::run::{Focus, Origin, Place, Run};

fn has(value: &Value, name: &str, sibling: &str) -> bool {
    member::has(value, name) || member::has(value, sibling)
}

/// `att-1`: data needs a contentType.
pub fn attachment_type<'a>(run: &mut Run<'_, 'a>, value: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    if member::has(value, "data") && !has(value, "contentType", "_contentType") {
        let text = "Attachment has data and no contentType. Say what kind of data it is.".to_owned();
        run.error(IssueCode::Invariant, "att-1", text, place.path, origin);
    }
}

/// `cpt-2`: a value needs a system.
pub fn contact_system<'a>(run: &mut Run<'_, 'a>, value: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    if member::has(value, "value") && !has(value, "system", "_system") {
        let text = "ContactPoint has a value and no system. Say whether it is phone, email or another.".to_owned();
        run.error(IssueCode::Invariant, "cpt-2", text, place.path, origin);
    }
}

/// `qty-3`: a code needs a system.
pub fn quantity_system<'a>(run: &mut Run<'_, 'a>, value: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    if member::has(value, "code") && !has(value, "system", "_system") {
        let text =
            "Quantity has a unit code and no system. Name the system, usually http://unitsofmeasure.org.".to_owned();
        run.error(IssueCode::Invariant, "qty-3", text, place.path, origin);
    }
}

/// `ext-1`: a value or extensions, not both and not none.
pub fn extension_value<'a>(run: &mut Run<'_, 'a>, value: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let Some(object) = value.as_object() else { return };
    let has_value = object.keys().any(|key| key.trim_start_matches('_').starts_with("value"));
    if has_value == member::of(object, "extension").is_some() {
        let text = if has_value {
            "Extension has both a value and extensions. Keep one of them."
        } else {
            "Extension has neither a value nor extensions. Give it one of them."
        };
        run.error(IssueCode::Invariant, "ext-1", text.to_owned(), place.path, origin);
    }
}

/// A primitive that must have a value has one.
pub fn value<'a>(run: &mut Run<'_, 'a>, focus: Focus<'a>, place: Place<'_, 'a>, origin: Origin<'_>) {
    if focus.value.is_none() {
        let text = format!("{} must have a value; extensions alone are not enough.", origin.element);
        run.error(IssueCode::Required, "value-present", text, place.path, origin);
    }
}
