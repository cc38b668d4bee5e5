//! `$meta`, `$meta-add`, `$meta-delete` (<https://hl7.org/fhir/R4/resource-operations.html>).

use serde_json::{Value, json};

use crate::support::http::{JSON, TestServer};
use crate::support::{TestDatabase, over_http};

const TAGS: &str = "https://example.org/tags";

fn tag(code: &str) -> Value {
    json!({ "system": TAGS, "code": code })
}

fn body(meta: &Value) -> Value {
    json!({ "resourceType": "Parameters", "parameter": [{ "name": "meta", "valueMeta": meta }] })
}

fn codes(meta: &Value, name: &str) -> Vec<String> {
    let items = meta[name].as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| item["code"].as_str().or(item.as_str()).unwrap().to_owned()).collect()
}

fn meta(server: &TestServer, path: &str) -> Value {
    let answer = server.get(&format!("{path}$meta")).expect(200).json();
    assert_eq!(answer["parameter"][0]["name"], "return");
    answer["parameter"][0]["valueMeta"].clone()
}

fn rose(server: &TestServer) {
    let resource = json!({ "resourceType": "Patient", "id": "rose", "meta": { "tag": [tag("one")] } });
    server.put("Patient/rose", &resource).expect(201);
}

fn labels_are_added_as_sets(database: &TestDatabase) {
    let server = TestServer::start(database);
    rose(&server);
    let profile = "http://hl7.org/fhir/StructureDefinition/Patient";
    let given = json!({
        "versionId": "9",
        "profile": [profile],
        "security": [{ "system": "https://example.org/labels", "code": "secret" }],
        "tag": [{ "system": TAGS, "code": "one", "display": "again" }, tag("two")],
    });
    let answer = server.post("Patient/rose/$meta-add", &body(&given)).expect(200);
    assert_eq!(answer.header("etag"), "W/\"2\"");
    let result = answer.json()["parameter"][0]["valueMeta"].clone();
    assert_eq!(codes(&result, "tag"), ["one", "two"]);
    assert_eq!(
        (codes(&result, "profile"), codes(&result, "security")),
        (vec![profile.to_owned()], vec!["secret".to_owned()])
    );
    assert_eq!(result, server.get("Patient/rose").json()["meta"]);
    assert_eq!(server.post("Patient/rose/$meta-add", &body(&given)).expect(200).header("etag"), "W/\"2\"");
    assert_eq!(server.get(&format!("Patient?_tag={TAGS}|two")).json()["total"], 1);
    let history = server.get("Patient/rose/_history").json();
    assert_eq!((&history["total"], &history["entry"][0]["request"]["method"]), (&json!(2), &json!("PUT")));
}

fn labels_are_taken_away(database: &TestDatabase) {
    let server = TestServer::start(database);
    rose(&server);
    let given = body(&json!({ "tag": [tag("one"), tag("never")] }));
    let answer = server.post("Patient/rose/$meta-delete", &given).expect(200).json();
    assert!(answer["parameter"][0]["valueMeta"].get("tag").is_none());
    assert_eq!(server.get(&format!("Patient?_tag={TAGS}|one")).json()["total"], 0);
    assert_eq!(codes(&meta(&server, "Patient/rose/_history/1/"), "tag"), ["one"]);
    assert_eq!(meta(&server, "Patient/rose/_history/1/")["versionId"], "1");
    let stale = [JSON, ("If-Match", "W/\"1\"")];
    server.send("POST", "Patient/rose/$meta-add", &stale, Some(given.to_string().as_bytes())).expect(412);
}

fn what_is_in_use_is_shown_by_level(database: &TestDatabase) {
    let server = TestServer::start(database);
    rose(&server);
    let basic = json!({ "resourceType": "Basic", "code": { "text": "x" }, "meta": { "tag": [tag("two"), tag("one")],
        "security": [{ "system": "https://example.org/labels", "code": "secret" }] } });
    server.post("Basic", &basic).expect(201);
    let gone = server
        .post("Basic", &json!({ "resourceType": "Basic", "code": { "text": "x" }, "meta": { "tag": [tag("gone")] } }));
    server.delete(&format!("Basic/{}", gone.json()["id"].as_str().unwrap())).expect(204);
    assert_eq!(codes(&meta(&server, ""), "tag"), ["one", "two"]);
    assert_eq!(codes(&meta(&server, ""), "security"), ["secret"]);
    assert_eq!(codes(&meta(&server, "Patient/"), "tag"), ["one"]);
    assert_eq!(codes(&meta(&server, "Patient/rose/"), "tag"), ["one"]);
    assert_eq!(meta(&server, "Observation/"), json!({}));
    assert!(server.get("Patient/rose/$meta?_format=xml").expect(200).text.contains("<valueMeta>"));
}

fn what_cannot_be_done_is_refused(database: &TestDatabase) {
    let server = TestServer::start(database);
    rose(&server);
    let given = body(&json!({ "tag": [tag("two")] }));
    server.post("Patient/nobody/$meta-add", &given).expect(404);
    server.post("Patient/$meta-add", &given).expect(404);
    server.post("Patient/rose/_history/1/$meta-add", &given).expect(404);
    server.send("GET", "Patient/rose/$meta-add", &[], None).expect(405);
    server.post("Patient/rose/$meta-add", &json!({ "resourceType": "Parameters" })).expect(400);
    server.post("Patient/rose/$meta-add", &json!({ "resourceType": "Patient" })).expect(400);
    let invalid = body(&json!({ "tag": [{ "system": TAGS, "colour": "red" }] }));
    server.post("Patient/rose/$meta-add", &invalid).expect(422);
    server.delete("Patient/rose").expect(204);
    server.post("Patient/rose/$meta-add", &given).expect(410);
    server.get("Patient/rose/$meta").expect(410);
    server.get("Patient/nobody/$meta").expect(404);
}

over_http!(
    labels_are_added_as_sets,
    labels_are_taken_away,
    what_is_in_use_is_shown_by_level,
    what_cannot_be_done_is_refused,
);
