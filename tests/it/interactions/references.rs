//! Referential integrity (<https://hl7.org/fhir/R4/http.html#integrity>): what is referred to is there, and stays there.

use serde_json::{Value, json};

use crate::support::http::{JSON, TestServer};
use crate::support::{TestDatabase, over_http};

fn whole(database: &TestDatabase) -> TestServer {
    TestServer::start_with(database, &[("references.write", "enforce"), ("references.delete", "enforce")])
}

fn patient(id: &str) -> Value {
    json!({ "resourceType": "Patient", "id": id })
}

fn observation(subject: &Value) -> Value {
    json!({ "resourceType": "Observation", "status": "final", "code": { "text": "c" }, "subject": subject })
}

fn to(reference: &str) -> Value {
    json!({ "reference": reference })
}

fn rule(outcome: &Value) -> (&str, &str) {
    let issues = outcome["issue"].as_array().unwrap();
    let issue = issues.iter().find(|issue| issue["severity"] == "error").unwrap();
    (issue["details"]["coding"][0]["code"].as_str().unwrap(), issue["expression"][0].as_str().unwrap())
}

fn what_is_referred_to_must_be_there(database: &TestDatabase) {
    let server = whole(database);
    server.put("Patient/rose", &patient("rose")).expect(201);
    server.put("Patient/gone", &patient("gone")).expect(201);
    server.delete("Patient/gone").expect(204);
    let absolute = |id: &str| to(&format!("{}/Patient/{id}", server.base));
    for subject in [
        to("Patient/rose"),
        absolute("rose"),
        to("Patient/rose/_history/1"),
        to("Patient/gone/_history/1"),
        to("https://other.example/fhir/Patient/nobody"),
        to("urn:uuid:0d0a7c3e-6a5c-4d0c-9d5e-000000000001"),
        json!({ "identifier": { "system": "https://example.org/numbers", "value": "1" } }),
        json!({ "display": "somebody" }),
    ] {
        let answer = server.post("Observation", &observation(&subject));
        assert_eq!(answer.status, 201, "{subject}: {}", answer.text);
    }
    for subject in [
        to("Patient/nobody"),
        absolute("nobody"),
        to("Patient/rose/_history/2"),
        to("Patient/rose/_history/x"),
        to("Patient/gone"),
        to("Group/rose"),
    ] {
        let answer = server.post("Observation", &observation(&subject));
        assert_eq!(answer.status, 422, "{subject}: {}", answer.text);
        assert_eq!(rule(&answer.json()), ("reference-exists", "Observation.subject"));
    }
    let mut contained = observation(&to("#p"));
    contained["contained"] =
        json!([{ "resourceType": "Patient", "id": "p", "managingOrganization": to("Organization/x") }]);
    let answer = server.post("Observation", &contained).expect(422).json();
    assert_eq!(rule(&answer), ("reference-exists", "Observation.contained[0].managingOrganization"));
    assert_eq!(server.get("Observation?_summary=count").json()["total"], 8);
}

fn updates_and_patches_are_checked(database: &TestDatabase) {
    let server = whole(database);
    server.put("Patient/rose", &patient("rose")).expect(201);
    let mut linked = patient("rose");
    linked["link"] = json!([{ "type": "seealso", "other": to("Patient/rose") }]);
    server.put("Patient/rose", &linked).expect(200);
    linked["link"][0]["other"] = to("Patient/lily");
    let answer = server.put("Patient/rose", &linked).expect(422).json();
    assert_eq!(rule(&answer), ("reference-exists", "Patient.link[0].other"));
    let patch = json!([{ "op": "replace", "path": "/link/0/other/reference", "value": "Patient/lily" }]).to_string();
    let headers = [("Content-Type", "application/json-patch+json")];
    server.send("PATCH", "Patient/rose", &headers, Some(patch.as_bytes())).expect(422);
    assert_eq!(server.get("Patient/rose").json()["meta"]["versionId"], "2");
    // A new resource may refer to itself.
    let mut lily = patient("lily");
    lily["link"] = json!([{ "type": "seealso", "other": to("Patient/lily") }]);
    server.put("Patient/lily", &lily).expect(201);
}

fn entry(method: &str, url: &str, resource: &Value) -> Value {
    json!({ "resource": resource, "request": { "method": method, "url": url } })
}

fn transaction(entries: &[Value]) -> Value {
    json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries })
}

fn a_transaction_is_checked_as_a_whole(database: &TestDatabase) {
    let server = whole(database);
    let good = transaction(&[
        entry("POST", "Observation", &observation(&to("Patient/rose"))),
        entry("PUT", "Patient/rose", &patient("rose")),
    ]);
    let answer = server.post("", &good).expect(200).json();
    let location = answer["entry"][0]["response"]["location"].as_str().unwrap().split("/_history").next().unwrap();
    let bad = transaction(&[
        entry("PUT", "Patient/lily", &patient("lily")),
        entry("POST", "Observation", &observation(&to("Patient/nobody"))),
    ]);
    let answer = server.post("", &bad).expect(422).json();
    assert_eq!(rule(&answer), ("reference-exists", "Bundle.entry[1].resource.subject"));
    server.get("Patient/lily").expect(404);
    let delete = |url: &str| json!({ "request": { "method": "DELETE", "url": url } });
    server.post("", &transaction(&[delete("Patient/rose")])).expect(409);
    server.post("", &transaction(&[delete("Patient/rose"), delete(location)])).expect(200);
    server.get("Patient/rose").expect(410);
}

fn what_is_referred_to_stays(database: &TestDatabase) {
    let server = whole(database);
    for id in ["rose", "lily"] {
        server.put(&format!("Patient/{id}"), &patient(id)).expect(201);
    }
    let mut ids = Vec::new();
    for _ in 0..2 {
        let created = server.post("Observation", &observation(&to("Patient/rose"))).expect(201).json();
        ids.push(created["id"].as_str().unwrap().to_owned());
    }
    // A reference that no search parameter finds.
    let mut extended = patient("third");
    extended["extension"] = json!([{ "url": "https://example.org/e", "valueReference": to("Patient/lily") }]);
    server.put("Patient/third", &extended).expect(201);
    let refused = server.delete("Patient/rose").expect(409).json();
    assert_eq!(rule(&refused).0, "reference-deleted");
    assert!(refused["issue"][0]["diagnostics"].as_str().unwrap().contains("2 Observation"), "{refused}");
    server.delete("Patient/lily").expect(409);
    server.delete("Patient?_id=lily").expect(409);
    for id in ids {
        server.delete(&format!("Observation/{id}")).expect(204);
    }
    server.delete("Patient/rose").expect(204);
    extended.as_object_mut().unwrap().remove("extension");
    server.put("Patient/third", &extended).expect(200);
    server.delete("Patient/lily").expect(204);
}

fn what_may_dangle_is_configured(database: &TestDatabase) {
    let policy =
        |server: &TestServer| server.get("metadata").json()["rest"][0]["resource"][0]["referencePolicy"].clone();
    let server = TestServer::start_with(database, &[("references.write", "enforce"), ("references.delete", "allow")]);
    server.put("Patient/rose", &patient("rose")).expect(201);
    server.post("Observation", &observation(&to("Patient/rose"))).expect(201);
    server.delete("Patient/rose").expect(204);
    assert_eq!(policy(&server), json!(["literal", "logical", "resolves"]));
    drop(server);
    let server = TestServer::start_with(database, &[("references.write", "allow"), ("references.delete", "enforce")]);
    server.post("Observation", &observation(&to("Patient/rose"))).expect(201);
    drop(server);
    assert_eq!(policy(&whole(database)), json!(["literal", "logical", "resolves", "enforced"]));
}

/// Jobs that share a commit are refused one by one.
fn only_the_guilty_are_refused(database: &TestDatabase) {
    let server = whole(database);
    server.put("Patient/rose", &patient("rose")).expect(201);
    let statuses: Vec<(usize, u16)> = std::thread::scope(|scope| {
        let send = |number: usize| {
            let subject = to(if number.is_multiple_of(4) { "Patient/nobody" } else { "Patient/rose" });
            server.post("Observation", &observation(&subject)).status
        };
        let threads: Vec<_> = (0..24).map(|number| scope.spawn(move || (number, send(number)))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (number, status) in statuses {
        assert_eq!(status, if number % 4 == 0 { 422 } else { 201 });
    }
    assert_eq!(server.get("Observation?_summary=count").json()["total"], 18);
}

/// Whoever wins, no reference is left without its target.
fn a_race_leaves_nothing_dangling(database: &TestDatabase) {
    let server = whole(database);
    for round in 0..8 {
        let path = format!("Patient/p{round}");
        server.put(&path, &patient(&format!("p{round}"))).expect(201);
        std::thread::scope(|scope| {
            let refer = || server.post("Observation", &observation(&to(&path))).status;
            let remove = || server.delete(&path).status;
            let others: Vec<_> = (0..3).map(|_| scope.spawn(refer)).collect();
            let removed = scope.spawn(remove).join().unwrap();
            assert!(matches!(removed, 204 | 409), "{removed}");
            for other in others {
                let status = other.join().unwrap();
                assert!(matches!(status, 201 | 422), "{status}");
            }
        });
        let left = server.get(&format!("Observation?subject={path}&_summary=count")).json()["total"].as_u64().unwrap();
        let there = server.get(&path).status == 200;
        assert!(there || left == 0, "{left} references to what is deleted");
    }
}

fn a_referral_under_way_is_not_deleted(database: &TestDatabase) {
    let server = whole(database);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/valid/Bundle-direct-referral.json");
    let bundle: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let answer = server.post("", &bundle).expect(200).json();
    let find = |name: &str| {
        let entries = answer["entry"].as_array().unwrap().iter();
        let mut all = entries.map(|entry| entry["response"]["location"].as_str().unwrap());
        all.find(|location| location.starts_with(name)).unwrap().split("/_history").next().unwrap().to_owned()
    };
    let (task, request) = (find("Task/"), find("ServiceRequest/"));
    for path in [&task, &request] {
        assert_eq!(rule(&server.delete(path).expect(422).json()).0, "referral-delete");
    }
    let mut cancelled = server.get(&task).json();
    cancelled["status"] = json!("cancelled");
    cancelled["statusReason"] = json!({ "text": "Moved away" });
    server.send("PUT", &task, &[JSON], Some(cancelled.to_string().as_bytes())).expect(200);
    // Its Task and Provenance still refer to the request.
    server.delete(&request).expect(409);
    server.get(&request).expect(200);
    server.put("ServiceRequest/other", &json!({
        "resourceType": "ServiceRequest", "id": "other", "status": "active", "intent": "order", "subject": { "display": "x" }
    })).expect(201);
    server.delete("ServiceRequest/other").expect(204);
}

over_http!(
    what_is_referred_to_must_be_there,
    updates_and_patches_are_checked,
    a_transaction_is_checked_as_a_whole,
    what_is_referred_to_stays,
    what_may_dangle_is_configured,
    only_the_guilty_are_refused,
    a_race_leaves_nothing_dangling,
    a_referral_under_way_is_not_deleted,
);
