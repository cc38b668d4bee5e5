//! What may happen to a referral Task: the lifecycle table, reasons, outputs, owners, what stays as it was sent.
//! Called by `decide`; `check_content` also before the transaction.

use serde_json::{Value, json};

use super::element::{list, same_reference, target, text};
use super::lifecycle::{Side, State, allowed_now, transition};
use super::lookup::Loaded;
use super::sides::Sides;
use super::{Change, Decision, Settings, applies, duplicates, follow};
use crate::clock::Micros;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::temporal::{DateTime, format_instant};

/// Elements that stay as they were once the referral has been sent.
const AS_SENT: &[&str] = &["intent", "code", "focus", "for", "partOf", "requester", "authoredOn"];
/// Elements that may still change in a closed Task: what was learnt afterwards.
const AFTER_CLOSE: &[&str] = &["meta", "text", "note", "output", "businessStatus", "lastModified", "extension"];
/// Elements that may still change in a Task that was entered in error.
const AFTER_ERROR: &[&str] = &["meta", "text", "note", "lastModified"];

/// Decides on a change of a Task.
pub(super) fn decide(change: &Change<'_>, loaded: &Loaded, settings: Settings) -> Decision {
    let Some(to) = State::of(text(change.after, "status")) else {
        return if is_referral(change, loaded) { unusable_status(change) } else { Decision::default() };
    };
    if !is_referral(change, loaded) {
        return Decision::default();
    }
    let from = change.before.and_then(|before| State::of(text(before, "status")));
    let sides = Sides::of(change, loaded);
    let mut issues = check_content(change.after);
    issues.extend(check_transition(change, from, to, sides));
    if let Some(before) = change.before {
        issues.extend(check_unchanged(before, change.after, from, to));
        issues.extend(check_owner(change, before, from, sides));
    }
    issues.extend(check_focus(change, to, from, loaded));
    if to.is_open() && from.is_none_or(|from| from == State::Draft) {
        issues.extend(duplicates::of_task(change, loaded, settings.duplicates));
    }
    let refused = issues.iter().any(Issue::is_error);
    let effects = if refused { Vec::new() } else { follow::effects(change, from, to, sides, loaded) };
    Decision { issues, effects, amended: stamped(change) }
}

/// The rules about the content of one version: reason, output, owner.
pub(super) fn check_content(task: &Value) -> Vec<Issue> {
    let Some(state) = State::of(text(task, "status")) else { return Vec::new() };
    let mut issues = Vec::new();
    let reason = task.get("statusReason").map(|reason| text(reason, "text").trim()).unwrap_or_default();
    if state.wants_reason() && reason.is_empty() {
        issues.push(refuse(
            "referral-status-reason",
            "Task.statusReason",
            format!(
                "A referral that is {state} must say why: give Task.statusReason.text (a coding may stand beside it)."
            ),
        ));
    }
    if state == State::Completed && list(task, "output").is_empty() {
        issues.push(refuse(
            "referral-output",
            "Task.output",
            "A completed referral must say what came of it: give at least one Task.output (a Procedure, Observation, \
             QuestionnaireResponse, Communication or document)."
                .to_owned(),
        ));
    }
    if state.wants_owner() && task.get("owner").is_none() {
        issues.push(refuse(
            "referral-owner",
            "Task.owner",
            format!("A referral that is {state} must have an owner: set Task.owner to the provider that takes it on."),
        ));
    }
    issues
}

pub(super) fn is_referral(change: &Change<'_>, loaded: &Loaded) -> bool {
    let by_itself = |task: &Value| applies::is_referral_task(task);
    let by_focus = |task: &Value| match target(task, "focus") {
        Some(("ServiceRequest", id)) => loaded.read("ServiceRequest", id).is_some_and(applies::is_referral),
        _ => false,
    };
    by_itself(change.after)
        || change.before.is_some_and(by_itself)
        || by_focus(change.after)
        || change.before.is_some_and(by_focus)
}

fn unusable_status(change: &Change<'_>) -> Decision {
    let from = change.before.and_then(|before| State::of(text(before, "status")));
    let text = format!("This status is not used for referrals. {}.", allowed_now(from));
    Decision { issues: vec![refuse("referral-transition", "Task.status", text)], ..Decision::default() }
}

fn check_transition(change: &Change<'_>, from: Option<State>, to: State, sides: Sides) -> Option<Issue> {
    let side = if from == Some(to) {
        if to == State::Draft { Side::Requester } else { Side::Either }
    } else if let Some(side) = transition(from, to) {
        side
    } else if change.before.is_some() && from.is_none() {
        return None; // a Task that was no referral before and had no status the table knows
    } else {
        let text = format!("A referral cannot go {} to {to}. {}.", origin(from), allowed_now(from));
        return Some(refuse("referral-transition", "Task.status", text));
    };
    (!sides.may(side)).then(|| {
        let now = allowed_now(from);
        let text = format!("Only {} may make this change, and the caller's organisation is not. {now}.", side.name());
        refuse("referral-actor", if from.is_none() { "Task.requester" } else { "Task.status" }, text)
    })
}

fn origin(from: Option<State>) -> String {
    from.map_or_else(|| "from nothing".to_owned(), |state| format!("from {state}"))
}

fn check_unchanged(before: &Value, after: &Value, from: Option<State>, to: State) -> Vec<Issue> {
    let Some(from) = from.filter(|from| *from != State::Draft) else { return Vec::new() };
    if from.is_terminal() && from == to {
        return check_closed(before, after, from);
    }
    let mut issues: Vec<Issue> = AS_SENT
        .iter()
        .filter(|name| !same_element(before, after, name))
        .map(|name| {
            let text = format!("Task.{name} stays as it was sent. To change it, cancel this Task and send a new one.");
            refuse("referral-immutable", format!("Task.{name}"), text)
        })
        .collect();
    let kept = |identifier: &Value| list(after, "identifier").iter().any(|other| same_identifier(identifier, other));
    if !list(before, "identifier").iter().all(kept) {
        let text = "The identifiers of a sent referral stay; further ones may be added.".to_owned();
        issues.push(refuse("referral-immutable", "Task.identifier", text));
    }
    issues
}

fn check_closed(before: &Value, after: &Value, state: State) -> Vec<Issue> {
    let open = if state == State::EnteredInError { AFTER_ERROR } else { AFTER_CLOSE };
    let names = [before, after].into_iter().filter_map(Value::as_object).flat_map(|object| object.keys());
    let mut changed: Vec<&String> = names
        .filter(|name| !open.contains(&name.trim_start_matches('_')) && before.get(*name) != after.get(*name))
        .collect();
    changed.sort_unstable();
    changed.dedup();
    changed
        .into_iter()
        .map(|name| {
            let text = format!("The Task is {state} and closed; only {} may still change.", open.join(", "));
            refuse("referral-closed", format!("Task.{}", name.trim_start_matches('_')), text)
        })
        .collect()
}

fn same_element(before: &Value, after: &Value, name: &str) -> bool {
    match name {
        "focus" | "for" | "requester" => same_reference(before.get(name), after.get(name)),
        "partOf" => {
            let (one, other) = (list(before, name), list(after, name));
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same_reference(Some(a), Some(b)))
        }
        "code" => codings(before).eq(codings(after)),
        _ => before.get(name) == after.get(name),
    }
}

fn codings(task: &Value) -> impl Iterator<Item = (&str, &str)> {
    let codings = task.get("code").map(|code| list(code, "coding")).unwrap_or_default();
    codings.iter().map(|coding| (text(coding, "system"), text(coding, "code")))
}

fn same_identifier(one: &Value, other: &Value) -> bool {
    text(one, "system") == text(other, "system") && text(one, "value") == text(other, "value")
}

fn check_owner(change: &Change<'_>, before: &Value, from: Option<State>, sides: Sides) -> Option<Issue> {
    let from = from.filter(|from| *from != State::Draft)?;
    let (old, new) = (before.get("owner"), change.after.get("owner"));
    if from.is_terminal() || same_reference(old, new) {
        return None;
    }
    if !matches!(from, State::Requested | State::Received) {
        let text = "The owner of a referral changes only while it is requested or received. To move it on, the owner \
                    rejects or cancels, and the requester sends a new Task with the same focus.";
        return Some(refuse("referral-owner", "Task.owner", text.to_owned()));
    }
    old?; // else a claim from the open pool: whoever sets itself acts as the owner (see `Sides::of`)
    if !sides.may(Side::Either) {
        let text = "The referral has an owner already; only its requester or that owner may hand it to another.";
        return Some(refuse("referral-actor", "Task.owner", text.to_owned()));
    }
    (!change.version_checked).then(|| {
        let text = "The referral has an owner already. To hand it to another, read it and send If-Match with the \
                    version you have seen.";
        Issue::new(Severity::Error, IssueCode::Conflict, "referral-claimed", text).at("Task.owner")
    })
}

fn check_focus(change: &Change<'_>, to: State, from: Option<State>, loaded: &Loaded) -> Option<Issue> {
    let sent = to.is_open() && from.is_none_or(|from| from == State::Draft);
    let (_, id) = target(change.after, "focus").filter(|(kind, _)| sent && *kind == "ServiceRequest")?;
    let status = text(loaded.read("ServiceRequest", id)?, "status");
    matches!(status, "completed" | "revoked" | "entered-in-error").then(|| {
        let text =
            format!("The referral's ServiceRequest is {status}: no further Task may be sent for it. Refer anew.");
        refuse("referral-focus-closed", "Task.focus", text)
    })
}

/// The Task with the server's `lastModified`, where anything but that changed and it has not got it yet.
fn stamped(change: &Change<'_>) -> Option<Value> {
    if change.stamped && change.before.is_none() {
        return None;
    }
    let without = |task: &Value| {
        let mut task = task.clone();
        if let Some(object) = task.as_object_mut() {
            object.shift_remove("lastModified");
            object.shift_remove("meta");
        }
        task
    };
    let unchanged = change.before.filter(|before| without(before) == without(change.after));
    let stamp = unchanged.and_then(|before| before.get("lastModified")).cloned();
    let stamp = stamp.unwrap_or_else(|| stamp_of(change.after, change.now));
    (change.after.get("lastModified") != Some(&stamp)).then(|| {
        let mut amended = change.after.clone();
        amended["lastModified"] = stamp;
        amended
    })
}

/// When a Task was changed that is changed now: never before `authoredOn` (base invariant inv-1), even where the sender's clock
/// runs ahead of ours.
pub(super) fn stamp_of(task: &Value, now: Micros) -> Value {
    let authored = DateTime::parse(text(task, "authoredOn")).map_or(now, |at| at.interval().0);
    json!(format_instant(now.max(authored)))
}

fn refuse(rule: &str, expression: impl Into<String>, text: String) -> Issue {
    Issue::new(Severity::Error, IssueCode::BusinessRule, rule, text).at(expression)
}
