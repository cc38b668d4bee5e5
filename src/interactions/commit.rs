//! Commits one change and turns what it did into the answer. Used by create, update, delete and patch.

use std::sync::Arc;

use super::affiliation;
use super::condition::{self, Condition, Settled};
use super::guard;
use super::record::Stamp;
use super::reply::{Content, Reply};
use super::server::Server;
use super::visible;
use super::write::{self, Change, Outcome, Written};
use crate::problem::Problem;
use crate::store::{AuditRecord, Tx};

/// Carries out one change in a transaction of its own. With a condition, what it comes to depends on what matches.
pub async fn one(
    server: &Arc<Server>,
    change: Change,
    condition: Option<Condition>,
    stamp: Stamp,
) -> Result<Written, Problem> {
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
