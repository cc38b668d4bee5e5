//! create, read, vread, update, delete, history over HTTP (<https://hl7.org/fhir/R4/http.html>).

use serde_json::{Value, json};

use crate::support::http::{JSON, TestServer};
use crate::support::{TestDatabase, over_http};

fn patient() -> Value {
    json!({ "resourceType": "Patient", "name": [{ "family": "Appleby", "given": ["Rose"] }], "birthDate": "1948-03-02" })
}

fn created(server: &TestServer) -> String {
    let answer = server.post("Patient", &patient()).expect(201);
    answer.json()["id"].as_str().unwrap().to_owned()
}

fn a_created_resource_can_be_read(database: &TestDatabase) {
    let server = TestServer::start(database);
    let answer = server.post("Patient", &patient()).expect(201);
    let resource = answer.json();
    let id = resource["id"].as_str().unwrap();
    assert_eq!(answer.header("etag"), "W/\"1\"");
    assert_eq!(answer.header("location"), format!("{}/Patient/{id}/_history/1", server.base));
    assert!(answer.header("last-modified").ends_with("GMT"));
    assert_eq!(resource["meta"]["versionId"], "1");
    let read = server.get(&format!("Patient/{id}")).expect(200);
    assert_eq!(read.json(), resource);
    assert_eq!(read.header("etag"), "W/\"1\"");
    assert!(read.header("content-type").starts_with("application/fhir+json"));
    server.get("Patient/nobody").expect(404);
    server.get(&format!("Patient/{id}/_history/2")).expect(404);
    server.get(&format!("Patient/{id}/_history/1")).expect(200);
}

fn a_client_that_has_the_version_gets_304(database: &TestDatabase) {
    let server = TestServer::start(database);
    let id = created(&server);
    let path = format!("Patient/{id}");
    let answer = server.send("GET", &path, &[("If-None-Match", "W/\"1\"")], None).expect(304);
    assert!(answer.text.is_empty());
    server.send("GET", &path, &[("If-None-Match", "W/\"2\"")], None).expect(200);
    let modified = server.get(&path).header("last-modified").to_owned();
    server.send("GET", &path, &[("If-Modified-Since", &modified)], None).expect(304);
}

fn an_update_makes_a_version(database: &TestDatabase) {
    let server = TestServer::start(database);
    let id = created(&server);
    let path = format!("Patient/{id}");
    let mut content = patient();
    content["id"] = json!(id);
    content["gender"] = json!("female");
    let body = content.to_string();
    let stale = server.send("PUT", &path, &[JSON, ("If-Match", "W/\"7\"")], Some(body.as_bytes())).expect(412);
    assert_eq!(stale.json()["resourceType"], "OperationOutcome");
    let updated = server.send("PUT", &path, &[JSON, ("If-Match", "W/\"1\"")], Some(body.as_bytes())).expect(200);
    assert_eq!(updated.header("etag"), "W/\"2\"");
    assert_eq!(server.get(&path).json()["gender"], "female");
    assert!(server.get(&format!("{path}/_history/1")).json().get("gender").is_none());
    content["id"] = json!("other");
    server.put(&path, &content).expect(400);
}

fn an_update_of_a_new_id_creates(database: &TestDatabase) {
    let server = TestServer::start(database);
    let mut content = patient();
    content["id"] = json!("rose");
    let answer = server.put("Patient/rose", &content).expect(201);
    assert_eq!(answer.header("location"), format!("{}/Patient/rose/_history/1", server.base));
    server.put("Patient/rose", &content).expect(200);
}

fn a_deleted_resource_is_gone_and_comes_back(database: &TestDatabase) {
    let server = TestServer::start(database);
    let id = created(&server);
    let path = format!("Patient/{id}");
    server.delete(&path).expect(204);
    server.delete(&path).expect(204);
    server.get(&path).expect(410);
    server.get(&format!("{path}/_history/2")).expect(410);
    let mut content = patient();
    content["id"] = json!(id);
    let back = server.put(&path, &content).expect(201);
    assert_eq!(back.header("etag"), "W/\"3\"");
    let history = server.get(&format!("{path}/_history")).expect(200).json();
    let versions: Vec<&str> =
        history["entry"].as_array().unwrap().iter().map(|entry| entry["response"]["etag"].as_str().unwrap()).collect();
    assert_eq!(versions, ["W/\"3\"", "W/\"2\"", "W/\"1\""]);
    assert_eq!(history["entry"][1]["request"]["method"], "DELETE");
    assert_eq!(history["total"], 3);
}

fn history_pages_are_linked(database: &TestDatabase) {
    let server = TestServer::start(database);
    let mut content = patient();
    content["id"] = json!("rose");
    for number in 0..5 {
        content["multipleBirthInteger"] = json!(number);
        server.put("Patient/rose", &content);
    }
    let mut url = format!("{}/Patient/rose/_history?_count=2", server.base);
    let mut versions = Vec::new();
    loop {
        let page = crate::support::http::send("GET", &url, &[], None).expect(200).json();
        for entry in page["entry"].as_array().unwrap() {
            versions.push(entry["resource"]["meta"]["versionId"].as_str().unwrap().to_owned());
        }
        let next = page["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next");
        let Some(next) = next else { break };
        next["url"].as_str().unwrap().clone_into(&mut url);
    }
    assert_eq!(versions, ["5", "4", "3", "2", "1"]);
}

fn a_conditional_create_stores_once(database: &TestDatabase) {
    let server = TestServer::start(database);
    let mut content = patient();
    content["identifier"] = json!([{ "system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9000000009" }]);
    let body = content.to_string();
    let criteria = ("If-None-Exist", "identifier=https://fhir.nhs.uk/Id/nhs-number|9000000009");
    let first = server.send("POST", "Patient", &[JSON, criteria], Some(body.as_bytes())).expect(201).json();
    let second = server.send("POST", "Patient", &[JSON, criteria], Some(body.as_bytes())).expect(200).json();
    assert_eq!(first["id"], second["id"]);
    server.post("Patient", &content).expect(201);
    server.send("POST", "Patient", &[JSON, criteria], Some(body.as_bytes())).expect(412);
}

fn the_client_chooses_what_it_gets_back(database: &TestDatabase) {
    let server = TestServer::start(database);
    let body = patient().to_string();
    let minimal =
        server.send("POST", "Patient", &[JSON, ("Prefer", "return=minimal")], Some(body.as_bytes())).expect(201);
    assert!(minimal.text.is_empty());
    assert!(minimal.header("location").contains("/Patient/"));
    let outcome = server
        .send("POST", "Patient", &[JSON, ("Prefer", "return=OperationOutcome")], Some(body.as_bytes()))
        .expect(201);
    assert_eq!(outcome.json()["resourceType"], "OperationOutcome");
}

fn mistakes_are_named_and_nothing_is_stored(database: &TestDatabase) {
    let server = TestServer::start(database);
    let bad = json!({ "resourceType": "Patient", "gender": "womann", "birthDate": "1948-02-30", "nmae": [] });
    let answer = server.post("Patient", &bad).expect(422).json();
    let places: Vec<&str> = answer["issue"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|issue| issue["severity"] == "error")
        .filter_map(|issue| issue["expression"][0].as_str())
        .collect();
    for place in ["Patient.gender", "Patient.birthDate", "Patient"] {
        assert!(places.iter().any(|found| found.starts_with(place)), "{place} not in {places:?}");
    }
    server.post("Patient", &json!({ "resourceType": "Observation" })).expect(400);
    server.post("Pateint", &patient()).expect(404);
    server.send("POST", "Patient", &[JSON], Some(b"{ not json")).expect(400);
    server.send("POST", "Patient", &[JSON], None).expect(400);
    server.send("POST", "Patient", &[("Content-Type", "text/plain")], Some(b"x")).expect(415);
    server.send("GET", "Patient/x", &[("Accept", "image/png")], None).expect(406);
    server.send("PATCH", "Patient", &[JSON], Some(b"{}")).expect(400);
    assert_eq!(server.get("Patient?_summary=count").expect(200).json()["total"], 0);
}

fn ids_of_requests_are_mirrored(database: &TestDatabase) {
    let server = TestServer::start(database);
    let ids = [("X-Request-Id", "7f7c0f3a-0001"), ("X-Correlation-Id", "7f7c0f3a-0002")];
    let answer = server.send("GET", "metadata", &ids, None).expect(200);
    assert_eq!(answer.header("x-request-id"), "7f7c0f3a-0001");
    assert_eq!(answer.header("x-correlation-id"), "7f7c0f3a-0002");
    assert!(!server.get("metadata").header("x-request-id").is_empty());
    server.send("GET", "metadata", &[("X-Request-Id", "a b")], None).expect(400);
}

fn xml_goes_in_and_comes_out(database: &TestDatabase) {
    let server = TestServer::start(database);
    let xml = r#"<Patient xmlns="http://hl7.org/fhir"><active value="true"/><name><family value="Appleby"/></name></Patient>"#;
    let headers = [("Content-Type", "application/fhir+xml"), ("Accept", "application/fhir+xml")];
    let answer = server.send("POST", "Patient", &headers, Some(xml.as_bytes())).expect(201);
    assert!(answer.text.contains("<family value=\"Appleby\"/>"), "{}", answer.text);
    let path = answer.header("location").strip_prefix(&format!("{}/", server.base)).unwrap().to_owned();
    let json = server.get(&path).json();
    assert_eq!(json["active"], true);
    assert!(server.get(&format!("{path}?_format=xml")).text.starts_with('<'));
    let refused =
        server.send("POST", "Patient", &headers, Some(b"<Patient xmlns=\"http://hl7.org/fhir\"><x/></Patient>"));
    assert!((400..500).contains(&refused.status));
    assert!(refused.text.contains("<OperationOutcome"), "{}", refused.text);
}

over_http!(
    a_created_resource_can_be_read,
    a_client_that_has_the_version_gets_304,
    an_update_makes_a_version,
    an_update_of_a_new_id_creates,
    a_deleted_resource_is_gone_and_comes_back,
    history_pages_are_linked,
    a_conditional_create_stores_once,
    the_client_chooses_what_it_gets_back,
    mistakes_are_named_and_nothing_is_stored,
    xml_goes_in_and_comes_out,
    ids_of_requests_are_mirrored,
);
