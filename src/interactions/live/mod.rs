//! Definitions that clients store and packages that an operator adds take effect at once: every change is counted in the
//! database, and each process makes its engines anew where a count is another than it knows. A request works with the engines
//! it began with; what does not depend on the change is taken over, so that no request pays for it.
//!
//! The write path calls [`admit`], [`admission()`] and [`changed`], transactions [`within`], the entry of all requests
//! [`catch_up`], the job runner [`refresh`].

mod engines;
mod known;
mod parameters;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use serde_json::Value;
use tokio::sync::Mutex;

use super::draft::Draft;
use super::editions;
use super::entry::Entry;
use super::request::{Body, Method};
use super::server::Server;
use crate::fhir::definitions::Part;
use crate::problem::{Kind, Problem};
use crate::search::index::IndexRows;
use crate::store::{Stored, Tx};
use crate::validate::admission;

use known::Known;

/// The kind of job that indexes resources anew.
pub const REINDEX: &str = "reindex";

/// The resource type whose resources extend search.
const SEARCH_PARAMETER: &str = "SearchParameter";

/// The resource types whose resources extend validation and terminology.
const EXTENDING: [&str; 5] = ["StructureDefinition", "ValueSet", "CodeSystem", "ConceptMap", "Questionnaire"];

/// The most definitions of these types that a server works by: all of them are kept in memory.
const MOST: usize = 20_000;

/// What this process knows of stored definitions; owned by the first [`Server`] that it builds.
#[derive(Debug, Default)]
pub struct Live {
    latest: ArcSwapOption<Server>,
    known: Mutex<Known>,
    /// Changes that this process wrote.
    written: AtomicU64,
    /// How many of these the engines know.
    caught_up: AtomicU64,
}

impl Live {
    /// The engines to use now; none where they are those of the start.
    #[must_use]
    pub fn latest(&self) -> Option<Arc<Server>> {
        self.latest.load_full()
    }
}

/// Refuses (422) a definition that the server could not work by, with every reason. Needs no transaction.
pub fn admission(server: &Server, resource: &Value) -> Result<(), Problem> {
    let resource_type = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default();
    if !EXTENDING.contains(&resource_type) {
        return Ok(());
    }
    if server.stored_definitions >= MOST {
        let text = format!(
            "This server works by at most {MOST} stored definitions. Delete some that are not needed any more."
        );
        return Err(Problem::new(Kind::BusinessRule, text).at(resource_type));
    }
    let part = Part::on_trial(resource);
    let Some((_, canonical)) = part.canonicals().next() else { return Ok(()) };
    let trial = engines::trying(server, &part)?;
    let issues = admission::check(&trial.validator, resource, &canonical);
    if issues.is_empty() { Ok(()) } else { Err(Problem::with_issues(Kind::Unprocessable, issues)) }
}

/// The engines for the entries of a transaction: definitions that it brings apply to its other entries.
pub fn within(server: &Arc<Server>, entries: &[Entry]) -> Result<Arc<Server>, Problem> {
    let mut latest = Arc::clone(server);
    for entry in entries.iter().filter(|entry| matches!(entry.request.method, Method::Post | Method::Put)) {
        let Body::Resource(value) = &entry.request.body else { continue };
        let resource_type = value.get("resourceType").and_then(Value::as_str).unwrap_or_default();
        if EXTENDING.contains(&resource_type) {
            latest = Arc::new(engines::trying(&latest, &Part::of_resource(value))?);
        }
    }
    Ok(latest)
}

/// Refuses (422) what the server could not work by beside what is stored, in the transaction that stores it.
pub async fn admit(server: &Server, tx: &mut Tx, draft: &Draft, before: Option<&Stored>) -> Result<(), Problem> {
    if draft.resource_type == SEARCH_PARAMETER { parameters::admit(server, tx, draft, before).await } else { Ok(()) }
}

/// Notes that a stored definition is about to be deleted, in the transaction that does it.
pub async fn removed(tx: &mut Tx, before: &Stored) -> Result<(), Problem> {
    if before.resource_type == SEARCH_PARAMETER { parameters::removed(tx, before).await } else { Ok(()) }
}

/// Notes a change of a stored definition in its transaction: all processes will know, and what must be indexed will be.
pub async fn changed(server: &Server, tx: &mut Tx, resource_type: &str) -> Result<(), Problem> {
    if resource_type == SEARCH_PARAMETER {
        parameters::changed(tx).await?;
    } else if EXTENDING.contains(&resource_type) {
        tx.conformance_changed().await?;
    } else {
        return Ok(());
    }
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

/// Makes the engines anew where this process has written definitions since: its next request works by them.
pub async fn catch_up(server: &Server) {
    let Some(live) = server.live.upgrade() else { return };
    let written = live.written.load(Ordering::Acquire);
    if live.caught_up.load(Ordering::Acquire) >= written {
        return;
    }
    match refresh(server).await {
        Ok(()) => {
            live.caught_up.fetch_max(written, Ordering::AcqRel);
        }
        Err(problem) => {
            tracing::warn!(%problem, "changed definitions could not be read yet; the next poll tries again");
        }
    }
}

/// Makes the engines anew where definitions, packages or what is indexed have changed in the database, whoever changed them.
pub async fn refresh(server: &Server) -> Result<(), Problem> {
    let Some(live) = server.live.upgrade() else { return Ok(()) };
    let mut known = live.known.lock().await;
    // Counted first: what changes from here on is noticed the next time.
    let (count, conformance) = server.store.definition_counts().await?;
    let before = live.latest();
    let is_known = |latest: &Arc<Server>| (latest.definitions_count, latest.conformance_count) == (count, conformance);
    if before.as_ref().is_some_and(is_known) {
        return Ok(());
    }
    let searches_otherwise = before.as_ref().is_none_or(|before| before.definitions_count != count);
    let before = before.unwrap_or_else(|| Arc::new(Server { owned: None, ..server.clone() }));
    let before = if searches_otherwise { editions::take_up(before).await? } else { before };
    known.read(&before, searches_otherwise).await?;
    let mut next = engines::successor(&before, &known, searches_otherwise).await?;
    (next.definitions_count, next.conformance_count) = (count, conformance);
    live.latest.store(Some(Arc::new(next)));
    Ok(())
}
