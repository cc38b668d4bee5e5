//! The names of the organisation that a client acts for: the Organization resources with its identifier, their services, roles,
//! people and teams, as the directory has them now. `oauth` asks when it admits a token; the rules of visibility are written on
//! the answer.

use serde_json::Value;

use super::condition::Criteria;
use super::server::Server;
use crate::access::visibility::Names;
use crate::fhir::codec::json;
use crate::problem::Problem;
use crate::referral;
use crate::search::query::Restrictions;
use crate::store::Stored;

/// Most resources of one kind that are taken for an organisation's own.
const MOST: u32 = 1000;

/// The types of which a change may change names.
const DIRECTORY: [&str; 4] = ["CareTeam", "HealthcareService", "Organization", "PractitionerRole"];

/// True where names may be others after a change of a resource of this type.
#[must_use]
pub fn decides(resource_type: &str) -> bool {
    DIRECTORY.contains(&resource_type)
}

/// All names of the organisation with this identifier (`system|value`).
pub async fn names(server: &Server, token: &str) -> Result<Names, Problem> {
    let mut names = Names { token: token.to_owned(), references: Vec::new() };
    let Some((system, value)) = token.split_once('|') else { return Ok(names) };
    let identifier = format!("{}|{}", referral::escape(system), referral::escape(value));
    let organisations = found(server, "Organization", "identifier", &identifier).await?;
    if organisations.is_empty() {
        return Ok(names);
    }
    let references = organisations.iter().map(reference).collect::<Vec<String>>();
    let list = references.join(",");
    names.references.extend(references);
    for (resource_type, code) in [("HealthcareService", "organization"), ("CareTeam", "participant")] {
        names.references.extend(found(server, resource_type, code, &list).await?.iter().map(reference));
    }
    for role in found(server, "PractitionerRole", "organization", &list).await? {
        names.references.push(reference(&role));
        names.references.extend(practitioner(server, &role)?);
    }
    names.references.sort_unstable();
    names.references.dedup();
    Ok(names)
}

fn reference(stored: &Stored) -> String {
    format!("{}/{}", stored.resource_type, stored.id)
}

/// Who works in a role.
fn practitioner(server: &Server, role: &Stored) -> Result<Option<String>, Problem> {
    let role = json::parse_stored(&role.body)?;
    let literal = role.get("practitioner").and_then(|practitioner| practitioner.get("reference"));
    let literal = literal.and_then(Value::as_str).unwrap_or_default();
    let local = literal.strip_prefix(&server.base).map_or(literal, |rest| rest.trim_start_matches('/'));
    let plain = local.split("/_history/").next().unwrap_or(local);
    Ok(plain.starts_with("Practitioner/").then(|| plain.to_owned()))
}

async fn found(server: &Server, resource_type: &str, code: &str, value: &str) -> Result<Vec<Stored>, Problem> {
    let criteria = vec![(code.to_owned(), value.to_owned())];
    Criteria::new(server, resource_type, criteria, MOST, &Restrictions::none())?.preview(server).await
}
