//! batch and transaction over HTTP (<https://hl7.org/fhir/R4/http.html#transaction>).

use serde_json::{Value, json};

use crate::support::http::TestServer;
use crate::support::{TestDatabase, over_http};

fn entry(full_url: &str, method: &str, url: &str, resource: Value) -> Value {
    json!({ "fullUrl": full_url, "resource": resource, "request": { "method": method, "url": url } })
}

fn transaction(entries: Vec<Value>) -> Value {
    json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries })
}

const PATIENT: &str = "urn:uuid:0d0a7c3e-6a5c-4d0c-9d5e-000000000001";
const REQUEST: &str = "urn:uuid:0d0a7c3e-6a5c-4d0c-9d5e-000000000002";

fn patient() -> Value {
    json!({ "resourceType": "Patient", "name": [{ "family": "Appleby" }] })
}

fn request(subject: &str) -> Value {
    json!({
        "resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": { "reference": subject },
        "code": { "coding": [{ "system": "http://snomed.info/sct", "code": "390893007" }] },
        "text": { "status": "generated",
                  "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"{subject}\">patient</a></div>") },
    })
}

fn names_are_replaced_everywhere(database: &TestDatabase) {
    let server = TestServer::start(database);
    let bundle = transaction(vec![
        entry(REQUEST, "POST", "ServiceRequest", request(PATIENT)),
        entry(PATIENT, "POST", "Patient", patient()),
    ]);
    let answer = server.post("", &bundle).expect(200).json();
    assert_eq!(answer["type"], "transaction-response");
    let location = |index: usize| {
        let text = answer["entry"][index]["response"]["location"].as_str().unwrap();
        text.split("/_history/").next().unwrap().to_owned()
    };
    assert_eq!(answer["entry"][0]["response"]["status"], "201");
    let stored = server.get(&location(0)).expect(200).json();
    assert_eq!(stored["subject"]["reference"], location(1));
    assert!(stored["text"]["div"].as_str().unwrap().contains(&format!("href=\"{}\"", location(1))));
}

fn all_or_nothing(database: &TestDatabase) {
    let server = TestServer::start(database);
    let bundle = transaction(vec![
        entry(PATIENT, "POST", "Patient", patient()),
        entry(REQUEST, "POST", "ServiceRequest", json!({ "resourceType": "ServiceRequest", "status": "activ" })),
    ]);
    let answer = server.post("", &bundle).expect(422).json();
    let places: Vec<&str> =
        answer["issue"].as_array().unwrap().iter().filter_map(|issue| issue["expression"][0].as_str()).collect();
    assert!(places.contains(&"Bundle.entry[1].resource.status"), "{places:?}");
    assert_eq!(server.get("Patient?_summary=count").json()["total"], 0);
    let stale = json!({ "resource": { "resourceType": "Patient", "id": "rose" },
                        "request": { "method": "PUT", "url": "Patient/rose", "ifMatch": "W/\"4\"" } });
    let bundle = transaction(vec![entry(PATIENT, "POST", "Patient", patient()), stale]);
    server.post("", &bundle).expect(412);
    assert_eq!(server.get("Patient?_summary=count").json()["total"], 0);
}

fn conditions_inside_a_transaction(database: &TestDatabase) {
    let server = TestServer::start(database);
    let mut known = patient();
    known["identifier"] = json!([{ "system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9000000009" }]);
    known["id"] = json!("rose");
    server.put("Patient/rose", &known).expect(201);
    let mut again = entry(PATIENT, "POST", "Patient", patient());
    again["request"]["ifNoneExist"] = json!("identifier=https://fhir.nhs.uk/Id/nhs-number|9000000009");
    let by_condition = request("Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|9000000009");
    let bundle = transaction(vec![
        again,
        entry(REQUEST, "POST", "ServiceRequest", request(PATIENT)),
        entry("urn:uuid:0d0a7c3e-6a5c-4d0c-9d5e-000000000003", "POST", "ServiceRequest", by_condition),
    ]);
    let answer = server.post("", &bundle).expect(200).json();
    assert_eq!(answer["entry"][0]["response"]["status"], "200");
    for index in [1, 2] {
        let location = answer["entry"][index]["response"]["location"].as_str().unwrap();
        assert_eq!(server.get(location).json()["subject"]["reference"], "Patient/rose");
    }
    let nobody = transaction(vec![entry(REQUEST, "POST", "ServiceRequest", request("Patient?identifier=x|none"))]);
    server.post("", &nobody).expect(412);
}

fn a_resource_may_be_changed_once(database: &TestDatabase) {
    let server = TestServer::start(database);
    let rose = json!({ "resourceType": "Patient", "id": "rose" });
    let bundle = transaction(vec![
        entry("urn:uuid:0d0a7c3e-6a5c-4d0c-9d5e-000000000004", "PUT", "Patient/rose", rose.clone()),
        entry("urn:uuid:0d0a7c3e-6a5c-4d0c-9d5e-000000000005", "PUT", "Patient/rose", rose),
    ]);
    let answer = server.post("", &bundle).expect(400).json();
    assert_eq!(answer["issue"][0]["expression"][0], "Bundle.entry[1].request.url");
}

fn a_batch_lets_each_entry_stand_alone(database: &TestDatabase) {
    let server = TestServer::start(database);
    let bundle = json!({ "resourceType": "Bundle", "type": "batch", "entry": [
        { "request": { "method": "GET", "url": "Patient/rose" } },
        { "resource": { "resourceType": "Patient", "id": "rose" }, "request": { "method": "PUT", "url": "Patient/rose" } },
        { "resource": { "resourceType": "Patient", "gender": "?" }, "request": { "method": "POST", "url": "Patient" } },
        { "request": { "method": "GET", "url": "Patient/nobody" } },
    ] });
    let answer = server.post("", &bundle).expect(200).json();
    let statuses: Vec<&str> =
        answer["entry"].as_array().unwrap().iter().map(|entry| entry["response"]["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["200", "201", "422", "404"]);
    assert_eq!(answer["entry"][2]["response"]["outcome"]["resourceType"], "OperationOutcome");
}

fn a_large_transaction_is_one_commit(database: &TestDatabase) {
    let server = TestServer::start(database);
    let entries = (0..500)
        .map(|number| {
            let id = format!("p{number}");
            entry(
                &format!("{}/Patient/{id}", server.base),
                "PUT",
                &format!("Patient/{id}"),
                json!({ "resourceType": "Patient", "id": id }),
            )
        })
        .collect();
    let answer = server.post("", &transaction(entries)).expect(200).json();
    assert_eq!(answer["entry"].as_array().unwrap().len(), 500);
    assert_eq!(server.get("Patient?_summary=count").json()["total"], 500);
}

/// What a transaction looks up must be seen although it has not been written yet.
fn a_look_up_sees_what_the_same_transaction_writes(database: &TestDatabase) {
    let server = TestServer::start(database);
    let mut one = request("Patient/rose");
    one["performer"] = json!([{ "reference": "Organization/walks" }]);
    one["code"]["coding"][0]["code"] = json!("871731000000106");
    one["requester"] = json!({ "reference": "Organization/surgery" });
    one["authoredOn"] = json!("2026-03-02T10:00:00Z");
    one.as_object_mut().unwrap().remove("text");
    let known = json!({ "resourceType": "Patient", "id": "rose" });
    server.put("Patient/rose", &known).expect(201);
    let other = "urn:uuid:0d0a7c3e-6a5c-4d0c-9d5e-000000000009";
    let bundle = transaction(vec![
        entry(REQUEST, "POST", "ServiceRequest", one.clone()),
        entry(other, "POST", "ServiceRequest", one.clone()),
    ]);
    let answer = server.post("", &bundle).expect(409).json();
    assert!(answer["issue"].to_string().contains("referral-duplicate"), "{answer}");
    assert_eq!(server.get("ServiceRequest?_summary=count").json()["total"], 0);
    server.post("", &transaction(vec![entry(REQUEST, "POST", "ServiceRequest", one)])).expect(200);
}

over_http!(
    a_look_up_sees_what_the_same_transaction_writes,
    names_are_replaced_everywhere,
    all_or_nothing,
    conditions_inside_a_transaction,
    a_resource_may_be_changed_once,
    a_batch_lets_each_entry_stand_alone,
    a_large_transaction_is_one_commit,
);
