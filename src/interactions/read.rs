//! read and vread: `GET [base]/[type]/[id]` and `…/_history/[version]` (<https://hl7.org/fhir/R4/http.html#read>).

use super::record::{Stamp, patients};
use super::reply::{Content, Reply};
use super::request::Request;
use super::server::Server;
use crate::access::Grant;
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
    let stored = server.store.read(resource_type, id).await?.ok_or_else(not_found)?;
    answer(server, request, "read", stored).await
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
    let stored = server.store.read_version(resource_type, id, version).await?.ok_or_else(not_found)?;
    answer(server, request, "vread", stored).await
}

async fn answer(server: &Server, request: &Request, interaction: &str, stored: Stored) -> Result<Reply, Problem> {
    if stored.deleted {
        return Err(Problem::new(Kind::Gone, "The resource was deleted. Its history is still there.").at("http.url"));
    }
    let unchanged = request.headers.if_none_match_any
        || request.headers.if_none_match == Some(stored.version)
        || (request.headers.if_none_match.is_none()
            && request
                .headers
                .if_modified_since
                .is_some_and(|since| stored.last_updated / 1_000_000 <= since / 1_000_000));
    let status = if unchanged { 304 } else { 200 };
    server.store.audit(disclosure(&Stamp::of(request, server.clock.now()), interaction, status, &stored)).await?;
    let content = if unchanged { Content::Empty } else { Content::Stored(stored.body) };
    Ok(Reply::new(status, content).versioned(stored.version, stored.last_updated))
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
