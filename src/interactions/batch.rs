//! batch: `POST [base]` with a Bundle of type batch (<https://hl7.org/fhir/R4/http.html#transaction>): every entry is a
//! request of its own, audited by itself, and may fail by itself.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::entry::{self, Entry};
use super::reply::{Content, Reply};
use super::request::{Request, ReturnPreference};
use super::server::Server;
use crate::access::Grant;
use crate::problem::Problem;

/// Entries carried out at the same time, so that their commits can be joined.
const AT_ONCE: usize = 32;

/// Carries out the entries in the order of the specification's ranks and answers with a batch-response.
pub async fn batch(
    server: &Arc<Server>,
    request: &Request,
    mut bundle: Value,
    _grant: Grant,
) -> Result<Reply, Problem> {
    let mut entries = entry::read(server, request, &mut bundle)?;
    entries.sort_by_key(|entry| entry::rank(entry.request.method));
    let mut answers: Vec<(usize, Value)> = Vec::with_capacity(entries.len());
    for group in entries.chunk_by(|one, other| entry::rank(one.request.method) == entry::rank(other.request.method)) {
        for some in group.chunks(AT_ONCE) {
            let replies = join_all(some.iter().map(|entry| carry_out(server, request, entry))).await;
            for answer in replies {
                answers.push(answer?);
            }
        }
    }
    answers.sort_by_key(|(index, _)| *index);
    let list: Vec<Value> = answers.into_iter().map(|(_, answer)| answer).collect();
    let mut response = json!({ "resourceType": "Bundle", "type": "batch-response" });
    if !list.is_empty() {
        response["entry"] = Value::Array(list);
    }
    Ok(Reply::new(200, Content::Resource(response)))
}

async fn carry_out(server: &Arc<Server>, outer: &Request, entry: &Entry) -> Result<(usize, Value), Problem> {
    let reply = Box::pin(super::handle(server, &entry.request)).await;
    let shown = matches!(entry.target, super::route::Target::Operation { .. })
        || entry::rank(entry.request.method) == 3
        || outer.headers.prefer_return == Some(ReturnPreference::Representation);
    Ok((entry.index, entry::answer(server, &reply, shown)?))
}
