//! A second open referral of the same patient to the same service, and a second open Task for the same referral. Whether
//! that is refused (409) or only reported is the deployment's choice.

use serde_json::Value;

use super::codes::NHS_NUMBER;
use super::element::{identifier_key, list, local, own_reference, same_reference, target, text};
use super::lifecycle::State;
use super::lookup::{Loaded, escape};
use super::parties::organisation;
use super::{Change, Settings, applies};
use crate::fhir::issue::{Issue, IssueCode, Severity};

/// What becomes of a duplicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Duplicates {
    /// Not looked for.
    Ignore,
    /// Stored, with a warning issue.
    #[default]
    Warn,
    /// Refused with 409 and issue code `duplicate`.
    Refuse,
}

impl Duplicates {
    const fn severity(self) -> Option<Severity> {
        match self {
            Self::Ignore => None,
            Self::Warn => Some(Severity::Warning),
            Self::Refuse => Some(Severity::Error),
        }
    }
}

/// True where two referrals ask the same service: they share a performer, or neither names one; and they share a code, or
/// one of them has none. A referral that is based on the other or replaces it is its continuation, not its duplicate.
#[must_use]
pub fn same_service(one: &Value, other: &Value) -> bool {
    let (performers, others) = (list(one, "performer"), list(other, "performer"));
    let shared = performers.iter().any(|left| others.iter().any(|right| same_reference(Some(left), Some(right))));
    let (codes, other_codes) = (codes(one), codes(other));
    let agree = codes.is_empty() || other_codes.is_empty() || codes.iter().any(|code| other_codes.contains(code));
    let unnamed = performers.is_empty() && others.is_empty();
    (shared || unnamed) && agree && !continues(one, other) && !continues(other, one)
}

fn codes(request: &Value) -> Vec<(&str, &str)> {
    let codings = request.get("code").map(|code| list(code, "coding")).unwrap_or_default();
    codings.iter().map(|coding| (text(coding, "system"), text(coding, "code"))).collect()
}

fn continues(request: &Value, earlier: &Value) -> bool {
    let earlier = own_reference(earlier);
    let names = |name: &str| {
        list(request, name)
            .iter()
            .filter_map(|reference| local(text(reference, "reference")))
            .any(|(kind, id)| format!("{kind}/{id}") == earlier)
    };
    names("basedOn") || names("replaces")
}

/// The issue about another open referral of the patient to the same service.
pub(super) fn of_request(change: &Change<'_>, loaded: &Loaded, settings: Settings) -> Option<Issue> {
    let severity = settings.duplicates.severity()?;
    let own = own_reference(change.after);
    let duplicate = open_referrals(change.after, loaded, settings)
        .into_iter()
        .filter(|other| own_reference(other) != own && applies::is_referral(other))
        .filter(|other| !change.actor.limited || is_callers(change, other, loaded))
        .find(|other| same_service(change.after, other))?;
    let named = change.actor.organisation.is_none()
        || same_reference(change.after.get("requester"), duplicate.get("requester"));
    let which = if named { format!(" ({})", own_reference(duplicate)) } else { String::new() };
    let text = format!(
        "An open referral of this patient to the same service exists already{which}. Follow that one, revoke it first, or \
         name it in basedOn or replaces."
    );
    Some(Issue::new(severity, IssueCode::Duplicate, "referral-duplicate", text).at("ServiceRequest.subject"))
}

/// True where the caller's organisation asked for a referral, and so may be told of it.
fn is_callers(change: &Change<'_>, request: &Value, loaded: &Loaded) -> bool {
    let caller = change.actor.organisation.as_ref();
    caller.is_some_and(|caller| caller.is(&organisation(request.get("requester"), loaded)))
}

/// The issue about another open Task for the same ServiceRequest that is neither part of this one nor contains it.
pub(super) fn of_task(change: &Change<'_>, loaded: &Loaded, policy: Duplicates) -> Option<Issue> {
    let severity = policy.severity()?;
    let (_, id) = target(change.after, "focus").filter(|(kind, _)| *kind == "ServiceRequest")?;
    let focus = format!("ServiceRequest/{id}");
    let own = own_reference(change.after);
    let part_of =
        |task: &Value, whole: &str| list(task, "partOf").iter().any(|reference| text(reference, "reference") == whole);
    loaded
        .search("Task", &[("focus", &focus)])
        .iter()
        .filter(|other| own_reference(other) != own)
        .filter(|other| State::of(text(other, "status")).is_some_and(State::is_open))
        .find(|other| !part_of(change.after, &own_reference(other)) && !part_of(other, &own))?;
    let text = "Another Task for this referral is still open. Cancel that one before sending the referral elsewhere, or make \
                this one part of it (Task.partOf).";
    Some(Issue::new(severity, IssueCode::Duplicate, "referral-duplicate", text).at("Task.focus"))
}

fn open_referrals<'a>(request: &Value, loaded: &'a Loaded, settings: Settings) -> Vec<&'a Value> {
    let mut found = Vec::new();
    let patients = patients(request, loaded, settings);
    if !patients.is_empty() {
        let patients = patients.join(",");
        found.extend(loaded.search("ServiceRequest", &[("subject", &patients), ("status", OPEN)]));
    }
    if let Some((system, value)) = request.get("subject").and_then(identifier_key) {
        let token = format!("{}|{}", escape(system), escape(value));
        found.extend(loaded.search("ServiceRequest", &[("subject:identifier", &token), ("status", OPEN)]));
    }
    found
}

const OPEN: &str = "active,on-hold";

/// Every Patient resource that is this patient: the one referred to, and those with the same NHS number.
fn patients(request: &Value, loaded: &Loaded, settings: Settings) -> Vec<String> {
    let mut found = Vec::new();
    let mut numbers = Vec::new();
    if let Some(("Patient", id)) = target(request, "subject") {
        found.push(format!("Patient/{id}"));
        if settings.match_nhs_number {
            let identifiers = loaded.read("Patient", id).map(|patient| list(patient, "identifier")).unwrap_or_default();
            let nhs = identifiers.iter().filter(|identifier| text(identifier, "system") == NHS_NUMBER);
            numbers.extend(nhs.map(|identifier| text(identifier, "value")).filter(|value| !value.is_empty()));
        }
    }
    if let Some((NHS_NUMBER, value)) = request.get("subject").and_then(identifier_key) {
        numbers.push(value);
    }
    for number in numbers.into_iter().filter(|_| settings.match_nhs_number) {
        let token = format!("{NHS_NUMBER}|{}", escape(number));
        found.extend(loaded.search("Patient", &[("identifier", &token)]).iter().map(own_reference));
    }
    found.sort_unstable();
    found.dedup();
    found
}
