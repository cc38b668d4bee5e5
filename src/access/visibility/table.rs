//! The one table of what an organisation sees in which role: for each resource type the ways that lead from the organisation to a
//! resource. A type that has no line is not seen. [`super::Limits`] makes restrictions of it.
//!
//! | role | sees |
//! |---|---|
//! | provider | Tasks that it owns or may claim (the open pool), and what these bring: ServiceRequest, Patient, what Task and ServiceRequest refer to, answers, consent; what it wrote itself |
//! | referrer | ServiceRequests that it asked for or wrote and those based on them, their Tasks and what came of them; its Patients |
//! | link worker | both of these, for its teams |
//! | commissioner | the directory |
//! | all of them | the directory: organisations, services, people who work there, definitions |

use std::sync::Arc;

use super::names::Names;
use crate::access::Role;
use crate::search::kinds::reference::Target;
use crate::search::kinds::{Criterion, Table};
use crate::search::query::{Condition, Link, Parties, Rows, Weight};

/// Types that every party sees: nothing in them is about a patient.
pub const DIRECTORY: &[&str] = &[
    "ActivityDefinition",
    "CapabilityStatement",
    "CodeSystem",
    "CompartmentDefinition",
    "ConceptMap",
    "Endpoint",
    "HealthcareService",
    "ImplementationGuide",
    "Library",
    "Location",
    "NamingSystem",
    "OperationDefinition",
    "Organization",
    "OrganizationAffiliation",
    "PlanDefinition",
    "Practitioner",
    "PractitionerRole",
    "Questionnaire",
    "Schedule",
    "SearchParameter",
    "Slot",
    "StructureDefinition",
    "ValueSet",
];

/// Types that belong to a referral because something of it refers to them, or to whoever wrote them. The second column: they say
/// by `basedOn` to which ServiceRequest they belong.
pub const CLINICAL: &[(&str, bool)] = &[
    ("AllergyIntolerance", false),
    ("Appointment", true),
    ("CarePlan", true),
    ("CareTeam", false),
    ("Communication", true),
    ("CommunicationRequest", true),
    ("Condition", false),
    ("Consent", false),
    ("DiagnosticReport", true),
    ("DocumentReference", false),
    ("Encounter", true),
    ("Flag", false),
    ("Goal", false),
    ("Observation", true),
    ("Procedure", true),
    ("QuestionnaireResponse", true),
    ("RelatedPerson", false),
    ("RiskAssessment", false),
];

/// The ways from one organisation to resources, in one role.
pub(super) struct Ways<'a> {
    pub(super) role: Role,
    pub(super) names: &'a Names,
    /// With the Tasks that it may claim, rather than those only that it has.
    pub(super) pool: bool,
}

impl Ways<'_> {
    /// When a resource of this type is seen, before consent and labels; none where it never is.
    pub(super) fn to(&self, resource_type: &str) -> Option<Condition> {
        match self.role {
            Role::Provider | Role::Referrer | Role::LinkWorker => self.to_record(resource_type),
            Role::Commissioner | Role::Operator | Role::Harness => None,
        }
    }

    /// Every type that may be seen other than the directory.
    pub(super) fn types() -> impl Iterator<Item = &'static str> {
        ["Task", "ServiceRequest", "Patient", "Provenance"].into_iter().chain(CLINICAL.iter().map(|(name, _)| *name))
    }

    fn to_record(&self, resource_type: &str) -> Option<Condition> {
        Some(match resource_type {
            "Task" => self.tasks(),
            "ServiceRequest" => self.requests(),
            "Patient" => self.patients(),
            "Provenance" => self.provenance(),
            name => {
                let (_, based_on) = CLINICAL.iter().find(|(known, _)| *known == name)?;
                self.clinical(name, *based_on)
            }
        })
    }

    /// Providers and link workers hold Tasks.
    const fn holds(&self) -> bool {
        matches!(self.role, Role::Provider | Role::LinkWorker)
    }

    /// Referrers and link workers ask for something.
    const fn asks(&self) -> bool {
        matches!(self.role, Role::Referrer | Role::LinkWorker)
    }

    fn tasks(&self) -> Condition {
        let mut ways = Vec::new();
        if self.holds() {
            ways.push(self.party(&["owner", "former-owner"]));
            ways.extend(self.claimable());
        }
        if self.asks() {
            ways.push(self.party(&["requester", "author"]));
            ways.push(chain("Task", "focus", "ServiceRequest", self.asked_requests()));
            let asked = chain("Task", "focus", "ServiceRequest", self.party(&["requester", "author"]));
            ways.push(chain("Task", "part-of", "Task", any(vec![self.party(&["owner", "requester"]), asked])));
        }
        any(ways)
    }

    /// The Tasks that bring what belongs to them: a rejected Task, and one entered in error, brings nothing any more.
    fn bringing(&self) -> Condition {
        let owned = self.party(&["owner"]);
        any(std::iter::once(owned).chain(self.claimable()).collect())
    }

    pub(super) fn claimable(&self) -> Option<Condition> {
        let names = self.names.or_anybody();
        self.pool.then(|| Condition::Party(Parties { roles: vec!["pool".to_owned()], names }))
    }

    /// ServiceRequests that the organisation asked for, and those that others based on them.
    fn asked_requests(&self) -> Condition {
        let own = self.party(&["requester", "author"]);
        any(vec![own.clone(), chain("ServiceRequest", "based-on", "ServiceRequest", own)])
    }

    fn requests(&self) -> Condition {
        let mut ways = Vec::new();
        if self.holds() {
            ways.push(has("Task", "focus", "ServiceRequest", self.bringing()));
        }
        if self.asks() {
            ways.push(self.asked_requests());
        }
        any(ways)
    }

    fn patients(&self) -> Condition {
        let mut ways = Vec::new();
        if self.holds() {
            ways.push(has("Task", "patient", "Patient", self.bringing()));
            let brought = has("Task", "focus", "ServiceRequest", self.bringing());
            ways.push(has("ServiceRequest", "subject", "Patient", brought));
        }
        if self.asks() {
            ways.push(self.party(&["author"]));
            ways.push(has("ServiceRequest", "subject", "Patient", self.party(&["requester", "author"])));
            ways.push(self.refers("Patient", "organization"));
            ways.push(self.refers("Patient", "general-practitioner"));
        }
        any(ways)
    }

    fn provenance(&self) -> Condition {
        let mut ways = vec![self.party(&["author"])];
        if self.holds() {
            ways.push(chain("Provenance", "target", "Task", self.party(&["owner", "former-owner"])));
        }
        if self.asks() {
            ways.push(chain("Provenance", "target", "Task", self.tasks()));
            ways.push(chain("Provenance", "target", "ServiceRequest", self.asked_requests()));
        }
        any(ways)
    }

    fn clinical(&self, name: &str, based_on: bool) -> Condition {
        let mut ways = vec![self.party(&["author"])];
        let (tasks, requests) = match self.role {
            Role::Provider => (self.bringing(), self.requests()),
            _ => (self.tasks(), self.requests()),
        };
        for code in ["input-reference", "output-reference"] {
            ways.push(has("Task", code, name, tasks.clone()));
        }
        for code in ["supporting-info", "reason-reference"] {
            ways.push(has("ServiceRequest", code, name, requests.clone()));
        }
        // What another provider noted on the same referral comes to those who asked, not to the next provider.
        if based_on && (self.asks() || name == "QuestionnaireResponse") {
            ways.push(chain(name, "based-on", "ServiceRequest", requests.clone()));
        }
        match name {
            "Consent" => {
                ways.push(chain(name, "data", "ServiceRequest", requests));
                if self.asks() {
                    ways.push(chain(name, "patient", "Patient", self.patients()));
                }
            }
            "Communication" => ways.push(self.refers(name, "recipient")),
            "CareTeam" => ways.push(self.refers(name, "participant")),
            _ => {}
        }
        any(ways)
    }

    /// The organisation has one of these parts in the resource.
    pub(super) fn party(&self, roles: &[&str]) -> Condition {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        Condition::Party(Parties { roles, names: self.names.all() })
    }

    /// The resource refers to the organisation, or to one of its people or services, by this parameter.
    pub(super) fn refers(&self, resource_type: &str, code: &str) -> Condition {
        let target = |name: &String| {
            let (resource_type, id) = name.split_once('/')?;
            let resource_type = Some(resource_type.to_owned());
            Some(Criterion::Reference(Target::Local { resource_type, id: id.to_owned() }))
        };
        let any: Vec<Criterion> = self.names.references.iter().filter_map(target).collect();
        if any.is_empty() {
            // A condition on rows without values would ask only that there is a row.
            return Condition::Any(Vec::new());
        }
        Condition::Rows(Rows {
            table: Table::Reference,
            resource_type: resource_type.to_owned(),
            code: code.into(),
            any,
            weight: Weight::Some,
        })
    }
}

pub(super) fn any(mut ways: Vec<Condition>) -> Condition {
    // One that never holds would keep the others from being looked up by an index.
    ways.retain(|way| !matches!(way, Condition::Any(none) if none.is_empty()));
    if ways.len() == 1 { ways.remove(0) } else { Condition::Any(ways) }
}

/// The resource refers to one of type `target` for which `inner` holds.
fn chain(source: &str, code: &str, target: &str, inner: Condition) -> Condition {
    Condition::Chain(link(source, code, target), Box::new(inner))
}

/// One of type `source` for which `inner` holds refers to the resource, which is of type `target`.
fn has(source: &str, code: &str, target: &str, inner: Condition) -> Condition {
    Condition::Has(link(source, code, target), Box::new(inner))
}

fn link(source: &str, code: &str, target: &str) -> Link {
    Link { source: source.to_owned(), code: Arc::from(code), target: target.to_owned(), by_url: false }
}
