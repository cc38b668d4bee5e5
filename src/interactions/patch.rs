//! patch and conditional patch: `PATCH [base]/[type]/[id]`, `PATCH [base]/[type]?[criteria]`
//! (<https://hl7.org/fhir/R4/http.html#patch>). The patch is applied, and its result validated, before any lock is held;
//! the write then takes it only where the version that was patched is still the current one, and all is done again otherwise.

use std::sync::Arc;

use serde_json::Value;

use super::commit;
use super::condition::{self, Condition};
use super::draft::Draft;
use super::format::BodyFormat;
use super::precondition::Precondition;
use super::record::Stamp;
use super::reply::Reply;
use super::request::{Body, Request};
use super::server::Server;
use super::visible;
use super::write::Change;
use crate::access::Grant;
use crate::fhir::base64;
use crate::fhir::codec::{Limits, json};
use crate::patch::Patch;
use crate::problem::{Kind, Problem};
use crate::store::Stored;

/// How often a patch is applied anew because the resource has changed meanwhile.
pub const ATTEMPTS: usize = 8;

/// Patches one resource: 200, 404 and 410 where there is none, 412 where `If-Match` names another version, 422 where the patch
/// cannot be applied or its result is not valid.
pub async fn patch(
    server: &Arc<Server>,
    request: &Request,
    resource_type: &str,
    id: &str,
    _grant: Grant,
) -> Result<Reply, Problem> {
    let document = document(server, request)?;
    let mut attempt = 1;
    loop {
        let stored = visible::read(server, &request.caller, resource_type, id).await?;
        let change = change(server, &document, stored, request)?;
        let stamp = Stamp::of(request, server.clock.now());
        match commit::one(server, change, None, stamp).await {
            Err(problem) if is_stale(&problem) && attempt < ATTEMPTS => attempt += 1,
            outcome => return Ok(commit::reply(outcome?).preferring(request)),
        }
    }
}

/// Patches the only resource that matches: 404 where there is none, 412 where there are several, else as [`patch`].
pub async fn conditional(
    server: &Arc<Server>,
    request: &Request,
    resource_type: &str,
    _grant: Grant,
) -> Result<Reply, Problem> {
    let condition = condition::of(server, &request.caller, resource_type, request.query.clone(), "http.query")?;
    let document = document(server, request)?;
    let mut attempt = 1;
    loop {
        let stored = matching(server, &condition).await?;
        let change = change(server, &document, Some(stored), request)?;
        let stamp = Stamp::of(request, server.clock.now());
        match commit::one(server, change, Some(condition.clone()), stamp).await {
            Err(problem) if is_stale(&problem) && attempt < ATTEMPTS => attempt += 1,
            outcome => return Ok(commit::reply(outcome?).preferring(request)),
        }
    }
}

/// The only resource that matches criteria now. 404 where there is none, 412 where there are several.
pub async fn matching(server: &Server, condition: &Condition) -> Result<Stored, Problem> {
    let none = || Problem::new(Kind::NotFound, "No resource matches the criteria.").at("http.query");
    condition::only(condition.preview(server).await?)?.ok_or_else(none)
}

/// The patch in a body: JSON Patch, FHIRPath Patch in JSON or XML, or JSON Patch in a Binary as entries of Bundles have it.
pub fn document(server: &Server, request: &Request) -> Result<Patch, Problem> {
    let limits = Limits { depth: server.bounds().depth, bytes: server.bounds().bytes };
    if let Body::Bytes(bytes, BodyFormat::JsonPatch) = &request.body {
        return Patch::json(&json::parse(bytes, &limits)?);
    }
    let body = request.resource(server.bounds())?;
    match body.get("resourceType").and_then(Value::as_str) {
        Some("Parameters") => Patch::fhirpath(&body),
        Some("Binary") => Patch::json(&json::parse(&binary(&body)?, &limits)?),
        _ => Err(Problem::new(
            Kind::UnsupportedMediaType,
            "A patch is a JSON Patch (Content-Type application/json-patch+json; in an entry of a Bundle a Binary of that type) \
             or a FHIRPath Patch (a Parameters resource).",
        )
        .at("http.body")),
    }
}

fn binary(body: &Value) -> Result<Vec<u8>, Problem> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let media = text("contentType").split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json-patch+json") {
        let text = "The Binary of a patch must have the content type application/json-patch+json.";
        return Err(Problem::new(Kind::UnsupportedMediaType, text).at("Binary.contentType"));
    }
    let compact: String = text("data").split_ascii_whitespace().collect();
    base64::decode(&compact, base64::STANDARD)
        .ok_or_else(|| Problem::new(Kind::Invalid, "The data of the Binary is not base 64.").at("Binary.data"))
}

/// The change that a patch of a stored resource comes to.
fn change(server: &Server, document: &Patch, stored: Option<Stored>, request: &Request) -> Result<Change, Problem> {
    let precondition = request.headers.precondition.clone();
    let (value, stored) = apply(server, document, stored, &precondition)?;
    let draft = Draft::new(server, value, stored.id)?;
    Ok(Change::Update { draft, precondition, patched: Some(stored.version) })
}

/// Applies a patch to what is stored, and answers with both. 404, 410, 412 or 422 where that cannot be.
pub fn apply(
    server: &Server,
    document: &Patch,
    stored: Option<Stored>,
    precondition: &Precondition,
) -> Result<(Value, Stored), Problem> {
    let missing = |kind, text: &str| Problem::new(kind, text).at("http.url");
    let stored = stored.ok_or_else(|| missing(Kind::NotFound, "There is no such resource to be patched."))?;
    if stored.deleted {
        return Err(missing(Kind::Gone, "The resource has been deleted; an update brings it back."));
    }
    precondition.check(Some(&stored))?;
    let value = document.apply(&json::parse_stored(&stored.body)?, server.clock.now())?;
    Ok((value, stored))
}

/// True where the resource has changed since it was patched, so that the patch may be applied anew.
#[must_use]
pub fn is_stale(problem: &Problem) -> bool {
    problem.kind == Kind::Conflict && problem.issues().iter().all(|issue| issue.rule.is_empty())
}

/// What is said of a patched version that is no longer the current one.
#[must_use]
pub fn stale() -> Problem {
    Problem::new(Kind::Conflict, "The resource keeps changing while it is patched. Try again.")
}
