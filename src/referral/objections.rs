//! Objections: what a Consent says against sharing a patient's referrals (<https://hl7.org/fhir/R4/consent.html>). The write path
//! keeps them as rows under the patient's name; what callers see is restricted by these.
//!
//! A Consent in force that denies is an objection to sharing with the organisations that its provision names, or with anybody
//! where it names none; a permission within a denial excepts those that it names. What else a provision is limited to (a period,
//! a kind of data) does not limit the objection here: it is better to show too little and to be asked.

use serde_json::Value;

use super::element::{has_coding, identifier_key, list, text};
use super::person::nhs_number;

/// One objection, or one exception from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The patient, as the Consent refers to it: a literal reference, or an NHS number as `system|value`.
    pub patient: String,
    /// True where it permits what the rest of the Consent denies.
    pub exception: bool,
    /// Against whom, or for whom: a literal reference, or `system|value`; none for anybody.
    pub actor: Option<String>,
}

/// Scopes that say nothing about referrals: research, and advance directives.
const OTHER_SCOPES: [&str; 2] = ["research", "adr"];
const SCOPES: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
const POLICIES: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// The objections of a Consent; none of any other resource.
#[must_use]
pub fn objections(resource: &Value) -> Vec<Objection> {
    let patient = resource.get("patient").and_then(patient).unwrap_or_default();
    let patient = patient.as_str();
    let in_force = text(resource, "resourceType") == "Consent" && text(resource, "status") == "active";
    let scope = resource.get("scope");
    let elsewhere = OTHER_SCOPES.iter().any(|code| scope.is_some_and(|scope| has_coding(scope, SCOPES, code)));
    if !in_force || elsewhere || patient.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    match resource.get("provision") {
        Some(provision) => of_provision(provision, patient, &mut found),
        None if resource.get("policyRule").is_some_and(|rule| has_coding(rule, POLICIES, "OPTOUT")) => {
            found.push(Objection { patient: patient.to_owned(), exception: false, actor: None });
        }
        None => {}
    }
    found
}

/// The patient by its literal reference, else by its NHS number.
fn patient(reference: &Value) -> Option<String> {
    let literal = text(reference, "reference").split("/_history/").next().unwrap_or_default();
    if literal.is_empty() { reference.get("identifier").and_then(nhs_number) } else { Some(literal.to_owned()) }
}

fn of_provision(provision: &Value, patient: &str, found: &mut Vec<Objection>) {
    let denies = text(provision, "type") == "deny";
    if denies {
        found.extend(of_actors(provision, patient, false));
    }
    for nested in list(provision, "provision") {
        match text(nested, "type") {
            "deny" => of_provision(nested, patient, found),
            // Without a name it would take the whole denial back.
            "permit" if denies && !list(nested, "actor").is_empty() => found.extend(of_actors(nested, patient, true)),
            _ => {}
        }
    }
}

fn of_actors(provision: &Value, patient: &str, exception: bool) -> Vec<Objection> {
    let new = |actor| Objection { patient: patient.to_owned(), exception, actor };
    let actors = list(provision, "actor");
    if actors.is_empty() {
        return vec![new(None)];
    }
    let named = actors.iter().filter_map(|actor| actor.get("reference")).flat_map(|reference| {
        let literal = text(reference, "reference").split("/_history/").next().unwrap_or_default();
        let literal = (!literal.is_empty()).then(|| literal.to_owned());
        let identifier = identifier_key(reference).map(|(system, value)| format!("{system}|{value}"));
        [literal, identifier].into_iter().flatten()
    });
    named.map(|actor| new(Some(actor))).collect()
}
