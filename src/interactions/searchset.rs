//! The Bundle that answers a search (<https://hl7.org/fhir/R4/bundle.html#searchset>). Stored resources go in as the bytes they
//! are; they are parsed only where elements are left out.

use std::borrow::Cow;
use std::sync::Arc;

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
    pub matches: Vec<Arc<Stored>>,
    /// What comes with them.
    pub included: Vec<Arc<Stored>>,
    /// Something that should have come with them was too much.
    pub cut: bool,
    /// How many matches all pages have, where it is known.
    pub total: Option<i64>,
    /// Token of the page before.
    pub previous: Option<String>,
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
    let mut text = String::with_capacity(parameters.len() * 40);
    for (name, value) in parameters {
        text.push_str(if text.is_empty() { "" } else { "&" });
        for (place, part) in name.split('=').enumerate() {
            text.push_str(if place == 0 { "" } else { "=" });
            text.extend(utf8_percent_encode(part, ESCAPED));
        }
        text.push('=');
        text.extend(utf8_percent_encode(value, ESCAPED));
    }
    text
}

/// The Bundle as JSON; `path` is the address of the search below the base.
pub fn bundle(server: &Server, path: &str, query: &Query, answer: &Answer) -> Result<Bytes, Problem> {
    let mut head = json!({ "resourceType": "Bundle", "id": server.clock.new_id(), "type": "searchset" });
    if let Some(total) = answer.total {
        head["total"] = json!(total);
    }
    head["link"] = links(server, path, query, answer);
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

/// The links of a page: what was understood, and the pages around it.
fn links(server: &Server, path: &str, query: &Query, answer: &Answer) -> Value {
    let slash = if path.is_empty() { "" } else { "/" };
    let address = |parameters: &str| {
        let mark = if parameters.is_empty() { "" } else { "?" };
        [&server.base, slash, path, mark, parameters].concat()
    };
    let asked = query_string(&query.understood);
    let mut first = Cow::Borrowed(&asked);
    if query.page.is_some() {
        let others = query.understood.iter().filter(|(name, _)| name != PAGE);
        first = Cow::Owned(query_string(&others.cloned().collect::<Vec<_>>()));
    }
    let link = |relation: &str, url: String| json!({ "relation": relation, "url": url });
    let mut links = vec![link("self", address(&asked))];
    if query.page.is_some() || answer.next.is_some() {
        links.push(link("first", address(&first)));
    }
    for (relation, token) in [("previous", &answer.previous), ("next", &answer.next)] {
        if let Some(token) = token {
            let and = if first.is_empty() { "" } else { "&" };
            links.push(link(relation, address(&[&**first, and, PAGE, "=", token].concat())));
        }
    }
    Value::Array(links)
}

/// Appends a comma and an entry.
fn entry(server: &Server, stored: &Stored, mode: &str, body: &[u8], bytes: &mut Vec<u8>) {
    let before = [r#",{"fullUrl":""#, &server.base, "/", &stored.resource_type, "/", &stored.id, r#"","resource":"#];
    for part in before {
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes.extend_from_slice(body);
    for part in [r#","search":{"mode":""#, mode, r#""}}"#] {
        bytes.extend_from_slice(part.as_bytes());
    }
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
