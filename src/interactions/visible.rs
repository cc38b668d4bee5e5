//! Stored resources as one caller sees them: what it does not see is not there, and of a Patient it may see only a part. Every
//! interaction and operation that shows what is stored comes through here, or applies the same restrictions to a search.

use std::borrow::Cow;
use std::sync::Arc;

use super::server::Server;
use super::subset::Subset;
use crate::access::{Caller, Limits};
use crate::fhir::codec::json;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::problem::{Kind, Problem};
use crate::search::query::{Query, Restrictions};
use crate::search::sql::{Statement, identities, visible_keys};
use crate::store::{Found, Past, Stored, Tx};

/// The current version of a resource, also where it is a deletion; none where the caller does not see it. 403 with an explanation
/// where it may know of the resource, but the patient has objected.
pub async fn read(server: &Server, caller: &Caller, resource_type: &str, id: &str) -> Result<Option<Stored>, Problem> {
    let Some(limits) = caller.limits_on(resource_type)? else { return server.store.read(resource_type, id).await };
    if let Some(stored) = find(server, &limits.seen, resource_type, id).await? {
        return narrowed(&limits, stored).map(Some);
    }
    // Asked whether or not there is such a resource, so that the answer takes the same time.
    match find(server, &limits.told, resource_type, id).await? {
        Some(_) => Err(withheld()),
        None => Ok(None),
    }
}

/// As [`read`], for those who only look at it.
pub async fn look_at(
    server: &Server,
    caller: &Caller,
    resource_type: &str,
    id: &str,
) -> Result<Option<Arc<Stored>>, Problem> {
    match caller.limits_on(resource_type)? {
        None => server.store.look_at(resource_type, id).await,
        Some(_) => Ok(read(server, caller, resource_type, id).await?.map(Arc::new)),
    }
}

/// One version of a resource that the caller sees; none where it does not see the resource, or not this version.
pub async fn version(
    server: &Server,
    caller: &Caller,
    (resource_type, id): (&str, &str),
    version: i64,
) -> Result<Option<Stored>, Problem> {
    let Some(limits) = caller.limits_on(resource_type)? else {
        return server.store.read_version(resource_type, id, version).await;
    };
    if read(server, caller, resource_type, id).await?.is_none() {
        return Ok(None);
    }
    let past = server.store.read_version(resource_type, id, version).await?;
    match past.filter(|past| shows(&limits, past)) {
        Some(past) => narrowed(&limits, past).map(Some),
        None => Ok(None),
    }
}

/// Those versions that the caller sees, of resources that it sees.
pub fn versions(caller: &Caller, versions: Vec<Past>) -> Result<Vec<Past>, Problem> {
    let Some(limits) = caller.limits()? else { return Ok(versions) };
    let seen = versions.into_iter().filter(|past| shows(&limits, &past.stored));
    seen.map(|past| Ok(Past { stored: narrowed(&limits, past.stored)?, ..past })).collect()
}

/// A resource that a restricted search found, as the caller sees it.
pub fn one(caller: &Caller, found: Stored) -> Result<Stored, Problem> {
    match caller.limits()? {
        Some(limits) => narrowed(&limits, found),
        None => Ok(found),
    }
}

/// Resources that a restricted search found, as the caller sees them.
pub fn all(caller: &Caller, found: Vec<Arc<Stored>>) -> Result<Vec<Arc<Stored>>, Problem> {
    match caller.limits()? {
        Some(limits) => {
            found.into_iter().map(|stored| narrowed(&limits, Arc::unwrap_or_clone(stored)).map(Arc::new)).collect()
        }
        None => Ok(found),
    }
}

/// 403 where a query looks into elements that the caller does not see.
pub fn check_query(caller: &Caller, query: &Query) -> Result<(), Problem> {
    let Some(limits) = caller.limits()? else { return Ok(()) };
    let Some(parameter) = limits.minimum.looks_further(query) else { return Ok(()) };
    let text = format!(
        "This client sees only a part of each Patient and cannot search or sort by {parameter}. It sees: {}.",
        limits.minimum.of("Patient").unwrap_or_default().join(", ")
    );
    Err(Problem::new(Kind::Forbidden, text).at("http.query"))
}

/// The keys of all resources that the caller sees: of one type, or of all.
pub async fn keys(server: &Server, limits: &Limits, resource_type: Option<&str>) -> Result<Statement, Problem> {
    let types = match resource_type {
        Some(name) => vec![name.to_owned()],
        None => server.store.types().await?,
    };
    Ok(visible_keys(&types, &limits.seen))
}

/// 403 where a caller with limits asks for what goes over all resources.
pub fn only_unlimited(caller: &Caller) -> Result<(), Problem> {
    match caller.limits()? {
        None => Ok(()),
        Some(limits) if limits.whole => {
            let text = "This goes over all resources, and the scopes of the access token constrain which are seen.";
            Err(Problem::new(Kind::Forbidden, text).at("http.authorization"))
        }
        Some(limits) => {
            let text = format!(
                "This is for operators: it goes over all resources, and a {} sees those of its own referrals.",
                limits.role
            );
            Err(Problem::new(Kind::Forbidden, text).at("http.authorization"))
        }
    }
}

/// As `find` inside a transaction, seeing what it wrote.
pub async fn find_in(
    tx: &mut Tx,
    restrictions: &Restrictions,
    wanted: &[(String, String)],
) -> Result<Vec<Stored>, Problem> {
    let limit = u32::try_from(wanted.len()).unwrap_or(u32::MAX);
    let Some(statement) = identities(wanted, restrictions, limit) else { return Ok(Vec::new()) };
    Ok(tx.search(&statement).await?.into_iter().map(Found::into_stored).collect())
}

async fn find(
    server: &Server,
    restrictions: &Restrictions,
    resource_type: &str,
    id: &str,
) -> Result<Option<Stored>, Problem> {
    let wanted = [(resource_type.to_owned(), id.to_owned())];
    let Some(statement) = identities(&wanted, restrictions, 1) else { return Ok(None) };
    Ok(server.store.search(&statement).await?.pop().map(Found::into_stored))
}

/// 403: the patient's objection keeps it back. Said only to who knows of the resource without it.
pub fn withheld() -> Problem {
    let text = "The patient has objected to sharing this with your organisation, so it is withheld. Ask the organisation that \
                sent the referral.";
    let issue = Issue::new(Severity::Error, IssueCode::Forbidden, "consent-objection", text).at("http.url");
    Problem::with_issues(Kind::Forbidden, vec![issue])
}

/// A past version is seen only where its own labels allow: a label that was taken off since still counts for what had it.
fn shows(limits: &Limits, past: &Stored) -> bool {
    let Ok(resource) = json::parse_stored(&past.body) else { return past.deleted };
    let labels = resource.get("meta").and_then(|meta| meta.get("security")).and_then(serde_json::Value::as_array);
    labels.into_iter().flatten().all(|label| {
        let text = |name: &str| label.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
        !limits.hides((text("system"), text("code")))
    })
}

/// The resource with what the caller sees of it.
fn narrowed(limits: &Arc<Limits>, stored: Stored) -> Result<Stored, Problem> {
    let Some(elements) = limits.minimum.of(&stored.resource_type) else { return Ok(stored) };
    let subset = Subset { summary: None, elements: elements.to_vec() };
    let body = match subset.of_bytes(&stored.body)? {
        Cow::Borrowed(_) => stored.body.clone(),
        Cow::Owned(bytes) => bytes.into(),
    };
    Ok(Stored { body, ..stored })
}
