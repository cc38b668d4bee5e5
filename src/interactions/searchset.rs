//! The Bundle that answers a search (<https://hl7.org/fhir/R4/bundle.html#searchset>). Stored resources go in as the bytes they
//! are; they are parsed only where elements are left out.

use actix_web::web::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::server::Server;
use super::subset;
use crate::fhir::issue::{Issue, IssueCode, Severity, operation_outcome};
use crate::problem::Problem;
use crate::search::query::Query;
use crate::search::query::result::PAGE;
use crate::store::Stored;

/// What is answered.
#[derive(Debug, Default)]
pub struct Answer {
    /// The matches of this page, in order.
    pub matches: Vec<Stored>,
    /// What comes with them.
    pub included: Vec<Stored>,
    /// Something that should have come with them was too much.
    pub cut: bool,
    /// How many matches all pages have, where it is known.
    pub total: Option<i64>,
    /// Token of the next page.
    pub next: Option<String>,
}

/// Room for what stands around a resource in its entry.
const AROUND: usize = 200;

/// What a query string of ours escapes.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'&')
    .add(b'+')
    .add(b'%')
    .add(b'|')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'=')
    .add(b'?');

/// Writes parameters as a query string.
#[must_use]
pub fn query_string(parameters: &[(String, String)]) -> String {
    let escape = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name).replace("%3D", "="), escape(value)))
        .collect();
    pairs.join("&")
}

/// The Bundle as JSON; `path` is the address of the search below the base.
pub fn bundle(server: &Server, path: &str, query: &Query, answer: &Answer) -> Result<Bytes, Problem> {
    let address = |token: Page<'_>| address(server, path, query, token);
    let mut links = vec![json!({ "relation": "self", "url": address(Page::Asked) })];
    if query.page.is_some() || answer.next.is_some() {
        links.push(json!({ "relation": "first", "url": address(Page::First) }));
    }
    if let Some(token) = &answer.next {
        links.push(json!({ "relation": "next", "url": address(Page::At(token)) }));
    }
    let mut head = json!({ "resourceType": "Bundle", "id": server.clock.new_id(), "type": "searchset" });
    if let Some(total) = answer.total {
        head["total"] = json!(total);
    }
    head["link"] = Value::Array(links);
    let mut text = head.to_string();
    text.pop();
    let shown = answer.matches.iter().chain(&answer.included);
    let room: usize = shown.map(|stored| stored.body.len() + server.base.len() + AROUND).sum();
    let mut bytes = Vec::with_capacity(text.len() + room + AROUND);
    bytes.extend_from_slice(text.as_bytes());
    let opening = bytes.len();
    for stored in &answer.matches {
        entry(server, stored, "match", &subset::resource(query, stored)?, &mut bytes);
    }
    for stored in &answer.included {
        entry(server, stored, "include", &stored.body, &mut bytes);
    }
    if let Some(outcome) = outcome(query, answer) {
        bytes.push(b',');
        bytes.extend_from_slice(outcome.as_bytes());
    }
    if bytes.len() > opening {
        // Every entry has a comma before it.
        bytes.splice(opening..=opening, *b",\"entry\":[");
        bytes.push(b']');
    }
    bytes.push(b'}');
    Ok(bytes.into())
}

/// Which page a link leads to.
#[derive(Clone, Copy)]
enum Page<'a> {
    Asked,
    First,
    At(&'a str),
}

/// What was understood, and the page.
fn address(server: &Server, path: &str, query: &Query, page: Page<'_>) -> String {
    let mut parameters = query.understood.clone();
    if !matches!(page, Page::Asked) {
        parameters.retain(|(name, _)| name != PAGE);
    }
    if let Page::At(token) = page {
        parameters.push((PAGE.to_owned(), token.to_owned()));
    }
    let address = if path.is_empty() { server.base.clone() } else { format!("{}/{path}", server.base) };
    if parameters.is_empty() { address } else { format!("{address}?{}", query_string(&parameters)) }
}

/// Appends a comma and an entry.
fn entry(server: &Server, stored: &Stored, mode: &str, body: &[u8], bytes: &mut Vec<u8>) {
    let before = [r#",{"fullUrl":""#, &server.base, "/", &stored.resource_type, "/", &stored.id, r#"","resource":"#];
    bytes.extend_from_slice(before.concat().as_bytes());
    bytes.extend_from_slice(body);
    bytes.extend_from_slice([r#","search":{"mode":""#, mode, r#""}}"#].concat().as_bytes());
}

/// An entry that says what was passed over.
fn outcome(query: &Query, answer: &Answer) -> Option<String> {
    let mut issues = query.warnings.clone();
    if answer.cut {
        let text =
            "More resources should come with these matches than one page brings. Ask for fewer matches (`_count`).";
        issues.push(Issue::new(Severity::Warning, IssueCode::TooCostly, "search-too-many-includes", text));
    }
    if issues.is_empty() {
        return None;
    }
    Some(json!({ "resource": operation_outcome(&issues), "search": { "mode": "outcome" } }).to_string())
}
