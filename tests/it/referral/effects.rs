//! What a change causes in other resources: ServiceRequest follows Task, a part reports to the whole, a withdrawal
//! withdraws what was built on it.

use kith::referral::lifecycle::{State, transition};
use kith::referral::{Actor, Change, Effect, Organisation, provenance};
use serde_json::{Value, json};

use super::world::{NOW, World, but, error, request, task, written};

fn change(world: &[Value], before: Option<&Value>, after: &Value) -> Vec<String> {
    let decision = World::with(world).decide(&Change::open(before, after, NOW));
    assert!(decision.problem().is_none(), "{:?}", decision.issues);
    written(&decision)
}

#[test]
fn the_service_request_follows_its_only_task_through_every_transition() {
    for from in State::ALL {
        for to in State::ALL.into_iter().filter(|to| transition(Some(from), *to).is_some()) {
            let held = if from == State::OnHold { "on-hold" } else { "active" };
            let effects = change(&[request("r", held)], Some(&task("t", from.code())), &task("t", to.code()));
            let expected = match (from, to) {
                (State::OnHold, State::InProgress) => Some("active"),
                (_, State::OnHold) => Some("on-hold"),
                (_, State::Completed) => Some("completed"),
                (_, State::Cancelled) => Some("revoked"),
                (State::Draft | State::Requested, State::EnteredInError) => Some("entered-in-error"),
                _ => None,
            };
            let expected: Vec<String> =
                expected.map(|status| format!("ServiceRequest/r {status}")).into_iter().collect();
            assert_eq!(effects, expected, "{from} to {to}");
        }
    }
}

#[test]
fn sending_a_task_sends_its_draft() {
    assert_eq!(change(&[request("r", "draft")], None, &task("t", "requested")), ["ServiceRequest/r active"]);
    assert_eq!(change(&[request("r", "active")], None, &task("t", "requested")), [""; 0]);
    assert_eq!(change(&[request("r", "draft")], None, &task("t", "draft")), [""; 0]);
}

#[test]
fn while_another_task_is_open_the_service_request_stays() {
    let world = [request("r", "active"), task("other", "accepted")];
    for (from, to) in [("in-progress", "completed"), ("in-progress", "on-hold"), ("requested", "cancelled")] {
        assert_eq!(change(&world, Some(&task("t", from)), &task("t", to)), [""; 0], "{to}");
    }
    let world = [request("r", "active"), task("other", "rejected")];
    let closed = change(&world, Some(&task("t", "in-progress")), &task("t", "completed"));
    assert_eq!(closed, ["ServiceRequest/r completed"]);
    let wrong = change(&world, Some(&task("t", "requested")), &task("t", "entered-in-error"));
    assert_eq!(wrong, [""; 0], "it was sent elsewhere before");
}

#[test]
fn an_owner_who_cancels_leaves_the_referral_to_be_sent_elsewhere() {
    let actor = Actor {
        organisation: Some(Organisation { references: vec!["Organization/vcse".into()], identifiers: Vec::new() }),
        ..Actor::default()
    };
    let (before, after) = (task("t", "accepted"), task("t", "cancelled"));
    let change = Change { actor: &actor, ..Change::open(Some(&before), &after, NOW) };
    assert_eq!(written(&World::with(&[request("r", "active")]).decide(&change)), [""; 0]);
}

fn child(id: &str, status: &str) -> Value {
    but(
        &task(id, status),
        json!({ "partOf": [{ "reference": "Task/triage" }], "focus": { "reference": "ServiceRequest/sub" } }),
    )
}

fn sub(status: &str) -> Value {
    but(&request("sub", status), json!({ "basedOn": [{ "reference": "ServiceRequest/r" }] }))
}

#[test]
fn a_completed_part_becomes_an_output_of_the_whole() {
    let world = World::with(&[request("r", "active"), sub("active"), task("triage", "in-progress")]);
    let (before, after) = (child("part", "in-progress"), child("part", "completed"));
    let decision = world.decide(&Change::open(Some(&before), &after, NOW));
    assert_eq!(written(&decision), ["ServiceRequest/sub completed", "Task/triage in-progress"]);
    let output = &decision.effects[1].resource["output"][0];
    assert_eq!(output["valueReference"]["reference"], "Task/part");
    assert_eq!(output["type"]["coding"][0]["code"], "part-outcome");
    assert_eq!(decision.effects[1].resource["lastModified"], "2025-06-01T00:00:00.000000Z");
    assert_eq!(decision.effects[1].based_on(), Some(1));
}

#[test]
fn a_closed_whole_is_not_written_again() {
    let world = [request("r", "completed"), sub("active"), task("triage", "completed")];
    let effects = change(&world, Some(&child("part", "in-progress")), &child("part", "completed"));
    assert_eq!(effects, ["ServiceRequest/sub completed"]);
}

#[test]
fn withdrawing_the_whole_withdraws_its_parts() {
    let world = [
        request("r", "active"),
        sub("active"),
        task("triage", "in-progress"),
        child("part", "accepted"),
        child("done", "completed"),
    ];
    let effects = change(&world, Some(&task("triage", "in-progress")), &task("triage", "cancelled"));
    assert_eq!(effects, ["ServiceRequest/r revoked", "Task/part cancelled", "ServiceRequest/sub revoked"]);
}

#[test]
fn a_part_with_the_same_focus_does_not_keep_a_withdrawn_referral_alive() {
    let part = but(&child("part", "accepted"), json!({ "focus": { "reference": "ServiceRequest/r" } }));
    let world = [request("r", "active"), task("triage", "in-progress"), part];
    let effects = change(&world, Some(&task("triage", "in-progress")), &task("triage", "cancelled"));
    assert_eq!(effects, ["Task/part cancelled", "ServiceRequest/r revoked"]);
}

#[test]
fn revoking_the_referral_cancels_its_open_tasks_and_their_parts() {
    let world = [request("r", "active"), sub("active"), task("triage", "accepted"), child("part", "requested")];
    let effects = change(&world, Some(&request("r", "active")), &request("r", "revoked"));
    assert_eq!(effects, ["Task/triage cancelled", "Task/part cancelled", "ServiceRequest/sub revoked"]);
    let reason =
        World::with(&world).decide(&Change::open(Some(&request("r", "active")), &request("r", "revoked"), NOW));
    assert!(reason.effects[0].resource["statusReason"]["text"].is_string());
}

#[test]
fn a_circle_of_parts_ends() {
    let ring = |id: &str, whole: &str| but(&task(id, "accepted"), json!({ "partOf": [{ "reference": whole }] }));
    let world = [request("r", "active"), ring("a", "Task/b"), ring("b", "Task/a")];
    let after = but(&task("a", "cancelled"), json!({ "partOf": [{ "reference": "Task/b" }] }));
    let effects = change(&world, Some(&ring("a", "Task/b")), &after);
    assert_eq!(effects, ["Task/b cancelled", "ServiceRequest/r revoked"]);
}

#[test]
fn a_service_request_is_closed_for_good_and_completed_by_its_task_only() {
    let open = World::with(&[task("t", "accepted")]);
    for (from, to, rule) in [
        ("active", "completed", "referral-open-task"),
        ("active", "draft", "referral-request-status"),
        ("revoked", "active", "referral-request-status"),
        ("completed", "revoked", "referral-request-status"),
        ("entered-in-error", "active", "referral-request-status"),
    ] {
        let (before, after) = (request("r", from), request("r", to));
        let decision = open.decide(&Change::open(Some(&before), &after, NOW));
        assert_eq!(error(&decision), (rule.to_owned(), "ServiceRequest.status".to_owned()), "{from} to {to}");
    }
    let (before, after) =
        (request("r", "active"), but(&request("r", "active"), json!({ "subject": { "reference": "Patient/q" } })));
    let decision = open.decide(&Change::open(Some(&before), &after, NOW));
    assert_eq!(error(&decision), ("referral-immutable".into(), "ServiceRequest.subject".into()));
}

#[test]
fn provenance_names_what_was_written_why_and_for_whom() {
    let effect = Effect { resource: request("r", "completed"), reason: "Its Task was completed." };
    let actor = Actor {
        organisation: Some(Organisation { references: vec!["Organization/vcse".into()], identifiers: Vec::new() }),
        ..Actor::default()
    };
    let made = provenance(&effect, "ServiceRequest/r/_history/4", "Task/t/_history/5", NOW, &actor);
    assert_eq!(made["target"][0]["reference"], "ServiceRequest/r/_history/4");
    assert_eq!(made["entity"][0]["what"]["reference"], "Task/t/_history/5");
    assert_eq!(made["entity"][1]["what"]["reference"], "ServiceRequest/r/_history/3");
    assert_eq!(made["agent"][0]["onBehalfOf"]["reference"], "Organization/vcse");
    assert_eq!(made["recorded"], "2025-06-01T00:00:00.000000Z");
}
