//! What may happen to a social-prescribing ServiceRequest: it is sent once, follows its Tasks, and is closed for good.
//! The requester may revoke it or put it on hold; completing it is the server's, when the last Task is completed.

use serde_json::Value;

use super::element::{own_reference, same_reference, text};
use super::lookup::Loaded;
use super::sides::Sides;
use super::withdraw::Withdrawal;
use super::{Change, Decision, Settings, applies, duplicates, lifecycle::State};
use crate::fhir::issue::{Issue, IssueCode, Severity};

/// Which ServiceRequest.status may follow which by a client's change.
pub(super) const FOLLOWS: &[(&str, &[&str])] = &[
    ("draft", &["active", "on-hold", "revoked", "entered-in-error"]),
    ("active", &["on-hold", "revoked", "completed", "entered-in-error"]),
    ("on-hold", &["active", "revoked", "completed", "entered-in-error"]),
    ("revoked", &["entered-in-error"]),
    ("completed", &["entered-in-error"]),
    ("entered-in-error", &[]),
];

/// Decides on a change of a ServiceRequest.
pub(super) fn decide(change: &Change<'_>, loaded: &Loaded, settings: Settings) -> Decision {
    if !applies::is_referral(change.after) && !change.before.is_some_and(applies::is_referral) {
        return Decision::default();
    }
    let mut issues = Vec::new();
    let to = text(change.after, "status");
    let from = change.before.map(|before| text(before, "status"));
    issues.extend(check_caller(change, loaded));
    if let (Some(before), Some(from)) = (change.before, from) {
        issues.extend(check_status(from, to));
        issues.extend(check_subject(before, change.after, from));
        if to == "completed" && from != to && has_open_task(change.after, loaded) {
            let text = "A Task of this referral is still open. Complete the Task: the ServiceRequest follows it.";
            issues.push(refuse("referral-open-task", "ServiceRequest.status", text.to_owned()));
        }
    }
    let opened = matches!(to, "active" | "on-hold") && !matches!(from, Some("active" | "on-hold"));
    if opened {
        issues.extend(duplicates::of_request(change, loaded, settings));
    }
    let withdrawn = matches!(to, "revoked" | "entered-in-error") && from.is_some_and(|from| from != to);
    let mut effects = Vec::new();
    if withdrawn && !issues.iter().any(Issue::is_error) {
        let mut withdrawal = Withdrawal::new(loaded, change.now);
        withdrawal.of_request(change.after);
        effects = withdrawal.effects;
    }
    Decision { issues, effects, amended: None }
}

fn check_status(from: &str, to: &str) -> Option<Issue> {
    let (_, allowed) = FOLLOWS.iter().find(|(status, _)| *status == from)?;
    (from != to && !allowed.contains(&to)).then(|| {
        let next = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
        let text = format!("A referral that is {from} cannot become {to}; what may follow: {next}.");
        refuse("referral-request-status", "ServiceRequest.status", text)
    })
}

fn check_subject(before: &Value, after: &Value, from: &str) -> Option<Issue> {
    let sent = from != "draft";
    (sent && !same_reference(before.get("subject"), after.get("subject"))).then(|| {
        let text = "The patient of a sent referral stays. Mark this one entered-in-error and refer anew.";
        refuse("referral-immutable", "ServiceRequest.subject", text.to_owned())
    })
}

fn check_caller(change: &Change<'_>, loaded: &Loaded) -> Option<Issue> {
    let sides = Sides::of(change, loaded);
    (!sides.requester).then(|| {
        let text = "Only the organisation of ServiceRequest.requester may send or change this referral. A provider \
                    reports through its Task.";
        refuse("referral-actor", "ServiceRequest.requester", text.to_owned())
    })
}

fn has_open_task(request: &Value, loaded: &Loaded) -> bool {
    let focus = own_reference(request);
    let tasks = loaded.search("Task", &[("focus", &focus)]);
    tasks.iter().any(|task| State::of(text(task, "status")).is_some_and(State::is_open))
}

fn refuse(rule: &str, expression: &str, text: String) -> Issue {
    Issue::new(Severity::Error, IssueCode::BusinessRule, rule, text).at(expression)
}
