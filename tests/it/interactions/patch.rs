//! patch and conditional patch over HTTP (<https://hl7.org/fhir/R4/http.html#patch>).

use serde_json::{Value, json};

use crate::support::http::{Answer, JSON, TestServer};
use crate::support::{TestDatabase, over_http};

const JSON_PATCH: (&str, &str) = ("Content-Type", "application/json-patch+json");

fn patch(server: &TestServer, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
    server.send("PATCH", path, headers, Some(body.to_string().as_bytes()))
}

fn stored(server: &TestServer) {
    let patient = json!({
        "resourceType": "Patient", "id": "rose", "birthDate": "1948-02-03",
        "name": [{ "family": "Appleby", "given": ["Rose"] }],
        "identifier": [{ "system": "https://example.org/numbers", "value": "1" }]
    });
    server.put("Patient/rose", &patient).expect(201);
}

fn replace_family(name: &str) -> Value {
    json!([{ "op": "replace", "path": "/name/0/family", "value": name }])
}

fn fhirpath(kind: &str, path: &str, value: Option<(&str, Value)>) -> Value {
    let mut parts = vec![json!({ "name": "type", "valueCode": kind }), json!({ "name": "path", "valueString": path })];
    if let Some((name, value)) = value {
        parts.push(json!({ "name": "value", name: value }));
    }
    json!({ "resourceType": "Parameters", "parameter": [{ "name": "operation", "part": parts }] })
}

fn a_json_patch_makes_a_version(database: &TestDatabase) {
    let server = TestServer::start(database);
    stored(&server);
    let answer = patch(&server, "Patient/rose", &[JSON_PATCH], &replace_family("Baker")).expect(200);
    assert_eq!(answer.header("etag"), "W/\"2\"");
    assert_eq!(answer.json()["name"][0]["family"], "Baker");
    assert_eq!(server.get("Patient?name=baker").json()["total"], 1);
    let history = server.get("Patient/rose/_history").expect(200).json();
    assert_eq!(history["entry"][0]["request"]["method"], "PATCH");
    let headers = [JSON_PATCH, ("Prefer", "return=minimal")];
    assert!(patch(&server, "Patient/rose", &headers, &replace_family("Cook")).expect(200).text.is_empty());
}

fn a_fhirpath_patch_comes_in_json_and_xml(database: &TestDatabase) {
    let server = TestServer::start(database);
    stored(&server);
    let operation = fhirpath("replace", "Patient.birthDate", Some(("valueDate", json!("1949-01-01"))));
    let answer = patch(&server, "Patient/rose", &[JSON], &operation).expect(200);
    assert_eq!(answer.json()["birthDate"], "1949-01-01");
    let xml = r#"<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/>
        <part><name value="type"/><valueCode value="delete"/></part>
        <part><name value="path"/><valueString value="Patient.birthDate"/></part></parameter></Parameters>"#;
    let headers = [("Content-Type", "application/fhir+xml")];
    let answer = server.send("PATCH", "Patient/rose", &headers, Some(xml.as_bytes())).expect(200);
    assert!(answer.json().get("birthDate").is_none());
}

fn what_fails_changes_nothing(database: &TestDatabase) {
    let server = TestServer::start(database);
    stored(&server);
    let before = server.get("Patient/rose").expect(200).text;
    let failing = json!([{ "op": "remove", "path": "/birthDate" }, { "op": "test", "path": "/id", "value": "lily" }]);
    let answer = patch(&server, "Patient/rose", &[JSON_PATCH], &failing).expect(422).json();
    assert_eq!(answer["issue"][0]["details"]["coding"][0]["code"], "patch-test");
    let invalid = json!([{ "op": "add", "path": "/gender", "value": "?" }]);
    let answer = patch(&server, "Patient/rose", &[JSON_PATCH], &invalid).expect(422).json();
    assert!(answer["issue"].as_array().unwrap().iter().any(|issue| issue["expression"][0] == "Patient.gender"));
    // A value without the sibling that gives it its place.
    let misplaced = json!([{ "op": "add", "path": "/_birthDate", "value": "x" }]);
    patch(&server, "Patient/rose", &[JSON_PATCH], &misplaced).expect(422);
    let unknown = json!([{ "op": "add", "path": "/nmae", "value": "x" }]);
    patch(&server, "Patient/rose", &[JSON_PATCH], &unknown).expect(422);
    let identity = json!([{ "op": "replace", "path": "/id", "value": "lily" }]);
    patch(&server, "Patient/rose", &[JSON_PATCH], &identity).expect(422);
    patch(&server, "Patient/rose", &[JSON], &fhirpath("delete", "Patient.nmae", None)).expect(422);
    patch(&server, "Patient/rose", &[JSON_PATCH], &json!([{ "op": "erase", "path": "" }])).expect(400);
    server.send("PATCH", "Patient/rose", &[JSON_PATCH], Some(b"[")).expect(400);
    server.send("PATCH", "Patient/rose", &[JSON_PATCH], None).expect(400);
    patch(&server, "Patient/rose", &[JSON], &json!({ "resourceType": "Patient", "id": "rose" })).expect(415);
    let xml = ("Content-Type", "application/xml-patch+xml");
    let answer = server.send("PATCH", "Patient/rose", &[xml], Some(b"<diff/>")).expect(415).json();
    assert!(answer["issue"][0]["diagnostics"].as_str().unwrap().contains("FHIRPath Patch"));
    assert_eq!(server.get("Patient/rose").text, before);
}

fn the_version_is_checked(database: &TestDatabase) {
    let server = TestServer::start(database);
    stored(&server);
    let with = |version: &str| {
        patch(&server, "Patient/rose", &[JSON_PATCH, ("If-Match", version)], &replace_family("Baker")).status
    };
    assert_eq!(with("W/\"2\""), 412);
    assert_eq!(with("W/\"1\""), 200);
    assert_eq!(with("\"2\""), 200);
    patch(&server, "Patient/nobody", &[JSON_PATCH], &replace_family("Baker")).expect(404);
    server.delete("Patient/rose").expect(204);
    patch(&server, "Patient/rose", &[JSON_PATCH], &replace_family("Baker")).expect(410);
}

fn a_conditional_patch_changes_what_matches(database: &TestDatabase) {
    let server = TestServer::start(database);
    stored(&server);
    let by = |number: &str| format!("Patient?identifier=https://example.org/numbers|{number}");
    let answer = patch(&server, &by("1"), &[JSON_PATCH], &replace_family("Baker")).expect(200);
    assert_eq!(answer.header("location"), format!("{}/Patient/rose/_history/2", server.base));
    patch(&server, &by("2"), &[JSON_PATCH], &replace_family("Baker")).expect(404);
    patch(&server, "Patient", &[JSON_PATCH], &replace_family("Baker")).expect(400);
    patch(&server, "Patient?nonsense=1", &[JSON_PATCH], &replace_family("Baker")).expect(400);
    server.post("Patient", &json!({ "resourceType": "Patient", "name": [{ "family": "Baker" }] })).expect(201);
    patch(&server, "Patient?family=baker", &[JSON_PATCH], &replace_family("Cook")).expect(412);
}

fn patches_at_once_all_take_effect(database: &TestDatabase) {
    let server = TestServer::start(database);
    stored(&server);
    let add = |number: usize| json!([{ "op": "add", "path": "/name/-", "value": { "family": format!("N{number}") } }]);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|number| {
                scope.spawn({
                    let server = &server;
                    move || patch(server, "Patient/rose", &[JSON_PATCH], &add(number)).status
                })
            })
            .collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), 200);
        }
    });
    assert_eq!(server.get("Patient/rose").json()["name"].as_array().unwrap().len(), 5);
}

fn the_rules_of_the_referral_hold(database: &TestDatabase) {
    let server = TestServer::start(database);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/valid/Bundle-direct-referral.json");
    let bundle: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let answer = server.post("", &bundle).expect(200).json();
    let location = answer["entry"].as_array().unwrap().last().unwrap()["response"]["location"].as_str().unwrap();
    let task = location.split("/_history/").next().unwrap();
    let status = |to: &str| fhirpath("replace", "Task.status", Some(("valueCode", json!(to))));
    let refused = patch(&server, task, &[JSON], &status("in-progress")).expect(422).json();
    assert_eq!(refused["issue"][0]["details"]["coding"][0]["code"], "referral-transition");
    patch(&server, task, &[JSON], &status("accepted")).expect(200);
    patch(&server, task, &[JSON], &status("in-progress")).expect(200);
    assert_eq!(server.get(task).json()["status"], "in-progress");
}

over_http!(
    a_json_patch_makes_a_version,
    a_fhirpath_patch_comes_in_json_and_xml,
    what_fails_changes_nothing,
    the_version_is_checked,
    a_conditional_patch_changes_what_matches,
    patches_at_once_all_take_effect,
    the_rules_of_the_referral_hold,
);
