//! What the scopes of a token open: a table over interactions.

use serde_json::{Value, json};

use super::world::{Keys, guarded, register, token, with};
use crate::support::{TestDatabase, over_http};

over_http!(
    each_letter_opens_its_interactions,
    version_1_scopes_mean_the_same,
    each_entry_of_a_bundle_needs_its_scope,
    a_client_gets_no_more_than_it_is_registered_for,
    what_no_scope_names_does_not_come_along,
);

fn each_letter_opens_its_interactions(database: &TestDatabase) {
    let (server, keys) = (guarded(database), Keys::elliptic("k1"));
    register(&server.server.store, "gp", &[&keys], "system/*.cruds");
    let all = token(&server, "gp", &keys, "system/*.cruds");
    let patient = json!({ "resourceType": "Patient", "id": "p1" });
    with(&server, &all, "PUT", "Patient/p1", Some(&patient)).expect(201);
    let requests = [
        ('c', "POST", "Patient", Some(&patient)),
        ('r', "GET", "Patient/p1", None),
        ('r', "GET", "Patient/p1/_history/1", None),
        ('r', "GET", "Patient/p1/_history", None),
        ('u', "PUT", "Patient/p1", Some(&patient)),
        ('s', "GET", "Patient?_id=p1", None),
        ('d', "DELETE", "Patient/p1", None),
    ];
    for letter in ['c', 'r', 'u', 's', 'd'] {
        let token = token(&server, "gp", &keys, &format!("system/Patient.{letter}"));
        for (needed, method, path, body) in requests {
            let answer = with(&server, &token, method, path, body);
            assert_eq!(answer.status == 403, needed != letter, "{letter}: {method} {path}: {}", answer.text);
            assert!(answer.status < 500);
        }
        let other = with(&server, &token, "GET", "Task/t1", None);
        assert_eq!(other.status, 403, "{}", other.text);
    }
}

fn version_1_scopes_mean_the_same(database: &TestDatabase) {
    let (server, keys) = (guarded(database), Keys::elliptic("k1"));
    register(&server.server.store, "gp", &[&keys], "system/*.cruds");
    let reader = token(&server, "gp", &keys, "system/Patient.read");
    with(&server, &reader, "GET", "Patient", None).expect(200);
    with(&server, &reader, "POST", "Patient", Some(&json!({ "resourceType": "Patient" }))).expect(403);
    let writer = token(&server, "gp", &keys, "system/*.write");
    with(&server, &writer, "POST", "Patient", Some(&json!({ "resourceType": "Patient" }))).expect(201);
    with(&server, &writer, "GET", "Patient", None).expect(403);
}

fn each_entry_of_a_bundle_needs_its_scope(database: &TestDatabase) {
    let (server, keys) = (guarded(database), Keys::elliptic("k1"));
    register(&server.server.store, "gp", &[&keys], "system/*.cruds");
    let token = token(&server, "gp", &keys, "system/Patient.c");
    let entry = |method: &str, url: &str, resource: Value| json!({ "request": { "method": method, "url": url }, "resource": resource });
    let entries = [
        entry("POST", "Patient", json!({ "resourceType": "Patient" })),
        entry("POST", "Organization", json!({ "resourceType": "Organization", "name": "Green Path" })),
    ];
    let batch = json!({ "resourceType": "Bundle", "type": "batch", "entry": entries });
    let answer = with(&server, &token, "POST", "", Some(&batch)).expect(200).json();
    assert_eq!(answer["entry"][0]["response"]["status"].as_str().unwrap()[..3], *"201");
    assert_eq!(answer["entry"][1]["response"]["status"].as_str().unwrap()[..3], *"403");
    let transaction = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
    with(&server, &token, "POST", "", Some(&transaction)).expect(403);
}

fn a_client_gets_no_more_than_it_is_registered_for(database: &TestDatabase) {
    let (server, keys) = (guarded(database), Keys::elliptic("k1"));
    register(&server.server.store, "gp", &[&keys], "system/Task.cruds system/Patient.rs");
    let answer =
        super::world::ask(&server, &keys.sign(&super::world::claims(&server, "gp")), "system/Task.rs system/*.cruds");
    assert_eq!(answer.expect(200).json()["scope"], "system/Task.rs");
}

/// A resource of a type without a scope is neither included nor asked of, whoever calls.
fn what_no_scope_names_does_not_come_along(database: &TestDatabase) {
    let (server, keys) = (guarded(database), Keys::elliptic("k1"));
    register(&server.server.store, "gp", &[&keys], "system/*.cruds");
    let all = token(&server, "gp", &keys, "system/*.cruds");
    let patient = json!({ "resourceType": "Patient", "id": "p1", "birthDate": "1950-01-01" });
    let task = json!({ "resourceType": "Task", "id": "t1", "status": "requested", "intent": "order", "for": { "reference": "Patient/p1" } });
    with(&server, &all, "PUT", "Patient/p1", Some(&patient)).expect(201);
    with(&server, &all, "PUT", "Task/t1", Some(&task)).expect(201);
    let types = |token: &str, path: &str| -> Vec<String> {
        let bundle = with(&server, token, "GET", path, None).expect(200).json();
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| entry["resource"]["resourceType"].as_str().unwrap().to_owned()).collect()
    };
    let tasks = token(&server, "gp", &keys, "system/Task.cruds");
    let patients = token(&server, "gp", &keys, "system/Patient.rs system/Task.c");
    let searches = [
        ("Task?_include=Task:patient", &tasks, vec!["Task"], vec!["Task", "Patient"]),
        ("Task?_include=*", &tasks, vec!["Task"], vec!["Task", "Patient"]),
        ("Task?patient.birthdate=1950-01-01", &tasks, vec![], vec!["Task"]),
        ("Patient?_revinclude=Task:patient", &patients, vec!["Patient"], vec!["Patient", "Task"]),
        ("Patient?_has:Task:patient:status=requested", &patients, vec![], vec!["Patient"]),
        ("Patient/p1/$everything", &patients, vec!["Patient"], vec!["Patient", "Task"]),
    ];
    for (path, narrow, less, whole) in searches {
        assert_eq!(types(narrow, path), less, "{path}");
        assert_eq!(types(&all, path), whole, "{path}");
    }
    // Who may write a type may make that depend on what is there of it, and on nothing else.
    let create = |criteria: &str| {
        let entry = json!({ "resource": { "resourceType": "Task", "status": "requested", "intent": "order", "for": { "reference": "Patient/p1" } },
            "request": { "method": "POST", "url": "Task", "ifNoneExist": criteria } });
        let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [entry] });
        let answer = with(&server, &patients, "POST", "", Some(&bundle)).expect(200).json();
        answer["entry"][0]["response"]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(create("status=requested"), "200");
    // What it writes may refer to what it is not shown.
    with(&server, &tasks, "POST", "Task", Some(&task)).expect(201);
}
