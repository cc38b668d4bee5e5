//! `Patient/[id]/$access-log`: who saw a person's data, without showing anybody else's.

use kith::validate::Options;
use serde_json::{Value, json};

use crate::oauth::world::{Keys, guarded, register_as, token, with};
use crate::support::http::{JSON, TestServer};
use crate::support::{TestDatabase, over_http};

fn events(bundle: &Value) -> Vec<Value> {
    bundle["entry"]
        .as_array()
        .cloned()
        .unwrap_or_default()
        .into_iter()
        .map(|mut entry| entry["resource"].take())
        .collect()
}

fn who_saw_it_when_and_why(database: &TestDatabase) {
    let server = TestServer::start(database);
    let headers = [JSON, ("X-User", "Dr <Grey> & Co"), ("X-User-Role", "R8000"), ("X-Purpose-Of-Use", "TREAT")];
    for id in ["rose", "lily"] {
        let body = json!({ "resourceType": "Patient", "id": id }).to_string();
        server.send("PUT", &format!("Patient/{id}"), &headers, Some(body.as_bytes())).expect(201);
    }
    server.send("GET", "Patient?_sort=_id&active:missing=true", &headers[1..], None).expect(200);
    server.get("Patient/lily").expect(200);
    server.delete("Patient/rose").expect(204);
    let log = server.get("Patient/rose/$access-log").expect(200);
    assert!(!log.text.contains("lily"), "{}", log.text);
    assert!(!log.text.contains("\"query\""), "what was searched for may be about others");
    let found = events(&log.json());
    let kinds: Vec<&str> = found.iter().map(|event| event["subtype"][0]["code"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["delete", "search-type", "create"]);
    let text = found[2]["text"]["div"].as_str().unwrap();
    assert!(
        text.contains("Dr &lt;Grey&gt; &amp; Co, role R8000: create of Patient/rose; purpose: TREAT; done"),
        "{text}"
    );
    for event in &found {
        let issues = server.server.validator.validate(event, &Options::default());
        let errors: Vec<_> = issues.iter().filter(|issue| issue.is_error()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(event["meta"]["tag"][0]["code"], "SUBSETTED");
    }
    // The log itself is in the next one.
    let next = events(&server.get("Patient/rose/$access-log?_count=1&date=ge2020").expect(200).json());
    assert_eq!(next[0]["subtype"][1]["code"], "$access-log");
    let page = server.get("Patient/rose/$access-log?_count=2&_sort=date").expect(200).json();
    let link = page["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next").unwrap();
    let rest = crate::support::http::send("GET", link["url"].as_str().unwrap(), &[], None).expect(200).json();
    assert_eq!(rest["entry"][0]["resource"]["subtype"][0]["code"], "delete");
    server.get("Patient/rose/$access-log?patient=lily").expect(400);
    assert_eq!(events(&server.get("Patient/nobody/$access-log").expect(200).json()).len(), 0);
    server.get("Task/rose/$access-log").expect(404);
}

fn operators_only(database: &TestDatabase) {
    let server = guarded(database);
    let keys = Keys::elliptic("one");
    register_as(&server.server.store, "ops", &[&keys], "system/*.cruds", "operator");
    register_as(&server.server.store, "gp", &[&keys], "system/*.cruds", "referrer");
    let gp = token(&server, "gp", &keys, "system/*.cruds");
    with(&server, &gp, "GET", "Patient/rose/$access-log", None).expect(403);
    let narrow = token(&server, "ops", &keys, "system/Patient.rs");
    with(&server, &narrow, "GET", "Patient/rose/$access-log", None).expect(403);
    let ops = token(&server, "ops", &keys, "system/*.cruds");
    let log = with(&server, &ops, "GET", "Patient/rose/$access-log", None).expect(200).json();
    let refused = events(&log);
    assert_eq!(refused.len(), 2, "the refused attempts are known too");
    assert!(refused.iter().all(|event| event["outcome"] == "4"));
}

over_http!(who_saw_it_when_and_why, operators_only);
