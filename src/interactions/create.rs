//! create and conditional create: `POST [base]/[type]` (<https://hl7.org/fhir/R4/http.html#create>).

use std::sync::Arc;

use super::commit;
use super::condition::{self, Condition};
use super::draft::{self, Draft};
use super::guard;
use super::record::Stamp;
use super::reply::Reply;
use super::request::Request;
use super::server::Server;
use super::write::Change;
use crate::access::Grant;
use crate::problem::{Kind, Problem};

/// Parameters of the address that are no criteria.
const NO_CRITERIA: [&str; 4] = ["_format", "_pretty", "_summary", "_elements"];

/// Stores a new resource under an id of the server's choice; with `If-None-Exist` only where nothing matches (200 with the
/// one that matches, 412 where several do). Criteria in the address mean the same: clients exist that send them so, and a
/// server that passed over them would store everything twice.
pub async fn create(
    server: &Arc<Server>,
    request: &Request,
    resource_type: &str,
    _grant: Grant,
) -> Result<Reply, Problem> {
    let value = request.resource(server.bounds())?;
    expect_type(draft::resource_type(&value)?, resource_type)?;
    guard::may_find_or_create(&request.caller, resource_type)?;
    let condition = match &request.headers.if_none_exist {
        Some(criteria) => {
            Some(condition::parse(server, &request.caller, resource_type, criteria, "http.if-none-exist")?)
        }
        None => in_address(server, request, resource_type)?,
    };
    let draft = Draft::of_new(server, value, server.clock.new_id(), request.caller.imports)?;
    let stamp = Stamp::of(request, server.clock.now());
    let written = commit::one(server, Change::Create(draft), condition, stamp).await?;
    Ok(commit::reply(written).preferring(request))
}

fn in_address(server: &Server, request: &Request, resource_type: &str) -> Result<Option<Condition>, Problem> {
    let criteria = request.query.iter().filter(|(name, _)| !NO_CRITERIA.contains(&name.as_str()));
    let pairs: Vec<(String, String)> = criteria.cloned().collect();
    if pairs.is_empty() {
        Ok(None)
    } else {
        condition::of(server, &request.caller, resource_type, pairs, "http.query").map(Some)
    }
}

/// 400 where the body's type is not that of the address.
pub fn expect_type(found: &str, expected: &str) -> Result<(), Problem> {
    if found == expected {
        return Ok(());
    }
    Err(Problem::new(
        Kind::Invalid,
        format!("The address is for {expected}, the body is of another resource type. Send it to the address of its own type."),
    )
    .at("resourceType"))
}
