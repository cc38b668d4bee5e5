//! batch: `POST [base]` with a Bundle of type batch (<https://hl7.org/fhir/R4/http.html#transaction>): every entry is a
//! request of its own, audited by itself, and may fail by itself.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::entry::{self, Entry};
use super::record::Stamp;
use super::reply::{Content, Reply};
use super::request::{Body, Request, ReturnPreference};
use super::rewrite;
use super::server::Server;
use crate::access::Grant;
use crate::problem::{Kind, Problem};

/// Entries carried out at the same time, so that their commits can be joined.
const AT_ONCE: usize = 32;

/// Carries out the entries in the order of the specification's ranks and answers with a batch-response.
pub async fn batch(
    server: &Arc<Server>,
    request: &Request,
    mut bundle: Value,
    _grant: Grant,
) -> Result<Reply, Problem> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut answers: Vec<(usize, Value)> = Vec::new();
    let all = entry::read_each(server, request, &mut bundle)?;
    let names: HashSet<String> = all.iter().flatten().filter_map(|entry| entry.full_url.clone()).collect();
    for entry in all {
        match entry.and_then(|entry| independent(entry, &names)) {
            Ok(entry) => entries.push(entry),
            Err((index, problem)) => {
                let record = Stamp::of(request, server.clock.now()).refusal(server, request, &problem);
                server.store.audit(record).await?;
                answers.push((index, entry::answer(server, &Reply::problem(&problem), false)?));
            }
        }
    }
    entries.sort_by_key(|entry| entry::rank(entry.request.method));
    for group in entries.chunk_by(|one, other| entry::rank(one.request.method) == entry::rank(other.request.method)) {
        for some in group.chunks(AT_ONCE) {
            let replies = join_all(some.iter().map(|entry| carry_out(server, request, entry))).await;
            for answer in replies {
                answers.push(answer?);
            }
        }
    }
    server.store.audit(Stamp::of(request, server.clock.now()).record("batch", 200)).await?;
    answers.sort_by_key(|(index, _)| *index);
    let list: Vec<Value> = answers.into_iter().map(|(_, answer)| answer).collect();
    let mut response = json!({ "resourceType": "Bundle", "type": "batch-response" });
    if !list.is_empty() {
        response["entry"] = Value::Array(list);
    }
    Ok(Reply::new(200, Content::Resource(response)))
}

/// An entry of a batch must not refer to what another one creates: they are carried out apart.
fn independent(entry: Entry, names: &HashSet<String>) -> Result<Entry, (usize, Problem)> {
    let Body::Resource(resource) = &entry.request.body else { return Ok(entry) };
    let foreign = |name: &&str| names.contains(*name) && entry.full_url.as_deref() != Some(*name);
    if !rewrite::references(resource).iter().any(|name| name.starts_with("urn:") && foreign(name)) {
        return Ok(entry);
    }
    let text = "An entry of a batch must not refer to another entry; send a transaction.";
    let problem = Problem::new(Kind::Invalid, text).at("resource");
    Err((entry.index, entry::located(&problem, entry.index)))
}

async fn carry_out(server: &Arc<Server>, outer: &Request, entry: &Entry) -> Result<(usize, Value), Problem> {
    let reply = Box::pin(super::handle(server, &entry.request)).await;
    let shown = matches!(entry.target, super::route::Target::Operation { .. })
        || entry::rank(entry.request.method) == 3
        || outer.headers.prefer_return == Some(ReturnPreference::Representation);
    Ok((entry.index, entry::answer(server, &reply, shown)?))
}
