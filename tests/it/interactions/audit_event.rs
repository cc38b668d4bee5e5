//! The audit trail as AuditEvent resources: what they say, how they are found, who may see them, and that nobody writes one.

use kith::validate::Options;
use serde_json::{Value, json};

use crate::oauth::world::{Keys, guarded, register_as, token, with};
use crate::support::http::{Answer, JSON, TestServer};
use crate::support::{TestDatabase, over_http};

const ORGANISATION: (&str, &str) = ("NHSD-End-User-Organisation-ODS", "Y12345");
const USER: (&str, &str) = ("X-User", "https://fhir.nhs.uk/Id/sds-user-id|555021935107");
const ROLE: (&str, &str) = ("X-User-Role", "R9815");
const PURPOSE: (&str, &str) = ("X-Purpose-Of-Use", "TREAT");
const REQUEST: (&str, &str) = ("X-Request-Id", "the-request");

/// The events that a search finds, each checked by our own validator.
fn events(server: &TestServer, query: &str) -> Vec<Value> {
    let bundle = server.get(&format!("AuditEvent?{query}")).expect(200).json();
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let events: Vec<Value> = entries.into_iter().map(|mut entry| entry["resource"].take()).collect();
    for event in &events {
        assert_valid(server, event);
    }
    events
}

fn assert_valid(server: &TestServer, event: &Value) {
    let issues = server.server.validator.validate(event, &Options::default());
    let errors: Vec<_> = issues.iter().filter(|issue| issue.is_error()).collect();
    assert!(errors.is_empty(), "{errors:?}\n{event:#}");
}

/// Subtype codes of the events that a search finds.
fn found(server: &TestServer, query: &str) -> Vec<String> {
    let code = |event: &Value| event["subtype"][0]["code"].as_str().unwrap_or_default().to_owned();
    events(server, query).iter().map(code).collect()
}

fn put(server: &TestServer, path: &str, resource: &Value) -> Answer {
    let headers = [JSON, ORGANISATION, USER, ROLE, PURPOSE, REQUEST];
    server.send("PUT", path, &headers, Some(resource.to_string().as_bytes()))
}

/// One resource entity of an event, by the role of its object.
fn entity<'a>(event: &'a Value, role: &str) -> &'a Value {
    let found = event["entity"].as_array().unwrap().iter().find(|entity| entity["role"]["code"] == role);
    found.unwrap_or_else(|| panic!("no entity in role {role}: {event:#}"))
}

fn an_event_says_who_did_what_to_whom(database: &TestDatabase) {
    let server = TestServer::start(database);
    put(&server, "Patient/rose", &json!({ "resourceType": "Patient", "id": "rose" })).expect(201);
    put(&server, "Patient/rose", &json!({ "resourceType": "Patient", "id": "rose", "active": true })).expect(200);
    server.send("GET", "Patient?_id=rose", &[("X-Correlation-Id", "the-whole")], None).expect(200);
    let events = events(&server, "patient=Patient/rose&_sort=date");
    assert_eq!(events.len(), 3);
    let update = &events[1];
    assert_eq!((&update["action"], &update["outcome"]), (&json!("U"), &json!("0")));
    assert_eq!(update["type"]["code"], "rest");
    assert_eq!(update["purposeOfEvent"][0]["coding"][0]["code"], "TREAT");
    assert_eq!(entity(update, "4")["what"]["reference"], "Patient/rose/_history/2");
    assert_eq!(entity(update, "4")["detail"][0]["valueString"], "1");
    assert_eq!(entity(update, "1")["what"]["reference"], "Patient/rose");
    let agents = update["agent"].as_array().unwrap();
    assert_eq!(agents[0]["network"], json!({ "address": "127.0.0.1", "type": "2" }));
    assert_eq!(agents[0]["type"]["coding"][0]["code"], "110153", "the client brings the data");
    assert_eq!(agents[1]["who"]["identifier"]["value"], "Y12345");
    assert_eq!(agents[2]["who"]["identifier"]["value"], "555021935107");
    assert_eq!((&agents[2]["role"][0]["text"], &agents[2]["requestor"]), (&json!("R9815"), &json!(true)));
    let ids = |event: &Value| {
        let all = event["entity"].as_array().unwrap().iter();
        all.filter_map(|entity| entity["what"]["identifier"]["value"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(ids(update), ["the-request"]);
    let search = &events[2];
    assert_eq!((&search["action"], &search["subtype"][0]["code"]), (&json!("E"), &json!("search-type")));
    assert_eq!(entity(search, "24")["query"], "UGF0aWVudD9faWQ9cm9zZQ==", "Patient?_id=rose");
    assert_eq!(ids(search).last().map(String::as_str), Some("the-whole"));
    assert_eq!(search["agent"][0]["type"]["coding"][0]["code"], "110152", "the client receives the data");

    let id = update["id"].as_str().unwrap();
    let read = server.get(&format!("AuditEvent/{id}")).expect(200);
    assert_eq!(&read.json(), update);
    assert_eq!(read.header("etag"), "W/\"1\"");
    server.send("GET", &format!("AuditEvent/{id}"), &[("Accept", "application/fhir+xml")], None).expect(200);
    server.get("AuditEvent/nothing").expect(404);
    server.get(&format!("AuditEvent/{id}9")).expect(404);
}

fn events_are_found_by_every_parameter(database: &TestDatabase) {
    let server = TestServer::start(database);
    put(&server, "Patient/rose", &json!({ "resourceType": "Patient", "id": "rose" })).expect(201);
    server.put("Patient/lily", &json!({ "resourceType": "Patient", "id": "lily" })).expect(201);
    server.get("Patient/rose").expect(200);
    server.get("Patient/rose/_history").expect(200);
    server.get("Patient?_sort=_id").expect(200);
    server.get("Patient/rose/$everything").expect(200);
    server.get("Patient/nobody").expect(404);
    server.delete("Patient/lily").expect(204);
    let found = |query: &str| found(&server, query);
    assert_eq!(
        found("patient=rose&_sort=date&_count=5"),
        ["create", "read", "history-instance", "search-type", "operation"]
    );
    assert_eq!(found("patient=Patient/lily&date=ge2020&_sort=-date&action=C,D,E&agent=127"), Vec::<String>::new());
    assert_eq!(found("patient=Patient/lily&date=ge2020&_sort=-date&action=C,D"), ["delete", "create"]);
    assert_eq!(found("patient=rose,lily&subtype=search-type&_count=1&date=lt2020"), Vec::<String>::new());
    assert_eq!(found("patient=rose&patient=lily&entity:identifier=the-request"), Vec::<String>::new());
    assert_eq!(found("entity=Patient/nobody"), ["read"]);
    assert_eq!(found("entity=Patient/nobody&outcome=4"), ["read"]);
    assert_eq!(found("entity=Patient/nobody&outcome=0"), Vec::<String>::new());
    assert_eq!(found("agent=Y12345"), ["create"]);
    assert_eq!(found("agent:identifier=https://fhir.nhs.uk/Id/sds-user-id|555021935107"), ["create"]);
    assert_eq!(found("agent=555021935107-"), Vec::<String>::new());
    assert_eq!(found("entity:identifier=the-request"), ["create"]);
    assert_eq!(found("subtype=http://hl7.org/fhir/restful-interaction|history-instance"), ["history-instance"]);
    assert_eq!(found("subtype=$everything"), ["operation"]);
    assert_eq!(found("subtype=operation"), ["operation"]);
    assert_eq!(found("subtype=nothing"), Vec::<String>::new());
    assert_eq!(found("action=D&address=127.0"), ["delete"]);
    assert_eq!(found("action=D&address=10."), Vec::<String>::new());
    assert!(found("type=rest&_count=100").len() > 15);
    assert_eq!(found("type=110114"), Vec::<String>::new());
    let id = events(&server, "action=D")[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(found(&format!("_id={id}")), ["delete"]);
    server.get("AuditEvent?date=yesterday").expect(400);
    server.get("AuditEvent?_sort=agent").expect(400);
    server.get("AuditEvent?patient=Task/1").expect(400);
    server.send("GET", "AuditEvent?colour=red", &[("Prefer", "handling=strict")], None).expect(400);
    let lenient = server.get("AuditEvent?colour=red&_count=1").expect(200).json();
    assert_eq!(lenient["entry"][1]["search"]["mode"], "outcome");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let posted = server.send("POST", "AuditEvent/_search", &form, Some(b"action=D")).expect(200).json();
    assert_eq!(posted["entry"][0]["resource"]["id"], json!(id));
    let member = server.get("Patient/lily/AuditEvent?action=C").expect(200).json();
    assert_eq!(member["total"], 1);
    server.get("?_type=AuditEvent,Task").expect(400);
}

fn pages_follow_each_other_without_gap(database: &TestDatabase) {
    let server = TestServer::start(database);
    for number in 0..7 {
        server
            .put("Patient/rose", &json!({ "resourceType": "Patient", "id": "rose", "active": number % 2 == 0 }))
            .expect(if number == 0 { 201 } else { 200 });
    }
    for (query, mode) in [("patient=rose&action=C,U", "subject"), ("action=C,U&date=ge2020", "time")] {
        let first = server.get(&format!("AuditEvent?{query}&_count=3&_total=accurate")).expect(200).json();
        assert_eq!(first["total"], 7, "{mode}");
        let mut ids: Vec<String> = Vec::new();
        let mut page = first;
        loop {
            for entry in page["entry"].as_array().unwrap() {
                ids.push(entry["resource"]["id"].as_str().unwrap().to_owned());
            }
            let links = page["link"].as_array().unwrap();
            let Some(next) = links.iter().find(|link| link["relation"] == "next") else { break };
            page = crate::support::http::send("GET", next["url"].as_str().unwrap(), &[], None).expect(200).json();
        }
        let mut sorted = ids.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!((ids.len(), sorted.len()), (7, 7), "{mode}");
    }
    let count = server.get("AuditEvent?patient=rose&action=C,U&_summary=count").expect(200).json();
    assert_eq!((&count["total"], &count["entry"]), (&json!(7), &Value::Null));
}

fn nobody_writes_one(database: &TestDatabase) {
    let server = TestServer::start(database);
    let event = json!({
        "resourceType": "AuditEvent", "type": { "code": "rest" }, "recorded": "2026-01-01T00:00:00Z",
        "agent": [{ "requestor": true }], "source": { "observer": { "display": "me" } },
    });
    let named = json!({ "id": "mine", "resourceType": "AuditEvent", "type": { "code": "rest" }, "recorded": "2026-01-01T00:00:00Z",
        "agent": [{ "requestor": true }], "source": { "observer": { "display": "me" } } });
    let refused = server.post("AuditEvent", &event).expect(405);
    assert_eq!(refused.header("allow"), "GET, HEAD, OPTIONS");
    server.put("AuditEvent/mine", &named).expect(405);
    server.put("AuditEvent?_id=mine", &event).expect(405);
    server.delete("AuditEvent/mine").expect(405);
    server.delete("AuditEvent?date=ge2020").expect(405);
    let patch = [("Content-Type", "application/json-patch+json")];
    server.send("PATCH", "AuditEvent/mine", &patch, Some(b"[]")).expect(405);
    server.get("AuditEvent/mine/_history").expect(405);
    server.get("AuditEvent/mine/_history/1").expect(405);
    server.get("AuditEvent/_history").expect(405);
    for kind in ["batch", "transaction"] {
        let bundle = json!({ "resourceType": "Bundle", "type": kind, "entry": [
            { "request": { "method": "POST", "url": "AuditEvent" }, "resource": event },
        ] });
        let answer = server.post("", &bundle);
        let status = if kind == "batch" {
            answer.json()["entry"][0]["response"]["status"].clone()
        } else {
            json!(answer.status.to_string())
        };
        assert!(status.as_str().unwrap().starts_with("405"), "{kind}: {status}");
    }
    let read = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [
        { "request": { "method": "GET", "url": "AuditEvent?action=C" } },
    ] });
    assert_eq!(server.post("", &read).expect(200).json()["entry"][0]["resource"]["resourceType"], "Bundle");
    let meta = json!({ "resourceType": "Parameters", "parameter": [{ "name": "meta", "valueMeta": { "tag": [{ "code": "x" }] } }] });
    server.post("AuditEvent/mine/$meta-add", &meta).expect(404);
    assert_eq!(
        found(&server, "outcome=4&entity=AuditEvent/mine&subtype=update,delete,patch&_sort=date"),
        ["update", "delete", "patch"]
    );
}

fn operators_see_the_trail_and_others_do_not(database: &TestDatabase) {
    let server = guarded(database);
    let keys = Keys::elliptic("one");
    for (client, role) in [("ops", "operator"), ("gp", "referrer"), ("charity", "provider")] {
        register_as(&server.server.store, client, &[&keys], "system/*.cruds", role);
    }
    for client in ["gp", "charity"] {
        let token = token(&server, client, &keys, "system/*.cruds");
        for path in ["AuditEvent", "AuditEvent?patient=rose", "AuditEvent/x", "Patient/rose/AuditEvent"] {
            with(&server, &token, "GET", path, None).expect(403);
        }
    }
    server.get("AuditEvent").expect(401);
    let narrow = token(&server, "ops", &keys, "system/Patient.rs");
    with(&server, &narrow, "GET", "AuditEvent", None).expect(403);
    let full = token(&server, "ops", &keys, "system/AuditEvent.rs");
    let bundle = with(&server, &full, "GET", "AuditEvent?agent=gp&_sort=date", None).expect(200).json();
    let first = &bundle["entry"][0]["resource"];
    assert_eq!(
        (&first["type"]["code"], &first["subtype"][0]["code"]),
        (&json!("110114"), &json!("110122")),
        "{first:#}"
    );
    assert_eq!(first["agent"][0]["who"]["identifier"]["value"], "gp");
    assert_eq!(bundle["entry"][1]["resource"]["outcomeDesc"], "HTTP 403: forbidden");
    for entry in bundle["entry"].as_array().unwrap() {
        assert_valid(&server, &entry["resource"]);
    }
    with(&server, &full, "POST", "AuditEvent", Some(&json!({ "resourceType": "AuditEvent" }))).expect(405);
    let refused = crate::oauth::world::ask(&server, "nonsense", "system/Task.rs").expect(401);
    drop(refused);
    let logins = with(&server, &full, "GET", "AuditEvent?subtype=110122&outcome=4", None).expect(200).json();
    assert_eq!(logins["total"], 1);
}

fn the_statement_claims_reading_and_searching_only(database: &TestDatabase) {
    let server = TestServer::start(database);
    let statement = server.get("metadata").expect(200).json();
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    let entry = resources.iter().find(|entry| entry["type"] == "AuditEvent").unwrap();
    assert_eq!(entry["interaction"], json!([{ "code": "read" }, { "code": "search-type" }]));
    for parameter in entry["searchParam"].as_array().unwrap() {
        let (name, kind) = (parameter["name"].as_str().unwrap(), parameter["type"].as_str().unwrap());
        let value = match kind {
            "date" => "2026",
            "reference" => "Patient/1",
            _ if name == "outcome" => "0",
            _ => "x",
        };
        let answer = server.send("GET", &format!("AuditEvent?{name}={value}"), &[("Prefer", "handling=strict")], None);
        assert_eq!(answer.status, 200, "{name}");
    }
    let starts = |value: &Value| value.as_str().unwrap().starts_with("AuditEvent:");
    let includes = resources.iter().filter_map(|entry| entry["searchRevInclude"].as_array()).flatten();
    assert!(!includes.into_iter().any(starts));
}

over_http!(
    an_event_says_who_did_what_to_whom,
    events_are_found_by_every_parameter,
    pages_follow_each_other_without_gap,
    nobody_writes_one,
    operators_see_the_trail_and_others_do_not,
    the_statement_claims_reading_and_searching_only,
);
