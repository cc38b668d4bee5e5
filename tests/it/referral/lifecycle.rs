//! The lifecycle table, exhaustively: every pair of states, and creation in every state.

use std::collections::BTreeSet;

use kith::referral::Change;
use kith::referral::lifecycle::{Side, State, TRANSITIONS, allowed_now, transition};
use serde_json::json;

use super::world::{NOW, World, error, errors, request, task};

/// The table once more, written down by hand as rows of `from: to to to`; E = either side, R = requester, O = owner, A = author.
const EXPECTED: &[(&str, &str)] = &[
    ("draft", "requested/R cancelled/R entered-in-error/R"),
    ("requested", "received/O accepted/O rejected/O cancelled/E entered-in-error/R"),
    ("received", "accepted/O rejected/O cancelled/E entered-in-error/E"),
    ("accepted", "in-progress/O on-hold/O completed/O failed/O cancelled/E entered-in-error/E"),
    ("rejected", "entered-in-error/A"),
    ("in-progress", "on-hold/O completed/O failed/O cancelled/E entered-in-error/E"),
    ("on-hold", "in-progress/O completed/O failed/O cancelled/E entered-in-error/E"),
    ("completed", "entered-in-error/A"),
    ("failed", "entered-in-error/A"),
    ("cancelled", "entered-in-error/A"),
    ("entered-in-error", ""),
];

fn expected(from: State, to: State) -> Option<Side> {
    let row = EXPECTED.iter().find(|(state, _)| *state == from.code()).unwrap().1;
    let entry = row.split(' ').find_map(|entry| entry.strip_prefix(to.code())?.strip_prefix('/'))?;
    Some(match entry {
        "R" => Side::Requester,
        "O" => Side::Owner,
        "E" => Side::Either,
        _ => Side::LastAuthor,
    })
}

#[test]
fn every_pair_of_states_is_as_written_down() {
    for from in State::ALL {
        for to in State::ALL {
            assert_eq!(transition(Some(from), to), expected(from, to), "{from} to {to}");
        }
    }
    assert_eq!(TRANSITIONS.len(), 34);
}

#[test]
fn only_draft_and_requested_can_be_created() {
    for to in State::ALL {
        let allowed = matches!(to, State::Draft | State::Requested).then_some(Side::Requester);
        assert_eq!(transition(None, to), allowed, "{to}");
    }
}

#[test]
fn open_access_enforces_the_table_for_every_pair() {
    let world = World::with(&[request("r", "active")]);
    for from in State::ALL {
        for to in State::ALL {
            let (before, after) = (task("t", from.code()), task("t", to.code()));
            let decision = world.decide(&Change::open(Some(&before), &after, NOW));
            if from == to || expected(from, to).is_some() {
                assert_eq!(errors(&decision), [], "{from} to {to}");
            } else {
                let all = errors(&decision);
                assert!(all.contains(&("referral-transition".into(), "Task.status".into())), "{from} to {to}: {all:?}");
                assert_eq!(decision.effects, [], "{from} to {to}");
            }
        }
    }
}

#[test]
fn creation_is_enforced_for_every_state() {
    let world = World::with(&[request("r", "active")]);
    for to in State::ALL {
        let after = task("t", to.code());
        let decision = world.decide(&Change::open(None, &after, NOW));
        if transition(None, to).is_some() {
            assert_eq!(errors(&decision), [], "{to}");
        } else {
            assert_eq!(error(&decision), ("referral-transition".into(), "Task.status".into()), "{to}");
        }
    }
}

#[test]
fn a_refusal_says_what_is_allowed_now() {
    let world = World::with(&[request("r", "active")]);
    let (before, after) = (task("t", "requested"), task("t", "in-progress"));
    let decision = world.decide(&Change::open(Some(&before), &after, NOW));
    let text = &decision.issues[0].text;
    assert_eq!(
        text,
        "A referral cannot go from requested to in-progress. From requested the owner may go to received, accepted, \
         rejected; the requester may go to entered-in-error; either side may go to cancelled."
    );
    assert_eq!(allowed_now(Some(State::EnteredInError)), "Nothing follows entered-in-error");
    assert_eq!(allowed_now(None), "A referral Task is created as draft or requested");
    assert_eq!(decision.problem().unwrap().kind.status(), 422);
}

#[test]
fn no_way_leaves_a_terminal_state_but_to_entered_in_error() {
    for row in TRANSITIONS {
        if row.from.is_some_and(State::is_terminal) {
            assert_eq!(row.to, State::EnteredInError);
            assert_eq!(row.by, Side::LastAuthor);
        }
    }
}

#[test]
fn every_state_is_reached_from_creation_and_every_open_one_can_be_closed() {
    let follow = |from: Option<State>| TRANSITIONS.iter().filter(move |row| row.from == from).map(|row| row.to);
    let mut reached: BTreeSet<State> = follow(None).collect();
    loop {
        let more: BTreeSet<State> = reached.iter().flat_map(|state| follow(Some(*state))).collect();
        if more.is_subset(&reached) {
            break;
        }
        reached.extend(more);
    }
    assert_eq!(reached, State::ALL.into_iter().collect());
    for state in State::ALL.into_iter().filter(|state| state.is_open()) {
        assert!(follow(Some(state)).any(State::is_terminal), "{state}");
    }
}

#[test]
fn ready_is_no_state_of_a_referral() {
    let world = World::with(&[request("r", "active")]);
    let mut after = task("t", "requested");
    let before = after.clone();
    after["status"] = json!("ready");
    let decision = world.decide(&Change::open(Some(&before), &after, NOW));
    assert_eq!(error(&decision), ("referral-transition".into(), "Task.status".into()));
}
