//! Which organisations take part in a referral: read from Task and ServiceRequest, by literal reference or by identifier.
//! The write path keeps them as index rows; the rules compare them with the caller's organisation.

use serde_json::Value;

use super::element::{identifier_key, list, local, own_reference, target, text};
use super::lookup::Loaded;

/// The part somebody plays in a referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Asked for it: Task.requester, ServiceRequest.requester.
    Requester,
    /// Does it: Task.owner.
    Owner,
    /// Is wished to do it: ServiceRequest.performer.
    Performer,
    /// Is told of it: Task.restriction.recipient.
    Recipient,
    /// Was to do it and declined, or it was a mistake: Task.owner.
    FormerOwner,
    /// May take it from the open pool: Task.restriction.recipient, or anybody.
    Pool,
}

/// Stands for every organisation.
pub const ANYBODY: &str = "*";

impl Role {
    /// A short stable name, as stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Requester => "requester",
            Self::Owner => "owner",
            Self::Performer => "performer",
            Self::Recipient => "recipient",
            Self::FormerOwner => "former-owner",
            Self::Pool => "pool",
        }
    }
}

/// A business identifier.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identifier {
    /// Namespace, for example the ODS system; may be empty.
    pub system: String,
    /// The value in it.
    pub value: String,
}

/// One who takes part, as the resource names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Party {
    /// Which part.
    pub role: Role,
    /// Literal reference (`Type/id` or absolute), without a version.
    pub reference: Option<String>,
    /// Logical reference.
    pub identifier: Option<Identifier>,
}

/// An organisation as far as it is known: every reference and identifier by which resources may name it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Organisation {
    /// `Organization/id` and what belongs to it (`HealthcareService/id`, `PractitionerRole/id` …).
    pub references: Vec<String>,
    /// ODS code, charity number …
    pub identifiers: Vec<Identifier>,
}

impl Organisation {
    /// True where the two share a reference or an identifier.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.references.iter().any(|reference| other.references.contains(reference))
            || self.identifiers.iter().any(|identifier| other.identifiers.contains(identifier))
    }

    fn absorb(&mut self, other: Self) {
        self.references.extend(other.references);
        self.identifiers.extend(other.identifiers);
    }
}

/// The parties that a Task or ServiceRequest names; empty for any other resource.
#[must_use]
pub fn parties(resource: &Value) -> Vec<Party> {
    let one = |name: &str, role| resource.get(name).and_then(|reference| party(role, reference));
    match text(resource, "resourceType") {
        "Task" => {
            let owner = owning(text(resource, "status")).and_then(|role| one("owner", role));
            let recipients = recipients(resource).filter_map(|reference| party(Role::Recipient, reference));
            one("requester", Role::Requester).into_iter().chain(owner).chain(recipients).chain(pool(resource)).collect()
        }
        "ServiceRequest" => one("requester", Role::Requester)
            .into_iter()
            .chain(list(resource, "performer").iter().filter_map(|reference| party(Role::Performer, reference)))
            .collect(),
        _ => Vec::new(),
    }
}

fn recipients(task: &Value) -> impl Iterator<Item = &Value> {
    task.get("restriction").map(|restriction| list(restriction, "recipient")).unwrap_or_default().iter()
}

/// The part of the owner of a Task with this status; none while it has not been sent.
fn owning(status: &str) -> Option<Role> {
    match status {
        "draft" => None,
        "rejected" | "entered-in-error" => Some(Role::FormerOwner),
        _ => Some(Role::Owner),
    }
}

/// Who may take a Task that was sent to nobody: those it is restricted to, else anybody.
fn pool(task: &Value) -> Vec<Party> {
    if task.get("owner").is_some() || text(task, "status") != "requested" {
        return Vec::new();
    }
    if task.get("restriction").is_none_or(|restriction| list(restriction, "recipient").is_empty()) {
        return vec![Party { role: Role::Pool, reference: Some(ANYBODY.to_owned()), identifier: None }];
    }
    recipients(task).filter_map(|reference| party(Role::Pool, reference)).collect()
}

fn party(role: Role, reference: &Value) -> Option<Party> {
    let literal = text(reference, "reference").split("/_history/").next().unwrap_or_default();
    let literal = (!literal.is_empty() && !literal.starts_with('#')).then(|| literal.to_owned());
    let identifier = identifier(reference);
    (literal.is_some() || identifier.is_some()).then_some(Party { role, reference: literal, identifier })
}

fn identifier(reference: &Value) -> Option<Identifier> {
    identifier_key(reference).map(|(system, value)| Identifier { system: system.to_owned(), value: value.to_owned() })
}

/// The organisation behind a Reference: itself, the organisation of a role or service, the organisations for which a
/// practitioner works. Asks `loaded` for what it must follow.
pub(super) fn organisation(reference: Option<&Value>, loaded: &Loaded) -> Organisation {
    let mut found = Organisation::default();
    let Some(reference) = reference else { return found };
    found.identifiers.extend(identifier(reference));
    let Some((resource_type, id)) = local(text(reference, "reference")) else { return found };
    found.references.push(format!("{resource_type}/{id}"));
    match resource_type {
        "Organization" => found.absorb(organisation_itself(id, loaded)),
        "PractitionerRole" => found.absorb(through(resource_type, id, "organization", loaded)),
        "HealthcareService" => found.absorb(through(resource_type, id, "providedBy", loaded)),
        "Practitioner" => {
            let practitioner = format!("Practitioner/{id}");
            for role in loaded.search("PractitionerRole", &[("practitioner", &practitioner)]) {
                found.references.push(own_reference(role));
                found.absorb(named_by(role, "organization", loaded));
            }
        }
        _ => {}
    }
    found
}

fn organisation_itself(id: &str, loaded: &Loaded) -> Organisation {
    let identifiers = loaded.read("Organization", id).map(|organisation| list(organisation, "identifier"));
    let identifiers = identifiers
        .unwrap_or_default()
        .iter()
        .filter(|identifier| !text(identifier, "value").is_empty())
        .map(|identifier| Identifier {
            system: text(identifier, "system").to_owned(),
            value: text(identifier, "value").to_owned(),
        })
        .collect();
    Organisation { references: vec![format!("Organization/{id}")], identifiers }
}

fn through(resource_type: &str, id: &str, element: &str, loaded: &Loaded) -> Organisation {
    loaded.read(resource_type, id).map(|resource| named_by(resource, element, loaded)).unwrap_or_default()
}

fn named_by(resource: &Value, element: &str, loaded: &Loaded) -> Organisation {
    let mut found = Organisation::default();
    found.identifiers.extend(resource.get(element).and_then(identifier));
    if let Some(("Organization", id)) = target(resource, element) {
        found.absorb(organisation_itself(id, loaded));
    }
    found
}
