//! The life of a referral Task as one table: which status may follow which, and who may say so. Asked by the checks in
//! `task`, printed in README and CapabilityStatement. The states are those of FHIR R4 Task.status
//! (<https://hl7.org/fhir/R4/valueset-task-status.html>) without `ready`, which a referral does not use.

use std::fmt;

/// Task.status of a referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Being written by the requester; nobody acts on it.
    Draft,
    /// Sent: to its owner, or to the open pool where it has none.
    Requested,
    /// In the owner's triage queue.
    Received,
    /// The owner will do it.
    Accepted,
    /// The owner will not do it.
    Rejected,
    /// Under way.
    InProgress,
    /// Paused, with a reason.
    OnHold,
    /// Done, with an output.
    Completed,
    /// Begun and could not be finished.
    Failed,
    /// Withdrawn.
    Cancelled,
    /// Should never have been recorded.
    EnteredInError,
}

impl State {
    /// Every state, in the order of a referral's life.
    pub const ALL: [Self; 11] = [
        Self::Draft,
        Self::Requested,
        Self::Received,
        Self::Accepted,
        Self::Rejected,
        Self::InProgress,
        Self::OnHold,
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
        Self::EnteredInError,
    ];

    /// The FHIR code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Requested => "requested",
            Self::Received => "received",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::InProgress => "in-progress",
            Self::OnHold => "on-hold",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::EnteredInError => "entered-in-error",
        }
    }

    /// The state with this FHIR code; none for `ready` and for what is no Task status at all.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// True where somebody still has to do something.
    #[must_use]
    pub const fn is_open(self) -> bool {
        !self.is_terminal()
    }

    /// True where only a correction to entered-in-error may follow, or nothing at all.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Rejected | Self::Completed | Self::Failed | Self::Cancelled | Self::EnteredInError)
    }

    /// True where statusReason.text must say why.
    #[must_use]
    pub const fn wants_reason(self) -> bool {
        matches!(self, Self::Rejected | Self::Cancelled | Self::OnHold | Self::Failed)
    }

    /// True where Task.owner must be known: somebody has taken the Task in hand.
    #[must_use]
    pub const fn wants_owner(self) -> bool {
        !matches!(self, Self::Draft | Self::Requested | Self::Cancelled | Self::EnteredInError)
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

/// Who may make a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The organisation of Task.requester.
    Requester,
    /// The organisation of Task.owner; where there is none yet, the one that makes itself the owner.
    Owner,
    /// Requester or owner.
    Either,
    /// The organisation that wrote the version which is current now.
    LastAuthor,
}

impl Side {
    /// How texts name the side.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requester => "the requester",
            Self::Owner => "the owner",
            Self::Either => "either side",
            Self::LastAuthor => "the author of the current version",
        }
    }
}

/// One row of the table: `from` may become `to` when `by` says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// The status now; none when the Task is created.
    pub from: Option<State>,
    /// The status wanted.
    pub to: State,
    /// Who may.
    pub by: Side,
}

const fn create(to: State) -> Transition {
    Transition { from: None, to, by: Side::Requester }
}

const fn row(from: State, to: State, by: Side) -> Transition {
    Transition { from: Some(from), to, by }
}

/// The whole lifecycle. Cancelling is open to both sides while anything is still to be done: a referral is withdrawn by
/// the requester, and given back by the owner. Terminal states have one way out, the correction of a wrong record.
pub const TRANSITIONS: &[Transition] = {
    use Side::{Either, LastAuthor, Owner, Requester};
    use State::{
        Accepted, Cancelled, Completed, Draft, EnteredInError, Failed, InProgress, OnHold, Received, Rejected,
        Requested,
    };
    &[
        create(Draft),
        create(Requested),
        row(Draft, Requested, Requester),
        row(Draft, Cancelled, Requester),
        row(Draft, EnteredInError, Requester),
        row(Requested, Received, Owner),
        row(Requested, Accepted, Owner),
        row(Requested, Rejected, Owner),
        row(Requested, Cancelled, Either),
        row(Requested, EnteredInError, Requester),
        row(Received, Accepted, Owner),
        row(Received, Rejected, Owner),
        row(Received, Cancelled, Either),
        row(Received, EnteredInError, Either),
        row(Accepted, InProgress, Owner),
        row(Accepted, OnHold, Owner),
        row(Accepted, Completed, Owner),
        row(Accepted, Failed, Owner),
        row(Accepted, Cancelled, Either),
        row(Accepted, EnteredInError, Either),
        row(InProgress, OnHold, Owner),
        row(InProgress, Completed, Owner),
        row(InProgress, Failed, Owner),
        row(InProgress, Cancelled, Either),
        row(InProgress, EnteredInError, Either),
        row(OnHold, InProgress, Owner),
        row(OnHold, Completed, Owner),
        row(OnHold, Failed, Owner),
        row(OnHold, Cancelled, Either),
        row(OnHold, EnteredInError, Either),
        row(Rejected, EnteredInError, LastAuthor),
        row(Completed, EnteredInError, LastAuthor),
        row(Failed, EnteredInError, LastAuthor),
        row(Cancelled, EnteredInError, LastAuthor),
    ]
};

/// Who may take a Task from `from` (none: create it) to `to`; none where nobody may.
#[must_use]
pub fn transition(from: Option<State>, to: State) -> Option<Side> {
    TRANSITIONS.iter().find(|row| row.from == from && row.to == to).map(|row| row.by)
}

/// Says in one sentence what may follow `from`, grouped by who may do it.
#[must_use]
pub fn allowed_now(from: Option<State>) -> String {
    let groups: Vec<String> = [Side::Owner, Side::Requester, Side::Either, Side::LastAuthor]
        .into_iter()
        .filter_map(|side| {
            let states: Vec<&str> =
                TRANSITIONS.iter().filter(|row| row.from == from && row.by == side).map(|row| row.to.code()).collect();
            (!states.is_empty()).then(|| format!("{} may go to {}", side.name(), states.join(", ")))
        })
        .collect();
    match from {
        None => "A referral Task is created as draft or requested".to_owned(),
        Some(state) if groups.is_empty() => format!("Nothing follows {state}"),
        Some(state) => format!("From {state} {}", groups.join("; ")),
    }
}
