//! A page of AuditEvents: the rows, the way to the next page, the Bundle.

use serde_json::{Value, json};

use super::parameters::Parameters;
use super::resource;
use crate::clock::Micros;
use crate::fhir::issue::operation_outcome;
use crate::interactions::searchset;
use crate::interactions::server::Server;
use crate::problem::Problem;
use crate::search::paging;
use crate::store::{AuditRow, AuditSearch};

/// The rows of a page.
#[derive(Debug)]
pub struct Page {
    /// The address below the base.
    path: String,
    /// The rows, in order.
    pub rows: Vec<AuditRow>,
    /// How many events all pages have, where that was asked for.
    total: Option<i64>,
    /// Token of the next page.
    next: Option<String>,
}

/// Finds a page of events for the search at `path` below the base. 400 where its paging link belongs to another search.
pub async fn page(server: &Server, path: &str, parameters: &Parameters) -> Result<Page, Problem> {
    // The keyed function has no way to report that the library failed; an empty code opens nothing and seals nothing useful.
    let keyed = |message: &[u8]| server.seal.code(message).unwrap_or_default();
    let kept = parameters.understood.iter().filter(|(name, _)| !matches!(name.as_str(), "_page" | "_count"));
    let kept: Vec<Value> = kept.map(|(name, value)| json!([name, value])).collect();
    let fingerprint = json!([path, kept]).to_string();
    let after = match &parameters.page {
        Some(token) => position(&paging::open_value(token, &fingerprint, &keyed)?),
        None => None,
    };
    let search = AuditSearch {
        tests: parameters.tests.clone(),
        newest_first: parameters.newest_first,
        after,
        // One more than the page holds shows whether there is a next one.
        limit: parameters.count + 1,
    };
    let mut total = None;
    if parameters.total || parameters.count == 0 {
        total = Some(server.store.audit_count(&search).await?);
    }
    if parameters.count == 0 {
        return Ok(Page { path: path.to_owned(), rows: Vec::new(), total, next: None });
    }
    let first = search.after.is_none();
    let mut rows = server.store.audit_rows(&search).await?;
    let count = usize::try_from(parameters.count).unwrap_or(usize::MAX);
    let more = rows.len() > count;
    rows.truncate(count);
    let last = rows.last().filter(|_| more);
    let next =
        last.map(|row| paging::seal_value(&json!([row.recorded, row.chain, row.sequence]), &fingerprint, &keyed));
    let only = i64::try_from(rows.len()).ok().filter(|_| first && !more);
    Ok(Page { path: path.to_owned(), total: total.or(only), rows, next })
}

fn position(parts: &Value) -> Option<(Micros, String, i64)> {
    Some((parts.get(0)?.as_i64()?, parts.get(1)?.as_str()?.to_owned(), parts.get(2)?.as_i64()?))
}

impl Page {
    /// The searchset, each row shown as `show` makes it.
    #[must_use]
    pub fn bundle(&self, server: &Server, parameters: &Parameters, show: impl Fn(&AuditRow) -> Value) -> Value {
        let mut links = vec![json!({ "relation": "self", "url": self.address(server, parameters, None) })];
        if let Some(token) = &self.next {
            links.push(json!({ "relation": "next", "url": self.address(server, parameters, Some(token)) }));
        }
        let entry = |row: &AuditRow| {
            json!({
                "fullUrl": format!("{}/AuditEvent/{}", server.base, resource::id(row)),
                "resource": show(row),
                "search": { "mode": "match" },
            })
        };
        let mut entries: Vec<Value> = self.rows.iter().map(entry).collect();
        if !parameters.warnings.is_empty() {
            let outcome = operation_outcome(&parameters.warnings);
            entries.push(json!({ "resource": outcome, "search": { "mode": "outcome" } }));
        }
        let mut bundle = json!({ "resourceType": "Bundle", "id": server.clock.new_id(), "type": "searchset" });
        if let Some(total) = self.total {
            bundle["total"] = json!(total);
        }
        bundle["link"] = Value::Array(links);
        if !entries.is_empty() {
            bundle["entry"] = Value::Array(entries);
        }
        bundle
    }

    fn address(&self, server: &Server, parameters: &Parameters, next: Option<&String>) -> String {
        let mut pairs = parameters.understood.clone();
        if let Some(token) = next {
            pairs.retain(|(name, _)| name != "_page");
            pairs.push(("_page".to_owned(), token.clone()));
        }
        let address = format!("{}/{}", server.base, self.path);
        if pairs.is_empty() { address } else { format!("{address}?{}", searchset::query_string(&pairs)) }
    }
}
