//! Definitions that clients store (SearchParameter) take effect at once: every change is counted in the database, and each
//! process builds its engines anew where the count is another than it knows. A request works with the engines it began with.
//! The write path calls [`admit`] and [`changed`], the entry of all requests [`catch_up`], the job runner [`refresh`].

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use serde_json::Value;
use tokio::sync::Mutex;

use super::draft::Draft;
use super::server::Server;
use crate::fhir::codec::json;
use crate::fhir::definitions::package::{Manifest, Package};
use crate::problem::{Kind, Problem};
use crate::search::extract::Extractor;
use crate::search::index::IndexRows;
use crate::search::parameters::{Registry, Standings, admission};
use crate::store::{NewJob, Stored, Tx};

/// The kind of job that indexes resources anew.
pub const REINDEX: &str = "reindex";

/// The most SearchParameters that clients may store: every change reads all of them.
const MOST: usize = 500;

/// The resource type whose resources extend the server.
const SEARCH_PARAMETER: &str = "SearchParameter";

/// What this process knows of stored definitions; owned by the first [`Server`] that it builds.
#[derive(Debug, Default)]
pub struct Live {
    latest: ArcSwapOption<Server>,
    refreshing: Mutex<()>,
    /// Changes that this process wrote.
    written: AtomicU64,
    /// How many of these the engines know.
    known: AtomicU64,
}

impl Live {
    /// The engines to use now; none where they are those of the start.
    #[must_use]
    pub fn latest(&self) -> Option<Arc<Server>> {
        self.latest.load_full()
    }
}

/// Refuses (422) a definition that the server could not work by, before it is stored.
pub async fn admit(server: &Server, tx: &mut Tx, draft: &Draft) -> Result<(), Problem> {
    if draft.resource_type != SEARCH_PARAMETER {
        return Ok(());
    }
    tx.lock_jobs(REINDEX).await?;
    if !admission::is_used(&draft.value) {
        return Ok(());
    }
    let others = tx.current(SEARCH_PARAMETER, limit()).await?;
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

/// Notes a change of a stored definition in its transaction: all processes will know, and what must be indexed will be.
pub async fn changed(server: &Server, tx: &mut Tx, resource_type: &str) -> Result<(), Problem> {
    if resource_type != SEARCH_PARAMETER {
        return Ok(());
    }
    // The job that may run just now ends under the same lock: it sees this change, or this change leaves another job.
    tx.lock_jobs(REINDEX).await?;
    tx.definitions_changed().await?;
    tx.enqueue_once(NewJob::new(REINDEX, "{}")).await?;
    if let Some(live) = server.live.upgrade() {
        live.written.fetch_add(1, Ordering::AcqRel);
    }
    Ok(())
}

/// The index rows of a draft. Where search parameters have changed since it was made, they are made anew: from the moment that
/// a parameter is known, nothing is stored without its rows.
pub fn rows(server: &Server, draft: &Draft) -> IndexRows {
    match server.live.upgrade().and_then(|live| live.latest()) {
        Some(latest) if latest.parameters.generation(&draft.resource_type) != draft.rows.generation => {
            latest.extractor.extract(&draft.value)
        }
        _ => draft.rows.clone(),
    }
}

/// Builds the engines anew where this process has written definitions since: its next request works by them.
pub async fn catch_up(server: &Server) {
    let Some(live) = server.live.upgrade() else { return };
    let written = live.written.load(Ordering::Acquire);
    if live.known.load(Ordering::Acquire) >= written {
        return;
    }
    match refresh(server).await {
        Ok(()) => {
            live.known.fetch_max(written, Ordering::AcqRel);
        }
        Err(problem) => {
            tracing::warn!(%problem, "changed definitions could not be read yet; the next poll tries again");
        }
    }
}

/// Builds the engines anew where definitions or what is indexed have changed in the database, whoever changed them.
pub async fn refresh(server: &Server) -> Result<(), Problem> {
    let Some(live) = server.live.upgrade() else { return Ok(()) };
    let _alone = live.refreshing.lock().await;
    // Counted first: what changes from here on is noticed the next time.
    let count = server.store.definitions_count().await?;
    if live.latest().is_some_and(|latest| latest.definitions_count == count) {
        return Ok(());
    }
    let stored = server.store.current(SEARCH_PARAMETER, limit()).await?;
    let indexed = server.store.indexed().await?;
    let indexed = indexed.into_iter().map(|(resource_type, code, generation)| ((resource_type, code), generation));
    let standings = Standings { drafts: HashSet::new(), indexed: indexed.collect() };
    live.latest.store(Some(Arc::new(successor(server, count, &stored, standings)?)));
    Ok(())
}

fn successor(server: &Server, count: i64, stored: &[Stored], mut standings: Standings) -> Result<Server, Problem> {
    let mut used = Vec::new();
    for stored in stored {
        let definition = json::parse_stored(&stored.body)?;
        let text = |name: &str| definition.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("status") == "draft" {
            standings.drafts.insert(text("url").to_owned());
        }
        if admission::is_used(&definition) {
            used.push(definition);
        }
    }
    let standard = server.standard.definitions();
    let definitions = if used.is_empty() {
        Arc::clone(standard)
    } else {
        let manifest = Manifest { name: "stored".to_owned(), ..Manifest::default() };
        Arc::new(standard.with_packages(vec![Package::new(manifest, &used)])?)
    };
    let parameters = Arc::new(Registry::with(Arc::clone(&definitions), standings));
    let extractor = Extractor::new(Arc::clone(&parameters), &server.base);
    Ok(Server { definitions, parameters, extractor, definitions_count: count, owned: None, ..server.clone() })
}

fn limit() -> i64 {
    // One more than may be there.
    i64::try_from(MOST).map_or(i64::MAX, |most| most + 1)
}
