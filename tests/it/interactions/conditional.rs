//! conditional create, update and delete over HTTP (<https://hl7.org/fhir/R4/http.html#ccreate>, #cond-update, #3.1.0.7.1).

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::support::http::{Answer, JSON, TestServer};
use crate::support::{TestDatabase, over_http};

const SYSTEM: &str = "https://example.org/numbers";

fn patient(number: &str) -> Value {
    json!({ "resourceType": "Patient", "identifier": [{ "system": SYSTEM, "value": number }] })
}

fn by(number: &str) -> String {
    format!("Patient?identifier={SYSTEM}|{number}")
}

fn create_unless(server: &TestServer, criteria: &str, body: &Value) -> Answer {
    server.send("POST", "Patient", &[JSON, ("If-None-Exist", criteria)], Some(body.to_string().as_bytes()))
}

fn count(server: &TestServer, path: &str) -> Value {
    let separator = if path.contains('?') { '&' } else { '?' };
    server.get(&format!("{path}{separator}_summary=count")).expect(200).json()["total"].clone()
}

fn at_once(times: usize, run: impl Fn() -> u16 + Sync) -> HashMap<u16, usize> {
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..times).map(|_| scope.spawn(&run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    statuses.into_iter().fold(HashMap::new(), |mut counts, status| {
        *counts.entry(status).or_default() += 1;
        counts
    })
}

fn many_conditional_creates_make_one(database: &TestDatabase) {
    let server = TestServer::start(database);
    let criteria = format!("identifier={SYSTEM}|1");
    let statuses = at_once(20, || create_unless(&server, &criteria, &patient("1")).status);
    assert_eq!(statuses, HashMap::from([(201, 1), (200, 19)]));
    assert_eq!(count(&server, &by("1")), 1);
}

fn many_conditional_updates_make_one(database: &TestDatabase) {
    let server = TestServer::start(database);
    let statuses = at_once(20, || server.put(&by("1"), &patient("1")).status);
    assert_eq!(statuses, HashMap::from([(201, 1), (200, 19)]));
    assert_eq!(count(&server, &by("1")), 1);
}

fn if_none_exist_takes_the_forms_of_criteria(database: &TestDatabase) {
    let server = TestServer::start(database);
    let created = create_unless(&server, &format!("identifier={SYSTEM}|1"), &patient("1")).expect(201);
    for criteria in [
        format!("?identifier={SYSTEM}|1"),
        format!("Patient?identifier={SYSTEM}%7C1"),
        format!("identifier={SYSTEM}|1&_format=json"),
    ] {
        let found = create_unless(&server, &criteria, &patient("1")).expect(200);
        assert_eq!(found.header("location"), created.header("location"), "{criteria}");
        assert_eq!(found.header("etag"), "W/\"1\"");
    }
}

fn criteria_are_never_widened(database: &TestDatabase) {
    let server = TestServer::start(database);
    server.post("Patient", &patient("1")).expect(201);
    for criteria in [
        "",
        "_format=json",
        "identifer=1",
        "identifier=1&nonsense=2",
        "identifier=1&_count=1",
        "_sort=_id",
        "identifier=1&_include=Patient:organization",
        "birthdate=yesterday",
        "identifier",
    ] {
        if !criteria.is_empty() {
            let answer = create_unless(&server, criteria, &patient("1"));
            assert_eq!(answer.status, 400, "{criteria}: {}", answer.text);
        }
        for answer in
            [server.put(&format!("Patient?{criteria}"), &patient("1")), server.delete(&format!("Patient?{criteria}"))]
        {
            assert_eq!(answer.status, 400, "{criteria}: {}", answer.text);
        }
    }
    create_unless(&server, "Group?identifier=1", &patient("1")).expect(400);
    server.put("Patient", &patient("1")).expect(400);
    server.delete("Patient").expect(400);
    assert_eq!(count(&server, "Patient"), 1);
}

fn a_conditional_update_creates_or_replaces(database: &TestDatabase) {
    let server = TestServer::start(database);
    let created = server.put(&by("1"), &patient("1")).expect(201).json();
    let id = created["id"].as_str().unwrap();
    let mut content = patient("1");
    content["gender"] = json!("female");
    let updated = server.put(&by("1"), &content).expect(200);
    assert_eq!(updated.header("location"), format!("{}/Patient/{id}/_history/2", server.base));
    assert_eq!(server.get(&format!("Patient/{id}")).json()["gender"], "female");
    content["id"] = json!(id);
    server.put(&by("1"), &content).expect(200);
    content["id"] = json!("other");
    let refused = server.put(&by("1"), &content).expect(400).json();
    assert_eq!(refused["issue"][0]["expression"][0], "Patient.id");
    // Nothing matches and the id is free: an update as create.
    let named = server.put(&by("2"), &content).expect(201).json();
    assert_eq!(named["id"], "other");
    // Nothing matches and the id is another resource's.
    server.put(&by("3"), &content).expect(409);
    server.put("Patient?gender=female", &patient("4")).expect(412);
    server.put(&by("1"), &json!({ "resourceType": "Group" })).expect(400);
}

fn a_conditional_update_checks_the_version(database: &TestDatabase) {
    let server = TestServer::start(database);
    server.put(&by("1"), &patient("1")).expect(201);
    let mut content = patient("1");
    content["active"] = json!(true);
    let put = |version: &str, path: &str| {
        server.send("PUT", path, &[JSON, ("If-Match", version)], Some(content.to_string().as_bytes()))
    };
    put("W/\"3\"", &by("1")).expect(412);
    put("W/\"1\"", &by("1")).expect(200);
    put("W/\"1\"", &by("2")).expect(412);
    assert_eq!(count(&server, "Patient"), 1);
}

fn a_conditional_delete_removes_one(database: &TestDatabase) {
    let server = TestServer::start(database);
    server.delete(&by("1")).expect(204);
    let id = server.post("Patient", &patient("1")).expect(201).json()["id"].as_str().unwrap().to_owned();
    server.delete(&by("1")).expect(204);
    server.get(&format!("Patient/{id}")).expect(410);
    server.post("Patient", &patient("2")).expect(201);
    server.post("Patient", &patient("2")).expect(201);
    let refused = server.delete(&by("2")).expect(412).json();
    assert_eq!(refused["issue"][0]["code"], "multiple-matches");
    assert_eq!(count(&server, &by("2")), 2);
    let statement = server.get("metadata").json();
    assert_eq!(statement["rest"][0]["resource"][0]["conditionalDelete"], "single");
}

fn a_conditional_delete_removes_all_where_configured(database: &TestDatabase) {
    let server = TestServer::start_with(database, &[("conditional-delete", "multiple")]);
    for _ in 0..3 {
        server.post("Patient", &patient("2")).expect(201);
    }
    server.post("Patient", &patient("3")).expect(201);
    server.delete(&by("2")).expect(204);
    assert_eq!(count(&server, "Patient"), 1);
    let statement = server.get("metadata").json();
    assert_eq!(statement["rest"][0]["resource"][0]["conditionalDelete"], "multiple");
}

fn what_another_process_stored_is_found(database: &TestDatabase) {
    let (one, other) = (TestServer::start(database), TestServer::start(database));
    // The first row of this parameter on the whole database: the other process has never heard of it.
    one.post("Patient", &patient("7")).expect(201);
    create_unless(&other, &format!("identifier={SYSTEM}|7"), &patient("7")).expect(200);
    assert_eq!(count(&other, "Patient"), 1);
}

over_http!(
    what_another_process_stored_is_found,
    many_conditional_creates_make_one,
    many_conditional_updates_make_one,
    if_none_exist_takes_the_forms_of_criteria,
    criteria_are_never_widened,
    a_conditional_update_creates_or_replaces,
    a_conditional_update_checks_the_version,
    a_conditional_delete_removes_one,
    a_conditional_delete_removes_all_where_configured,
);
