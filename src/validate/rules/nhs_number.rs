//! `nhs-number-check-digit`: ten digits, the last of which follows from the first nine (modulus 11,
//! <https://www.datadictionary.nhs.uk/attributes/nhs_number.html>). An error where a profile of Kith applies, a warning
//! elsewhere.

use serde_json::Value;

use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::member::text;

use crate::validate::run::{Origin, Place, Run};

const SYSTEM: &str = "https://fhir.nhs.uk/Id/nhs-number";
const RULE: &str = "nhs-number-check-digit";

/// Checks an Identifier that says it is an NHS number.
pub fn check<'a>(run: &mut Run<'_, 'a>, identifier: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    if text(identifier, "system") != Some(SYSTEM) {
        return;
    }
    let Some(number) = text(identifier, "value") else { return };
    let fault = if number.len() != 10 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        "An NHS number has ten digits and nothing else, no spaces either."
    } else if is_valid(number) {
        return;
    } else {
        "The check digit of the NHS number is wrong. Check the number with its source."
    };
    let severity = if place.scope.strict { Severity::Error } else { Severity::Warning };
    let path = place.path.element("value");
    run.push(Issue::new(severity, IssueCode::Value, RULE, fault), &path, origin);
}

/// True for ten digits with the right check digit.
#[must_use]
pub fn is_valid(number: &str) -> bool {
    let digits = number.as_bytes();
    if digits.len() != 10 || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let digits = digits.iter().map(|digit| u32::from(digit - b'0'));
    let sum: u32 = digits.clone().zip((2..=10).rev()).map(|(digit, weight)| digit * weight).sum();
    let expected = (11 - sum % 11) % 11;
    expected != 10 && digits.clone().next_back() == Some(expected)
}
