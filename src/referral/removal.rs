//! What of a referral may be deleted. A referral that is under way is withdrawn, or marked as entered in error, so that the
//! other side learns of it; what was never sent, and what is closed, may go. Asked by `decide_removal`.

use serde_json::Value;

use super::element::text;
use super::lifecycle::State;
use super::lookup::Loaded;
use super::{Change, Decision, applies, task};
use crate::fhir::issue::{Issue, IssueCode, Severity};

/// States of a ServiceRequest in which it may be deleted.
pub const REQUEST: &[&str] = &["draft", "revoked", "completed", "entered-in-error"];

/// True where a Task in this state may be deleted.
#[must_use]
pub fn may_go(state: State) -> bool {
    state == State::Draft || state.is_terminal()
}

/// Decides whether a resource may be deleted.
pub(super) fn decide(before: &Value, loaded: &Loaded) -> Decision {
    let status = text(before, "status");
    let refused = match text(before, "resourceType") {
        "Task" => {
            State::of(status).is_some_and(|state| !may_go(state))
                && task::is_referral(&Change::open(Some(before), before, 0), loaded)
        }
        "ServiceRequest" => applies::is_referral(before) && !REQUEST.contains(&status),
        _ => false,
    };
    let issue = || {
        let text = format!(
            "A referral that is {status} is not deleted. Cancel it (Task.status cancelled, ServiceRequest.status revoked), \
             or mark it as entered-in-error."
        );
        Issue::new(Severity::Error, IssueCode::BusinessRule, "referral-delete", text).at("http.url")
    };
    Decision { issues: refused.then(issue).into_iter().collect(), ..Decision::default() }
}
