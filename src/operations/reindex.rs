//! `$reindex` at system level: indexes stored resources anew, all or those of some types. It runs as a job, by the
//! asynchronous request pattern (<https://hl7.org/fhir/R4/async.html>), whether the client prefers so or not.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::access::Grant;
use crate::access::scope::Permission;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::suggest;
use crate::interactions::asynchronous;
use crate::interactions::live::REINDEX;
use crate::interactions::operation::{Answer, Level, Operation};
use crate::interactions::request::{Body, Method, Request};
use crate::interactions::server::Server;
use crate::interactions::visible;
use crate::problem::{Kind, Problem};

/// The operation.
#[derive(Debug)]
pub struct Reindex;

impl Operation for Reindex {
    fn name(&self) -> &'static str {
        "reindex"
    }

    fn definition(&self) -> &'static str {
        "https://kith.example/fhir/OperationDefinition/kith-reindex"
    }

    fn offered_at(&self, level: &Level) -> bool {
        matches!(level, Level::System)
    }

    fn permission(&self) -> Option<Permission> {
        Some(Permission::Update)
    }

    fn run<'a>(
        &'a self,
        server: &'a Arc<Server>,
        request: &'a Request,
        _level: &'a Level,
        _grant: Grant,
    ) -> Answer<'a> {
        Box::pin(async move {
            visible::only_unlimited(&request.caller)?;
            let types = types(server, request)?;
            let payload = json!({ "asked": types, "forced": true });
            asynchronous::start(server, request, REINDEX, &payload).await
        })
    }
}

/// The types asked for, by query parameters and by a Parameters resource.
fn types(server: &Server, request: &Request) -> Result<Vec<String>, Problem> {
    let mut types: Vec<String> =
        request.query.iter().filter(|(name, _)| name == "type").map(|(_, value)| value.clone()).collect();
    if request.method == Method::Post && !matches!(request.body, Body::None) {
        let body = request.resource(server.bounds())?;
        if body.get("resourceType").and_then(Value::as_str) != Some("Parameters") {
            let text = "This operation takes a Parameters resource, or no body.";
            return Err(Problem::new(Kind::Invalid, text).at("http.body"));
        }
        for parameter in body.get("parameter").and_then(Value::as_array).into_iter().flatten() {
            let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
            let value = parameter.get("valueCode").or_else(|| parameter.get("valueString")).and_then(Value::as_str);
            let ("type", Some(value)) = (name, value) else {
                let text = "The only parameter is type, with the name of a resource type as valueCode.";
                return Err(Problem::new(Kind::Invalid, text).at("Parameters.parameter"));
            };
            types.push(value.to_owned());
        }
    }
    types.sort_unstable();
    types.dedup();
    let unknown = types.iter().filter(|name| !server.definitions.is_resource_type(name));
    let issues: Vec<Issue> = unknown.map(|name| unknown_type(server, name)).collect();
    if issues.is_empty() { Ok(types) } else { Err(Problem::with_issues(Kind::Invalid, issues)) }
}

fn unknown_type(server: &Server, name: &str) -> Issue {
    let names = server.definitions.resource_types().iter().map(String::as_str);
    let hint = suggest::nearest(name, names).map_or_else(String::new, |nearest| format!(" Did you mean {nearest}?"));
    let text = format!("A type to index is not a resource type of FHIR R4.{hint}");
    Issue::new(Severity::Error, IssueCode::CodeInvalid, "", text).at("Parameters.parameter.where(name = 'type')")
}
