//! update and update as create: `PUT [base]/[type]/[id]` (<https://hl7.org/fhir/R4/http.html#update>).

use std::sync::Arc;

use super::commit;
use super::create::expect_type;
use super::draft::{self, Draft};
use super::record::Stamp;
use super::reply::Reply;
use super::request::Request;
use super::server::Server;
use super::write::Change;
use crate::access::Grant;
use crate::problem::{Kind, Problem};

/// Stores new content for an id (200), or the first (201). 412 where `If-Match` names another version than the current.
pub async fn update(
    server: &Arc<Server>,
    request: &Request,
    resource_type: &str,
    id: &str,
    _grant: Grant,
) -> Result<Reply, Problem> {
    let value = request.resource(server.bounds())?;
    let change = Change::Update {
        draft: draft(server, value, resource_type, id)?,
        precondition: request.headers.precondition.clone(),
        patched: None,
    };
    let stamp = Stamp::of(request, server.clock.now());
    let written = commit::one(server, change, None, stamp).await?;
    Ok(commit::reply(written).preferring(request))
}

/// The draft of an update: type and id of the body must be those of the address.
pub fn draft(server: &Arc<Server>, value: serde_json::Value, resource_type: &str, id: &str) -> Result<Draft, Problem> {
    expect_type(draft::resource_type(&value)?, resource_type)?;
    match value.get("id").and_then(serde_json::Value::as_str) {
        Some(found) if found == id => Draft::new(server, value, id.to_owned()),
        _ => Err(Problem::new(Kind::Invalid, "The id in the body must be the id in the address.")
            .at(format!("{resource_type}.id"))),
    }
}
