//! What entries of batches and transactions may be (<https://hl7.org/fhir/R4/http.html#trules>): every verb, criteria, names.

use serde_json::{Value, json};

use crate::support::http::{JSON, TestServer};
use crate::support::{TestDatabase, over_http};

const SYSTEM: &str = "https://example.org/numbers";

fn bundle(kind: &str, entries: &[Value]) -> Value {
    json!({ "resourceType": "Bundle", "type": kind, "entry": entries })
}

fn entry(method: &str, url: &str, resource: Option<Value>) -> Value {
    let mut entry = json!({ "request": { "method": method, "url": url } });
    if let Some(resource) = resource {
        entry["resource"] = resource;
    }
    entry
}

fn patient(number: &str) -> Value {
    json!({ "resourceType": "Patient", "identifier": [{ "system": SYSTEM, "value": number }] })
}

fn by(number: &str) -> String {
    format!("Patient?identifier={SYSTEM}|{number}")
}

fn named(id: &str) -> Value {
    let mut content = patient(id);
    content["id"] = json!(id);
    content
}

/// A JSON Patch in a Binary: `[{"op":"add","path":"/active","value":true}]`.
fn json_patch() -> Value {
    json!({ "resourceType": "Binary", "contentType": "application/json-patch+json",
            "data": "W3sib3AiOiJhZGQiLCJwYXRoIjoiL2FjdGl2ZSIsInZhbHVlIjp0cnVlfV0=" })
}

fn fhirpath_patch() -> Value {
    json!({ "resourceType": "Parameters", "parameter": [{ "name": "operation", "part": [
        { "name": "type", "valueCode": "add" }, { "name": "path", "valueString": "Patient" },
        { "name": "name", "valueString": "gender" }, { "name": "value", "valueCode": "female" } ] }] })
}

fn statuses(answer: &Value) -> Vec<&str> {
    answer["entry"].as_array().unwrap().iter().map(|entry| entry["response"]["status"].as_str().unwrap()).collect()
}

fn stored(server: &TestServer) {
    for id in ["a", "b", "c", "d", "e", "f"] {
        server.put(&format!("Patient/{id}"), &named(id)).expect(201);
    }
}

fn verbs() -> Vec<Value> {
    let mut update = named("e");
    update["active"] = json!(false);
    vec![
        entry("GET", "Patient/a", None),
        entry("HEAD", "Patient/a", None),
        entry("PATCH", "Patient/a", Some(json_patch())),
        entry("PATCH", "Patient/b", Some(fhirpath_patch())),
        entry("PATCH", &by("c"), Some(fhirpath_patch())),
        entry("DELETE", "Patient/d", None),
        entry("PUT", &by("e"), Some(update)),
        entry("DELETE", &by("f"), None),
        entry("PUT", &by("g"), Some(patient("g"))),
        entry("POST", "Patient", Some(patient("h"))),
        entry("GET", &by("h"), None),
        entry("POST", "Patient/$validate", Some(patient("i"))),
    ]
}

fn every_verb_may_be_an_entry(database: &TestDatabase) {
    let server = TestServer::start(database);
    let expected = ["200", "200", "200", "200", "200", "204", "200", "204", "201", "201", "200", "200"];
    for kind in ["transaction", "batch"] {
        stored_again(&server);
        let answer = server.post("", &bundle(kind, &verbs())).expect(200).json();
        assert_eq!(statuses(&answer), expected, "{kind}: {answer}");
        assert_eq!(server.get("Patient/a").json()["active"], true);
        for id in ["b", "c"] {
            assert_eq!(server.get(&format!("Patient/{id}")).json()["gender"], "female");
        }
        assert_eq!(server.get("Patient/e").json()["active"], false);
        // What is read is what the other entries have left.
        assert_eq!(answer["entry"][0]["resource"]["active"], true);
        assert_eq!(answer["entry"][10]["resource"]["total"], 1);
        assert_eq!(answer["entry"][2]["response"]["etag"], server.get("Patient/a").header("etag"));
        assert!(answer["entry"][2]["response"]["lastModified"].is_string());
        server.delete(&by("g")).expect(204);
        server.delete(&by("h")).expect(204);
    }
}

fn stored_again(server: &TestServer) {
    for id in ["a", "b", "c", "d", "e", "f"] {
        assert!(matches!(server.put(&format!("Patient/{id}"), &named(id)).status, 200 | 201));
    }
}

fn places(answer: &Value) -> Vec<&str> {
    answer["issue"].as_array().unwrap().iter().filter_map(|issue| issue["expression"][0].as_str()).collect()
}

fn two_entries_cannot_change_one_resource(database: &TestDatabase) {
    let server = TestServer::start(database);
    stored(&server);
    for other in [
        entry("PATCH", "Patient/a", Some(json_patch())),
        entry("PATCH", &by("a"), Some(json_patch())),
        entry("PUT", &by("a"), Some(patient("a"))),
        entry("DELETE", &by("a"), None),
    ] {
        let entries = [entry("PUT", "Patient/a", Some(named("a"))), other.clone()];
        let answer = server.post("", &bundle("transaction", &entries)).expect(400).json();
        assert_eq!(places(&answer).len(), 1, "{other}: {answer}");
        assert!(places(&answer)[0].ends_with("].request.url"), "{other}: {answer}");
    }
    let mut twins = [entry("POST", "Patient", Some(patient("x"))), entry("POST", "Patient", Some(patient("y")))];
    for twin in &mut twins {
        twin["fullUrl"] = json!("urn:uuid:0d0a7c3e-6a5c-4d0c-9d5e-000000000001");
    }
    let answer = server.post("", &bundle("transaction", &twins)).expect(400).json();
    assert_eq!(places(&answer), ["Bundle.entry[1].fullUrl"]);
    assert_eq!(server.get("Patient/a").json()["meta"]["versionId"], "1");
    assert_eq!(server.get("Patient?_summary=count").json()["total"], 6);
}

fn a_failing_entry_undoes_all(database: &TestDatabase) {
    let server = TestServer::start(database);
    stored(&server);
    for (failing, status, place) in [
        (entry("PATCH", "Patient/nobody", Some(json_patch())), 404, "Bundle.entry[1].request.url"),
        (entry("PATCH", &by("nobody"), Some(json_patch())), 404, "Bundle.entry[1].request.url"),
        (entry("PUT", "Patient?nonsense=1", Some(patient("x"))), 400, "Bundle.entry[1].request.url"),
        (entry("PUT", "Patient", Some(patient("x"))), 400, "Bundle.entry[1].request.url"),
        (entry("POST", "", Some(bundle("batch", &[]))), 400, "Bundle.entry[1].request.url"),
        (entry("POST", "Patient/$nothing", Some(patient("x"))), 400, "Bundle.entry[1].request.method"),
        (entry("PUT", "Patient/x", None), 400, "Bundle.entry[1].resource"),
    ] {
        let entries = [entry("DELETE", "Patient/a", None), failing.clone()];
        let answer = server.post("", &bundle("transaction", &entries));
        assert_eq!(answer.status, status, "{failing}: {}", answer.text);
        assert_eq!(places(&answer.json()), [place], "{failing}");
        server.get("Patient/a").expect(200);
    }
}

fn a_conditional_update_gives_its_name_to_references(database: &TestDatabase) {
    let server = TestServer::start(database);
    stored(&server);
    let urn = "urn:uuid:0d0a7c3e-6a5c-4d0c-9d5e-000000000002";
    let mut update = entry("PUT", &by("a"), Some(patient("a")));
    update["fullUrl"] = json!(urn);
    let observation = json!({ "resourceType": "Observation", "status": "final", "code": { "text": "c" },
                              "subject": { "reference": urn } });
    let entries = [entry("POST", "Observation", Some(observation)), update];
    let answer = server.post("", &bundle("transaction", &entries)).expect(200).json();
    let location = answer["entry"][0]["response"]["location"].as_str().unwrap();
    assert_eq!(server.get(location).json()["subject"]["reference"], "Patient/a");
}

fn names_are_replaced_wherever_a_uri_may_stand(database: &TestDatabase) {
    let server = TestServer::start(database);
    let (uuid, oid) = ("urn:uuid:0d0a7c3e-6a5c-4d0c-9d5e-000000000003", "urn:oid:1.2.3.4.5");
    let mut patient = entry("POST", "Patient", Some(patient("1")));
    patient["fullUrl"] = json!(uuid);
    let mut document =
        entry("POST", "Binary", Some(json!({ "resourceType": "Binary", "contentType": "text/plain", "data": "eA==" })));
    document["fullUrl"] = json!(oid);
    let answers = json!({
        "resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": "https://example.org/q",
        "text": { "status": "generated", "div": format!(
            "<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"{uuid}\">p</a><img src='{oid}' alt=\"x\"/>{uuid}</div>") },
        "contained": [{ "resourceType": "Observation", "id": "o", "status": "final", "code": { "text": uuid },
                        "subject": { "reference": uuid } }],
        "partOf": [{ "reference": "#o" }],
        "extension": [{ "url": "https://example.org/e", "valueUri": uuid }],
        "subject": { "reference": uuid },
        "item": [{ "linkId": "1", "answer": [{ "valueReference": { "reference": uuid } },
            { "valueAttachment": { "contentType": "text/plain", "url": oid } }, { "valueUri": uuid }, { "valueString": uuid }] }],
    });
    let entries = [entry("POST", "QuestionnaireResponse", Some(answers)), patient, document];
    let answer = server.post("", &bundle("transaction", &entries)).expect(200).json();
    let location = |index: usize| {
        let text = answer["entry"][index]["response"]["location"].as_str().unwrap();
        text.split("/_history/").next().unwrap().to_owned()
    };
    let (patient, binary) = (location(1), location(2));
    let found = server.get(&location(0)).json();
    let div = found["text"]["div"].as_str().unwrap();
    assert!(div.contains(&format!("href=\"{patient}\"")) && div.contains(&format!("src='{binary}'")), "{div}");
    assert!(div.contains(&format!("{uuid}</div>")), "{div}");
    for (pointer, expected) in [
        ("/contained/0/subject/reference", patient.as_str()),
        ("/contained/0/code/text", uuid),
        ("/extension/0/valueUri", &patient),
        ("/subject/reference", &patient),
        ("/item/0/answer/0/valueReference/reference", &patient),
        ("/item/0/answer/1/valueAttachment/url", &binary),
        ("/item/0/answer/2/valueUri", &patient),
        ("/item/0/answer/3/valueString", uuid),
    ] {
        assert_eq!(found.pointer(pointer).unwrap(), expected, "{pointer}");
    }
}

fn entries_of_a_batch_stand_alone(database: &TestDatabase) {
    let server = TestServer::start(database);
    stored(&server);
    let urn = "urn:uuid:0d0a7c3e-6a5c-4d0c-9d5e-000000000004";
    let mut created = entry("POST", "Patient", Some(patient("x")));
    created["fullUrl"] = json!(urn);
    let observation = json!({ "resourceType": "Observation", "status": "final", "code": { "text": "c" },
                              "subject": { "reference": urn } });
    let entries = [
        entry("POST", "Observation", Some(observation)),
        created,
        json!({ "request": { "method": "FETCH", "url": "Patient/a" } }),
        entry("POST", "", Some(bundle("batch", &[]))),
        entry("PATCH", "Patient/nobody", Some(json_patch())),
        entry("PATCH", "Patient/a", Some(patient("x"))),
        json!({ "request": { "method": "GET", "url": "Patient/a", "ifNoneMatch": "W/\"1\"" } }),
        json!({ "resource": named("b"), "request": { "method": "PUT", "url": "Patient/b", "ifMatch": "W/\"9\"" } }),
        json!({ "resource": patient("c"), "request":
            { "method": "POST", "url": "Patient", "ifNoneExist": format!("identifier={SYSTEM}|c") } }),
    ];
    let answer = server.post("", &bundle("batch", &entries)).expect(200).json();
    assert_eq!(statuses(&answer), ["400", "201", "400", "400", "404", "415", "304", "412", "200"]);
    assert_eq!(places(&answer["entry"][0]["response"]["outcome"]), ["Bundle.entry[0].resource"]);
    assert_eq!(places(&answer["entry"][2]["response"]["outcome"]), ["Bundle.entry[2].request.method"]);
}

fn the_answer_follows_prefer_and_the_size_is_bounded(database: &TestDatabase) {
    let server = TestServer::start_with(database, &[("limits.bundle", "3")]);
    for kind in ["transaction", "batch"] {
        let body = bundle(kind, &[entry("POST", "Patient", Some(patient("1")))]).to_string();
        let send = |prefer: &str| {
            server.send("POST", "", &[JSON, ("Prefer", prefer)], Some(body.as_bytes())).expect(200).json()["entry"][0]
                .clone()
        };
        assert_eq!(send("return=representation")["resource"]["resourceType"], "Patient", "{kind}");
        let minimal = send("return=minimal");
        assert!(minimal.get("resource").is_none() && minimal["response"].get("outcome").is_none(), "{kind}: {minimal}");
        let outcome = send("return=OperationOutcome");
        assert_eq!(outcome["response"]["outcome"]["resourceType"], "OperationOutcome", "{kind}");
        assert!(outcome.get("resource").is_none());
        let many: Vec<Value> = (0..4).map(|_| entry("GET", "Patient", None)).collect();
        server.post("", &bundle(kind, &many)).expect(413);
    }
    server.post("", &bundle("collection", &[])).expect(400);
}

over_http!(
    every_verb_may_be_an_entry,
    two_entries_cannot_change_one_resource,
    a_failing_entry_undoes_all,
    a_conditional_update_gives_its_name_to_references,
    names_are_replaced_wherever_a_uri_may_stand,
    entries_of_a_batch_stand_alone,
    the_answer_follows_prefer_and_the_size_is_bounded,
);
