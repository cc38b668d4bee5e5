//! The one table of what an organisation may create and change in which role. What it may change it must also see; whether a Task
//! may take the step that is asked for is the referral rules' to say.

use super::table::{CLINICAL, Ways};
use crate::access::Role;
use crate::search::query::Condition;

/// What providers write: what they did and learnt.
const PROVIDER: &[&str] = &[
    "Appointment",
    "CarePlan",
    "Communication",
    "DocumentReference",
    "Encounter",
    "Goal",
    "Observation",
    "Procedure",
    "QuestionnaireResponse",
];

/// What those who refer write beside the types of the clinical record.
const REFERRAL: &[&str] = &["Patient", "ServiceRequest", "Task"];

/// True where the role may create resources of this type.
#[must_use]
pub fn creates(role: Role, resource_type: &str) -> bool {
    match role {
        Role::Provider => PROVIDER.contains(&resource_type),
        Role::Referrer | Role::LinkWorker => {
            REFERRAL.contains(&resource_type) || CLINICAL.iter().any(|(name, _)| *name == resource_type)
        }
        Role::Commissioner => false,
        Role::Operator | Role::Harness => true,
    }
}

impl Ways<'_> {
    /// When a resource of this type may be changed or deleted; none where it never may.
    pub(super) fn to_change(&self, resource_type: &str) -> Option<Condition> {
        let holds = matches!(self.role, Role::Provider | Role::LinkWorker);
        match resource_type {
            "Task" if holds => Some(self.tasks_to_change()),
            "Task" | "ServiceRequest" if creates(self.role, resource_type) => {
                Some(self.party(&["requester", "author"]))
            }
            "Patient" if creates(self.role, resource_type) => {
                Some(super::table::any(vec![self.party(&["author"]), self.refers("Patient", "organization")]))
            }
            "HealthcareService" if holds => Some(self.refers("HealthcareService", "organization")),
            name if creates(self.role, name) => Some(self.party(&["author"])),
            _ => None,
        }
    }

    /// Those it holds, those it may claim, and those it asked for itself.
    fn tasks_to_change(&self) -> Condition {
        let roles: &[&str] = match self.role {
            Role::Provider => &["owner", "former-owner"],
            _ => &["owner", "former-owner", "requester", "author"],
        };
        super::table::any(std::iter::once(self.party(roles)).chain(self.claimable()).collect())
    }
}
