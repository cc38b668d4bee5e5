//! transaction: `POST [base]` with a Bundle of type transaction (<https://hl7.org/fhir/R4/http.html#trules>): all or nothing, with
//! temporary names replaced everywhere. Everything that can be done before the lock is done before it, see `plan`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::affiliation;
use super::commit;
use super::condition::{self, Settled};
use super::draft::Draft;
use super::entry::{self, Entry};
use super::guard;
use super::patch;
use super::plan::{self, Plan, Step};
use super::record::Stamp;
use super::reply::{Content, Reply};
use super::request::{Method, Request, ReturnPreference};
use super::rewrite::{self, Names};
use super::server::Server;
use super::visible;
use super::write::{self, Change, Written};
use crate::access::Grant;
use crate::fhir::types::Types;
use crate::problem::{Kind, Problem};
use crate::store::{AuditRecord, Tx};

/// Carries out all entries or none, and answers with a transaction-response.
pub async fn transaction(
    server: &Arc<Server>,
    request: &Request,
    mut bundle: Value,
    _grant: Grant,
) -> Result<Reply, Problem> {
    let mut entries = entry::read(server, request, &mut bundle)?;
    entry::granted(&entries)?;
    let patches = entries.iter().any(|entry| entry.request.method == Method::Patch);
    let mut attempt = 1;
    while patches && attempt < patch::ATTEMPTS {
        match once(server, request, entries.clone()).await {
            Err(problem) if patch::is_stale(&problem) => attempt += 1,
            outcome => return outcome,
        }
    }
    once(server, request, std::mem::take(&mut entries)).await
}

async fn once(server: &Arc<Server>, request: &Request, entries: Vec<Entry>) -> Result<Reply, Problem> {
    let plan = plan::plan(server, entries).await?;
    let limited = request.caller.limits()?.is_some();
    let creates = Arc::new(plan.creates());
    let stamp = Stamp { creates, ..Stamp::of(request, server.clock.now()) };
    let work = Arc::new((Arc::clone(server), plan, stamp));
    let job = Arc::clone(&work);
    let written = server
        .store
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move { carry_out(&job.0, tx, &job.1, &job.2).await })
        })
        .await
        .map_err(|problem| guard::without_counts(limited, problem))?;
    if written.iter().any(|(_, written)| affiliation::decides(&written.resource_type)) {
        server.access.forget(|_| true);
    }
    let shown = request.headers.prefer_return == Some(ReturnPreference::Representation);
    let mut answers: Vec<(usize, Value)> = Vec::new();
    for (index, written) in written {
        answers.push((index, entry::answer(server, &commit::reply(written).preferring(request), shown)?));
    }
    for read in &work.1.reads {
        let reply = Box::pin(super::handle(server, &read.request)).await;
        answers.push((read.index, entry::answer(server, &reply, true)?));
    }
    answers.sort_by_key(|(index, _)| *index);
    let list: Vec<Value> = answers.into_iter().map(|(_, answer)| answer).collect();
    let mut response = json!({ "resourceType": "Bundle", "type": "transaction-response" });
    if !list.is_empty() {
        response["entry"] = Value::Array(list);
    }
    Ok(Reply::new(200, Content::Resource(response)))
}

type Done = (Vec<(usize, Written)>, Vec<AuditRecord>);

async fn carry_out(server: &Arc<Server>, tx: &mut Tx, plan: &Plan, stamp: &Stamp) -> Result<Done, Problem> {
    let mut records = Vec::new();
    let mut done = Vec::with_capacity(plan.steps.len());
    let (names, mut settled) = resolve(server, tx, plan).await?;
    hold(tx, plan, &settled).await?;
    for step in &plan.steps {
        let at = |problem: Problem| {
            if problem.kind == Kind::Internal { problem } else { entry::located(&problem, step.index) }
        };
        let changes = match settled.remove(&step.index) {
            None | Some(Settled::AsPlanned) => None,
            Some(Settled::Changes(changes)) => Some(changes),
            Some(Settled::Unchanged(stored)) => {
                let written = Written::unchanged(visible::one(&stamp.caller, *stored)?);
                records.push(stamp.change(&written, None));
                done.push((step.index, written));
                continue;
            }
        };
        let mut written = Vec::new();
        for change in changes.as_deref().unwrap_or(std::slice::from_ref(&step.change)) {
            let renamed = match &names {
                Some(names) => renamed(&plan.server, step, change, names).map_err(at)?,
                None => None,
            };
            let change = renamed.as_ref().unwrap_or(change);
            written.push(write::apply(server, tx, change, stamp, &mut records).await.map_err(at)?);
        }
        let only = written.pop().filter(|_| written.is_empty());
        let none = || Written::deleted(step.change.resource_type(), "", server.clock.now());
        done.push((step.index, only.unwrap_or_else(none)));
    }
    records.push(stamp.record("transaction", 200));
    Ok((done, records))
}

type Outcomes = (Option<Names>, HashMap<usize, Settled>);

/// Runs the criteria of all entries and of conditional references, on what was there before the transaction; new names where
/// they turned out otherwise than planned.
async fn resolve(server: &Server, tx: &mut Tx, plan: &Plan) -> Result<Outcomes, Problem> {
    lock(tx, plan).await?;
    let mut names = None;
    let mut settled = HashMap::new();
    for step in &plan.steps {
        let Some(condition) = &step.condition else { continue };
        let found = condition::settle(server, tx, &step.change, condition).await;
        let found = found.map_err(|problem| entry::located(&problem, step.index))?;
        let address = match &found {
            Settled::Unchanged(stored) => Some(format!("{}/{}", stored.resource_type, stored.id)),
            Settled::Changes(changes) => changes.first().map(|change| change.identity().join("/")),
            Settled::AsPlanned => None,
        };
        if let (Some(full_url), Some(address)) = (&step.full_url, address) {
            names.get_or_insert_with(|| plan.names.clone()).insert(full_url.clone(), address);
        }
        settled.insert(step.index, found);
    }
    check_overlap(plan, &settled)?;
    for (text, condition) in &plan.references {
        let found = condition::only(condition.matches(tx).await?).map_err(|problem| problem.at("Bundle.entry"))?;
        let stored = found.ok_or_else(|| {
            let text = "A conditional reference of this transaction matches no resource.";
            Problem::new(Kind::PreconditionFailed, text).at("Bundle.entry")
        })?;
        let address = format!("{}/{}", stored.resource_type, stored.id);
        names.get_or_insert_with(|| plan.names.clone()).insert(text.clone(), address);
    }
    Ok((names, settled))
}

/// Takes every lock on criteria, in one order for all transactions, so that no two wait for each other.
async fn lock(tx: &mut Tx, plan: &Plan) -> Result<(), Problem> {
    let steps = plan.steps.iter().filter_map(|step| step.condition.as_ref());
    let references = plan.references.iter().map(|(_, condition)| condition);
    let mut locks: Vec<&str> = steps.chain(references).map(condition::Condition::lock).collect();
    locks.sort_unstable();
    locks.dedup();
    for lock in locks {
        tx.lock(lock).await?;
    }
    Ok(())
}

/// Keeps others from changing what the entries change until the transaction ends.
async fn hold(tx: &mut Tx, plan: &Plan, settled: &HashMap<usize, Settled>) -> Result<(), Problem> {
    let all = plan.steps.iter().flat_map(|step| changes(step, settled));
    let existing = all.filter(|change| !matches!(change, Change::Create(_)));
    tx.hold(&existing.map(Change::identity).collect::<Vec<_>>()).await
}

/// What a step comes to once the criteria have been searched for.
fn changes<'a>(step: &'a Step, settled: &'a HashMap<usize, Settled>) -> &'a [Change] {
    match settled.get(&step.index) {
        Some(Settled::Unchanged(_)) => &[],
        Some(Settled::Changes(changes)) => changes,
        Some(Settled::AsPlanned) | None => std::slice::from_ref(&step.change),
    }
}

/// 400 where criteria have led two entries to the same resource.
fn check_overlap(plan: &Plan, settled: &HashMap<usize, Settled>) -> Result<(), Problem> {
    if settled.is_empty() {
        return Ok(());
    }
    let mut seen = HashSet::new();
    for step in &plan.steps {
        let changes = changes(step, settled);
        if !changes.iter().all(|change| seen.insert(change.identity())) {
            let text = "The criteria lead to a resource that another entry of this transaction changes.";
            return Err(entry::located(&Problem::new(Kind::Invalid, text).at("request.url"), step.index));
        }
    }
    Ok(())
}

/// The change with other names; none where they make no difference to it.
fn renamed(server: &Arc<Server>, step: &Step, change: &Change, names: &Names) -> Result<Option<Change>, Problem> {
    let (Some(original), Change::Create(draft) | Change::Update { draft, .. }) = (&step.original, change) else {
        return Ok(None);
    };
    let mut value = original.clone();
    if !rewrite::rewrite(&mut value, names, Types::r4()) {
        return Ok(None);
    }
    let renewed = Draft::new(server, value, draft.id.clone())?.within(step.index);
    Ok(Some(match change {
        Change::Update { precondition, patched, .. } => {
            Change::Update { draft: renewed, precondition: precondition.clone(), patched: *patched }
        }
        _ => Change::Create(renewed),
    }))
}
