//! Searches along references: chains, `_has`, inclusions (<https://hl7.org/fhir/R4/search.html#chaining>,
//! <https://hl7.org/fhir/R4/search.html#has>, <https://hl7.org/fhir/R4/search.html#revinclude>).

use serde_json::{Value, json};

use super::search::ids;
use crate::support::http::TestServer;
use crate::support::{TestDatabase, over_http};

fn put(server: &TestServer, resource: &Value) {
    let text = |name: &str| resource[name].as_str().unwrap();
    let answer = server.put(&format!("{}/{}", text("resourceType"), text("id")), resource);
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text);
}

/// Patients p1 (Appleby) and p2 (Birch) in organisation o1, part of o2; a referral s1, s2 for each with Tasks t1, t2, a Provenance
/// of t1, Task t3 that is part of t1, answers by a versioned questionnaire.
fn filled(database: &TestDatabase) -> TestServer {
    let server = TestServer::start(database);
    put(&server, &json!({ "resourceType": "Organization", "id": "o2", "name": "Trust" }));
    put(
        &server,
        &json!({ "resourceType": "Organization", "id": "o1", "name": "Surgery",
        "partOf": { "reference": "Organization/o2" } }),
    );
    for (number, family) in [(1, "Appleby"), (2, "Birch")] {
        let patient = json!({ "reference": format!("Patient/p{number}") });
        put(
            &server,
            &json!({ "resourceType": "Patient", "id": format!("p{number}"), "name": [{ "family": family }],
            "managingOrganization": { "reference": "Organization/o1" } }),
        );
        put(
            &server,
            &json!({ "resourceType": "ServiceRequest", "id": format!("s{number}"), "status": "active",
            "intent": "order", "subject": patient, "authoredOn": "2026-01-01" }),
        );
        put(
            &server,
            &json!({ "resourceType": "Task", "id": format!("t{number}"), "status": "requested", "intent": "order",
            "for": patient, "focus": { "reference": format!("ServiceRequest/s{number}") },
            "businessStatus": { "text": "new" } }),
        );
    }
    put(
        &server,
        &json!({ "resourceType": "Task", "id": "t3", "status": "accepted", "intent": "order",
        "owner": { "reference": "Organization/o2" }, "partOf": [{ "reference": "Task/t1" }] }),
    );
    put(
        &server,
        &json!({ "resourceType": "Provenance", "id": "v1", "recorded": "2026-01-01T00:00:00Z",
        "target": [{ "reference": "Task/t1" }], "agent": [{ "who": { "reference": "Organization/o2" } }] }),
    );
    put(
        &server,
        &json!({ "resourceType": "Questionnaire", "id": "q1", "status": "active", "url": "urn:q", "version": "1",
        "title": "Needs" }),
    );
    put(
        &server,
        &json!({ "resourceType": "Questionnaire", "id": "q2", "status": "active", "url": "urn:q", "version": "2",
        "title": "More needs" }),
    );
    for (id, questionnaire, patient) in [("a1", "urn:q|1", "p1"), ("a2", "urn:q|2", "p2"), ("a3", "urn:q", "p2")] {
        put(
            &server,
            &json!({ "resourceType": "QuestionnaireResponse", "id": id, "status": "completed",
            "questionnaire": questionnaire, "subject": { "reference": format!("Patient/{patient}") } }),
        );
    }
    server
}

fn found(server: &TestServer, search: &str) -> Vec<String> {
    let mut found = ids(&server.get(search).expect(200).json(), "match");
    found.sort();
    found
}

fn chains_and_reverse_chains(database: &TestDatabase) {
    let server = filled(database);
    let expect = |search: &str, expected: &[&str]| assert_eq!(found(&server, search), expected, "{search}");
    expect("Task?patient.name=appleby", &["t1"]);
    expect("Task?subject:Patient.family=appleby,birch", &["t1", "t2"]);
    expect("Task?focus:ServiceRequest.subject:Patient.organization.name=surgery", &["t1", "t2"]);
    expect("Task?focus:ServiceRequest.subject:Patient.organization.partof.name:exact=Trust", &["t1", "t2"]);
    // Without a type: every type that has the parameter.
    expect("Task?focus.status=active", &["t1", "t2"]);
    expect("Task?focus.subject.name=birch", &["t2"]);
    expect("Task?owner.name=trust", &["t3"]);
    expect("ServiceRequest?subject.birthdate:missing=true", &["s1", "s2"]);
    expect("Task?part-of.focus:ServiceRequest.subject:Patient.family:contains=pple", &["t3"]);
    expect("Patient?_has:Task:patient:status=requested&_has:Task:patient:business-status:missing=false", &["p1", "p2"]);
    expect("ServiceRequest?_has:Task:focus:_has:Provenance:target:agent=Organization/o2", &["s1"]);
    expect("ServiceRequest?_has:Task:focus:_has:Task:part-of:status=accepted", &["s1"]);
    expect(
        "ServiceRequest?subject:Patient._has:Task:patient:_has:Provenance:target:agent:Organization.name=trust",
        &["s1"],
    );
    expect("Organization?_has:Task:owner:part-of.patient.family=appleby", &["o2"]);
    expect("Patient?_has:Task:patient:status:not=accepted&family=birch", &["p2"]);
    expect("Task?patient._id=p2", &["t2"]);
    expect("Task?patient._has:QuestionnaireResponse:subject:_id=a3", &["t2"]);
    server.get("Task?status.name=x").expect(400);
    server.get("Task?patient:Organization.name=x").expect(400);
    server.get("Patient?_has:Task:nothing:status=x").expect(200);
    server.send("GET", "Patient?_has:Task:nothing:status=x", &[("Prefer", "handling=strict")], None).expect(400);
    server.delete("Provenance/v1").expect(204);
    expect("ServiceRequest?_has:Task:focus:_has:Provenance:target:agent=Organization/o2", &[]);
}

fn canonical_references_lead_to_definitions(database: &TestDatabase) {
    let server = filled(database);
    let expect = |search: &str, expected: &[&str]| assert_eq!(found(&server, search), expected, "{search}");
    expect("QuestionnaireResponse?questionnaire.title=needs", &["a1", "a3"]);
    expect("QuestionnaireResponse?questionnaire.title=more", &["a2", "a3"]);
    expect("QuestionnaireResponse?questionnaire:Questionnaire.version=2&status=completed", &["a2", "a3"]);
    expect("Questionnaire?_has:QuestionnaireResponse:questionnaire:subject=Patient/p1", &["q1"]);
    expect("Questionnaire?title=more&_has:QuestionnaireResponse:questionnaire:status=completed", &["q2"]);
    let included = |search: &str| {
        let mut found = ids(&server.get(search).expect(200).json(), "include");
        found.sort();
        found
    };
    assert_eq!(included("QuestionnaireResponse?_id=a2&_include=QuestionnaireResponse:questionnaire"), ["q2"]);
    assert_eq!(included("QuestionnaireResponse?_id=a3&_include=QuestionnaireResponse:questionnaire"), ["q1", "q2"]);
    assert_eq!(included("Questionnaire?_id=q1&_revinclude=QuestionnaireResponse:questionnaire"), ["a1", "a3"]);
}

fn inclusions_follow_references_both_ways(database: &TestDatabase) {
    let server = filled(database);
    let expect = |search: &str, expected: &[&str]| {
        let bundle = server.get(search).expect(200).json();
        let mut included = ids(&bundle, "include");
        included.sort();
        assert_eq!(included, expected, "{search}");
        assert!(ids(&bundle, "match").iter().all(|id| !included.contains(id)), "{search}");
    };
    expect("Task?_id=t1&_include=Task:focus&_include=Task:patient", &["p1", "s1"]);
    expect("Task?_id=t1&_include=Task:focus:ServiceRequest&_include=Task:subject:Group", &["s1"]);
    expect("Task?_id=t1&_include=*", &["p1", "s1"]);
    expect("Task?_id=t1&_include=Task:*&_include:iterate=Patient:organization", &["o1", "p1", "s1"]);
    expect("Task?_id=t1&_include:iterate=*", &["o1", "o2", "p1", "s1"]);
    expect("Task?_id=t1&_include:recurse=Task:patient", &["p1"]);
    expect("Organization?_id=o1&_include:iterate=Organization:partof", &["o2"]);
    expect("ServiceRequest?_id=s1&_revinclude=Task:focus", &["t1"]);
    expect("ServiceRequest?_id=s1&_revinclude=Task:focus&_revinclude:iterate=Task:part-of", &["t1", "t3"]);
    expect("ServiceRequest?_id=s1&_revinclude=Task:focus&_revinclude:iterate=Provenance:target", &["t1", "v1"]);
    expect("Task?_id=t1&_revinclude=*", &["t3", "v1"]);
    expect("Patient?_id=p1&_revinclude=Task:*", &["t1"]);
    // What matches does not come a second time.
    expect("Task?_include=Task:part-of", &[]);
    server.delete("Provenance/v1").expect(204);
    expect("Task?_id=t1&_revinclude=Provenance:target", &[]);
    for wrong in
        ["_include=Patient:organization", "_include=Task:status", "_include=Task:owner:Task", "_include:all=Task:owner"]
    {
        server.get(&format!("Task?{wrong}")).expect(400);
    }
    let across =
        server.get("?_type=Task,Patient&_id=t2,p1&_include=Task:focus&_include=Patient:organization").expect(200);
    let mut included = ids(&across.json(), "include");
    included.sort();
    assert_eq!(included, ["o1", "s2"]);
}

fn more_than_the_bound_is_cut_and_reported(database: &TestDatabase) {
    let server = filled(database);
    let observation = |number: i32| {
        json!({ "request": { "method": "PUT", "url": format!("Observation/n{number}") },
        "resource": { "resourceType": "Observation", "id": format!("n{number}"), "status": "final",
            "code": { "text": "x" }, "subject": { "reference": "Patient/p1" } } })
    };
    for part in 0..3 {
        let entries: Vec<Value> = (part * 350..(part + 1) * 350).map(observation).collect();
        let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
        server.post("", &bundle).expect(200);
    }
    let bundle = server.get("Patient?_id=p1&_revinclude=Observation:subject").expect(200).json();
    assert_eq!(ids(&bundle, "include").len(), 1000);
    let outcomes = bundle["entry"].as_array().unwrap().iter().filter(|entry| entry["search"]["mode"] == "outcome");
    assert_eq!(outcomes.count(), 1);
    let cut = server.get("Observation?_count=2000").expect(200).json();
    assert_eq!(ids(&cut, "match").len(), 1000);
    assert!(super::search::link(&cut, "self").unwrap().ends_with("Observation?_count=1000"));
}

over_http!(
    chains_and_reverse_chains,
    canonical_references_lead_to_definitions,
    inclusions_follow_references_both_ways,
    more_than_the_bound_is_cut_and_reported,
);
