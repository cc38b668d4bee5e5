//! Which roles see what carries a security label (`meta.security`, <https://hl7.org/fhir/R4/security-labels.html>): safeguarding
//! notes and the like. What has a label that the caller's role is not listed for is, for that caller, not there. A label that is
//! not in the table restricts nobody: it says how to handle data, not from whom to keep it.

use crate::access::Role;
use crate::search::kinds::token::Token;
use crate::search::kinds::{Criterion, Table};
use crate::search::query::{Condition, Rows, Weight};

const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const SENSITIVITY: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// A label and the roles that see what has it; operators and test harnesses see everything.
pub const LABELS: &[(&str, &str, &[Role])] = &[
    // restricted: for those who coordinate the care
    (CONFIDENTIALITY, "R", &[Role::Referrer, Role::LinkWorker]),
    // very restricted: for the clinical record only
    (CONFIDENTIALITY, "V", &[Role::Referrer]),
    // sexual assault, abuse or domestic violence
    (SENSITIVITY, "SDV", &[Role::Referrer, Role::LinkWorker]),
    // violence
    (SENSITIVITY, "VIO", &[Role::Referrer, Role::LinkWorker]),
];

/// The labels that hide a resource from a role, as system and code.
pub fn hidden_from(role: Role) -> impl Iterator<Item = (&'static str, &'static str)> {
    LABELS.iter().filter(move |(_, _, roles)| !roles.contains(&role)).map(|(system, code, _)| (*system, *code))
}

/// That a resource of this type has no label that hides it from the role.
pub(super) fn unlabelled(resource_type: &str, role: Role) -> Option<Condition> {
    let token = |(system, code): (&str, &str)| {
        Criterion::Token(Token { system: Some(system.to_owned()), code: Some(code.to_owned()) })
    };
    let any: Vec<Criterion> = hidden_from(role).map(token).collect();
    let rows = || {
        Condition::Rows(Rows {
            table: Table::Token,
            resource_type: resource_type.to_owned(),
            code: "_security".into(),
            any: any.clone(),
            weight: Weight::Few,
        })
    };
    (!any.is_empty()).then(|| Condition::Not(Box::new(rows())))
}
