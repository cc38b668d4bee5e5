//! `structure-definition`: what a StructureDefinition says of itself can be made into a profile
//! (<https://hl7.org/fhir/R4/profiling.html>).

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member::{has, member, text};

use crate::validate::run::{Origin, Place, Run};

const RULE: &str = "structure-definition";

/// Checks the differential of a StructureDefinition.
pub fn check<'a>(run: &mut Run<'_, 'a>, definition: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let differential = place.path.element("differential");
    let list = differential.element("element");
    let elements = member(definition, "differential").and_then(|differential| member(differential, "element"));
    for (index, element) in elements.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default().iter().enumerate()
    {
        let Some(path) = text(element, "path") else { continue };
        let fault = if !path.contains('.') && has(element, "slicing") {
            "The root of a definition cannot be sliced: there is one of it."
        } else if path.split('.').any(str::is_empty) {
            "The path has a step without a name."
        } else {
            continue;
        };
        run.error(IssueCode::BusinessRule, RULE, fault.to_owned(), &list.index(index), origin);
    }
}
