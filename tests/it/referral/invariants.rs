//! Each invariant of Kith's profiles, broken once; and the definitions themselves, which are resources too.

use std::path::Path;

use kith::fhir::definitions::Definitions;
use kith::fhir::issue::{Issue, Severity};
use kith::validate::{Options, Settings, Validator};
use serde_json::{Value, json};

use super::world::but;
use crate::support::files;

fn sample(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/valid/{name}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn issues(resource: &Value) -> Vec<Issue> {
    let validator = Validator::new(Definitions::embedded(), Settings::default()).unwrap();
    validator.validate(resource, &Options::default())
}

#[test]
fn each_finds_what_it_is_for() {
    let bad_score = |system: &str, code: &str, value: i64| json!({ "code": { "coding": [{ "system": system, "code": code }] }, "valueInteger": value });
    let measure = "https://kith.example/fhir/CodeSystem/kith-measure";
    let charity = json!([{ "system": "https://kith.example/fhir/Id/charity-number", "value": "12" }]);
    let cases = [
        ("kith-referral-1", "ServiceRequest-ada-walking", json!({ "code": { "text": "Walking" } })),
        ("kith-referral-2", "ServiceRequest-ada-walking", json!({ "note": null, "supportingInfo": null })),
        ("kith-referral-3", "ServiceRequest-ada-walking", json!({ "subject": { "display": "Ada" } })),
        ("kith-referral-4", "ServiceRequest-ada-walking", json!({ "doNotPerform": true })),
        ("kith-task-1", "Task-rejected", json!({ "statusReason": null })),
        ("kith-task-2", "Task-completed", json!({ "output": null })),
        ("kith-task-3", "Task-part", json!({ "owner": null })),
        ("kith-task-4", "Task-requested", json!({ "for": { "display": "Ada" } })),
        ("kith-task-5", "Task-requested", json!({ "restriction": { "period": { "end": "2025-01-01T00:00:00Z" } } })),
        ("kith-patient-1", "Patient-ada-thistlewood", json!({ "identifier": null })),
        ("kith-patient-2", "Patient-ada-thistlewood", json!({ "name": [{ "family": "Thistlewood" }] })),
        ("kith-patient-3", "Patient-ada-thistlewood", json!({ "telecom": null, "address": null })),
        ("kith-consent-1", "Consent-ada-shares", json!({ "provision": { "period": { "start": "2025" } } })),
        ("kith-consent-2", "Consent-ada-shares", json!({ "verification": null })),
        ("kith-provider-1", "Organization-green-path", json!({ "identifier": [{ "system": "urn:x", "value": "1" }] })),
        ("kith-provider-2", "Organization-green-path", json!({ "identifier": charity })),
        ("kith-outcome-1", "Observation-ada-satisfaction", json!({ "valueInteger": 11 })),
        ("kith-outcome-2", "Observation-ada-gad7", json!({ "valueInteger": 22 })),
        ("kith-outcome-3", "Observation-ada-gad7", bad_score("http://snomed.info/sct", "720433000", 28)),
        ("kith-outcome-4", "Observation-ada-gad7", bad_score(measure, "swemwbs-score", 6)),
    ];
    for (key, name, change) in cases {
        assert!(!issues(&sample(name)).iter().any(|issue| issue.rule == key), "{key} holds for {name}");
        let found = issues(&but(&sample(name), change));
        assert!(found.iter().any(|issue| issue.rule == key), "{key}: {found:?}");
    }
}

#[test]
fn a_task_is_held_to_its_profile() {
    let cases = [
        ("Task.identifier", json!({ "identifier": null })),
        ("Task.identifier", json!({ "identifier": [{ "system": "urn:x", "value": "1" }] })),
        ("Task.status", json!({ "status": "ready" })),
        ("Task.intent", json!({ "intent": "plan" })),
        (
            "Task.code",
            json!({ "code": { "coding": [{ "system": "http://snomed.info/sct", "code": "871731000000106" }] } }),
        ),
        ("Task.focus", json!({ "focus": { "reference": "CarePlan/1" } })),
        ("Task.for", json!({ "for": null })),
        ("Task.authoredOn", json!({ "authoredOn": null })),
        ("Task.requester", json!({ "requester": { "reference": "Device/1" } })),
        ("Task.partOf", json!({ "partOf": [{ "reference": "Task/1" }, { "reference": "Task/2" }] })),
        ("Task.statusReason", json!({ "statusReason": { "coding": [{ "code": "x" }] } })),
    ];
    for (at, change) in cases {
        let found = issues(&but(&sample("Task-requested"), change));
        let errors: Vec<&Issue> = found.iter().filter(|issue| issue.severity <= Severity::Error).collect();
        let there = |issue: &&Issue| issue.expression.as_deref().is_some_and(|expression| expression.starts_with(at));
        let whole = |issue: &&Issue| issue.expression.as_deref() == Some("Task");
        assert!(errors.iter().any(|issue| there(issue) || whole(issue)), "{at}: {found:?}");
    }
}

#[test]
fn the_definitions_are_valid_resources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/kith");
    let mut wrong = Vec::new();
    for folder in std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in files(&folder, "json") {
            let definition: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            let errors = issues(&definition).into_iter().filter(Issue::is_error);
            wrong.extend(errors.map(|issue| format!("{}: {issue:?}", file.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
