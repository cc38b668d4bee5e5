//! Audit events of interactions: who asked for what, when, with which outcome. One [`Stamp`] a request; every interaction
//! makes its records from it.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use super::list;
use super::request::Request;
use super::route::Target;
use super::server::Server;
use super::write::{Outcome, Written};
use crate::access::{Authority, Caller, Role, Visibility};
use crate::clock::Micros;
use crate::fhir::issue::Issue;
use crate::problem::Problem;
use crate::referral::lifecycle::Side;
use crate::referral::{Actor, Identifier, Organisation};
use crate::store::AuditRecord;

/// What all audit events of one request have in common.
#[derive(Debug, Clone)]
pub struct Stamp {
    /// When the request was taken.
    pub received: Micros,
    /// Request id.
    pub request_id: String,
    /// Correlation id.
    pub correlation_id: String,
    /// Who calls.
    pub caller: Caller,
    /// The caller as the referral rules see it.
    pub actor: Actor,
    /// Type and id of what the same request creates: it may be referred to before it is there.
    pub creates: Arc<HashSet<(String, String)>>,
}

impl Stamp {
    /// The stamp of a request.
    #[must_use]
    pub fn of(request: &Request, received: Micros) -> Self {
        Self {
            received,
            request_id: request.request_id.clone(),
            correlation_id: request.correlation_id.clone().unwrap_or_default(),
            caller: request.caller.clone(),
            actor: actor(&request.caller),
            creates: Arc::default(),
        }
    }

    /// A record with the interaction and status given, to be completed.
    #[must_use]
    pub fn record(&self, interaction: &str, status: u16) -> AuditRecord {
        AuditRecord {
            recorded: self.received,
            interaction: interaction.to_owned(),
            status,
            request_id: self.request_id.clone(),
            correlation_id: self.correlation_id.clone(),
            client: self.caller.client.clone(),
            organisation: self.caller.organisation.clone().unwrap_or_default(),
            user: self.caller.user.clone().unwrap_or_default(),
            role: self.caller.role.clone().unwrap_or_default(),
            purpose: self.caller.purpose.clone().unwrap_or_default(),
            address: self.caller.address.clone(),
            problems: self.broken_glass(),
            ..AuditRecord::default()
        }
    }

    /// The flag of an access that objections and labels did not hold back, with the reason that was given.
    fn broken_glass(&self) -> Vec<String> {
        match (self.caller.visibility(), &self.caller.reason) {
            (Visibility::Limited(limits), Some(reason)) if limits.open => vec![format!("break-glass: {reason}")],
            _ => Vec::new(),
        }
    }

    /// The record of a change.
    #[must_use]
    pub fn change(&self, written: &Written, before: Option<i64>) -> AuditRecord {
        let (interaction, status) = match written.outcome {
            Outcome::Created => ("create", 201),
            Outcome::Updated => ("update", 200),
            Outcome::Patched => ("patch", 200),
            Outcome::Deleted => ("delete", 204),
            Outcome::Unchanged => ("read", 200),
        };
        let interaction = if self.caller.imports { "import" } else { interaction };
        AuditRecord {
            resource_type: written.resource_type.clone(),
            resource_id: written.id.clone(),
            version_before: before,
            version_after: (written.version > 0).then_some(written.version),
            patients: patients([written.patient.as_str()]),
            ..self.record(interaction, status)
        }
    }

    /// The record of a refusal.
    #[must_use]
    pub fn refusal(&self, server: &Server, request: &Request, problem: &Problem) -> AuditRecord {
        let target = Target::parse(&request.path, &server.definitions).ok();
        let mut interaction = target.as_ref().map_or("", |target| list::code(target, request.method)).to_owned();
        if let Some(Target::Operation { name, .. }) = &target
            && name.len() <= 64
        {
            interaction = format!("{interaction} {name}");
        }
        let name =
            |issue: &Issue| if issue.rule.is_empty() { issue.code.code().to_owned() } else { issue.rule.clone() };
        let problems = problem.issues().iter().filter(|issue| issue.is_error()).map(name).take(8).collect();
        AuditRecord {
            resource_type: request.path.first().filter(|name| name.len() <= 64).cloned().unwrap_or_default(),
            resource_id: request
                .path
                .get(1)
                .filter(|id| id.len() <= 64 && !id.starts_with('$'))
                .cloned()
                .unwrap_or_default(),
            problems,
            ..self.record(&interaction, problem.kind.status())
        }
    }
}

/// The caller as the referral rules see it: by its organisation, and on the sides of its role. Whoever sees everything plays all
/// sides.
fn actor(caller: &Caller) -> Actor {
    let by_headers = organisation(caller.organisation.as_deref().unwrap_or_default());
    match &caller.authority {
        Authority::Token(granted) => {
            let barred = match granted.role {
                Role::Operator | Role::Harness => return Actor::default(),
                Role::Provider => Some(Side::Requester),
                Role::Referrer => Some(Side::Owner),
                Role::LinkWorker | Role::Commissioner => None,
            };
            // A client without an organisation is on no side, rather than on all.
            Actor { organisation: by_headers.or_else(|| Some(Organisation::default())), barred, limited: true }
        }
        Authority::None | Authority::Open => Actor { organisation: by_headers, ..Actor::default() },
    }
}

/// The organisation that a `system|value` token names; none where the token is empty.
#[must_use]
pub fn organisation(token: &str) -> Option<Organisation> {
    if token.is_empty() {
        return None;
    }
    let (system, value) = token.split_once('|').unwrap_or(("", token));
    let identifier = Identifier { system: system.to_owned(), value: value.to_owned() };
    Some(Organisation { references: Vec::new(), identifiers: vec![identifier] })
}

/// The different patients in what is disclosed, sorted.
pub fn patients<'a>(all: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut patients: Vec<String> = all.into_iter().filter(|patient| !patient.is_empty()).map(str::to_owned).collect();
    patients.sort_unstable();
    patients.dedup();
    patients
}

/// `Patient/id` that a resource is about: itself, or its subject, patient, for or beneficiary.
#[must_use]
pub fn patient_of(resource_type: &str, id: &str, content: &Value) -> Option<String> {
    if resource_type == "Patient" {
        return Some(format!("Patient/{id}"));
    }
    ["subject", "patient", "for", "beneficiary"]
        .iter()
        .filter_map(|name| content.get(name)?.get("reference")?.as_str())
        .find_map(patient_reference)
}

fn patient_reference(reference: &str) -> Option<String> {
    let at = reference.find("Patient/")?;
    let id: String = reference[at + "Patient/".len()..]
        .chars()
        .take_while(|&c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
        .collect();
    (!id.is_empty() && id.len() <= 64).then(|| format!("Patient/{id}"))
}
