//! The FHIR REST interactions, one file each, without a transport: [`handle`] takes a [`request::Request`] and answers with
//! a [`reply::Reply`]. `app` calls it for HTTP, `batch` and `transaction` for their entries, `kith load` for files.

pub mod affiliation;
pub mod asynchronous;
pub mod audit_event;
pub mod batch;
pub mod commit;
pub mod condition;
pub mod conditional;
pub mod create;
pub mod delete;
pub mod draft;
pub mod editions;
pub mod effects;
pub mod entry;
pub mod format;
pub mod guard;
pub mod header;
pub mod history;
pub mod inclusion;
pub mod links;
pub mod list;
pub mod live;
pub mod metadata;
pub mod openapi;
pub mod operation;
pub mod pages;
pub mod patch;
mod plan;
pub mod precondition;
pub mod read;
pub mod record;
pub mod reply;
pub mod request;
pub mod rewrite;
pub mod route;
pub mod scope;
pub mod search;
pub mod searchset;
pub mod server;
pub mod subset;
pub mod terminology_capabilities;
pub mod throttle;
mod transaction;
pub mod update;
pub mod url;
pub mod visible;
pub mod write;

use std::sync::Arc;

use operation::{Level, Operation};
use record::Stamp;
use reply::{Content, Reply};
use request::{Method, Request};
use route::Target;
use scope::Scope;
use server::Server;

use crate::access::{self, Grant};
use crate::problem::{Kind, Problem};
use crate::store::HistoryOf;

/// Carries out a request. A refusal is audited in a transaction of its own; where not even that is possible the answer is 503.
pub async fn handle(server: &Arc<Server>, request: &Request) -> Reply {
    let server = &server.latest();
    let mut reply = match dispatch(server, request).await {
        Ok(reply) => heeded(server, request, reply),
        Err(problem) => refuse(server, request, problem).await,
    };
    if let Content::Resource(resource) = &mut reply.content {
        links::add(server, resource);
    }
    live::catch_up(server).await;
    reply
}

/// Says where strict handling was heeded: it speaks of the parameters of a search or history.
fn heeded(server: &Server, request: &Request, mut reply: Reply) -> Reply {
    if request.headers.strict
        && let Ok(target) = Target::parse(&request.path, &server.definitions)
        && ["search", "history"].iter().any(|kind| list::code(&target, request.method).starts_with(kind))
    {
        reply.applied.push("handling=strict");
    }
    reply
}

async fn refuse(server: &Arc<Server>, request: &Request, problem: Problem) -> Reply {
    if let Some(cause) = problem.cause().map(ToString::to_string) {
        tracing::error!(request_id = request.request_id, cause, "request failed");
    }
    let record = Stamp::of(request, server.clock.now()).refusal(server, request, &problem);
    match server.store.audit(record).await {
        Ok(()) => Reply::problem(&problem),
        Err(failure) => {
            tracing::error!(request_id = request.request_id, %failure, "a refusal could not be audited");
            Reply::problem(&Problem::new(
                Kind::Unavailable,
                "The server cannot record this access now. Try again later.",
            ))
        }
    }
}

async fn dispatch(server: &Arc<Server>, request: &Request) -> Result<Reply, Problem> {
    use Method::{Delete, Get, Head, Patch, Post, Put};
    let target = Target::parse(&request.path, &server.definitions)?;
    let grant = |code: &str, resource_type: Option<&str>| access::grant(&request.caller, code, resource_type);
    if audit_event::is_at(&target) {
        return audit_event::answer(server, request, &target).await;
    }
    if let Some(scope) = Scope::of(&target, request.method) {
        let grant = grant(scope.interaction(), scope.resource_type())?;
        return search::search(server, request, &scope, grant).await;
    }
    match (&target, request.method) {
        (Target::Operation { name, resource_type, id, version }, Get | Head | Post | Delete) => {
            let level = level(resource_type.as_ref(), id.as_ref(), *version);
            run(server, request, name, &level, grant("operation", resource_type.as_deref())?).await
        }
        (Target::Metadata, Get | Head) => {
            let reply = metadata::metadata(server, request, grant("capabilities", None)?)?;
            server.store.audit(Stamp::of(request, server.clock.now()).record("capabilities", 200)).await?;
            Ok(reply)
        }
        (Target::System, Post) => bundle(server, request, grant("transaction", None)?).await,
        (Target::Type(name), Post) => create::create(server, request, name, grant("create", Some(name))?).await,
        (Target::Type(name), Put) => conditional::update(server, request, name, grant("update", Some(name))?).await,
        (Target::Type(name), Delete) => conditional::delete(server, request, name, grant("delete", Some(name))?).await,
        (Target::Type(name), Patch) => patch::conditional(server, request, name, grant("patch", Some(name))?).await,
        (Target::Instance(name, id), Patch) => {
            patch::patch(server, request, name, id, grant("patch", Some(name))?).await
        }
        (Target::Instance(name, id), Get | Head) => {
            read::read(server, request, name, id, grant("read", Some(name))?).await
        }
        (Target::Instance(name, id), Put) => {
            update::update(server, request, name, id, grant("update", Some(name))?).await
        }
        (Target::Instance(name, id), Delete) => {
            delete::delete(server, request, name, id, grant("delete", Some(name))?).await
        }
        (Target::InstanceHistory(name, id), Get | Head) => {
            let of = HistoryOf::Instance { resource_type: name, id };
            history::history(server, request, of, "history-instance", grant("history-instance", Some(name))?).await
        }
        (Target::TypeHistory(name), Get | Head) => {
            let grant = grant("history-type", Some(name))?;
            history::history(server, request, HistoryOf::Type(name), "history-type", grant).await
        }
        (Target::SystemHistory, Get | Head) => {
            let grant = grant("history-system", None)?;
            history::history(server, request, HistoryOf::System, "history-system", grant).await
        }
        (Target::Version(name, id, version), Get | Head) => {
            read::vread(server, request, name, id, *version, grant("vread", Some(name))?).await
        }
        _ => Err(Problem::new(
            Kind::MethodNotAllowed,
            format!("{} is not offered at this address. GET metadata says what is.", request.method.name()),
        )
        .at("http.method")),
    }
}

fn level(resource_type: Option<&String>, id: Option<&String>, version: Option<i64>) -> Level {
    match (resource_type, id, version) {
        (Some(name), Some(id), Some(version)) => Level::Version(name.clone(), id.clone(), version),
        (Some(name), Some(id), None) => Level::Instance(name.clone(), id.clone()),
        (Some(name), None, _) => Level::Type(name.clone()),
        _ => Level::System,
    }
}

async fn run(
    server: &Arc<Server>,
    request: &Request,
    name: &str,
    level: &Level,
    grant: Grant,
) -> Result<Reply, Problem> {
    let operation = operation(server, name, level)
        .ok_or_else(|| Problem::new(Kind::NotFound, "There is no such operation at this address.").at("http.url"))?;
    if !offered(operation).contains(&request.method) {
        return Err(
            Problem::new(Kind::MethodNotAllowed, "This operation is not called by this method.").at("http.method")
        );
    }
    let resource_type = match level {
        Level::Type(name) | Level::Instance(name, _) | Level::Version(name, ..) => Some(name.as_str()),
        Level::System => None,
    };
    access::grant_permission(&request.caller, operation.permission(), resource_type)?;
    operation.run(server, request, level, grant).await
}

fn operation(server: &Server, name: &str, level: &Level) -> Option<&'static dyn Operation> {
    let found = |operation: &&&dyn Operation| name.strip_prefix('$') == Some(operation.name());
    let level_type = match level {
        Level::Type(name) | Level::Instance(name, _) | Level::Version(name, ..) => name.as_str(),
        Level::System => "",
    };
    // What works on stored resources finds none here.
    if level_type == audit_event::TYPE && name != "$validate" {
        return None;
    }
    server.operations.iter().find(|operation| found(operation) && operation.offered_at(level)).copied()
}

/// The methods that are offered at an address; none where there is nothing.
#[must_use]
pub fn methods(server: &Server, path: &[String]) -> Vec<Method> {
    let Ok(target) = Target::parse(path, &server.definitions) else { return Vec::new() };
    let Target::Operation { name, resource_type, id, version } = &target else {
        let own = audit_event::is_at(&target);
        return if own { audit_event::methods(&target) } else { list::methods(&target) }.to_vec();
    };
    match operation(server, name, &level(resource_type.as_ref(), id.as_ref(), *version)) {
        Some(operation) => offered(operation),
        None => Vec::new(),
    }
}

/// The methods by which an operation is called.
fn offered(operation: &dyn Operation) -> Vec<Method> {
    let mut methods = if operation.by_get() { vec![Method::Get, Method::Head] } else { Vec::new() };
    methods.push(Method::Post);
    if operation.by_delete() {
        methods.push(Method::Delete);
    }
    methods
}

async fn bundle(server: &Arc<Server>, request: &Request, grant: Grant) -> Result<Reply, Problem> {
    let bundle = request.resource(server.bounds())?;
    let text = |name: &str| bundle.get(name).and_then(serde_json::Value::as_str);
    match (text("resourceType"), text("type")) {
        (Some("Bundle"), Some("batch")) => batch::batch(server, request, bundle, grant).await,
        (Some("Bundle"), Some("transaction")) => transaction::transaction(server, request, bundle, grant).await,
        (Some("Bundle"), _) => {
            Err(Problem::new(Kind::Invalid, "Bundle.type must be batch or transaction here.").at("Bundle.type"))
        }
        _ => Err(Problem::new(Kind::Invalid, "The base takes a Bundle of type batch or transaction.").at("http.body")),
    }
}
