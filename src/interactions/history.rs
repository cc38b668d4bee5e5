//! history of one resource: `GET [base]/[type]/[id]/_history` (<https://hl7.org/fhir/R4/http.html#history>), newest first.

use serde_json::{Map, Value, json};

use super::header;
use super::record::{Stamp, patients};
use super::reply::{Content, Reply};
use super::request::Request;
use super::server::Server;
use crate::access::Grant;
use crate::clock::Micros;
use crate::fhir::codec::json;
use crate::fhir::temporal;
use crate::problem::{Kind, Problem};
use crate::store::{AuditRecord, HistoryOf, HistoryPage, Stored};

/// Entries on a page where the client does not say.
const PAGE: usize = 50;
/// The parameter by which a next link goes on: instant and sequence of the last version shown.
const CONTINUATION: &str = "_page";
/// Most entries on a page.
const LARGEST_PAGE: usize = 500;

/// A history Bundle with every version, deletions included; `_count` and `_since` are understood, pages follow by next links.
pub async fn history(
    server: &Server,
    request: &Request,
    resource_type: &str,
    id: &str,
    _grant: Grant,
) -> Result<Reply, Problem> {
    let count = count(request)?;
    let page = page(request, count)?;
    let of = HistoryOf::Instance { resource_type, id };
    let found = server.store.history(of, &page).await?;
    let total = server.store.history_count(of, &page).await?;
    if total == 0 && server.store.read(resource_type, id).await?.is_none() {
        return Err(Problem::new(Kind::NotFound, "There is no such resource.").at("http.url"));
    }
    let shown = found.get(..count.min(found.len())).unwrap_or_default();
    let next = if found.len() > count { shown.last() } else { None };
    audit(server, request, resource_type, id, shown).await?;
    let address = format!("{}/{resource_type}/{id}/_history", server.base);
    Ok(Reply::new(200, Content::Resource(bundle(server, request, &address, shown, total, next)?)))
}

/// Which part is wanted; one version more than fits on the page, to see whether there is a next one.
fn page(request: &Request, count: usize) -> Result<HistoryPage, Problem> {
    let since = match request.parameter("_since") {
        Some(text) => Some(header::instant(text).ok_or_else(|| bad("_since", "an instant with a time zone"))?),
        None => None,
    };
    let after = match request.parameter(CONTINUATION) {
        Some(text) => Some(continuation(text).ok_or_else(|| bad(CONTINUATION, "what a next link gave"))?),
        None => None,
    };
    let count = i64::try_from(count + 1).unwrap_or(i64::MAX);
    Ok(HistoryPage { since, until: None, after, count })
}

fn continuation(text: &str) -> Option<(Micros, i64)> {
    let (updated, sequence) = text.split_once('.')?;
    Some((updated.parse().ok()?, sequence.parse().ok()?))
}

fn count(request: &Request) -> Result<usize, Problem> {
    match request.parameter("_count") {
        Some(text) => {
            let wanted: usize = text.parse().map_err(|_| bad("_count", "a whole number"))?;
            Ok(if wanted == 0 { PAGE } else { wanted.min(LARGEST_PAGE) })
        }
        None => Ok(PAGE),
    }
}

fn bad(name: &str, expected: &str) -> Problem {
    Problem::new(Kind::Invalid, format!("{name} must be {expected}.")).at(format!("http.query.{name}"))
}

async fn audit(
    server: &Server,
    request: &Request,
    resource_type: &str,
    id: &str,
    shown: &[Stored],
) -> Result<(), Problem> {
    let stamp = Stamp::of(request, server.clock.now());
    let record = AuditRecord {
        resource_type: resource_type.to_owned(),
        resource_id: id.to_owned(),
        patients: patients(shown.iter().map(|stored| stored.patient.as_str())),
        ..stamp.record("history-instance", 200)
    };
    server.store.audit(record).await
}

fn bundle(
    server: &Server,
    request: &Request,
    address: &str,
    shown: &[Stored],
    total: i64,
    next: Option<&Stored>,
) -> Result<Value, Problem> {
    let kept: Vec<String> = request
        .query
        .iter()
        .filter(|(name, _)| matches!(name.as_str(), "_count" | "_since"))
        .map(|(name, value)| format!("{name}={}", percent(value)))
        .collect();
    let with = |extra: Option<String>| {
        let parts: Vec<String> = kept.iter().cloned().chain(extra).collect();
        if parts.is_empty() { address.to_owned() } else { format!("{address}?{}", parts.join("&")) }
    };
    let own = request.parameter(CONTINUATION).map(|token| format!("{CONTINUATION}={}", percent(token)));
    let mut links = vec![json!({ "relation": "self", "url": with(own) })];
    if let Some(last) = next {
        let token = format!("{CONTINUATION}={}.{}", last.last_updated, last.sequence);
        links.push(json!({ "relation": "next", "url": with(Some(token)) }));
    }
    let entries: Result<Vec<Value>, Problem> = shown.iter().map(|stored| entry(server, stored)).collect();
    let mut bundle = json!({ "resourceType": "Bundle", "type": "history", "total": total, "link": links });
    let entries = entries?;
    if !entries.is_empty() {
        bundle["entry"] = Value::Array(entries);
    }
    Ok(bundle)
}

fn percent(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn entry(server: &Server, stored: &Stored) -> Result<Value, Problem> {
    let name = format!("{}/{}", stored.resource_type, stored.id);
    let mut entry = Map::new();
    entry.insert("fullUrl".to_owned(), json!(format!("{}/{name}", server.base)));
    if !stored.deleted {
        entry.insert("resource".to_owned(), json::parse_stored(&stored.body)?);
    }
    let url = if stored.method == "POST" { stored.resource_type.clone() } else { name };
    entry.insert("request".to_owned(), json!({ "method": stored.method, "url": url }));
    let status = match (stored.deleted, stored.version) {
        (true, _) => "204",
        (false, 1) => "201",
        _ => "200",
    };
    entry.insert(
        "response".to_owned(),
        json!({
            "status": status,
            "etag": format!("W/\"{}\"", stored.version),
            "lastModified": temporal::format_instant(stored.last_updated),
        }),
    );
    Ok(Value::Object(entry))
}
