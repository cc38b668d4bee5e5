//! `dom-6`: a resource should have a narrative (<https://hl7.org/fhir/R4/narrative.html>).

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member::{has, member};

use crate::validate::run::{Origin, Place, Run};

/// Warns of a resource without narrative; contained resources are told about by the one that contains them.
pub fn check<'a>(run: &mut Run<'_, 'a>, resource: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let is_contained = !std::ptr::eq(place.scope.resource, place.scope.root);
    if !is_contained && member(resource, "text").is_none_or(|text| !has(text, "div")) {
        let text =
            "The resource has no narrative (text.div). One is good practice, so that people can read it.".to_owned();
        run.warn(IssueCode::Invariant, "dom-6", text, place.path, origin);
    }
}
