//! Conditional reads, Prefer, CORS (<https://hl7.org/fhir/R4/http.html>), and what a bug in a handler comes to.

use std::sync::Arc;

use kith::access::Grant;
use kith::interactions::live::Live;
use kith::interactions::operation::{Answer as Future, Level, Operation};
use kith::interactions::request::Request;
use kith::interactions::server::Server;
use serde_json::{Value, json};

use crate::support::http::{Answer, JSON, TestServer};
use crate::support::{TestDatabase, over_http};

fn rose(server: &TestServer, gender: &str) -> Answer {
    server.put("Patient/rose", &json!({ "resourceType": "Patient", "id": "rose", "gender": gender }))
}

fn a_read_is_answered_as_far_as_it_is_new(database: &TestDatabase) {
    let server = TestServer::start(database);
    rose(&server, "female").expect(201);
    rose(&server, "other").expect(200);
    let with = |path: &str, headers: &[(&str, &str)]| server.send("GET", path, headers, None);
    for tags in ["W/\"2\"", "\"2\"", "2", "*", "W/\"1\", W/\"2\"", "\"abc\",\"2\""] {
        let answer = with("Patient/rose", &[("If-None-Match", tags)]).expect(304);
        assert_eq!((answer.text.as_str(), answer.header("etag")), ("", "W/\"2\""), "{tags}");
        assert!(!answer.header("last-modified").is_empty());
    }
    for tags in ["W/\"1\"", "\"abc\"", "", "W/\"22\""] {
        with("Patient/rose", &[("If-None-Match", tags)]).expect(200);
    }
    let modified = with("Patient/rose", &[]).header("last-modified").to_owned();
    with("Patient/rose", &[("If-Modified-Since", &modified)]).expect(304);
    with("Patient/rose", &[("If-Modified-Since", "Sat, 01 Jan 2000 00:00:00 GMT")]).expect(200);
    with("Patient/rose", &[("If-Modified-Since", "yesterday")]).expect(200);
    let both = [("If-None-Match", "W/\"1\""), ("If-Modified-Since", modified.as_str())];
    with("Patient/rose", &both).expect(200);
    with("Patient/rose/_history/1", &[("If-None-Match", "W/\"1\"")]).expect(304);
    let head = server.send("HEAD", "Patient/rose", &[("If-None-Match", "W/\"2\"")], None).expect(304);
    assert_eq!(head.header("etag"), "W/\"2\"");
}

fn what_was_deleted_is_gone_with_its_version(database: &TestDatabase) {
    let server = TestServer::start(database);
    rose(&server, "female").expect(201);
    server.delete("Patient/rose").expect(204);
    for path in ["Patient/rose", "Patient/rose/_history/2"] {
        let gone = server.get(path).expect(410);
        assert_eq!(gone.header("etag"), "W/\"2\"", "{path}");
        assert_eq!(gone.json()["issue"][0]["code"], "deleted");
    }
    server.get("Patient/rose/_history/1").expect(200);
    server.get("Patient/rose/_history/3").expect(404);
}

fn preferences_are_heeded_and_said(database: &TestDatabase) {
    let server = TestServer::start(database);
    let body = json!({ "resourceType": "Patient", "id": "rose" }).to_string();
    let put = |prefer: &[(&str, &str)]| {
        let headers: Vec<(&str, &str)> = prefer.iter().copied().chain([JSON]).collect();
        server.send("PUT", "Patient/rose", &headers, Some(body.as_bytes()))
    };
    put(&[]).expect(201);
    let minimal = put(&[("Prefer", "handling=strict"), ("Prefer", "return=minimal")]).expect(200);
    assert_eq!((minimal.text.as_str(), minimal.header("preference-applied")), ("", "return=minimal"));
    let outcome = put(&[("Prefer", "respond-async; wait=3, return=\"OperationOutcome\"")]).expect(200);
    assert_eq!(outcome.json()["resourceType"], "OperationOutcome");
    assert_eq!(outcome.header("preference-applied"), "return=OperationOutcome");
    let first = put(&[("Prefer", "return=representation, return=minimal")]).expect(200);
    assert_eq!(first.json()["id"], "rose");
    assert!(put(&[("Prefer", "return=everything")]).expect(200).header("preference-applied").is_empty());
    let strict = server.send("GET", "Patient?_count=1", &[("Prefer", "handling=strict")], None).expect(200);
    assert_eq!(strict.header("preference-applied"), "handling=strict");
    server.send("GET", "Patient?colour=red", &[("Prefer", "handling=strict")], None).expect(400);
    server.send("GET", "Patient?colour=red", &[("Prefer", "handling=lenient")], None).expect(200);
    let deleted = server.send("DELETE", "Patient/rose", &[("Prefer", "return=OperationOutcome")], None).expect(200);
    assert_eq!(deleted.json()["resourceType"], "OperationOutcome");
}

fn preferences_reach_the_entries_of_a_bundle(database: &TestDatabase) {
    let server = TestServer::start(database);
    for kind in ["transaction", "batch"] {
        let entry =
            json!({ "resource": { "resourceType": "Patient" }, "request": { "method": "POST", "url": "Patient" } });
        let bundle = json!({ "resourceType": "Bundle", "type": kind, "entry": [entry] }).to_string();
        let send = |prefer: &str| {
            let answer = server.send("POST", "", &[JSON, ("Prefer", prefer)], Some(bundle.as_bytes())).expect(200);
            answer.json()["entry"][0].clone()
        };
        let minimal: Value = send("return=minimal");
        assert_eq!((minimal.get("resource"), minimal["response"].get("outcome")), (None, None), "{kind}");
        assert_eq!(send("return=representation")["resource"]["resourceType"], "Patient", "{kind}");
        let outcome = send("return=OperationOutcome");
        assert_eq!(outcome["response"]["outcome"]["resourceType"], "OperationOutcome", "{kind}");
        assert_eq!(outcome.get("resource"), None, "{kind}");
        assert!(outcome["response"]["status"].as_str().unwrap().starts_with("201"), "{kind}");
    }
}

fn pages_of_listed_origins_may_call(database: &TestDatabase) {
    let server =
        TestServer::start_with(database, &[("cors.origins", "https://app.example.org, http://localhost:3000")]);
    let origin = ("Origin", "https://app.example.org");
    let answer = server.send("GET", "metadata", &[origin], None).expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example.org");
    assert!(answer.header("vary").contains("Origin"));
    for name in ["ETag", "Location", "Content-Location", "Last-Modified", "X-Request-Id"] {
        assert!(answer.header("access-control-expose-headers").contains(name), "{name}");
    }
    assert_eq!(answer.json()["rest"][0]["security"]["cors"], true);
    let refused = server.send("GET", "Patient/nobody", &[origin], None).expect(404);
    assert_eq!(refused.header("access-control-allow-origin"), "https://app.example.org");
    let asks = ("Access-Control-Request-Method", "PUT");
    let preflight = server.send("OPTIONS", "Patient/rose", &[origin, asks], None).expect(204);
    assert_eq!(preflight.header("access-control-allow-origin"), "https://app.example.org");
    assert!(preflight.header("access-control-allow-methods").contains("PUT"));
    assert!(preflight.header("access-control-allow-headers").contains("If-Match"));
    let foreign = server.send("OPTIONS", "Patient/rose", &[("Origin", "https://evil.example"), asks], None).expect(204);
    assert_eq!(foreign.header("access-control-allow-origin"), "");
    assert_eq!(foreign.header("access-control-allow-methods"), "");
}

fn without_configuration_no_page_may_call(database: &TestDatabase) {
    let server = TestServer::start(database);
    let answer = server.send("GET", "metadata", &[("Origin", "https://app.example.org")], None).expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), "");
    assert_eq!(answer.json()["rest"][0]["security"]["cors"], false);
    drop(server);
    let open = TestServer::start_with(database, &[("cors.origins", "*")]);
    let answer = open.send("GET", "metadata", &[("Origin", "https://app.example.org")], None).expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example.org");
}

/// An operation with a bug in it.
struct Broken;

impl Operation for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn definition(&self) -> &'static str {
        "https://example.org/broken"
    }

    fn offered_at(&self, _level: &Level) -> bool {
        true
    }

    fn run<'a>(&'a self, _: &'a Arc<Server>, _: &'a Request, _: &'a Level, _: Grant) -> Future<'a> {
        Box::pin(async { panic!("a bug") })
    }
}

fn a_bug_is_an_answer_and_the_server_lives_on(database: &TestDatabase) {
    let server = TestServer::start_changed(database, |server| {
        server.operations = &[&Broken];
        // Engines of its own, so that these are the newest.
        let live = Arc::new(Live::default());
        server.live = Arc::downgrade(&live);
        server.owned = Some(live);
    });
    for _ in 0..3 {
        let answer = server.send("POST", "$broken", &[("Accept", "application/fhir+xml")], None).expect(500);
        assert!(answer.text.contains("?><OperationOutcome"), "{}", answer.text);
        assert!(!answer.text.contains("a bug"));
    }
    server.get("metadata").expect(200);
}

over_http!(
    a_read_is_answered_as_far_as_it_is_new,
    what_was_deleted_is_gone_with_its_version,
    preferences_are_heeded_and_said,
    preferences_reach_the_entries_of_a_bundle,
    pages_of_listed_origins_may_call,
    without_configuration_no_page_may_call,
    a_bug_is_an_answer_and_the_server_lives_on,
);
