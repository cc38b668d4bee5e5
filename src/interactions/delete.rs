//! delete: `DELETE [base]/[type]/[id]` (<https://hl7.org/fhir/R4/http.html#delete>). The versions stay; a read answers 410.

use std::sync::Arc;

use super::commit;
use super::record::Stamp;
use super::reply::Reply;
use super::request::Request;
use super::server::Server;
use super::write::Change;
use crate::access::Grant;
use crate::problem::Problem;

/// Deletes a resource; answers 204 also where there was nothing to delete, 200 where the client prefers an
/// OperationOutcome.
pub async fn delete(
    server: &Arc<Server>,
    request: &Request,
    resource_type: &str,
    id: &str,
    _grant: Grant,
) -> Result<Reply, Problem> {
    let change = Change::Delete {
        resource_type: resource_type.to_owned(),
        id: id.to_owned(),
        precondition: request.headers.precondition.clone(),
    };
    let stamp = Stamp::of(request, server.clock.now());
    let written = commit::one(server, change, None, stamp).await?;
    Ok(commit::reply(written).preferring(request))
}
