//! The referral: pure decisions about a change of a referral's Task or ServiceRequest, without input or output. The write
//! path calls [`check`] before its transaction and [`decide`] inside it:
//!
//! 1. `decide` answers [`Step::Load`] with what it must see; the shell loads that into [`Loaded`] and asks again
//!    (a few rounds at most, since nothing is asked for twice);
//! 2. then `decide` answers [`Step::Done`] with a [`Decision`]: issues (an error refuses the change), the content to store,
//!    and effects, each of which becomes a new version of another resource with a Provenance.
//!
//! What is no referral ([`applies`]) gets an empty decision.

pub mod applies;
pub mod codes;
pub mod duplicates;
pub mod effects;
mod element;
mod follow;
pub mod lifecycle;
pub mod lookup;
pub mod objections;
pub mod parties;
pub mod person;
mod removal;
mod request;
mod sides;
mod task;
mod withdraw;

use serde_json::Value;

use crate::clock::Micros;
use crate::fhir::issue::{Issue, IssueCode};
use crate::problem::{Kind, Problem};
pub use codes::IMPLEMENTATION_GUIDE;
pub use duplicates::Duplicates;
pub use effects::{Effect, provenance};
pub use lookup::{Loaded, Lookup, escape};
pub use objections::{Objection, objections};
pub use parties::{Identifier, Organisation, Party, Role, parties};

/// Who makes the change.
#[derive(Debug, Clone, Default)]
pub struct Actor {
    /// The organisation for which the caller acts; none under open access, where the table is enforced without asking who.
    pub organisation: Option<Organisation>,
    /// The side that the caller's role does not act on, whatever the organisation.
    pub barred: Option<lifecycle::Side>,
    /// True where it must not learn of the referrals of others.
    pub limited: bool,
}

/// A change of one resource, as the client asks for it.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The current version; none when the resource is created (or comes back after a delete).
    pub before: Option<&'a Value>,
    /// The content wanted, with `resourceType` and `id`, references within a transaction already resolved.
    pub after: &'a Value,
    /// Who asks.
    pub actor: &'a Actor,
    /// True where the client named the version it changes (`If-Match`), and so has seen what it replaces.
    pub version_checked: bool,
    /// True where [`stamp_new`] has been at `after`.
    pub stamped: bool,
    /// The organisation that wrote `before`, where it is known.
    pub last_author: Option<&'a Organisation>,
    /// The instant of the write.
    pub now: Micros,
}

impl<'a> Change<'a> {
    /// A change under open access: no organisation, no `If-Match`.
    #[must_use]
    pub fn open(before: Option<&'a Value>, after: &'a Value, now: Micros) -> Self {
        const OPEN: &Actor = &Actor { organisation: None, barred: None, limited: false };
        Self { before, after, actor: OPEN, version_checked: false, stamped: false, last_author: None, now }
    }
}

/// What a deployment may choose.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// What becomes of a second open referral of a patient to the same service.
    pub duplicates: Duplicates,
    /// Look for the patient's referrals under every Patient resource with the same NHS number.
    pub match_nhs_number: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { duplicates: Duplicates::Warn, match_nhs_number: true }
    }
}

/// What the rules say of a change.
#[derive(Debug, Default)]
pub struct Decision {
    /// Errors refuse the change; warnings go along with it.
    pub issues: Vec<Issue>,
    /// Further writes that the change causes, in order; empty where the change is refused.
    pub effects: Vec<Effect>,
    /// The content to store instead of the client's, where the server adds to it.
    pub amended: Option<Value>,
}

impl Decision {
    /// The refusal, where there is one: 409 for a duplicate or a lost claim, else 422.
    #[must_use]
    pub fn problem(&self) -> Option<Problem> {
        let errors = || self.issues.iter().filter(|issue| issue.is_error());
        let kind = match errors().map(|issue| issue.code).next()? {
            _ if errors().any(|issue| issue.code == IssueCode::BusinessRule) => Kind::BusinessRule,
            IssueCode::Duplicate => Kind::Duplicate,
            IssueCode::Conflict => Kind::Conflict,
            _ => Kind::BusinessRule,
        };
        Some(Problem::with_issues(kind, self.issues.clone()))
    }
}

/// The next step of a decision.
#[derive(Debug)]
pub enum Step {
    /// Load these, insert the answers into [`Loaded`], ask again.
    Load(Vec<Lookup>),
    /// Decided.
    Done(Decision),
}

/// True for the resource types whose changes must be decided on.
#[must_use]
pub fn concerns(resource_type: &str) -> bool {
    matches!(resource_type, "Task" | "ServiceRequest")
}

/// Sets the server's `lastModified` in a Task that is sure to be a referral's. Says whether it did.
pub fn stamp_new(resource: &mut Value, now: Micros) -> bool {
    let stamps = applies::is_referral_task(resource);
    if stamps {
        resource["lastModified"] = task::stamp_of(resource, now);
    }
    stamps
}

/// Makes the references that the rules follow relative, where they name this server by its `base` address: an absolute
/// reference must not hide what a Task is about.
pub fn localise(resource: &mut Value, base: &str) {
    if concerns(element::text(resource, "resourceType")) {
        element::localise(resource, base);
    }
}

/// The rules that look at nothing but the new content of a resource that says itself that it is a referral Task: to be
/// reported together with the issues of validation.
#[must_use]
pub fn check(after: &Value) -> Vec<Issue> {
    if applies::is_referral_task(after) { task::check_content(after) } else { Vec::new() }
}

/// What must be locked before `after` is compared with anything, so that two changes of one referral, or two referrals of
/// one patient, are decided one after the other where the database would let them pass each other. Sorted.
#[must_use]
pub fn locks(after: &Value, settings: Settings) -> Vec<String> {
    let mut keys: Vec<String> = match element::text(after, "resourceType") {
        "Task" if element::target(after, "focus").is_some_and(|(kind, _)| kind == "ServiceRequest") => {
            let whole = element::list(after, "partOf").iter().map(|whole| element::text(whole, "reference"));
            let focus = after.get("focus").map(|focus| element::text(focus, "reference"));
            let named = whole.chain(focus).filter_map(element::local).map(|(kind, id)| format!("{kind}/{id}"));
            named.chain([element::own_reference(after)]).collect()
        }
        "ServiceRequest" if applies::is_referral(after) => {
            let looked_for = settings.duplicates != Duplicates::Ignore;
            let patient = element::target(after, "subject").filter(|_| looked_for);
            let patient = patient.map(|(kind, id)| format!("{kind}/{id}"));
            patient.into_iter().chain([element::own_reference(after)]).collect()
        }
        _ => Vec::new(),
    };
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Decides whether a resource may be deleted, or says what must be loaded first.
#[must_use]
pub fn decide_removal(before: &Value, loaded: &Loaded) -> Step {
    let decision = removal::decide(before, loaded);
    let missing = loaded.take_missing();
    if missing.is_empty() { Step::Done(decision) } else { Step::Load(missing) }
}

/// Decides on a change, or says what must be loaded first.
#[must_use]
pub fn decide(change: &Change<'_>, loaded: &Loaded, settings: Settings) -> Step {
    let decision = match element::text(change.after, "resourceType") {
        "Task" => task::decide(change, loaded, settings),
        "ServiceRequest" => request::decide(change, loaded, settings),
        _ => Decision::default(),
    };
    let missing = loaded.take_missing();
    if missing.is_empty() { Step::Done(decision) } else { Step::Load(missing) }
}
