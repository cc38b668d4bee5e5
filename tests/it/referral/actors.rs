//! Who may do what, where the caller's organisation is known: every pair of states for every side.

use kith::referral::lifecycle::{Side, State, transition};
use kith::referral::{Actor, Change, Identifier, Organisation};
use serde_json::{Value, json};

use super::world::{NOW, World, but, error, errors, request, task};

fn actor(reference: &str) -> Actor {
    Actor {
        organisation: Some(Organisation { references: vec![reference.to_owned()], identifiers: Vec::new() }),
        ..Actor::default()
    }
}

fn by<'a>(actor: &'a Actor, before: Option<&'a Value>, after: &'a Value) -> Change<'a> {
    Change { actor, version_checked: true, ..Change::open(before, after, NOW) }
}

fn world() -> World {
    World::with(&[request("r", "active")])
}

#[test]
fn every_transition_for_every_side() {
    let (gp, vcse, other) = (actor("Organization/gp"), actor("Organization/vcse"), actor("Organization/other"));
    for from in State::ALL {
        for to in State::ALL {
            let Some(side) = transition(Some(from), to) else { continue };
            let (before, after) = (task("t", from.code()), task("t", to.code()));
            let refused = |actor: &Actor| errors(&world().decide(&by(actor, Some(&before), &after)));
            let wrong = vec![("referral-actor".to_owned(), "Task.status".to_owned())];
            let (requester, owner) = match side {
                Side::Requester => (true, false),
                Side::Owner => (false, true),
                Side::Either | Side::LastAuthor => (true, true),
            };
            for (who, may) in [(&gp, requester), (&vcse, owner), (&other, false)] {
                assert_eq!(refused(who), if may { Vec::new() } else { wrong.clone() }, "{from} to {to} by {who:?}");
            }
        }
    }
}

#[test]
fn a_closed_task_is_corrected_by_who_closed_it() {
    let author = Organisation { references: vec!["Organization/vcse".to_owned()], identifiers: Vec::new() };
    let (before, after) = (task("t", "completed"), task("t", "entered-in-error"));
    for (who, may) in [("Organization/gp", false), ("Organization/vcse", true)] {
        let actor = actor(who);
        let change = Change { last_author: Some(&author), ..by(&actor, Some(&before), &after) };
        assert_eq!(errors(&world().decide(&change)).is_empty(), may, "{who}");
    }
}

#[test]
fn only_the_requester_sends() {
    let after = task("t", "requested");
    let (gp, other) = (actor("Organization/gp"), actor("Organization/other"));
    assert_eq!(errors(&world().decide(&by(&gp, None, &after))), []);
    let decision = world().decide(&by(&other, None, &after));
    assert_eq!(error(&decision), ("referral-actor".into(), "Task.requester".into()));
}

#[test]
fn from_the_open_pool_a_provider_takes_for_itself_only() {
    let pool = but(&task("t", "requested"), json!({ "owner": null }));
    let claimed = task("t", "accepted");
    let (vcse, other, gp) = (actor("Organization/vcse"), actor("Organization/other"), actor("Organization/gp"));
    assert_eq!(errors(&world().decide(&by(&vcse, Some(&pool), &claimed))), []);
    let decision = world().decide(&by(&other, Some(&pool), &claimed));
    assert_eq!(error(&decision), ("referral-actor".into(), "Task.status".into()));
    let assigned = task("t", "requested");
    assert_eq!(errors(&world().decide(&by(&gp, Some(&pool), &assigned))), [], "the requester assigns");
}

#[test]
fn only_requester_or_owner_hand_a_referral_on() {
    let before = task("t", "received");
    let after = but(&before, json!({ "owner": { "reference": "Organization/other" } }));
    for (who, may) in [("Organization/gp", true), ("Organization/vcse", true), ("Organization/other", false)] {
        let actor = actor(who);
        assert_eq!(errors(&world().decide(&by(&actor, Some(&before), &after))).is_empty(), may, "{who}");
    }
}

#[test]
fn the_organisation_behind_a_role_a_service_or_a_person_counts() {
    let ods = json!([{ "system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "X99001" }]);
    let world = World::with(&[
        request("r", "active"),
        json!({ "resourceType": "Organization", "id": "surgery", "identifier": ods }),
        json!({ "resourceType": "PractitionerRole", "id": "role", "practitioner": { "reference": "Practitioner/gp" },
                "organization": { "reference": "Organization/surgery" } }),
        json!({ "resourceType": "HealthcareService", "id": "walks", "providedBy": { "reference": "Organization/surgery" } }),
    ]);
    let caller = Actor {
        organisation: Some(Organisation {
            references: Vec::new(),
            identifiers: vec![Identifier {
                system: "https://fhir.nhs.uk/Id/ods-organization-code".into(),
                value: "X99001".into(),
            }],
        }),
        ..Actor::default()
    };
    for requester in ["Organization/surgery", "PractitionerRole/role", "Practitioner/gp", "HealthcareService/walks"] {
        let after = but(&task("t", "requested"), json!({ "requester": { "reference": requester } }));
        assert_eq!(errors(&world.decide(&by(&caller, None, &after))), [], "{requester}");
    }
    let stranger = but(&task("t", "requested"), json!({ "requester": { "reference": "Practitioner/unknown" } }));
    assert_eq!(errors(&world.decide(&by(&caller, None, &stranger))).len(), 1);
    let logical = json!({ "requester": { "identifier": ods[0] } });
    assert_eq!(errors(&world.decide(&by(&caller, None, &but(&task("t", "requested"), logical)))), []);
}

#[test]
fn a_provider_does_not_rewrite_the_referral() {
    let before = request("r", "active");
    let after = request("r", "on-hold");
    for (who, may) in [("Organization/gp", true), ("Organization/vcse", false)] {
        let actor = actor(who);
        let decision = World::default().decide(&by(&actor, Some(&before), &after));
        assert_eq!(errors(&decision).is_empty(), may, "{who}");
    }
}
