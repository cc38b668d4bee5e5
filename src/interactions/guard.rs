//! What a caller with limits may write, asked inside the transaction of the write: it creates the types of its role under ids of
//! the server's choice, changes what is its own, and refers only to what it sees. The write path asks before any rule looks at
//! the content, so that no rule speaks of what the caller does not see.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use super::draft::Draft;
use super::effects;
use super::record::Stamp;
use super::server::Server;
use super::visible;
use crate::access::visibility::table::DIRECTORY;
use crate::access::{Caller, Limits};
use crate::fhir::codec::json;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::problem::{Kind, Problem};
use crate::search::references::{self, LocalReference};
use crate::store::{Stored, Tx, reference_missing};

/// Asks whether the caller may create this. 403 where its role does not create the type, or where it names another organisation
/// as who asks; 422 where it refers to what it does not see.
pub async fn create(server: &Server, tx: &mut Tx, stamp: &Stamp, draft: &Draft) -> Result<(), Problem> {
    let Some(limits) = stamp.caller.limits()? else { return Ok(()) };
    to_read_only(&limits)?;
    if !limits.creates(&draft.resource_type) {
        return Err(not_by(&limits, &draft.resource_type, "create"));
    }
    if !limits.whole {
        own_request(server, &limits, draft)?;
    }
    check_references(server, tx, (&limits, stamp), draft, None).await
}

/// 403 where the caller neither creates this type nor sees all of it: a conditional create would show what is there.
pub fn may_find_or_create(caller: &Caller, resource_type: &str) -> Result<(), Problem> {
    match caller.limits()? {
        Some(limits) if !limits.creates(resource_type) && !DIRECTORY.contains(&resource_type) => {
            Err(not_by(&limits, resource_type, "create"))
        }
        _ => Ok(()),
    }
}

/// The version that the caller may replace. 404 where it sees none, whether or not there is one: ids are the server's to give.
/// 403 where it may not change what it sees; 422 where it newly refers to what it does not see.
pub async fn update(
    server: &Server,
    tx: &mut Tx,
    stamp: &Stamp,
    draft: &Draft,
    before: Option<Stored>,
) -> Result<Option<Stored>, Problem> {
    let Some(limits) = stamp.caller.limits()? else { return Ok(before) };
    to_read_only(&limits)?;
    let name = (draft.resource_type.as_str(), draft.id.as_str());
    let before =
        if limits.limit(name.0) { Some(changeable(tx, &limits, name).await?.ok_or_else(unknown)?) } else { before };
    let living = before.as_ref().filter(|stored| !stored.deleted);
    let old = living.map(|stored| json::parse_stored(&stored.body)).transpose()?;
    if let Some(old) = old.as_ref().filter(|_| !limits.whole) {
        stays_over(draft, old)?;
    }
    check_references(server, tx, (&limits, stamp), draft, old.as_ref()).await?;
    Ok(before)
}

/// 422 where somebody goes on with a Task that was rejected or entered in error. Such a Task brings its owner nothing any more
/// (`access::visibility::table`), and its owner must not be able to bring it all back alone.
fn stays_over(draft: &Draft, old: &Value) -> Result<(), Problem> {
    let over = ["rejected", "entered-in-error"].iter().any(|status| old["status"] == *status);
    let ends = draft.value["status"] == old["status"] || draft.value["status"] == "entered-in-error";
    if draft.resource_type != "Task" || !over || ends {
        return Ok(());
    }
    let text = "A Task that was rejected or entered in error stays so. Send a new Task with the same focus instead.";
    let issue = Issue::new(Severity::Error, IssueCode::BusinessRule, "referral-transition", text).at("Task.status");
    Err(Problem::with_issues(Kind::Unprocessable, vec![issue]))
}

/// The version that the caller may delete, or take labels from; none where it sees none, whether or not there is one.
pub async fn replaceable(
    tx: &mut Tx,
    stamp: &Stamp,
    resource_type: &str,
    id: &str,
    before: Option<Stored>,
) -> Result<Option<Stored>, Problem> {
    let Some(limits) = stamp.caller.limits_on(resource_type)? else { return Ok(before) };
    to_read_only(&limits)?;
    changeable(tx, &limits, (resource_type, id)).await
}

/// 403 where the glass is broken: that is for looking.
fn to_read_only(limits: &Limits) -> Result<(), Problem> {
    if !limits.open {
        return Ok(());
    }
    Err(Problem::new(Kind::Forbidden, "The glass is broken to read only.").at("http.x-purpose-of-use"))
}

/// The current version of what the caller sees; none where it sees none. 403 where it may not change it.
async fn changeable(
    tx: &mut Tx,
    limits: &Limits,
    (resource_type, id): (&str, &str),
) -> Result<Option<Stored>, Problem> {
    let wanted = [(resource_type.to_owned(), id.to_owned())];
    let seen = visible::find_in(tx, &limits.seen, &wanted).await?.pop();
    let known = visible::find_in(tx, &limits.told, &wanted).await?;
    if seen.is_none() {
        return if known.is_empty() { Ok(None) } else { Err(visible::withheld()) };
    }
    if limits.minimum.of(resource_type).is_some() || visible::find_in(tx, &limits.changed, &wanted).await?.is_empty() {
        return Err(not_by(limits, resource_type, "change"));
    }
    Ok(seen)
}

/// Whoever sends a referral sends it in its own name.
fn own_request(server: &Server, limits: &Limits, draft: &Draft) -> Result<(), Problem> {
    if !matches!(draft.resource_type.as_str(), "ServiceRequest" | "Task") {
        return Ok(());
    }
    let parties = effects::parties(server, &draft.value);
    let mut requesters = parties.iter().filter(|party| party.role == "requester").peekable();
    if requesters.peek().is_some() && requesters.all(|party| limits.names.contain(&party.organisation)) {
        return Ok(());
    }
    let place = format!("{}.requester", draft.resource_type);
    let text = format!("{place} must be the organisation that this client acts for, or one of its people or services.");
    let issue = Issue::new(Severity::Error, IssueCode::BusinessRule, "referral-actor", text).at(place);
    Err(Problem::with_issues(Kind::Forbidden, vec![issue]))
}

/// 422 for references to what the caller does not see, in the words that are used for what is not there. What the version
/// before referred to already may stay.
async fn check_references(
    server: &Server,
    tx: &mut Tx,
    (limits, stamp): (&Arc<Limits>, &Stamp),
    draft: &Draft,
    before: Option<&Value>,
) -> Result<(), Problem> {
    let mut asked = references::local(&draft.value, &server.base);
    asked.retain(|reference| limits.limit(&reference.resource_type));
    let old: HashSet<(String, String)> = match before {
        Some(old) => names(old, &server.base),
        None => HashSet::new(),
    };
    let is_old = |reference: &LocalReference| old.contains(&identity(reference));
    let is_new_too = |reference: &LocalReference| stamp.creates.contains(&identity(reference));
    asked.retain(|reference| !is_old(reference) && !is_new_too(reference));
    let mut wanted: Vec<(String, String)> = asked.iter().map(identity).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut seen: HashSet<(String, String)> = HashSet::new();
    for some in wanted.chunks(256) {
        let found = visible::find_in(tx, &limits.held, some).await?;
        seen.extend(found.into_iter().map(|stored| (stored.resource_type, stored.id)));
    }
    let unseen = asked.iter().filter(|reference| !seen.contains(&identity(reference)));
    let issues: Vec<Issue> = unseen.map(reference_missing).collect();
    if issues.is_empty() { Ok(()) } else { Err(Problem::with_issues(Kind::Unprocessable, issues)) }
}

/// Why something cannot be deleted, for a caller with limits: that others refer to it, and not which.
#[must_use]
pub fn without_counts(limited: bool, problem: Problem) -> Problem {
    if !limited || problem.issues().iter().all(|issue| issue.rule != "reference-deleted") {
        return problem;
    }
    let text = "Other resources refer to this one. What was sent stays: update it instead.";
    let issue = Issue::new(Severity::Error, IssueCode::Conflict, "reference-deleted", text).at("http.url");
    Problem::with_issues(problem.kind, vec![issue])
}

fn names(resource: &Value, base: &str) -> HashSet<(String, String)> {
    references::local(resource, base).iter().map(identity).collect()
}

fn identity(reference: &LocalReference) -> (String, String) {
    (reference.resource_type.clone(), reference.id.clone())
}

fn unknown() -> Problem {
    let text = "There is no such resource. The server gives ids: create it with POST.";
    Problem::new(Kind::NotFound, text).at("http.url")
}

fn not_by(limits: &Limits, resource_type: &str, what: &str) -> Problem {
    let text = format!("A {} does not {what} this {resource_type}.", limits.role);
    Problem::new(Kind::Forbidden, text).at("http.authorization")
}
