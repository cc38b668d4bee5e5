//! read and vread: `GET [base]/[type]/[id]` and `…/_history/[version]` (<https://hl7.org/fhir/R4/http.html#read>).

use super::header::Tags;
use super::record::{Stamp, patients};
use super::reply::{Content, Reply};
use super::request::Request;
use super::server::Server;
use super::subset::Subset;
use super::visible;
use crate::access::Grant;
use crate::clock::Micros;
use crate::problem::{Kind, Problem};
use crate::store::{AuditRecord, Stored};

/// The current version. 404 where it never existed, 410 where it is deleted, 304 where the client has it.
pub async fn read(
    server: &Server,
    request: &Request,
    resource_type: &str,
    id: &str,
    _grant: Grant,
) -> Result<Reply, Problem> {
    let stored = visible::look_at(server, &request.caller, resource_type, id).await?.ok_or_else(not_found)?;
    answer(server, request, "read", &stored).await
}

/// One version, current or not.
pub async fn vread(
    server: &Server,
    request: &Request,
    resource_type: &str,
    id: &str,
    version: i64,
    _grant: Grant,
) -> Result<Reply, Problem> {
    let stored = visible::version(server, &request.caller, (resource_type, id), version).await?;
    let stored = stored.ok_or_else(not_found)?;
    answer(server, request, "vread", &stored).await
}

async fn answer(server: &Server, request: &Request, interaction: &str, stored: &Stored) -> Result<Reply, Problem> {
    let subset = Subset::of_one(request)?;
    let stamp = Stamp::of(request, server.clock.now());
    if stored.deleted {
        return gone(server, request, &stamp, stored).await;
    }
    let unchanged = match &request.headers.precondition.none_matches {
        Tags::Absent => request.headers.if_modified_since.is_some_and(|since| !is_newer(stored, since)),
        tags => tags.name(stored.version),
    };
    let status = if unchanged { 304 } else { 200 };
    let content = match unchanged {
        true => Content::Empty,
        false if subset.is_whole() => Content::Stored(stored.body.clone()),
        false => Content::Stored(subset.of_bytes(&stored.body)?.into_owned().into()),
    };
    server.store.audit(disclosure(&stamp, interaction, status, stored)).await?;
    Ok(Reply::new(status, content).versioned(stored.version, stored.last_updated))
}

/// HTTP dates have no fraction of a second.
const fn is_newer(stored: &Stored, since: Micros) -> bool {
    stored.last_updated.div_euclid(1_000_000) > since.div_euclid(1_000_000)
}

/// 410 with the version that is the deletion. It is audited as a refusal that names whom it is about.
async fn gone(server: &Server, request: &Request, stamp: &Stamp, stored: &Stored) -> Result<Reply, Problem> {
    let problem = Problem::new(Kind::Gone, "The resource was deleted. Its history is still there.").at("http.url");
    let record =
        AuditRecord { patients: patients([stored.patient.as_str()]), ..stamp.refusal(server, request, &problem) };
    server.store.audit(record).await?;
    Ok(Reply::problem(&problem).versioned(stored.version, stored.last_updated))
}

/// The audit event of showing one stored resource.
fn disclosure(stamp: &Stamp, interaction: &str, status: u16, stored: &Stored) -> AuditRecord {
    AuditRecord {
        resource_type: stored.resource_type.clone(),
        resource_id: stored.id.clone(),
        version_after: Some(stored.version),
        patients: patients([stored.patient.as_str()]),
        ..stamp.record(interaction, status)
    }
}

fn not_found() -> Problem {
    Problem::new(Kind::NotFound, "There is no such resource.").at("http.url")
}
