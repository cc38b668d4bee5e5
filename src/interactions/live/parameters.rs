//! SearchParameters that clients store: what must hold between them, and the job that indexes by a new one.

use serde_json::Value;

use super::super::draft::Draft;
use super::super::server::Server;
use super::{REINDEX, SEARCH_PARAMETER};
use crate::fhir::codec::json;
use crate::problem::{Kind, Problem};
use crate::search::parameters::admission;
use crate::store::{NewJob, Stored, Tx};

/// The most SearchParameters that clients may store: every change reads all of them.
const MOST: usize = 500;

/// Refuses (422) a SearchParameter that does not work, alone or beside the others. `before` is what it replaces.
pub(super) async fn admit(server: &Server, tx: &mut Tx, draft: &Draft, before: Option<&Stored>) -> Result<(), Problem> {
    tx.lock_jobs(REINDEX).await?;
    let stays = |before: &Value| admission::is_used(&draft.value) && before["code"] == draft.value["code"];
    if let Some(before) = before {
        let before = json::parse_stored(&before.body)?;
        if !stays(&before) {
            forget(tx, &before).await?;
        }
    }
    if !admission::is_used(&draft.value) {
        return Ok(());
    }
    // One more than may be there.
    let others = tx.current(SEARCH_PARAMETER, i64::try_from(MOST).map_or(i64::MAX, |most| most + 1)).await?;
    let mut issues = admission::check(&draft.value, &server.standard);
    for other in others.iter().filter(|other| other.id != draft.id) {
        let other = json::parse_stored(&other.body)?;
        issues.extend(admission::clash(&draft.value, &other).filter(|_| admission::is_used(&other)));
    }
    if others.iter().all(|other| other.id != draft.id) && others.len() >= MOST {
        let text =
            format!("This server keeps at most {MOST} search parameters. Delete one that is not needed any more.");
        return Err(Problem::new(Kind::BusinessRule, text).at(SEARCH_PARAMETER));
    }
    if issues.is_empty() { Ok(()) } else { Err(Problem::with_issues(Kind::Unprocessable, issues)) }
}

/// Notes that a SearchParameter is about to be deleted.
pub(super) async fn removed(tx: &mut Tx, before: &Stored) -> Result<(), Problem> {
    tx.lock_jobs(REINDEX).await?;
    forget(tx, &json::parse_stored(&before.body)?).await
}

/// A parameter that is not used any more is not indexed by any more: if it comes back, everything must be indexed by it first.
async fn forget(tx: &mut Tx, definition: &Value) -> Result<(), Problem> {
    tx.unmark_indexed(definition["code"].as_str().unwrap_or_default()).await
}

/// Counts a change of a SearchParameter and has everything indexed by it.
pub(super) async fn changed(tx: &mut Tx) -> Result<(), Problem> {
    // The job that may run just now ends under the same lock: it sees this change, or this change leaves another job.
    tx.lock_jobs(REINDEX).await?;
    tx.definitions_changed().await?;
    tx.enqueue_once(NewJob::new(REINDEX, "{}")).await
}
