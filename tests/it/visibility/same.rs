//! Not yours and not there are one answer: the same status, headers and body, to the byte but for ids and dates.

use serde_json::{Value, json};

use super::world::{World, patient, request, task};
use crate::support::http::Answer;
use crate::support::{TestDatabase, over_http};

over_http!(not_yours_is_not_there);

/// Method, path and body of a request about some id.
type Case<'a> = (&'a str, &'a str, Option<&'a dyn Fn(&str) -> Value>);

/// Everything of an answer but ids and dates. `id` is the one that was asked for.
fn shown(answer: &Answer, id: &str) -> String {
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id", "x-correlation-id"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    headers.sort();
    let mut text = answer.text.clone();
    for part in text.clone().split('"').filter(|part| part.len() == 36 && part.matches('-').count() == 4) {
        text = text.replace(part, "[id]");
    }
    format!("{}\n{}\n{text}", answer.status, headers.join("\n")).replace(id, "[id]")
}

fn not_yours_is_not_there(database: &TestDatabase) {
    let world = World::new(database);
    world.store(&[
        patient("some1"),
        request("some1", "some1", "practice"),
        task("some1", ("some1", "some1"), "practice", Some("kitchen"), "requested"),
        json!({ "resourceType": "Observation", "id": "some1", "status": "final", "code": { "text": "x" }, "subject": { "reference": "Patient/some1" } }),
        patient("own"),
        request("own", "own", "surgery"),
        task("own", ("own", "own"), "surgery", Some("walks"), "accepted"),
    ]);
    let task_of = |id: &str, focus: &str| task(id, (focus, "own"), "surgery", Some("walks"), "accepted");
    let about = |id: &str| {
        json!({
            "resourceType": "Observation", "status": "final", "code": { "text": "x" },
            "subject": { "reference": format!("Patient/{id}") }, "basedOn": [{ "reference": format!("ServiceRequest/{id}") }],
        })
    };
    let patch = json!([{ "op": "replace", "path": "/status", "value": "cancelled" }]);
    let put = |id: &str| task_of(id, "own");
    let delete = |id: &str| json!({ "resourceType": "Bundle", "type": "transaction", "entry": [{ "request": { "method": "DELETE", "url": format!("Task/{id}") } }] });
    let update = |id: &str| json!({ "resourceType": "Bundle", "type": "transaction", "entry": [{ "resource": task_of(id, "own"), "request": { "method": "PUT", "url": format!("Task/{id}") } }] });
    let batch = |id: &str| json!({ "resourceType": "Bundle", "type": "batch", "entry": [{ "request": { "method": "GET", "url": format!("Patient/{id}") } }] });
    let labels = |_: &str| json!({ "resourceType": "Parameters", "parameter": [{ "name": "meta", "valueMeta": { "tag": [{ "code": "x" }] } }] });
    let refocus = |id: &str| {
        let mut body = task_of("own", id);
        body["id"] = json!("own");
        body
    };
    let bundled = |id: &str| json!({ "resourceType": "Bundle", "type": "transaction", "entry": [{ "resource": about(id), "request": { "method": "POST", "url": "Observation" } }] });
    let conditional = |id: &str| {
        json!({ "resourceType": "Bundle", "type": "transaction", "entry": [{
        "resource": { "resourceType": "Observation", "status": "final", "code": { "text": "x" }, "subject": { "reference": format!("Patient?_id={id}") } },
        "request": { "method": "POST", "url": "Observation" } }] })
    };
    let cases: Vec<Case<'_>> = vec![
        ("GET", "Patient/{}", None),
        ("HEAD", "Patient/{}", None),
        ("GET", "Task/{}", None),
        ("GET", "ServiceRequest/{}", None),
        ("GET", "Observation/{}", None),
        ("GET", "Patient/{}/_history/1", None),
        ("GET", "Patient/{}/_history", None),
        ("GET", "Patient?_id={}", None),
        ("GET", "Task?_id={}&_total=accurate", None),
        ("GET", "Task?_id={}&_summary=count", None),
        ("GET", "Task?patient=Patient/{}", None),
        ("GET", "Patient?_has:Task:patient:_id={}", None),
        ("GET", "Task?focus:ServiceRequest._id={}", None),
        ("GET", "Patient/{}/Task", None),
        ("GET", "Patient/{}/*", None),
        ("GET", "Patient/{}/$everything", None),
        ("GET", "ServiceRequest/{}/$everything", None),
        ("GET", "Patient/{}/$meta", None),
        ("GET", "Patient/{}/$validate", None),
        ("GET", "Patient/{}/$validate?mode=delete", None),
        ("DELETE", "Task/{}", None),
        ("DELETE", "Observation?subject=Patient/{}", None),
        ("PUT", "Task/{}", Some(&put)),
        ("POST", "", Some(&delete)),
        ("POST", "", Some(&update)),
        ("POST", "", Some(&batch)),
        ("POST", "Task/{}/$meta-add", Some(&labels)),
        ("POST", "Observation", Some(&about)),
        ("PUT", "Task/own", Some(&refocus)),
        ("POST", "", Some(&bundled)),
        ("POST", "", Some(&conditional)),
    ];
    for (method, path, body) in cases {
        let answers = ["some1", "none1"].map(|id| {
            let body = body.map(|body| body(id));
            shown(&world.send("walks", method, &path.replace("{}", id), body.as_ref()), id)
        });
        assert_eq!(answers[0], answers[1], "{method} {path}");
    }
    let patched = ["some1", "none1"].map(|id| {
        let authorization = format!("Bearer {}", world.token("walks"));
        let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json-patch+json")];
        shown(&world.server.send("PATCH", &format!("Task/{id}"), &headers, Some(patch.to_string().as_bytes())), id)
    });
    assert_eq!(patched[0], patched[1]);
    assert!(patched[0].starts_with("404"), "{}", patched[0]);
    world.get("operator", "Task/some1").expect(200);
    world.get("operator", "Observation/some1").expect(200);
}
