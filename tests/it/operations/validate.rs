//! `$validate` (<https://hl7.org/fhir/R4/resource-operation-validate.html>).

use serde_json::{Value, json};

use crate::support::http::{Answer, TestServer};
use crate::support::{TestDatabase, over_http};

const TASK_PROFILE: &str = "https://kith.example/fhir/StructureDefinition/kith-referral-task";

/// Rule and place of every error.
fn errors(answer: &Answer) -> Vec<(String, String)> {
    let outcome = answer.json();
    assert_eq!(outcome["resourceType"], "OperationOutcome", "{outcome}");
    outcome["issue"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|issue| issue["severity"] == "error")
        .map(|issue| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (text(&issue["details"]["coding"][0]["code"]), text(&issue["expression"][0]))
        })
        .collect()
}

fn has(found: &[(String, String)], rule: &str, place: &str) -> bool {
    found.iter().any(|(a, b)| a == rule && b == place)
}

fn a_bare_resource_is_checked_and_not_stored(database: &TestDatabase) {
    let server = TestServer::start(database);
    let good = json!({ "resourceType": "Patient", "id": "rose", "gender": "female" });
    assert_eq!(errors(&server.post("Patient/$validate", &good).expect(200)), []);
    let bad = json!({ "resourceType": "Patient", "gender": "womann", "birthDate": "1948-02-30" });
    let found = errors(&server.post("Patient/$validate", &bad).expect(200));
    assert!(has(&found, "binding-required", "Patient.gender"), "{found:?}");
    assert!(has(&found, "primitive-format", "Patient.birthDate"), "{found:?}");
    assert_eq!(server.get("Patient?_summary=count").json()["total"], 0);
    server.post("Patient/$validate", &json!({ "gender": "female" })).expect(400);
    let other = errors(&server.post("Task/$validate", &good).expect(200));
    assert!(has(&other, "resource-type", "resourceType"), "{other:?}");
}

fn profiles_are_named_in_the_query_or_in_parameters(database: &TestDatabase) {
    let server = TestServer::start(database);
    let task = json!({ "resourceType": "Task", "status": "requested", "intent": "order" });
    assert_eq!(errors(&server.post("Task/$validate", &task).expect(200)), []);
    let query = errors(&server.post(&format!("Task/$validate?profile={TASK_PROFILE}"), &task).expect(200));
    assert!(has(&query, "cardinality-min", "Task"), "{query:?}");
    let parameters = json!({ "resourceType": "Parameters", "parameter": [
        { "name": "resource", "resource": task },
        { "name": "profile", "valueUri": TASK_PROFILE },
        { "name": "mode", "valueCode": "create" },
    ] });
    assert_eq!(errors(&server.post("Task/$validate", &parameters).expect(200)), query);
    let unknown = server.post("Task/$validate?profile=https://nobody.example/nothing", &task).expect(200).text;
    assert!(unknown.contains("https://nobody.example/nothing"), "{unknown}");
    server.post("Task/$validate?mode=profile", &task).expect(400);
    server.post("Task/$validate?mode=sideways", &task).expect(400);
}

fn a_stored_resource_can_be_asked_about(database: &TestDatabase) {
    let server = TestServer::start(database);
    let rose = json!({ "resourceType": "Patient", "id": "rose", "gender": "female" });
    server.put("Patient/rose", &rose).expect(201);
    assert_eq!(errors(&server.get("Patient/rose/$validate").expect(200)), []);
    assert_eq!(errors(&server.get("Patient/rose/$validate?mode=delete").expect(200)), []);
    server.get("Patient/nobody/$validate").expect(404);
    let other = json!({ "resourceType": "Patient", "id": "other" });
    let found = errors(&server.post("Patient/rose/$validate?mode=update", &other).expect(200));
    assert!(has(&found, "resource-id", "Patient.id"), "{found:?}");
}

over_http!(
    a_bare_resource_is_checked_and_not_stored,
    profiles_are_named_in_the_query_or_in_parameters,
    a_stored_resource_can_be_asked_about,
);
