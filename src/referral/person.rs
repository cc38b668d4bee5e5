//! Which Patient resources are one person: those that share an NHS number, and those that `Patient.link` joins
//! (<https://hl7.org/fhir/R4/patient.html#links>). The write path keeps the names of each; two Patients that share a name are one
//! person, and what the person has objected to holds for both.

use serde_json::Value;

use super::codes::NHS_NUMBER;
use super::element::{list, own_reference, text};

/// The names by which a Patient says who it is: its own reference, those of the Patients it is linked to, and its NHS numbers as
/// `system|value`. None of any other resource.
#[must_use]
pub fn names(resource: &Value) -> Vec<String> {
    if text(resource, "resourceType") != "Patient" {
        return Vec::new();
    }
    let linked =
        list(resource, "link").iter().filter_map(|link| link.get("other")).map(|other| text(other, "reference"));
    let linked = linked.filter_map(|reference| reference.split("/_history/").next());
    let linked = linked.filter(|reference| reference.contains("Patient/")).map(str::to_owned);
    let numbers = list(resource, "identifier").iter().filter_map(nhs_number);
    std::iter::once(own_reference(resource)).chain(linked).chain(numbers).collect()
}

/// An identifier as the name of a person, where it is an NHS number.
pub(super) fn nhs_number(identifier: &Value) -> Option<String> {
    let digits: String = text(identifier, "value").chars().filter(char::is_ascii_digit).collect();
    (text(identifier, "system") == NHS_NUMBER && digits.len() == 10).then(|| format!("{NHS_NUMBER}|{digits}"))
}
