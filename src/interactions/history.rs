//! history of a resource, of a type, of the whole server: `GET [base]/[type]/[id]/_history`, `[base]/[type]/_history`,
//! `[base]/_history` (<https://hl7.org/fhir/R4/http.html#history>), newest first, page by page.
//!
//! A page continues behind the last version of the page before, and its link keeps the newest version of the first page as
//! the upper bound: what others write meanwhile moves nothing and is seen by the next history that is begun.

mod bundle;
mod parameters;
mod source;

use serde_json::json;

use self::parameters::{Cursor, Parameters};
use self::source::Source;
use super::record::{Stamp, patients};
use super::reply::{Content, Reply};
use super::request::Request;
use super::searchset;
use super::server::Server;
use super::visible;
use crate::access::Grant;
use crate::problem::{Kind, Problem};
use crate::search::paging;
use crate::store::{AuditRecord, HistoryOf, HistoryPage, Past};

/// One page of a history.
#[derive(Debug, Default)]
struct Shown {
    versions: Vec<Past>,
    /// How many versions all pages have.
    total: i64,
    /// Token of the next page.
    next: Option<String>,
}

/// The versions of one resource, of the resources of a type or of all, deletions included; for a caller with limits, of the resources
/// that it sees now, as a search would find them. 404 for a resource that never
/// existed, 400 for a parameter that cannot be used.
pub async fn history(
    server: &Server,
    request: &Request,
    of: HistoryOf<'_>,
    interaction: &str,
    _grant: Grant,
) -> Result<Reply, Problem> {
    let parameters = Parameters::read(request)?;
    if let HistoryOf::Instance { resource_type, id } = of {
        let seen = visible::read(server, &request.caller, resource_type, id).await?;
        seen.ok_or_else(|| Problem::new(Kind::NotFound, "There is no such resource.").at("http.url"))?;
    }
    let address = address(&of);
    let fingerprint = parameters.fingerprint(&address);
    let source = Source::new(server, &request.caller, of).await?;
    let shown = page(server, &source, &parameters, &fingerprint).await?;
    audit(server, request, of, interaction, &parameters, &shown).await?;
    let bytes = bundle::write(server, &address, &parameters, &shown)?;
    Ok(Reply { issues: parameters.warnings, ..Reply::new(200, Content::Stored(bytes)) })
}

/// The address below the base.
fn address(of: &HistoryOf<'_>) -> String {
    match of {
        HistoryOf::Instance { resource_type, id } => format!("{resource_type}/{id}/_history"),
        HistoryOf::Type(resource_type) => format!("{resource_type}/_history"),
        HistoryOf::System => "_history".to_owned(),
    }
}

async fn page(
    server: &Server,
    source: &Source<'_>,
    parameters: &Parameters,
    fingerprint: &str,
) -> Result<Shown, Problem> {
    // The keyed function has no way to report that the library failed; an empty code opens nothing and seals nothing useful.
    let keyed = |message: &[u8]| server.seal.code(message).unwrap_or_default();
    let cursor = match &parameters.page {
        Some(token) => Some(Cursor::read(&paging::open_value(token, fingerprint, &keyed)?)?),
        None => None,
    };
    // One version more than fits on the page shows whether there is a next one.
    let wanted = HistoryPage {
        since: parameters.since,
        until: parameters.until.min(cursor.as_ref().map_or(i64::MAX, |cursor| cursor.until)).into(),
        current_after: parameters.current_after,
        after: cursor.as_ref().map(|cursor| cursor.after),
        count: i64::try_from(parameters.count + 1).unwrap_or(i64::MAX),
    };
    if parameters.count == 0 {
        let total = source.count(&wanted).await?;
        return Ok(Shown { total, ..Shown::default() });
    }
    let mut versions = source.versions(&wanted).await?;
    let more = versions.len() > parameters.count;
    versions.truncate(parameters.count);
    let newest = versions.first().map_or(i64::MAX, |past| past.stored.last_updated);
    let until = cursor.as_ref().map_or(newest, |cursor| cursor.until);
    let total = match &cursor {
        Some(cursor) => cursor.total,
        None if !more => i64::try_from(versions.len()).unwrap_or(i64::MAX),
        None => source.count(&HistoryPage { until: Some(until), ..wanted }).await?,
    };
    let next = versions.last().filter(|_| more).map(|last| {
        let after = (last.stored.last_updated, last.stored.sequence);
        paging::seal_value(&json!(Cursor { after, until, total }.parts()), fingerprint, &keyed)
    });
    Ok(Shown { versions, total, next })
}

/// Which patients' data the answer discloses. The record is there before the answer is.
async fn audit(
    server: &Server,
    request: &Request,
    of: HistoryOf<'_>,
    interaction: &str,
    parameters: &Parameters,
    shown: &Shown,
) -> Result<(), Problem> {
    let (resource_type, resource_id) = match of {
        HistoryOf::Instance { resource_type, id } => (resource_type, id),
        HistoryOf::Type(resource_type) => (resource_type, ""),
        HistoryOf::System => ("", ""),
    };
    let record = AuditRecord {
        resource_type: resource_type.to_owned(),
        resource_id: resource_id.to_owned(),
        patients: patients(shown.versions.iter().map(|past| past.stored.patient.as_str())),
        query: searchset::query_string(&parameters.understood),
        ..Stamp::of(request, server.clock.now()).record(interaction, 200)
    };
    server.store.audit(record).await
}
