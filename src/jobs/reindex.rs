//! The re-index job: makes the index rows of stored resources anew where search parameters, or the way rows are extracted,
//! have changed. Left by the write of a SearchParameter, by the start of a server that finds older rows, by `$reindex` and
//! by `kith reindex`.
//!
//! It walks each resource type in the order of ids, in batches that are one short transaction each. A resource that was
//! changed meanwhile was indexed by whoever changed it and is left alone. How far the walk is stands in the job's row and
//! moves with each batch, so a restart goes on behind the last one. A second walk finds what other processes have stored
//! before they knew of the change; then the parameters are marked as indexed, and searches may use them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{Job, Step, record};
use crate::clock::Micros;
use crate::fhir::codec::json;
use crate::interactions::server::Server;
use crate::interactions::{effects, live};
use crate::problem::Problem;
use crate::search::parameters::OfType;
use crate::store::{AuditRecord, Claim, NewJob, Rows, Stored};

/// Resources in one transaction: some milliseconds, for which writers wait on SQLite.
const BATCH: i64 = 50;

/// No set of parameters has this number: every resource differs from it.
const NONE: i64 = -1;

/// How long a batch keeps the job claimed.
const LEASE: Micros = 30_000_000;

/// The job.
#[derive(Debug)]
pub struct Reindex;

/// What the job has to do and how far it is: its payload.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Plan {
    /// The types asked for; empty for all that need it.
    asked: Vec<String>,
    /// Index anew also what seems to be right.
    forced: bool,
    /// When the walk began; 0 while it has not.
    begun: Micros,
    /// The types, with the number of the set of parameters that they are indexed by.
    types: Vec<(String, i64)>,
    /// The second walk.
    again: bool,
    /// Where the walk is: place in `types`, last id done.
    at: usize,
    after: String,
    done: i64,
    total: i64,
    /// For people.
    progress: String,
}

impl Plan {
    fn payload(&self) -> Result<String, Problem> {
        serde_json::to_string(self).map_err(Problem::internal)
    }

    /// Resources with this number are passed over.
    const fn skipped(&self, generation: i64) -> i64 {
        if self.forced && !self.again { NONE } else { generation }
    }

    fn describe(&mut self) {
        let total = self.total.max(self.done);
        let percent = (self.done * 100).checked_div(total).unwrap_or(100);
        let name = self.types.get(self.at).map_or("", |(name, _)| name.as_str());
        self.progress = match (self.again, name) {
            (true, _) | (_, "") => format!("{} of {total} resources indexed; looking for late ones", self.done),
            _ => format!("{} of {total} resources indexed ({percent} %), now {name}", self.done),
        };
    }
}

impl Job for Reindex {
    fn kind(&self) -> &'static str {
        live::REINDEX
    }

    fn prepare<'a>(&'a self, server: &'a Arc<Server>) -> BoxFuture<'a, Result<(), Problem>> {
        Box::pin(async move {
            if needed(server).await?.is_empty() {
                return Ok(());
            }
            let leave = server.store.write(|tx| {
                Box::pin(async move {
                    tx.enqueue_once(NewJob::new(live::REINDEX, "{}")).await?;
                    Ok(((), Vec::new()))
                })
            });
            leave.await
        })
    }

    fn step<'a>(&'a self, server: &'a Arc<Server>, claim: &'a Claim) -> BoxFuture<'a, Result<Step, Problem>> {
        Box::pin(async move {
            live::refresh(server).await?;
            let server = &server.latest();
            let plan: Plan = serde_json::from_str(&claim.payload).map_err(Problem::internal)?;
            let known = plan.types.iter().all(|(name, number)| server.parameters.generation(name) == *number);
            if plan.begun == 0 || !known {
                return begin(server, claim, plan).await;
            }
            match plan.types.get(plan.at).cloned() {
                Some((name, number)) => walk(server, claim, plan, &name, number).await,
                None if plan.again => finish(server, claim, plan).await,
                None => look_again(server, claim, plan).await,
            }
        })
    }
}

/// The types of which some resource may have other rows than it should, or a parameter waits for its index.
async fn needed(server: &Server) -> Result<BTreeSet<String>, Problem> {
    let registry = &server.parameters;
    let waits = |name: &String| registry.of_type(name).is_some_and(OfType::is_indexing);
    let mut names: BTreeSet<String> = registry.extended_types().into_iter().filter(waits).collect();
    let stored = server.store.counts().await?;
    names.extend(stored.into_iter().map(|(name, _)| name).filter(|name| registry.is_behind(name)));
    Ok(names)
}

async fn begin(server: &Arc<Server>, claim: &Claim, mut plan: Plan) -> Result<Step, Problem> {
    let names = if plan.asked.is_empty() && !plan.forced {
        needed(server).await?.into_iter().collect()
    } else if plan.asked.is_empty() {
        server.store.counts().await?.into_iter().map(|(name, _)| name).collect()
    } else {
        plan.asked.clone()
    };
    plan.types = names.into_iter().map(|name| (name.clone(), server.parameters.generation(&name))).collect();
    (plan.begun, plan.again, plan.at, plan.done, plan.total) = (server.clock.now(), false, 0, 0, 0);
    plan.after.clear();
    for (name, number) in &plan.types {
        plan.total += server.store.count_indexed_otherwise(name, plan.skipped(*number)).await?;
    }
    plan.describe();
    if plan.types.is_empty() {
        return finish(server, claim, plan).await;
    }
    hold(server, claim, &plan, Vec::new(), None).await
}

async fn walk(server: &Arc<Server>, claim: &Claim, mut plan: Plan, name: &str, number: i64) -> Result<Step, Problem> {
    let batch = server.store.indexed_otherwise(name, &plan.after, plan.skipped(number), BATCH).await?;
    let Some(last) = batch.last() else {
        plan.at += 1;
        plan.after.clear();
        plan.describe();
        return hold(server, claim, &plan, Vec::new(), None).await;
    };
    plan.after.clone_from(&last.id);
    plan.done += i64::try_from(batch.len()).unwrap_or(0);
    plan.describe();
    let audit = AuditRecord {
        resource_type: name.to_owned(),
        query: format!("count={}&until={}", batch.len(), last.id),
        ..record(server, "operation $reindex")
    };
    let extracting = Arc::clone(server);
    let rows = tokio::task::spawn_blocking(move || extract(&extracting, batch)).await.map_err(Problem::internal)?;
    hold(server, claim, &plan, rows, Some(audit)).await
}

/// The rows of each resource. What cannot be read is left as it is, so that one damaged resource does not stop the others.
fn extract(server: &Server, batch: Vec<Stored>) -> Vec<(Stored, Rows)> {
    let mut all = Vec::with_capacity(batch.len());
    for stored in batch {
        match json::parse_stored(&stored.body) {
            Ok(resource) => {
                let index = server.extractor.extract(&resource);
                all.push((stored, Rows { index, parties: effects::parties(server, &resource) }));
            }
            Err(problem) => {
                tracing::error!(resource_type = stored.resource_type, id = stored.id, %problem, "a stored resource cannot be read");
            }
        }
    }
    all
}

/// Stores rows and how far the job is, together. Rows that definitions of before have made are not stored where these have
/// changed meanwhile: what came after them may be marked as indexed already. The job begins again then.
async fn hold(
    server: &Arc<Server>,
    claim: &Claim,
    plan: &Plan,
    rows: Vec<(Stored, Rows)>,
    audit: Option<AuditRecord>,
) -> Result<Step, Problem> {
    let restarted = Plan { begun: 0, ..plan.clone() }.payload()?;
    let (count, until) = (server.definitions_count, server.clock.now() + LEASE);
    let work = Arc::new((claim.clone(), [plan.payload()?, restarted], rows, audit));
    let write = server.store.write(move |tx| {
        let work = Arc::clone(&work);
        Box::pin(async move {
            let (claim, [payload, restarted], rows, audit) = &*work;
            if rows.is_empty() {
                tx.hold_job(claim, payload, until).await?;
                return Ok((payload.clone(), audit.iter().cloned().collect()));
            }
            tx.lock_jobs(&claim.kind).await?;
            if tx.definitions_count().await? != count {
                tx.hold_job(claim, restarted, until).await?;
                return Ok((restarted.clone(), Vec::new()));
            }
            tx.hold_job(claim, payload, until).await?;
            tx.reindex(rows).await?;
            Ok((payload.clone(), audit.iter().cloned().collect()))
        })
    });
    Ok(Step::Held(write.await?))
}

/// Before the second walk, everybody who shares the database has had the time to learn of new definitions and to finish
/// what was begun without. Where the process is alone, what it writes is indexed by the newest definitions anyway.
async fn look_again(server: &Arc<Server>, claim: &Claim, mut plan: Plan) -> Result<Step, Problem> {
    plan.again = true;
    plan.at = 0;
    plan.after.clear();
    plan.describe();
    let patience = Micros::try_from(server.settings.jobs_poll).unwrap_or(0) * 3000;
    let due = plan.begun + if server.store.is_shared() { patience } else { 0 };
    if due <= server.clock.now() {
        return hold(server, claim, &plan, Vec::new(), None).await;
    }
    let work = Arc::new((claim.clone(), plan.payload()?));
    let write = server.store.write(move |tx| {
        let work = Arc::clone(&work);
        Box::pin(async move { Ok((tx.postpone_job(&work.0, &work.1, due).await?, Vec::new())) })
    });
    write.await?;
    Ok(Step::Ended)
}

/// Marks what is indexed and ends the job, unless definitions have changed meanwhile.
async fn finish(server: &Arc<Server>, claim: &Claim, mut plan: Plan) -> Result<Step, Problem> {
    plan.progress = format!("{} resources indexed", plan.done);
    let ended = plan.payload()?;
    let restarted = Plan { begun: 0, ..plan.clone() }.payload()?;
    let mut marks: HashMap<String, (i64, Vec<(String, i64)>)> = HashMap::new();
    for (name, number) in &plan.types {
        let added = server.parameters.of_type(name).into_iter().flat_map(OfType::added);
        let added = added.map(|parameter| (parameter.code().to_owned(), parameter.generation)).collect();
        marks.insert(name.clone(), (*number, added));
    }
    let (count, until) = (server.definitions_count, server.clock.now() + LEASE);
    let work = Arc::new((claim.clone(), ended, restarted, marks));
    let write = server.store.write(move |tx| {
        let work = Arc::clone(&work);
        Box::pin(async move {
            let (claim, ended, restarted, marks) = &*work;
            tx.lock_jobs(&claim.kind).await?;
            if tx.definitions_count().await? != count {
                tx.hold_job(claim, restarted, until).await?;
                return Ok((Step::Held(restarted.clone()), Vec::new()));
            }
            for (name, (number, parameters)) in marks {
                tx.mark_indexed(name, *number, parameters).await?;
            }
            if !marks.is_empty() {
                tx.definitions_changed().await?;
            }
            tx.finish_job(claim, ended, "done", "").await?;
            Ok((Step::Ended, Vec::new()))
        })
    });
    let step = write.await?;
    live::refresh(server).await?;
    Ok(step)
}
