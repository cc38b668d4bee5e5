//! Reasons, outputs, owners, claims, what stays as it was sent; and that plain Tasks are left alone.

use kith::referral::{Change, check};
use serde_json::{Value, json};

use super::world::{NOW, World, but, error, errors, request, task};

fn world() -> World {
    World::with(&[request("r", "active")])
}

fn change(before: &Value, after: &Value) -> Vec<(String, String)> {
    errors(&world().decide(&Change::open(Some(before), after, NOW)))
}

fn one(before: &Value, after: &Value) -> (String, String) {
    error(&world().decide(&Change::open(Some(before), after, NOW)))
}

fn rule(rule: &str, expression: &str) -> (String, String) {
    (rule.to_owned(), expression.to_owned())
}

#[test]
fn a_reason_in_words_is_asked_for() {
    for status in ["rejected", "cancelled"] {
        let after = but(&task("t", status), json!({ "statusReason": null }));
        assert_eq!(one(&task("t", "requested"), &after), rule("referral-status-reason", "Task.statusReason"));
    }
    for status in ["on-hold", "failed"] {
        let coded =
            json!({ "coding": [{ "system": "http://snomed.info/sct", "code": "871711000000103" }], "text": " " });
        let after = but(&task("t", status), json!({ "statusReason": coded }));
        assert_eq!(one(&task("t", "accepted"), &after), rule("referral-status-reason", "Task.statusReason"));
    }
}

#[test]
fn an_output_is_asked_for_on_completion() {
    let after = but(&task("t", "completed"), json!({ "output": null }));
    assert_eq!(one(&task("t", "in-progress"), &after), rule("referral-output", "Task.output"));
}

#[test]
fn somebody_must_own_what_is_taken_up() {
    let pool = but(&task("t", "requested"), json!({ "owner": null }));
    assert_eq!(change(&pool, &pool), []);
    let after = but(&pool, json!({ "status": "accepted" }));
    assert_eq!(one(&pool, &after), rule("referral-owner", "Task.owner"));
    assert_eq!(change(&pool, &task("t", "accepted")), []);
}

#[test]
fn what_was_sent_stays() {
    let before = but(&task("t", "requested"), json!({ "partOf": [{ "reference": "Task/triage" }] }));
    let other = json!({ "reference": "Patient/other" });
    for (name, value) in [
        ("focus", json!({ "reference": "ServiceRequest/other" })),
        ("for", other.clone()),
        ("requester", other),
        ("authoredOn", json!("2025-03-04T09:00:00Z")),
        ("intent", json!("plan")),
        ("partOf", Value::Null),
        ("code", json!({ "coding": [{ "system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "approve" }] })),
        ("identifier", json!([{ "system": "https://gp.example/tasks", "value": "other" }])),
    ] {
        let after = but(&before, json!({ name: value }));
        assert_eq!(one(&before, &after), rule("referral-immutable", &format!("Task.{name}")), "{name}");
    }
}

#[test]
fn a_display_a_version_or_a_further_identifier_is_no_change() {
    let before = task("t", "requested");
    let mut after = before.clone();
    after["for"]["display"] = json!("Somebody");
    after["focus"]["reference"] = json!("ServiceRequest/r/_history/3");
    after["identifier"].as_array_mut().unwrap().push(json!({ "system": "https://vcse.example", "value": "7" }));
    assert_eq!(change(&before, &after), []);
}

#[test]
fn a_draft_is_still_being_written() {
    let before = task("t", "draft");
    let after =
        but(&before, json!({ "authoredOn": "2025-03-04T09:00:00Z", "owner": { "reference": "Organization/b" } }));
    assert_eq!(change(&before, &after), []);
}

#[test]
fn the_owner_changes_only_before_acceptance_and_by_somebody_who_has_seen_it() {
    let other = json!({ "owner": { "reference": "Organization/other" } });
    for status in ["requested", "received"] {
        let before = task("t", status);
        let after = but(&before, other.clone());
        let decision = world().decide(&Change::open(Some(&before), &after, NOW));
        assert_eq!(error(&decision), rule("referral-claimed", "Task.owner"), "{status}");
        assert_eq!(decision.problem().unwrap().kind.status(), 409);
        let seen = Change { version_checked: true, ..Change::open(Some(&before), &after, NOW) };
        assert_eq!(errors(&world().decide(&seen)), [], "{status}");
    }
    for status in ["accepted", "in-progress", "on-hold"] {
        let before = task("t", status);
        assert_eq!(one(&before, &but(&before, other.clone())), rule("referral-owner", "Task.owner"), "{status}");
    }
}

#[test]
fn of_two_claims_the_second_is_refused_whichever_status_it_asks_for() {
    for first in ["requested", "received", "accepted"] {
        for second in ["requested", "received", "accepted"] {
            let before = task("t", first);
            let after = but(&task("t", second), json!({ "owner": { "reference": "Organization/late" } }));
            assert!(!change(&before, &after).is_empty(), "{first} then {second}");
        }
    }
}

#[test]
fn a_closed_task_takes_notes_and_outputs_only() {
    let before = task("t", "completed");
    let late = but(&before, json!({ "note": [{ "text": "Came again." }], "businessStatus": { "text": "closed" } }));
    assert_eq!(change(&before, &late), []);
    let reopened = but(&before, json!({ "priority": "urgent" }));
    assert_eq!(one(&before, &reopened), rule("referral-closed", "Task.priority"));
    let wrong = task("t", "entered-in-error");
    let busy = but(&wrong, json!({ "businessStatus": { "text": "closed" } }));
    assert_eq!(one(&wrong, &busy), rule("referral-closed", "Task.businessStatus"));
}

#[test]
fn a_closed_referral_gets_no_further_task() {
    for status in ["completed", "revoked", "entered-in-error"] {
        let world = World::with(&[request("r", status)]);
        let after = task("t", "requested");
        let decision = world.decide(&Change::open(None, &after, NOW));
        assert_eq!(error(&decision), rule("referral-focus-closed", "Task.focus"), "{status}");
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let before = task("t", "requested");
    let after = but(&before, json!({ "status": "completed", "authoredOn": "2020", "owner": null }));
    let rules: Vec<String> = change(&before, &after).into_iter().map(|(rule, _)| rule).collect();
    for expected in ["referral-output", "referral-owner", "referral-transition", "referral-immutable"] {
        assert!(rules.iter().any(|rule| rule == expected), "{expected} in {rules:?}");
    }
}

#[test]
fn a_plain_task_is_left_alone() {
    let plain = but(&request("r", "active"), json!({ "code": { "text": "X-ray" } }));
    let world = World::with(&[plain]);
    for (before, after) in [("requested", "completed"), ("completed", "draft"), ("rejected", "ready")] {
        let (before, mut after) = (task("t", before), but(&task("t", "requested"), json!({ "status": after })));
        after["focus"] = json!({ "reference": "ServiceRequest/r" });
        let decision = world.decide(&Change::open(Some(&before), &after, NOW));
        assert!(decision.issues.is_empty() && decision.effects.is_empty() && decision.amended.is_none());
    }
}

#[test]
fn a_task_is_a_referral_by_profile_code_or_focus_and_stays_one() {
    let wrong = but(&task("t", "rejected"), json!({ "statusReason": null, "focus": null }));
    assert!(check(&wrong).is_empty());
    let by_profile = but(
        &wrong,
        json!({ "meta": { "profile": ["https://kith.example/fhir/StructureDefinition/kith-referral-task|0.1.0"] } }),
    );
    let coding = json!([{ "system": "http://snomed.info/sct", "code": "871731000000106" }]);
    let by_code = but(&wrong, json!({ "code": { "coding": coding } }));
    for referral in [&by_profile, &by_code] {
        assert_eq!(check(referral).len(), 1);
    }
    let before = but(&task("t", "requested"), json!({ "code": by_code["code"] }));
    let escaped = but(&task("t", "completed"), json!({ "focus": null }));
    assert!(!change(&before, &escaped).is_empty());
}

#[test]
fn the_server_keeps_last_modified() {
    let before = but(&task("t", "requested"), json!({ "lastModified": "2025-03-03T09:00:00Z" }));
    let stamp = |before: Option<&Value>, after: &Value| {
        world().decide(&Change::open(before, after, NOW)).amended.map(|task| task["lastModified"].clone())
    };
    assert_eq!(stamp(None, &task("t", "requested")), Some(json!("2025-06-01T00:00:00.000000Z")));
    assert_eq!(stamp(Some(&before), &task("t", "accepted")), Some(json!("2025-06-01T00:00:00.000000Z")));
    assert_eq!(stamp(Some(&before), &before), None, "nothing changed");
    let ahead = but(&task("t", "requested"), json!({ "authoredOn": "2025-06-01T00:05:00Z" }));
    assert_eq!(stamp(None, &ahead), Some(json!("2025-06-01T00:05:00.000000Z")), "not before authoredOn");
}
