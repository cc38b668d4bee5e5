//! The Bundle that answers a history (<https://hl7.org/fhir/R4/bundle.html#history>). Stored resources go in as the bytes they
//! are; they are parsed only where elements are left out.

use actix_web::web::Bytes;
use serde_json::json;

use super::Shown;
use super::parameters::Parameters;
use crate::fhir::temporal;
use crate::interactions::searchset::query_string;
use crate::interactions::server::Server;
use crate::interactions::subset::Subset;
use crate::problem::Problem;
use crate::search::query::result::PAGE;
use crate::store::Past;

/// The Bundle as JSON. `address` is the history's own below the base.
pub(super) fn write(server: &Server, address: &str, parameters: &Parameters, shown: &Shown) -> Result<Bytes, Problem> {
    let own = parameters.understood.clone();
    let mut links = vec![json!({ "relation": "self", "url": link(server, address, &own) })];
    if let Some(token) = &shown.next {
        let mut next: Vec<(String, String)> = own.into_iter().filter(|(name, _)| name != PAGE).collect();
        next.push((PAGE.to_owned(), token.clone()));
        links.push(json!({ "relation": "next", "url": link(server, address, &next) }));
    }
    let head = json!({
        "resourceType": "Bundle",
        "id": server.clock.new_id(),
        "type": "history",
        "total": shown.total,
        "link": links,
    });
    let mut bytes = head.to_string().into_bytes();
    bytes.pop();
    for (place, past) in shown.versions.iter().enumerate() {
        bytes.extend_from_slice(if place == 0 { b",\"entry\":[" } else { b"," });
        entry(server, &parameters.subset, past, &mut bytes)?;
    }
    bytes.extend_from_slice(if shown.versions.is_empty() { b"}" } else { b"]}" });
    Ok(bytes.into())
}

fn link(server: &Server, address: &str, parameters: &[(String, String)]) -> String {
    let address = format!("{}/{address}", server.base);
    if parameters.is_empty() { address } else { format!("{address}?{}", query_string(parameters)) }
}

fn entry(server: &Server, subset: &Subset, past: &Past, bytes: &mut Vec<u8>) -> Result<(), Problem> {
    let stored = &past.stored;
    let name = format!("{}/{}", stored.resource_type, stored.id);
    bytes.extend_from_slice(format!(r#"{{"fullUrl":"{}/{name}""#, server.base).as_bytes());
    if !stored.deleted {
        bytes.extend_from_slice(b",\"resource\":");
        bytes.extend_from_slice(&subset.of_bytes(&stored.body)?);
    }
    let request = json!({
        "method": stored.method,
        "url": if stored.method == "POST" { &stored.resource_type } else { &name },
    });
    let response = json!({
        "status": status(past),
        "etag": format!("W/\"{}\"", stored.version),
        "lastModified": temporal::format_instant(stored.last_updated),
    });
    bytes.extend_from_slice(format!(r#","request":{request},"response":{response}}}"#).as_bytes());
    Ok(())
}

/// What the request that made the version was answered with.
const fn status(past: &Past) -> &'static str {
    match (past.stored.deleted, past.created) {
        (true, _) => "204",
        (false, true) => "201",
        (false, false) => "200",
    }
}
