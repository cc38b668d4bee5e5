//! How ServiceRequest and parent Task follow a Task. The server closes the ServiceRequest, as an effect of its last Task:
//!
//! | Task becomes | ServiceRequest |
//! |---|---|
//! | requested, received, accepted, in-progress | active (from draft, or from on-hold with the Task) |
//! | on-hold | on-hold, unless another Task is open |
//! | completed | completed, unless another Task is open |
//! | rejected, failed, cancelled by the owner | stays active, to be sent elsewhere |
//! | cancelled by the requester | revoked, unless another Task is open; Tasks that are part of this one are cancelled |
//! | entered-in-error before anybody took it up, the only Task | entered-in-error |
//!
//! A completed Task that is part of another is added to that other's outputs; closing the other is left to its owner.

use serde_json::{Value, json};

use super::Change;
use super::codes::TASK_PARAMETER;
use super::effects::Effect;
use super::element::{list, local, own_reference, target, text};
use super::lifecycle::State;
use super::lookup::Loaded;
use super::sides::Sides;
use super::withdraw::Withdrawal;
use crate::fhir::temporal::format_instant;

/// The effects of a Task that goes from `from` to `to`.
pub(super) fn effects(
    change: &Change<'_>,
    from: Option<State>,
    to: State,
    sides: Sides,
    loaded: &Loaded,
) -> Vec<Effect> {
    if from == Some(to) {
        return Vec::new();
    }
    let withdrawn = to == State::Cancelled && sides.requester;
    let mut effects: Vec<Effect> = request_follows(change.after, from, to, withdrawn, loaded).into_iter().collect();
    if to == State::Completed {
        effects.extend(parent_learns(change, loaded));
    }
    if withdrawn {
        let mut withdrawal = Withdrawal::new(loaded, change.now);
        withdrawal.of_task(change.after);
        let known: Vec<String> = effects.iter().map(Effect::reference).collect();
        effects.extend(withdrawal.effects.into_iter().filter(|effect| !known.contains(&effect.reference())));
    }
    effects
}

fn request_follows(task: &Value, from: Option<State>, to: State, withdrawn: bool, loaded: &Loaded) -> Option<Effect> {
    let (_, id) = target(task, "focus").filter(|(kind, _)| *kind == "ServiceRequest")?;
    let request = loaded.read("ServiceRequest", id)?;
    let status = text(request, "status");
    let focus = format!("ServiceRequest/{id}");
    let others = || {
        let own = own_reference(task);
        loaded.search("Task", &[("focus", &focus)]).iter().filter(move |other| own_reference(other) != own)
    };
    let alone = || !others().any(|other| State::of(text(other, "status")).is_some_and(State::is_open));
    let open = matches!(status, "draft" | "active" | "on-hold");
    let (new, reason) = match to {
        State::Requested | State::Received | State::Accepted | State::InProgress => {
            let resumed = status == "on-hold" && from == Some(State::OnHold);
            (status == "draft" || resumed).then_some(("active", "Its Task was sent or taken up again."))?
        }
        State::OnHold => (status == "active" && alone()).then_some(("on-hold", "Its Task was put on hold."))?,
        State::Completed => (open && alone()).then_some(("completed", "Its Task was completed."))?,
        State::Cancelled => {
            (open && withdrawn && alone()).then_some(("revoked", "The requester cancelled its Task."))?
        }
        State::EnteredInError => {
            let untouched = matches!(from, Some(State::Draft | State::Requested));
            (open && untouched && others().next().is_none())
                .then_some(("entered-in-error", "Its only Task was entered in error before anybody took it up."))?
        }
        State::Draft | State::Rejected | State::Failed => return None,
    };
    let mut resource = request.clone();
    resource["status"] = json!(new);
    Some(Effect { resource, reason })
}

/// Adds a completed Task to the outputs of the open Task that it is part of.
fn parent_learns(change: &Change<'_>, loaded: &Loaded) -> Option<Effect> {
    let reference = text(list(change.after, "partOf").first()?, "reference");
    let (_, id) = local(reference).filter(|(kind, _)| *kind == "Task")?;
    let parent = loaded.read("Task", id)?;
    let own = own_reference(change.after);
    let open = State::of(text(parent, "status")).is_some_and(State::is_open);
    let told = list(parent, "output")
        .iter()
        .any(|output| output.get("valueReference").is_some_and(|value| text(value, "reference") == own));
    if !open || told {
        return None;
    }
    let mut resource = parent.clone();
    let mut output = list(parent, "output").to_vec();
    output.push(json!({
        "type": { "coding": [{ "system": TASK_PARAMETER, "code": "part-outcome" }] },
        "valueReference": { "reference": own }
    }));
    resource["output"] = Value::Array(output);
    resource["lastModified"] = json!(format_instant(change.now));
    Some(Effect { resource, reason: "A Task that is part of it was completed." })
}
