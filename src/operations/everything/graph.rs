//! What belongs to a referral: from its ServiceRequest along references both ways, round by round, within bounds. Each round is
//! two statements: one for what refers to the resources found, one for what they refer to.

use std::collections::HashSet;

use serde_json::Value;

use crate::fhir::codec::json;
use crate::fhir::reference::Reference;
use crate::interactions::server::Server;
use crate::problem::Problem;
use crate::search::query::{Follow, Include, Restrictions};
use crate::search::sql::{Round, identities, include};
use crate::store::Stored;

/// The most resources of one referral.
const MOST: usize = 1000;
/// How many references lie between the ServiceRequest and the last resource.
const DEEPEST: usize = 8;

/// Resources of a referral that others refer to, and by which parameters those do.
const REFERRERS: [(&str, &[&str]); 14] = [
    ("Appointment", &["based-on"]),
    ("Communication", &["based-on", "part-of"]),
    ("CommunicationRequest", &["based-on"]),
    ("Consent", &["data"]),
    ("DiagnosticReport", &["based-on"]),
    ("DocumentReference", &["related"]),
    ("Encounter", &["based-on"]),
    ("Observation", &["based-on", "part-of"]),
    ("Procedure", &["based-on", "part-of"]),
    ("Provenance", &["target"]),
    ("QuestionnaireResponse", &["based-on", "part-of"]),
    ("RequestGroup", &["based-on"]),
    ("ServiceRequest", &["based-on", "replaces"]),
    ("Task", &["based-on", "focus", "part-of"]),
];

/// Resources that are part of the referral: what refers to them belongs to it, too.
const PARTS: [&str; 8] = [
    "Communication",
    "CommunicationRequest",
    "DiagnosticReport",
    "Observation",
    "Procedure",
    "QuestionnaireResponse",
    "ServiceRequest",
    "Task",
];

/// Resources that say who takes part, or why: what they refer to is shown, not what refers to them.
const FOLLOWED: [&str; 5] = ["Appointment", "Consent", "HealthcareService", "PractitionerRole", "Provenance"];

/// All resources of a referral, the ServiceRequest first, then in the order of their keys; and whether there are more.
pub(super) async fn referral(
    server: &Server,
    request: Stored,
    restrictions: &Restrictions,
) -> Result<(Vec<Stored>, bool), Problem> {
    let includes: Vec<Include> = REFERRERS.iter().map(|(source, codes)| reverse(source, codes)).collect();
    let includes: Vec<&Include> = includes.iter().collect();
    let mut known: HashSet<i64> = HashSet::from([request.key]);
    let mut asked: HashSet<(String, String)> = HashSet::new();
    let patient = request.patient.clone();
    let (mut all, mut newest, mut cut) = (Vec::new(), vec![request], false);
    for depth in 0..=DEEPEST {
        let limit = u32::try_from(MOST + 1).unwrap_or(u32::MAX);
        let seeds = newest.iter().filter(|stored| PARTS.contains(&stored.resource_type.as_str()));
        let seeds: Vec<i64> = seeds.map(|stored| stored.key).collect();
        let keys: Vec<i64> = known.iter().copied().collect();
        let round = Round { seeds: &seeds, known: &keys, restrictions, limit };
        let named: Vec<(String, String)> = newest
            .iter()
            .flat_map(|stored| references(server, stored))
            .filter(|name| asked.insert(name.clone()))
            .collect();
        let statements = [include(&includes, &round), identities(&named, restrictions, limit)];
        all.append(&mut newest);
        for statement in statements.into_iter().flatten() {
            let found = server.store.search(&statement).await?;
            let found = found.iter().map(|found| Stored::clone(&found.stored));
            newest.extend(found.filter(|stored| belongs(stored, &patient) && known.insert(stored.key)));
        }
        cut = all.len() + newest.len() > MOST || (depth == DEEPEST && !newest.is_empty());
        if newest.is_empty() || cut {
            break;
        }
    }
    all.append(&mut newest);
    all.truncate(MOST);
    if let Some((_, others)) = all.split_first_mut() {
        others.sort_by_key(|stored| stored.key);
    }
    Ok((all, cut))
}

/// What is about another patient does not belong to the referral, whoever refers to it.
fn belongs(stored: &Stored, patient: &str) -> bool {
    stored.patient.is_empty() || stored.patient == patient
}

fn reverse(source: &str, codes: &[&str]) -> Include {
    let codes = codes.iter().map(|code| (*code).into()).collect();
    let follow = Follow { source: source.to_owned(), codes, by_url: Vec::new() };
    Include { reverse: true, iterate: true, follow: Some(follow), target: None }
}

/// The resources of this server that a part of the referral refers to, wherever in it.
fn references(server: &Server, stored: &Stored) -> Vec<(String, String)> {
    let name = stored.resource_type.as_str();
    let mut found = Vec::new();
    if (PARTS.contains(&name) || FOLLOWED.contains(&name))
        && let Ok(resource) = json::parse_stored(&stored.body)
    {
        collect(&resource, &server.base, &mut found);
    }
    found
}

fn collect(value: &Value, own_base: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            let literal = members.get("reference").and_then(Value::as_str).and_then(Reference::parse);
            match literal {
                Some(Reference::Relative(target)) => {
                    found.push((target.resource_type.to_owned(), target.id.to_owned()));
                }
                Some(Reference::Absolute { base, target }) if base == own_base => {
                    found.push((target.resource_type.to_owned(), target.id.to_owned()));
                }
                _ => {}
            }
            members.values().for_each(|member| collect(member, own_base, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, own_base, found)),
        _ => {}
    }
}
