//! Commits one change and turns what it did into the answer. Used by create, update, delete and patch.

use std::sync::Arc;

use super::affiliation;
use super::condition::{self, Condition, Settled};
use super::guard;
use super::record::Stamp;
use super::reply::{Content, Reply};
use super::rewrite;
use super::server::Server;
use super::visible;
use super::write::{self, Change, Outcome, Written};
use crate::config::References;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::problem::{Kind, Problem};
use crate::store::{AuditRecord, Tx};

/// Carries out one change in a transaction of its own. With a condition, what it comes to depends on what matches.
pub async fn one(
    server: &Arc<Server>,
    change: Change,
    condition: Option<Condition>,
    stamp: Stamp,
) -> Result<Written, Problem> {
    check_references(server, &change, &stamp)?;
    let limited = stamp.caller.limits()?.is_some();
    let directory = affiliation::decides(change.resource_type());
    let work = Arc::new((Arc::clone(server), change, condition, stamp));
    let written = server
        .store
        .write(move |tx| {
            let work = Arc::clone(&work);
            Box::pin(async move {
                let (server, change, condition, stamp) = &*work;
                let mut records = Vec::new();
                let written = match condition {
                    None => write::apply(server, tx, change, stamp, &mut records).await?,
                    Some(condition) => conditionally(server, tx, change, condition, stamp, &mut records).await?,
                };
                Ok((written, records))
            })
        })
        .await;
    if directory {
        server.access.forget(|_| true);
    }
    written.map_err(|problem| guard::without_counts(limited, problem))
}

/// 422 for a conditional reference: only a transaction looks it up (<https://hl7.org/fhir/R4/http.html#trules>), and stored as it is
/// it would lead nowhere.
fn check_references(server: &Server, change: &Change, stamp: &Stamp) -> Result<(), Problem> {
    let (Change::Create(draft) | Change::Update { draft, .. }) = change else { return Ok(()) };
    if stamp.caller.imports || server.settings.references_write == References::Allow || draft.resource_type == "Bundle"
    {
        return Ok(());
    }
    if rewrite::conditional_references(&draft.value).is_empty() {
        return Ok(());
    }
    let place = rewrite::conditional_place(&draft.value).unwrap_or_else(|| draft.resource_type.clone());
    let text = "A reference by search criteria is looked up in a transaction only. Send a transaction, or refer to the resource by \
                its type and id.";
    let issue = Issue::new(Severity::Error, IssueCode::NotSupported, "reference-exists", text).at(place);
    Err(Problem::with_issues(Kind::Unprocessable, vec![issue]))
}

async fn conditionally(
    server: &Server,
    tx: &mut Tx,
    change: &Change,
    condition: &Condition,
    stamp: &Stamp,
    records: &mut Vec<AuditRecord>,
) -> Result<Written, Problem> {
    tx.lock(condition.lock()).await?;
    let changes = match condition::settle(server, tx, change, condition).await? {
        Settled::Unchanged(stored) => {
            let written = Written::unchanged(visible::one(&stamp.caller, *stored)?);
            records.push(stamp.change(&written, None));
            return Ok(written);
        }
        Settled::AsPlanned => return write::apply(server, tx, change, stamp, records).await,
        Settled::Changes(changes) => changes,
    };
    let mut done = Vec::with_capacity(changes.len());
    for change in &changes {
        done.push(write::apply(server, tx, change, stamp, records).await?);
    }
    if let ([_], Some(only)) = (done.as_slice(), done.last()) {
        return Ok(only.clone());
    }
    let written = Written::deleted(change.resource_type(), "", server.clock.now());
    if done.is_empty() {
        records.push(stamp.change(&written, None));
    }
    Ok(written)
}

/// The answer to a change, with the resource as stored.
#[must_use]
pub fn reply(written: Written) -> Reply {
    let status = match written.outcome {
        Outcome::Created => 201,
        Outcome::Updated | Outcome::Patched | Outcome::Unchanged => 200,
        Outcome::Deleted => 204,
    };
    let location = (written.version > 0 && written.outcome != Outcome::Deleted).then(|| written.location());
    let content = if written.body.is_empty() { Content::Empty } else { Content::Stored(written.body) };
    let mut reply = Reply::new(status, content);
    if written.version > 0 {
        reply = reply.versioned(written.version, written.last_updated);
    }
    reply.location = location;
    reply.issues = written.issues;
    reply
}
