//! conditional update and delete: `PUT [base]/[type]?[criteria]`, `DELETE [base]/[type]?[criteria]`
//! (<https://hl7.org/fhir/R4/http.html#cond-update>, <https://hl7.org/fhir/R4/http.html#3.1.0.7.1>).

use std::sync::Arc;

use serde_json::Value;

use super::commit;
use super::condition::{self, Condition};
use super::create::expect_type;
use super::draft::{self, Draft};
use super::record::Stamp;
use super::reply::Reply;
use super::request::Request;
use super::server::Server;
use super::write::Change;
use crate::access::Grant;
use crate::problem::Problem;

/// Stores new content for the only resource that matches (200), or a new one where none does (201). 412 where several do, 400
/// where the body has another id than the match.
pub async fn update(
    server: &Arc<Server>,
    request: &Request,
    resource_type: &str,
    _grant: Grant,
) -> Result<Reply, Problem> {
    let value = request.resource(server.bounds())?;
    let criteria = condition::of(server, &request.caller, resource_type, request.query.clone(), "http.query")?;
    let (draft, condition) = draft(server, value, resource_type, criteria)?;
    let change = Change::Update { draft, precondition: request.headers.precondition.clone(), patched: None };
    let stamp = Stamp::of(request, server.clock.now());
    let written = commit::one(server, change, Some(condition), stamp).await?;
    Ok(commit::reply(written).preferring(request))
}

/// The draft of a conditional update, under the id of the body or a new one, and the condition that knows which.
pub fn draft(
    server: &Arc<Server>,
    value: Value,
    resource_type: &str,
    mut condition: Condition,
) -> Result<(Draft, Condition), Problem> {
    expect_type(draft::resource_type(&value)?, resource_type)?;
    let given = value.get("id").and_then(Value::as_str).map(str::to_owned);
    condition.id_given = given.is_some();
    let draft = Draft::new(server, value, given.unwrap_or_else(|| server.clock.new_id()))?;
    Ok((draft, condition))
}

/// Deletes what matches: one resource at most, or as many as match where the configuration says so. 204 also where nothing
/// matches, 412 where more match than may be deleted.
pub async fn delete(
    server: &Arc<Server>,
    request: &Request,
    resource_type: &str,
    _grant: Grant,
) -> Result<Reply, Problem> {
    let condition = condition::of(server, &request.caller, resource_type, request.query.clone(), "http.query")?;
    let change = Change::Delete {
        resource_type: resource_type.to_owned(),
        id: String::new(),
        precondition: request.headers.precondition.clone(),
    };
    let stamp = Stamp::of(request, server.clock.now());
    let written = commit::one(server, change, Some(condition), stamp).await?;
    Ok(commit::reply(written).preferring(request))
}
