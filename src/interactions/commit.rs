//! Commits one change and turns what it did into the answer. Used by create, update, delete and patch.

use std::sync::Arc;

use super::condition::{self, Condition, Match};
use super::record::Stamp;
use super::reply::{Content, Reply};
use super::server::Server;
use super::write::{self, Change, Outcome, Written};
use crate::problem::Problem;

/// Carries out one change in a transaction of its own. With a condition it is carried out only where nothing matches; the
/// one that matches is the answer otherwise.
pub async fn one(
    server: &Arc<Server>,
    change: Change,
    condition: Option<Condition>,
    stamp: Stamp,
) -> Result<Written, Problem> {
    let work = Arc::new((Arc::clone(server), change, condition, stamp));
    server
        .store
        .write(move |tx| {
            let work = Arc::clone(&work);
            Box::pin(async move {
                let (server, change, condition, stamp) = &*work;
                let mut records = Vec::new();
                if let Some(condition) = condition
                    && let Match::One(stored) = condition::find(tx, condition).await?
                {
                    let written = Written::unchanged(stored);
                    records.push(stamp.change(&written, None));
                    return Ok((written, records));
                }
                let written = write::apply(server, tx, change, stamp, &mut records).await?;
                Ok((written, records))
            })
        })
        .await
}

/// The answer to a change, with the resource as stored.
#[must_use]
pub fn reply(written: Written) -> Reply {
    let status = match written.outcome {
        Outcome::Created => 201,
        Outcome::Updated | Outcome::Unchanged => 200,
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
