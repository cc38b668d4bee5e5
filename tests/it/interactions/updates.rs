//! update: versions, If-Match, no-op, what the client may set in meta (<https://hl7.org/fhir/R4/http.html#update>).

use serde_json::{Value, json};

use crate::support::http::{JSON, TestServer};
use crate::support::{TestDatabase, over_http};

fn rose() -> Value {
    json!({
        "resourceType": "Patient",
        "id": "rose",
        "meta": {
            "versionId": "77",
            "lastUpdated": "2001-01-01T00:00:00Z",
            "source": "urn:example:source",
            "profile": ["http://hl7.org/fhir/StructureDefinition/Patient"],
            "security": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R" }],
            "tag": [{ "system": "https://example.org/tags", "code": "pilot" }],
        },
        "name": [{ "family": "Appleby", "given": ["Rose"] }],
        "gender": "female",
    })
}

fn an_update_without_a_change_keeps_the_version(database: &TestDatabase) {
    let server = TestServer::start(database);
    let first = server.put("Patient/rose", &rose()).expect(201).json();
    let again = server.put("Patient/rose", &first).expect(200);
    assert_eq!((again.header("etag"), again.json()), ("W/\"1\"", first.clone()));
    let mut members: Vec<(String, Value)> = rose().as_object().unwrap().clone().into_iter().collect();
    members.reverse();
    let reordered = server.put("Patient/rose", &Value::Object(members.into_iter().collect())).expect(200);
    assert_eq!((reordered.header("etag"), reordered.json()), ("W/\"1\"", first));
    let xml = server.get("Patient/rose?_format=xml").text;
    let same = server.send("PUT", "Patient/rose", &[("Content-Type", "application/fhir+xml")], Some(xml.as_bytes()));
    assert_eq!((same.status, same.header("etag")), (200, "W/\"1\""));
    let mut other = rose();
    other["name"][0]["given"] = json!(["Rosa"]);
    assert_eq!(server.put("Patient/rose", &other).expect(200).header("etag"), "W/\"2\"");
    let stale = rose().to_string();
    server.send("PUT", "Patient/rose", &[JSON, ("If-Match", "W/\"1\"")], Some(stale.as_bytes())).expect(412);
    assert_eq!(server.get("Patient/rose/_history").json()["total"], 2);
}

fn the_server_sets_version_and_time_and_keeps_the_rest(database: &TestDatabase) {
    let server = TestServer::start(database);
    let stored = server.put("Patient/rose", &rose()).expect(201).json();
    for name in ["source", "profile", "security", "tag"] {
        assert_eq!(stored["meta"][name], rose()["meta"][name], "{name}");
    }
    assert_eq!(stored["meta"]["versionId"], "1");
    let instant = stored["meta"]["lastUpdated"].as_str().unwrap();
    assert!(instant.len() == "2026-01-01T00:00:00.000000Z".len() && !instant.starts_with("2001"), "{instant}");
    let mut other = rose();
    other["meta"]["tag"] = json!([{ "system": "https://example.org/tags", "code": "live" }]);
    let replaced = server.put("Patient/rose", &other).expect(200).json();
    assert_eq!(replaced["meta"]["tag"], other["meta"]["tag"]);
    let created = server.post("Patient", &rose()).expect(201).json();
    assert_ne!(created["id"], "rose");
    assert_eq!(created["meta"]["versionId"], "1");
}

fn a_stale_or_unreadable_precondition_is_refused(database: &TestDatabase) {
    let server = TestServer::start(database);
    server.put("Patient/rose", &rose()).expect(201);
    let send = |method: &str, tag: &str, gender: &str| {
        let mut content = rose();
        content["gender"] = json!(gender);
        let body = content.to_string();
        let body = (method == "PUT").then_some(body.as_bytes());
        server.send(method, "Patient/rose", &[JSON, ("If-Match", tag)], body).status
    };
    assert_eq!(send("PUT", "W/\"1\"", "male"), 200);
    assert_eq!(send("PUT", "\"2\"", "other"), 200);
    assert_eq!(send("PUT", "3", "unknown"), 200);
    for stale in ["W/\"1\"", "\"9\"", "1"] {
        assert_eq!(send("PUT", stale, "female"), 412, "{stale}");
        assert_eq!(send("DELETE", stale, ""), 412, "{stale}");
    }
    for malformed in ["abc", "W/\"\"", "W/\"0\"", "\"-1\"", "W/\"3\", abc", ""] {
        assert_eq!(send("PUT", malformed, "female"), 400, "{malformed}");
        assert_eq!(send("DELETE", malformed, ""), 400, "{malformed}");
    }
    assert_eq!(server.get("Patient/rose").json()["gender"], "unknown");
    let body = rose().to_string().replace("rose", "nobody");
    server.send("PUT", "Patient/nobody", &[JSON, ("If-Match", "W/\"1\"")], Some(body.as_bytes())).expect(412);
    server.get("Patient/nobody").expect(404);
}

fn preconditions_name_several_versions_or_any(database: &TestDatabase) {
    let server = TestServer::start(database);
    let body = rose().to_string();
    let put = |header, tags| server.send("PUT", "Patient/rose", &[JSON, (header, tags)], Some(body.as_bytes())).status;
    assert_eq!(put("If-Match", "*"), 412, "there is none yet");
    assert_eq!(put("If-None-Match", "*"), 201);
    assert_eq!(put("If-None-Match", "*"), 412, "what is there is not overwritten");
    assert_eq!(put("If-None-Match", "W/\"1\""), 412);
    assert_eq!(put("If-None-Match", "W/\"2\""), 200);
    assert_eq!(put("If-Match", "*"), 200);
    assert_eq!(put("If-Match", "W/\"7\", W/\"1\""), 200);
    assert_eq!(put("If-Match", "W/\"7\", W/\"8\""), 412);
    let entry = |request: Value| {
        json!({ "resourceType": "Bundle", "type": "transaction",
        "entry": [{ "resource": rose(), "request": request }] })
    };
    let create = json!({ "method": "PUT", "url": "Patient/rose", "ifNoneMatch": "*" });
    server.post("", &entry(create.clone())).expect(412);
    server.delete("Patient/rose").expect(204);
    assert_eq!(put("If-Match", "*"), 412, "it is deleted");
    server.post("", &entry(create)).expect(200);
}

over_http!(
    an_update_without_a_change_keeps_the_version,
    the_server_sets_version_and_time_and_keeps_the_rest,
    a_stale_or_unreadable_precondition_is_refused,
    preconditions_name_several_versions_or_any,
);
