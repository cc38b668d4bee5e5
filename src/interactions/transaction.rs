//! transaction: `POST [base]` with a Bundle of type transaction (<https://hl7.org/fhir/R4/http.html#trules>): all or nothing, with
//! temporary names replaced everywhere. Everything that can be done before the lock is done before it.

use std::sync::Arc;

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::commit;
use super::condition::{self, Condition};
use super::draft::{self, Draft};
use super::entry::{self, Entry};
use super::record::Stamp;
use super::reply::{Content, Reply};
use super::request::{Body, Method, Request, ReturnPreference};
use super::rewrite::{self, Names};
use super::route::Target;
use super::server::Server;
use super::write::{self, Change, Written};
use crate::access::Grant;
use crate::fhir::issue::Issue;
use crate::fhir::types::Types;
use crate::problem::{Kind, Problem};
use crate::store::{AuditRecord, Tx};

/// One changing entry, ready for the transaction.
struct Step {
    index: usize,
    change: Change,
    /// The resource before names were replaced; kept where names may turn out otherwise.
    original: Option<Value>,
    full_url: Option<String>,
    condition: Option<Condition>,
}

/// What a transaction is made of.
struct Plan {
    steps: Vec<Step>,
    names: Names,
    references: Vec<(String, Condition)>,
    reads: Vec<Entry>,
}

/// Carries out all entries or none, and answers with a transaction-response.
pub async fn transaction(
    server: &Arc<Server>,
    request: &Request,
    mut bundle: Value,
    _grant: Grant,
) -> Result<Reply, Problem> {
    let entries = entry::read(server, request, &mut bundle)?;
    entry::granted(&entries)?;
    let plan = plan(server, entries)?;
    let stamp = Stamp::of(request, server.clock.now());
    let work = Arc::new((Arc::clone(server), plan, stamp));
    let job = Arc::clone(&work);
    let written = server
        .store
        .write(move |tx| {
            let job = Arc::clone(&job);
            Box::pin(async move { carry_out(&job.0, tx, &job.1, &job.2).await })
        })
        .await?;
    let plan = &work.1;
    let shown = request.headers.prefer_return == Some(ReturnPreference::Representation);
    let mut answers: Vec<(usize, Value)> = Vec::new();
    for (index, written) in written {
        answers.push((index, entry::answer(server, &commit::reply(written).preferring(request), shown)?));
    }
    for read in &plan.reads {
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

/// Gives every entry its id, replaces names, validates and indexes. All mistakes of all entries are reported together.
fn plan(server: &Arc<Server>, entries: Vec<Entry>) -> Result<Plan, Problem> {
    let (mut reads, mut writes): (Vec<Entry>, Vec<Entry>) =
        entries.into_iter().partition(|entry| matches!(entry.request.method, Method::Get | Method::Head));
    reads.sort_by_key(|entry| entry.index);
    writes.sort_by_key(processing_order);
    let mut issues = Vec::new();
    let mut names = Names::new();
    let mut ids = HashMap::new();
    for entry in &writes {
        match identity(server, entry) {
            Ok((resource_type, id)) => {
                if let Some(full_url) = &entry.full_url {
                    names.insert(full_url.clone(), format!("{resource_type}/{id}"));
                }
                ids.insert(entry.index, (resource_type, id));
            }
            Err(problem) => issues.extend_from_slice(entry::located(&problem, entry.index).issues()),
        }
    }
    issues.extend(repeated(&writes, &ids));
    refuse(&issues, Kind::Invalid)?;
    let mut plan = Plan { steps: Vec::new(), references: references(server, &writes)?, names, reads };
    let mut kind = Kind::Invalid;
    for entry in writes {
        let Some((resource_type, id)) = ids.remove(&entry.index) else { continue };
        match step(server, &entry, &resource_type, id, &plan) {
            Ok(step) => plan.steps.push(step),
            Err(problem) => {
                kind = problem.kind;
                issues.extend_from_slice(entry::located(&problem, entry.index).issues());
            }
        }
    }
    refuse(&issues, kind)?;
    Ok(plan)
}

/// Deletions first, then POST, then PUT; a Task after everything else, since the referral rules look at what it is about.
fn processing_order(entry: &Entry) -> (bool, bool, u8) {
    let deletes = entry.request.method == Method::Delete;
    let is_task = matches!(&entry.target, Target::Type(name) | Target::Instance(name, _) if name == "Task");
    (!deletes, is_task, entry::rank(entry.request.method))
}

fn refuse(issues: &[Issue], kind: Kind) -> Result<(), Problem> {
    if issues.iter().any(Issue::is_error) { Err(Problem::with_issues(kind, issues.to_vec())) } else { Ok(()) }
}

/// Type and id of what an entry changes.
fn identity(server: &Arc<Server>, entry: &Entry) -> Result<(String, String), Problem> {
    match (&entry.target, entry.request.method) {
        (Target::Type(resource_type), Method::Post) => Ok((resource_type.clone(), server.clock.new_id())),
        (Target::Instance(resource_type, id), Method::Put | Method::Delete) => Ok((resource_type.clone(), id.clone())),
        _ => Err(Problem::new(
            Kind::NotSupported,
            "An entry of a transaction may be POST [type], PUT [type]/[id], DELETE [type]/[id] or GET.",
        )
        .at("request.method")),
    }
}

/// The same resource must not be changed twice.
fn repeated(writes: &[Entry], ids: &HashMap<usize, (String, String)>) -> Vec<Issue> {
    let mut seen = HashSet::new();
    let mut issues = Vec::new();
    for entry in writes {
        if let Some(identity) = ids.get(&entry.index)
            && !seen.insert(identity)
        {
            let problem = Problem::new(Kind::Invalid, "Another entry of this transaction changes the same resource.")
                .at("request.url");
            issues.extend_from_slice(entry::located(&problem, entry.index).issues());
        }
    }
    issues
}

/// Conditional references in any entry, read into criteria.
fn references(server: &Arc<Server>, writes: &[Entry]) -> Result<Vec<(String, Condition)>, Problem> {
    let mut found: Vec<(String, Condition)> = Vec::new();
    for entry in writes {
        let Body::Resource(value) = &entry.request.body else { continue };
        for text in rewrite::conditional_references(value) {
            if found.iter().any(|(known, _)| *known == text) {
                continue;
            }
            let resource_type = text.split('?').next().unwrap_or_default();
            let condition = condition::parse(server, resource_type, &text, "resource")
                .map_err(|problem| entry::located(&problem, entry.index))?;
            found.push((text, condition));
        }
    }
    Ok(found)
}

fn step(server: &Arc<Server>, entry: &Entry, resource_type: &str, id: String, plan: &Plan) -> Result<Step, Problem> {
    let if_match = entry.request.headers.if_match;
    if entry.request.method == Method::Delete {
        let change = Change::Delete { resource_type: resource_type.to_owned(), id, if_match };
        return Ok(Step { index: entry.index, change, original: None, full_url: None, condition: None });
    }
    let mut value = entry.request.resource(server.bounds())?;
    super::create::expect_type(draft::resource_type(&value)?, resource_type)?;
    let condition = match &entry.request.headers.if_none_exist {
        Some(criteria) => Some(condition::parse(server, resource_type, criteria, "request.ifNoneExist")?),
        None => None,
    };
    let original = value.clone();
    rewrite::rewrite(&mut value, &plan.names, Types::r4());
    let change = if entry.request.method == Method::Post {
        Change::Create(Draft::new(server, value, id)?.within(entry.index))
    } else {
        Change::Update {
            draft: super::update::draft(server, value, resource_type, &id)?.within(entry.index),
            if_match,
            patched: None,
        }
    };
    Ok(Step { index: entry.index, change, original: Some(original), full_url: entry.full_url.clone(), condition })
}

type Done = (Vec<(usize, Written)>, Vec<AuditRecord>);

async fn carry_out(server: &Arc<Server>, tx: &mut Tx, plan: &Plan, stamp: &Stamp) -> Result<Done, Problem> {
    let mut records = Vec::new();
    let mut done = Vec::with_capacity(plan.steps.len());
    let (names, found) = resolve(tx, plan).await?;
    for step in &plan.steps {
        if let Some(stored) = found.get(&step.index) {
            let written = Written::unchanged(stored.clone());
            records.push(stamp.change(&written, None));
            done.push((step.index, written));
            continue;
        }
        let changed = match &names {
            Some(names) => renamed(server, step, names).map_err(|problem| entry::located(&problem, step.index))?,
            None => None,
        };
        let change = changed.as_ref().unwrap_or(&step.change);
        let written = write::apply(server, tx, change, stamp, &mut records).await.map_err(|problem| {
            if problem.kind == Kind::Internal { problem } else { entry::located(&problem, step.index) }
        })?;
        done.push((step.index, written));
    }
    Ok((done, records))
}

type Resolved = (Option<Names>, HashMap<usize, crate::store::Stored>);

/// Runs conditional creates and conditional references; new names where they turned out otherwise than planned.
async fn resolve(tx: &mut Tx, plan: &Plan) -> Result<Resolved, Problem> {
    let mut names = None;
    let mut found = HashMap::new();
    for step in &plan.steps {
        let Some(condition) = &step.condition else { continue };
        let result = condition::find(tx, condition).await.map_err(|problem| entry::located(&problem, step.index))?;
        if let Some(stored) = result {
            let address = format!("{}/{}", stored.resource_type, stored.id);
            if let Some(full_url) = &step.full_url {
                names.get_or_insert_with(|| plan.names.clone()).insert(full_url.clone(), address);
            }
            found.insert(step.index, stored);
        }
    }
    for (text, condition) in &plan.references {
        match condition::find(tx, condition).await? {
            Some(stored) => {
                let address = format!("{}/{}", stored.resource_type, stored.id);
                names.get_or_insert_with(|| plan.names.clone()).insert(text.clone(), address);
            }
            None => {
                return Err(Problem::new(
                    Kind::PreconditionFailed,
                    "A conditional reference of this transaction matches no resource.",
                )
                .at("Bundle.entry"));
            }
        }
    }
    Ok((names, found))
}

/// The step's change with other names; none where they make no difference to it.
fn renamed(server: &Arc<Server>, step: &Step, names: &Names) -> Result<Option<Change>, Problem> {
    let (Some(original), Change::Create(draft) | Change::Update { draft, .. }) = (&step.original, &step.change) else {
        return Ok(None);
    };
    let mut value = original.clone();
    if !rewrite::rewrite(&mut value, names, Types::r4()) {
        return Ok(None);
    }
    let renewed = Draft::new(server, value, draft.id.clone())?.within(step.index);
    Ok(Some(match &step.change {
        Change::Update { if_match, patched, .. } => {
            Change::Update { draft: renewed, if_match: *if_match, patched: *patched }
        }
        _ => Change::Create(renewed),
    }))
}
