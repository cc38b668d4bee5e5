//! `unit-code`: the code of a Quantity whose system is UCUM is a unit of UCUM
//! (<https://hl7.org/fhir/R4/datatypes-definitions.html#Quantity.code>).

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member;
use crate::fhir::ucum;

use crate::validate::run::{Origin, Place, Run};

/// Checks the unit of a Quantity, or a Coding of UCUM.
pub fn check<'a>(run: &mut Run<'_, 'a>, value: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    if member::text(value, "system") != Some(ucum::SYSTEM) {
        return;
    }
    let Some(code) = member::text(value, "code") else { return };
    // What is no code at all is reported as such.
    if ucum::is_unit(code) || code.is_empty() || code.trim() != code {
        return;
    }
    let nearest = run.nearest_unit(code).map_or_else(String::new, |near| format!(" Did you mean {near}?"));
    let text = format!(
        "The code is no unit of UCUM ({}). Units are written with regard to case; what is counted stands in braces \
         ({{score}}).{nearest}",
        ucum::SYSTEM
    );
    run.error(IssueCode::CodeInvalid, "unit-code", text, &place.path.element("code"), origin);
}
