//! Withdrawing a referral withdraws what was built on it: the open Tasks of the ServiceRequest, the Tasks that are part of
//! them, and the ServiceRequests that only those served.

use serde_json::{Value, json};

use super::effects::Effect;
use super::element::{own_reference, target, text};
use super::lifecycle::State;
use super::lookup::Loaded;
use crate::clock::Micros;
use crate::fhir::temporal::format_instant;

/// How many levels of Task.partOf are followed.
const DEPTH: usize = 4;

/// Collects the effects of a withdrawal.
pub(super) struct Withdrawal<'a> {
    loaded: &'a Loaded,
    now: Micros,
    closed: Vec<String>,
    /// What must be written, in order.
    pub(super) effects: Vec<Effect>,
}

impl<'a> Withdrawal<'a> {
    /// Nothing withdrawn yet.
    pub(super) const fn new(loaded: &'a Loaded, now: Micros) -> Self {
        Self { loaded, now, closed: Vec::new(), effects: Vec::new() }
    }

    /// The ServiceRequest has been withdrawn: cancels its open Tasks and what is part of them.
    pub(super) fn of_request(&mut self, request: &Value) {
        let reference = own_reference(request);
        self.closed.push(reference.clone());
        for task in self.loaded.search("Task", &[("focus", &reference)]) {
            self.cancel(task, DEPTH);
        }
    }

    /// The Task has been withdrawn: cancels what is part of it.
    pub(super) fn of_task(&mut self, task: &Value) {
        self.closed.push(own_reference(task));
        self.parts_of(task, DEPTH);
    }

    fn parts_of(&mut self, task: &Value, depth: usize) {
        let reference = own_reference(task);
        for part in self.loaded.search("Task", &[("part-of", &reference)]) {
            self.cancel(part, depth);
        }
    }

    fn cancel(&mut self, task: &Value, depth: usize) {
        let reference = own_reference(task);
        let open = State::of(text(task, "status")).is_some_and(State::is_open);
        if depth == 0 || !open || self.closed.contains(&reference) {
            return;
        }
        self.closed.push(reference);
        let mut cancelled = task.clone();
        cancelled["status"] = json!("cancelled");
        cancelled["statusReason"] = json!({ "text": "The referral that this Task belongs to was withdrawn." });
        cancelled["lastModified"] = json!(format_instant(self.now));
        self.effects
            .push(Effect { resource: cancelled, reason: "The referral that the Task belongs to was withdrawn." });
        self.parts_of(task, depth - 1);
        self.revoke_focus(task);
    }

    /// Revokes the ServiceRequest of a cancelled Task, unless another open Task serves it.
    fn revoke_focus(&mut self, task: &Value) {
        let Some(("ServiceRequest", id)) = target(task, "focus") else { return };
        let reference = format!("ServiceRequest/{id}");
        if self.closed.contains(&reference) {
            return;
        }
        let others = self.loaded.search("Task", &[("focus", &reference)]);
        let served = others.iter().any(|other| {
            State::of(text(other, "status")).is_some_and(State::is_open) && !self.closed.contains(&own_reference(other))
        });
        let Some(request) = self.loaded.read("ServiceRequest", id).filter(|_| !served) else { return };
        self.closed.push(reference);
        if matches!(text(request, "status"), "draft" | "active" | "on-hold") {
            let mut revoked = request.clone();
            revoked["status"] = json!("revoked");
            self.effects.push(Effect { resource: revoked, reason: "The referral it is based on was withdrawn." });
        }
    }
}
