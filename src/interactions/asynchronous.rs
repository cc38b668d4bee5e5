//! Requests that are answered before they are carried out (<https://hl7.org/fhir/R4/async.html>): the first answer names an
//! address that tells how far the request is. Operations that run as jobs call [`start`]; `$job-status` is the address.
//!
//! What the payload of such a job has under `progress` is shown while it runs and when it is done.

use std::sync::Arc;

use serde_json::{Value, json};

use super::record::Stamp;
use super::reply::{Content, Reply};
use super::request::Request;
use super::server::Server;
use crate::fhir::issue::{Issue, IssueCode, Severity, operation_outcome};
use crate::fhir::temporal;
use crate::problem::{Kind, Problem};
use crate::store::{JobState, NewJob};

/// The name of the operation at the status address.
pub const STATUS: &str = "job-status";

/// After how many seconds a client should ask again.
const AGAIN: &str = "1";

/// The longest progress text that a header takes.
const LONGEST: usize = 100;

/// Leaves a job of `kind` with `payload` and answers 202 with the address of its status.
pub async fn start(server: &Server, request: &Request, kind: &str, payload: &Value) -> Result<Reply, Problem> {
    let address = server.clock.new_id();
    let job = NewJob { address: address.clone(), ..NewJob::new(kind, payload.to_string()) };
    let record = Stamp::of(request, server.clock.now()).record(&interaction(request), 202);
    let work = Arc::new((job, record));
    let left = server.store.write(move |tx| {
        let work = Arc::clone(&work);
        Box::pin(async move {
            let (job, record) = &*work;
            tx.enqueue(job.clone());
            Ok(((), vec![record.clone()]))
        })
    });
    left.await?;
    let location = format!("{}/${STATUS}?job={address}", server.base);
    let text =
        "The request was taken and is carried out now. Content-Location names the address that tells how far it is.";
    let mut reply = Reply::new(202, information(text));
    reply.headers.push(("Content-Location", location));
    Ok(reply)
}

/// 202 with X-Progress while a job runs, 200 with its result when it is done. 404 where there is none, or where it ended so
/// long ago that it is forgotten; 500 where it was given up.
pub async fn status(server: &Server, request: &Request, address: &str) -> Result<Reply, Problem> {
    let state = server.store.job(address).await?.filter(|state| state.outcome != "cancelled").ok_or_else(none)?;
    let payload: Value = serde_json::from_str(&state.payload).map_err(Problem::internal)?;
    let progress = payload.get("progress").and_then(Value::as_str).unwrap_or_default();
    let reply = match state.outcome.as_str() {
        "" => running(&state, progress),
        "done" => Reply::new(200, Content::Resource(result(&state, progress))),
        _ => return Err(given_up(&state)),
    };
    let stamp = Stamp::of(request, server.clock.now());
    server.store.audit(stamp.record(&interaction(request), reply.status)).await?;
    Ok(reply)
}

/// Cancels a job: 202. What it has done stays done. 404 where there is none that runs.
pub async fn cancel(server: &Server, request: &Request, address: &str) -> Result<Reply, Problem> {
    let record = Stamp::of(request, server.clock.now()).record(&interaction(request), 202);
    let work = Arc::new((address.to_owned(), record));
    let cancelled = server.store.write(move |tx| {
        let work = Arc::clone(&work);
        Box::pin(async move {
            let (address, record) = &*work;
            if tx.cancel_job(address).await? { Ok(((), vec![record.clone()])) } else { Err(none()) }
        })
    });
    cancelled.await?;
    Ok(Reply::new(202, information("The request is cancelled. What was done already stays as it is.")))
}

fn interaction(request: &Request) -> String {
    format!("operation {}", request.path.first().map_or("", String::as_str))
}

fn running(state: &JobState, progress: &str) -> Reply {
    let waiting = if state.last_error.is_empty() { "waiting to begin" } else { "failed and will be tried again" };
    let text = if progress.is_empty() || !state.last_error.is_empty() { waiting } else { progress };
    let text: String = text.chars().filter(char::is_ascii).take(LONGEST).collect();
    let mut reply = Reply::new(202, Content::Empty);
    reply.headers.push(("X-Progress", text));
    reply.headers.push(("Retry-After", AGAIN.to_owned()));
    reply
}

fn result(state: &JobState, progress: &str) -> Value {
    json!({
        "resourceType": "Parameters",
        "parameter": [
            { "name": "outcome", "valueString": progress },
            { "name": "requested", "valueInstant": temporal::format_instant(state.created) },
            { "name": "completed", "valueInstant": temporal::format_instant(state.finished) },
        ],
    })
}

fn information(text: &str) -> Content {
    let issue = Issue::new(Severity::Information, IssueCode::Informational, "", text);
    Content::Resource(operation_outcome(&[issue]))
}

fn none() -> Problem {
    let text =
        "There is no such asynchronous request: it never was, it was cancelled, or it ended more than a day ago.";
    Problem::new(Kind::NotFound, text).at("http.query.job")
}

fn given_up(state: &JobState) -> Problem {
    Problem::new(Kind::Internal, format!("The request was given up after too many failures. {}", state.last_error))
}
