//! What the player sends, checks and keeps.

use std::collections::VecDeque;

use kith::clock::Clock;
use kith::conformance::{Journey, Played, Request, Response, Transport, play};
use serde_json::{Value, json};

/// Answers in the order given and remembers what was asked.
#[derive(Default)]
struct Script {
    answers: VecDeque<Response>,
    asked: Vec<Request>,
}

impl Transport for Script {
    fn base(&self) -> &'static str {
        "http://h/fhir"
    }

    fn send(&mut self, request: &Request) -> Result<Response, String> {
        self.asked.push(request.clone());
        self.answers.pop_front().ok_or_else(|| "no answer".to_owned())
    }
}

fn answer(status: u16, headers: &[(&str, &str)], body: Value) -> Response {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Response { status, headers, text: body.to_string(), body }
}

fn played(steps: &Value, answers: Vec<Response>) -> (Played, Vec<Request>) {
    let journey = json!({ "journey": "j", "title": "t", "description": "d", "steps": steps }).to_string();
    let journey = Journey::parse(&journey, |name| Err(format!("no file {name}"))).unwrap();
    let mut script = Script { answers: answers.into(), ..Script::default() };
    let played = play(&journey, &mut script, "run7", &Clock::fixed(0));
    (played, script.asked)
}

#[test]
fn later_steps_use_what_earlier_ones_kept() {
    let steps = json!([
        { "name": "one", "as": "gp", "method": "POST", "path": "Task", "body": { "resourceType": "Task", "note": [{ "text": "{{run}}" }] },
          "expect": { "status": [201], "headers": { "Location": "*/Task/*" } }, "save": "task",
          "capture": { "at": { "header": "location" }, "status": { "fhirpath": "Task.status" }, "focus": { "reference": "Task.focus.reference" } } },
        { "name": "two", "as": "gp", "method": "PUT", "path": "Task/{{task.id}}", "headers": { "If-Match": "W/\"{{task.meta.versionId}}\"" },
          "change": { "resource": "task", "set": { "status": "accepted", "owner": null, "note": [], "code": { "text": "{{focus}} {{status}}" } } },
          "expect": { "status": [200, 201], "fhirpath": ["status = 'accepted'"] } }
    ]);
    let stored = json!({ "resourceType": "Task", "id": "7", "meta": { "versionId": "3" }, "status": "requested",
                         "owner": { "reference": "Organization/x" }, "focus": { "reference": "http://h/fhir/ServiceRequest/9/_history/2" } });
    let answers = vec![
        answer(201, &[("location", "http://h/fhir/Task/7/_history/3")], stored),
        answer(200, &[], json!({ "resourceType": "Task", "status": "accepted" })),
    ];
    let (played, asked) = played(&steps, answers);
    assert_eq!(played.failures(), [""; 0]);
    assert_eq!(asked[0].body.as_ref().unwrap()["note"][0]["text"], "run7");
    assert_eq!(asked[1].path, "Task/7");
    assert_eq!(asked[1].headers, [("If-Match".to_owned(), "W/\"3\"".to_owned())]);
    let body = asked[1].body.as_ref().unwrap();
    assert_eq!(body["code"]["text"], "ServiceRequest/9 requested");
    assert!(body.get("owner").is_none() && body["status"] == "accepted" && body["id"] == "7");
}

#[test]
fn what_is_not_as_expected_is_named_and_ends_the_journey() {
    let steps = json!([
        { "name": "one", "method": "GET", "path": "Task/7",
          "expect": { "status": [200], "headers": { "ETag": "W/\"1\"" }, "fhirpath": ["status = 'draft'", "id = '7'"] } },
        { "name": "two", "method": "GET", "path": "Task/8", "expect": { "status": [200] } }
    ]);
    let body = json!({ "resourceType": "Task", "id": "7", "status": "requested" });
    let (played_once, asked) = played(&steps, vec![answer(404, &[], body.clone())]);
    assert_eq!(asked.len(), 1);
    let failures = played_once.failures();
    assert_eq!(failures.len(), 3, "{failures:?}");
    assert!(failures[0].ends_with("one: status 404 instead of [200]"), "{failures:?}");
    assert!(failures[1].ends_with("the request was GET Task/7"), "{failures:?}");
    assert!(failures[2].contains("the answer was 404"), "{failures:?}");
    let (played, _) = played(&steps, vec![answer(200, &[("etag", "W/\"2\"")], body)]);
    let failures = played.failures();
    assert_eq!(failures.len(), 4, "{failures:?}");
    assert!(failures[0].contains("ETag"), "{failures:?}");
    assert!(failures[1].ends_with("not true: status = 'draft'"), "{failures:?}");
}

#[test]
fn a_mistake_in_the_file_is_a_failure_not_a_panic() {
    for step in [
        json!({ "name": "n", "method": "GET", "path": "{{unknown}}", "expect": { "status": [200] } }),
        json!({ "name": "n", "method": "GET", "path": "{{open", "expect": { "status": [200] } }),
        json!({ "name": "n", "method": "GET", "path": "", "expect": { "status": [200], "fhirpath": ["(("] } }),
        json!({ "name": "n", "method": "PUT", "path": "", "change": { "resource": "nothing", "set": {} }, "expect": { "status": [200] } }),
        json!({ "name": "n", "method": "GET", "path": "", "expect": { "status": [200] }, "capture": { "a": { "fhirpath": "id" } } }),
        json!({ "name": "n", "method": "GET", "path": "", "expect": { "status": [200] }, "capture": { "a": { "header": "ETag" } } }),
    ] {
        let (played, _) = played(&json!([step]), vec![answer(200, &[], json!({ "resourceType": "Task" }))]);
        assert_eq!(played.failures().len(), 1, "{step}");
    }
    let unknown = r#"{ "journey": "j", "title": "t", "description": "d", "steps": [], "more": 1 }"#;
    assert!(Journey::parse(unknown, |_| Err(String::new())).is_err());
}
