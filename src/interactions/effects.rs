//! Asks the referral rules inside a transaction and writes what they cause: each effect is a version of its own with a
//! Provenance and an audit event. Called by the write path only.

use serde_json::Value;

use super::condition::Criteria;
use super::draft::Draft;
use super::record::Stamp;
use super::server::Server;
use super::write::{self, Outcome};
use crate::access::visibility::{OBJECTION, PERMISSION, PERSON};
use crate::fhir::codec::json;
use crate::problem::{Kind, Problem};
use crate::referral::{self, Change, Decision, Effect, Loaded, Lookup, Step};
use crate::search::kinds::bounded;
use crate::search::query::Restrictions;
use crate::store::{AuditRecord, Party, Stored, Tx};

/// Rounds of loading after which a decision is given up; the rules need three at most.
const ROUNDS: usize = 8;

/// How many matches of a search the rules are shown.
const MOST_MATCHES: u32 = 200;

/// Loads what the rules ask for until they decide on a change.
pub async fn decide(server: &Server, tx: &mut Tx, change: &Change<'_>) -> Result<Decision, Problem> {
    rounds(server, tx, |loaded| referral::decide(change, loaded, server.referral_settings())).await
}

/// Loads what the rules ask for until they decide on a deletion.
pub async fn decide_removal(server: &Server, tx: &mut Tx, before: &Value) -> Result<Decision, Problem> {
    rounds(server, tx, |loaded| referral::decide_removal(before, loaded)).await
}

async fn rounds(server: &Server, tx: &mut Tx, step: impl Fn(&Loaded) -> Step + Send) -> Result<Decision, Problem> {
    let mut loaded = Loaded::default();
    for _ in 0..ROUNDS {
        match step(&loaded) {
            Step::Done(decision) => return Ok(decision),
            Step::Load(lookups) => {
                for lookup in lookups {
                    let found = load(server, tx, &lookup).await?;
                    loaded.insert(lookup, found);
                }
            }
        }
    }
    Err(Problem::internal("the referral rules did not come to a decision"))
}

async fn load(server: &Server, tx: &mut Tx, lookup: &Lookup) -> Result<Vec<Value>, Problem> {
    let found: Vec<Stored> = match lookup {
        Lookup::Read { resource_type, id } => tx.read(resource_type, id).await?.into_iter().collect(),
        Lookup::Search { resource_type, criteria } => {
            Criteria::new(server, resource_type, criteria.clone(), MOST_MATCHES, &Restrictions::none())?
                .search(tx)
                .await?
        }
    };
    found.iter().filter(|stored| !stored.deleted).map(|stored| json::parse_stored(&stored.body)).collect()
}

/// Writes the effects of a change, in order. `cause` is the versioned reference of the change.
pub async fn carry_out(
    server: &Server,
    tx: &mut Tx,
    effects: &[Effect],
    cause: &str,
    stamp: &Stamp,
    records: &mut Vec<AuditRecord>,
) -> Result<(), Problem> {
    for effect in effects {
        let target = write_effect(server, tx, effect, stamp, records).await?;
        let now = server.clock.now();
        let provenance = referral::provenance(effect, &target, cause, now, &stamp.actor);
        let draft = Draft::unchecked(server, provenance, server.clock.new_id())?;
        let written = write::put(server, tx, &draft, None, (Outcome::Created, "POST"), now, stamp).await?;
        records.push(stamp.change(&written, None));
    }
    Ok(())
}

async fn write_effect(
    server: &Server,
    tx: &mut Tx,
    effect: &Effect,
    stamp: &Stamp,
    records: &mut Vec<AuditRecord>,
) -> Result<String, Problem> {
    let text = |name: &str| effect.resource.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let draft = Draft::unchecked(server, effect.resource.clone(), text("id"))?;
    let before = tx.read(&draft.resource_type, &draft.id).await?;
    if before.as_ref().map(|stored| stored.version) != effect.based_on() {
        return Err(Problem::new(
            Kind::Conflict,
            "The referral changed at the same moment. Read it again and repeat the change.",
        ));
    }
    let now = server.clock.now();
    let written = write::put(server, tx, &draft, before.as_ref(), (Outcome::Updated, "PUT"), now, stamp).await?;
    records.push(stamp.change(&written, before.map(|stored| stored.version)));
    Ok(written.location())
}

/// The organisations that have a part in a resource, as the store keeps them; the objections of a Consent under its patient; the
/// names of a Patient's person.
#[must_use]
pub fn parties(server: &Server, resource: &Value) -> Vec<Party> {
    let base = format!("{}/", server.base);
    let local = |reference: &str| bounded(reference.strip_prefix(&base).unwrap_or(reference));
    let mut found = Vec::new();
    for party in referral::parties(resource) {
        let role = party.role.code().to_owned();
        if let Some(reference) = party.reference {
            found.push(Party { organisation: local(&reference), role: role.clone() });
        }
        if let Some(identifier) = party.identifier {
            found.push(Party { organisation: bounded(&format!("{}|{}", identifier.system, identifier.value)), role });
        }
    }
    for objection in referral::objections(resource) {
        let part = if objection.exception { PERMISSION } else { OBJECTION };
        let role = match objection.actor {
            Some(actor) => format!("{part}:{}", local(&actor)),
            None => part.to_owned(),
        };
        found.push(Party { organisation: local(&objection.patient), role });
    }
    let names = referral::person::names(resource);
    found.extend(names.iter().map(|name| Party { organisation: local(name), role: PERSON.to_owned() }));
    found
}
