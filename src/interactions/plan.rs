//! What a transaction is made of, worked out before it takes any lock: patches applied, ids given, names replaced, resources
//! validated and indexed. All mistakes of all entries are reported together. Used by `transaction`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::audit_event;
use super::condition::{self, Condition};
use super::draft::{self, Draft};
use super::entry::{self, Entry};
use super::guard;
use super::live;
use super::patch;
use super::request::{Body, Method};
use super::rewrite::{self, Names};
use super::route::Target;
use super::server::Server;
use super::visible;
use super::write::Change;
use crate::fhir::issue::Issue;
use crate::fhir::types::Types;
use crate::problem::{Kind, Problem};

/// One changing entry, ready for the transaction.
pub(super) struct Step {
    /// Position in the Bundle.
    pub(super) index: usize,
    /// What it does, where its condition does not say otherwise.
    pub(super) change: Change,
    /// The resource before names were replaced; kept where names may turn out otherwise.
    pub(super) original: Option<Value>,
    /// The name of its resource within the Bundle.
    pub(super) full_url: Option<String>,
    /// The criteria on which it depends.
    pub(super) condition: Option<Condition>,
}

/// What a transaction is made of.
pub(super) struct Plan {
    /// The engines that know the definitions of this transaction.
    pub(super) server: Arc<Server>,
    /// The changes, in the order of processing.
    pub(super) steps: Vec<Step>,
    /// What names mean.
    pub(super) names: Names,
    /// Conditional references and their criteria.
    pub(super) references: Vec<(String, Condition)>,
    /// Entries that change nothing; they are carried out afterwards.
    pub(super) reads: Vec<Entry>,
}

impl Plan {
    /// Type and id of what it creates under ids of the server's choice: they may be referred to before they are there.
    pub(super) fn creates(&self) -> HashSet<(String, String)> {
        let new = |step: &&Step| match (&step.change, &step.condition) {
            (Change::Create(_), _) => true,
            (Change::Update { .. }, Some(condition)) => !condition.id_given,
            _ => false,
        };
        let identity = |step: &Step| {
            let [resource_type, id] = step.change.identity();
            (resource_type.to_owned(), id.to_owned())
        };
        self.steps.iter().filter(new).map(identity).collect()
    }
}

/// What an entry changes.
struct Aim {
    resource_type: String,
    /// The logical id; empty where criteria will tell.
    id: String,
    condition: Option<Condition>,
    /// The version that a patch was applied to.
    patched: Option<i64>,
}

/// Works a transaction out.
pub(super) async fn plan(server: &Arc<Server>, entries: Vec<Entry>) -> Result<Plan, Problem> {
    let (mut reads, mut writes): (Vec<Entry>, Vec<Entry>) =
        entries.into_iter().partition(|entry| is_read(server, entry));
    reads.sort_by_key(|entry| entry.index);
    writes.sort_by_key(processing_order);
    let mut issues = Vec::new();
    let mut aims = HashMap::new();
    for entry in &mut writes {
        match aim(server, entry).await {
            Ok(aim) => drop(aims.insert(entry.index, aim)),
            Err(problem) if writes_one(&problem) => return Err(entry::located(&problem, entry.index)),
            Err(problem) => issues.extend_from_slice(entry::located(&problem, entry.index).issues()),
        }
    }
    issues.extend(repeated(&writes, &aims));
    refuse(&issues, Kind::Invalid)?;
    steps(&live::within(server, &writes)?, writes, aims, reads)
}

/// Problems that decide the status of the whole: a patch whose target is missing, stale or does not take it.
fn writes_one(problem: &Problem) -> bool {
    problem.kind != Kind::Invalid && problem.kind != Kind::NotSupported
}

fn steps(
    server: &Arc<Server>,
    writes: Vec<Entry>,
    mut aims: HashMap<usize, Aim>,
    reads: Vec<Entry>,
) -> Result<Plan, Problem> {
    let mut names = Names::new();
    for entry in &writes {
        if let (Some(full_url), Some(aim)) = (&entry.full_url, aims.get(&entry.index))
            && !aim.id.is_empty()
        {
            names.insert(full_url.clone(), format!("{}/{}", aim.resource_type, aim.id));
        }
    }
    let references = references(server, &writes)?;
    let renames = !references.is_empty() || aims.values().any(|aim| aim.condition.is_some());
    let mut plan = Plan { server: Arc::clone(server), steps: Vec::new(), references, names, reads };
    let mut issues = Vec::new();
    let mut kind = Kind::Invalid;
    for entry in writes {
        let Some(aim) = aims.remove(&entry.index) else { continue };
        let index = entry.index;
        match step(server, entry, aim, &plan.names, renames) {
            Ok(step) => plan.steps.push(step),
            Err(problem) => {
                kind = problem.kind;
                issues.extend_from_slice(entry::located(&problem, index).issues());
            }
        }
    }
    refuse(&issues, kind)?;
    Ok(plan)
}

/// True for what changes nothing: GET, HEAD, a search by POST, an operation that GET may call too.
fn is_read(server: &Server, entry: &Entry) -> bool {
    match (&entry.target, entry.request.method) {
        (_, Method::Get | Method::Head)
        | (Target::TypeSearch(_) | Target::SystemSearch | Target::CompartmentSearch(..), Method::Post) => true,
        (Target::Operation { name, .. }, Method::Post) => {
            let mut all = server.operations.iter();
            all.any(|operation| name.strip_prefix('$') == Some(operation.name()) && operation.by_get())
        }
        _ => false,
    }
}

/// Deletions first, then POST, then PUT and PATCH; a Task after everything else, since the referral rules look at what it is
/// about.
fn processing_order(entry: &Entry) -> (bool, bool, u8) {
    let deletes = entry.request.method == Method::Delete;
    let is_task = matches!(&entry.target, Target::Type(name) | Target::Instance(name, _) if name == "Task");
    (!deletes, is_task, entry::rank(entry.request.method))
}

fn refuse(issues: &[Issue], kind: Kind) -> Result<(), Problem> {
    if issues.iter().any(Issue::is_error) { Err(Problem::with_issues(kind, issues.to_vec())) } else { Ok(()) }
}

/// What an entry changes; for a patch its body becomes the patched resource.
async fn aim(server: &Arc<Server>, entry: &mut Entry) -> Result<Aim, Problem> {
    let criteria =
        |name: &str| condition::of(server, &entry.request.caller, name, entry.request.query.clone(), "request.url");
    let new = |resource_type: &str, id: String, condition| Aim {
        resource_type: resource_type.to_owned(),
        id,
        condition,
        patched: None,
    };
    match (&entry.target, entry.request.method) {
        (target, _) if audit_event::is_at(target) => Err(audit_event::never_written()),
        (Target::Type(name), Method::Post) => {
            guard::may_find_or_create(&entry.request.caller, name)?;
            let if_none_exist = entry.request.headers.if_none_exist.as_ref();
            let condition = if_none_exist.map(|text| condition::parse(server, &entry.request.caller, name, text, "request.ifNoneExist"));
            Ok(new(name, server.clock.new_id(), condition.transpose()?))
        }
        (Target::Type(name), Method::Put) => {
            let mut condition = criteria(name)?;
            let given = match &entry.request.body {
                Body::Resource(value) => value.get("id").and_then(Value::as_str).map(str::to_owned),
                _ => None,
            };
            condition.id_given = given.is_some();
            Ok(new(name, given.unwrap_or_else(|| server.clock.new_id()), Some(condition)))
        }
        (Target::Type(name), Method::Delete) => Ok(new(name, String::new(), Some(criteria(name)?))),
        (Target::Instance(name, id), Method::Put | Method::Delete) => Ok(new(name, id.clone(), None)),
        (Target::Type(name), Method::Patch) => {
            let condition = criteria(name)?;
            let stored = patch::matching(server, &condition).await?;
            let aim = new(name, stored.id.clone(), Some(condition));
            patched(server, entry, Some(stored), aim)
        }
        (Target::Instance(name, id), Method::Patch) => {
            let stored = visible::read(server, &entry.request.caller, name, id).await?;
            let aim = new(name, id.clone(), None);
            patched(server, entry, stored, aim)
        }
        _ => Err(Problem::new(
            Kind::NotSupported,
            "An entry of a transaction may be POST [type], PUT, PATCH or DELETE of [type]/[id] or [type]?[criteria], GET, HEAD, \
             a search, or an operation that changes nothing.",
        )
        .at("request.method")),
    }
}

fn patched(server: &Server, entry: &mut Entry, stored: Option<crate::store::Stored>, aim: Aim) -> Result<Aim, Problem> {
    let document = patch::document(server, &entry.request)?;
    let (value, stored) = patch::apply(server, &document, stored, &entry.request.headers.precondition)?;
    entry.request.body = Body::Resource(value);
    Ok(Aim { patched: Some(stored.version), ..aim })
}

/// The same resource must not be changed twice, nor two entries have one name.
fn repeated(writes: &[Entry], aims: &HashMap<usize, Aim>) -> Vec<Issue> {
    let mut seen = HashSet::new();
    let mut names = HashSet::new();
    let mut issues = Vec::new();
    let mut report = |entry: &Entry, text: &str, place: &str| {
        let problem = Problem::new(Kind::Invalid, text).at(place);
        issues.extend_from_slice(entry::located(&problem, entry.index).issues());
    };
    for entry in writes {
        if let Some(aim) = aims.get(&entry.index)
            && !aim.id.is_empty()
            && !seen.insert((&aim.resource_type, &aim.id))
        {
            report(entry, "Another entry of this transaction changes the same resource.", "request.url");
        } else if entry.full_url.as_ref().is_some_and(|url| !names.insert(url)) {
            report(entry, "Another entry of this transaction has the same fullUrl.", "fullUrl");
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
            let condition = condition::parse(server, &entry.request.caller, resource_type, &text, "resource")
                .map_err(|problem| entry::located(&problem, entry.index))?;
            found.push((text, condition));
        }
    }
    Ok(found)
}

/// The step of an entry; `renames` says that names may turn out otherwise than planned.
fn step(server: &Arc<Server>, entry: Entry, aim: Aim, names: &Names, renames: bool) -> Result<Step, Problem> {
    let Aim { resource_type, id, condition, patched } = aim;
    let Entry { index, full_url, request, .. } = entry;
    let (method, imports) = (request.method, request.caller.imports);
    let precondition = request.headers.precondition.clone();
    if method == Method::Delete {
        let change = Change::Delete { resource_type, id, precondition };
        return Ok(Step { index, change, original: None, full_url: None, condition });
    }
    let mut value = match request.body {
        Body::Resource(value) => value,
        _ => request.resource(server.bounds())?,
    };
    super::create::expect_type(draft::resource_type(&value)?, &resource_type)?;
    let original = renames.then(|| value.clone());
    rewrite::rewrite(&mut value, names, Types::r4());
    let change = match (method, &condition) {
        (Method::Post, _) => Change::Create(Draft::of_new(server, value, id, imports)?.within(index)),
        (Method::Put, None) => {
            let draft = super::update::draft(server, value, &resource_type, &id)?.within(index);
            Change::Update { draft, precondition, patched: None }
        }
        _ => Change::Update { draft: Draft::new(server, value, id)?.within(index), precondition, patched },
    };
    Ok(Step { index, change, original, full_url, condition })
}
