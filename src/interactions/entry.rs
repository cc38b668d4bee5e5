//! Entries of a batch or transaction Bundle: read into requests, with every mistake named by its entry
//! (<https://hl7.org/fhir/R4/http.html#transaction>). Used by `batch` and `transaction`.

use serde_json::{Map, Value, json};

use super::header::Tags;
use super::precondition::Precondition;
use super::reply::Reply;
use super::request::{Body, Headers, Method, Request, ReturnPreference};
use super::route::Target;
use super::server::Server;
use super::{header, list, url};
use crate::access;
use crate::fhir::codec::json;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::temporal;
use crate::problem::{Kind, Problem};

/// One entry as a request of its own.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Position in the Bundle, from 0.
    pub index: usize,
    /// The temporary or final name of the resource.
    pub full_url: Option<String>,
    /// What is asked for; the body is the entry's resource.
    pub request: Request,
    /// What its address means.
    pub target: Target,
}

/// Reads all entries. 400 with one issue per mistake.
pub fn read(server: &Server, request: &Request, bundle: &mut Value) -> Result<Vec<Entry>, Problem> {
    let mut entries = Vec::new();
    let mut issues = Vec::new();
    for entry in read_each(server, request, bundle)? {
        match entry {
            Ok(entry) => entries.push(entry),
            Err((_, problem)) => issues.extend_from_slice(problem.issues()),
        }
    }
    if issues.is_empty() { Ok(entries) } else { Err(Problem::with_issues(Kind::Invalid, issues)) }
}

/// An entry, or its position and what is wrong with it.
type Read = Result<Entry, (usize, Problem)>;

/// Reads each entry for itself. 413 where there are too many.
pub fn read_each(server: &Server, request: &Request, bundle: &mut Value) -> Result<Vec<Read>, Problem> {
    let Some(Value::Array(list)) = bundle.get_mut("entry").map(Value::take) else { return Ok(Vec::new()) };
    if list.len() > server.settings.bundle_limit {
        let text = format!("A Bundle may have at most {} entries here.", server.settings.bundle_limit);
        return Err(Problem::new(Kind::TooLarge, text).at("Bundle.entry"));
    }
    let read = |(index, mut item): (usize, Value)| {
        entry(server, request, index, &mut item).map_err(|problem| (index, located(&problem, index)))
    };
    Ok(list.into_iter().enumerate().map(read).collect())
}

fn entry(server: &Server, outer: &Request, index: usize, item: &mut Value) -> Result<Entry, Problem> {
    let resource = item.get_mut("resource").map(Value::take);
    let text = |name: &str| item.get("request").and_then(|request| request.get(name)).and_then(Value::as_str);
    let method = text("method")
        .and_then(Method::parse)
        .ok_or_else(|| missing("request.method", "one of GET, HEAD, POST, PUT, PATCH, DELETE"))?;
    let address = text("url").ok_or_else(|| missing("request.url", "an address relative to the base"))?;
    let address = address.strip_prefix(&server.base).unwrap_or(address);
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let path = url::path_segments(path)?;
    let headers = Headers {
        precondition: Precondition {
            matches: Tags::must_match(text("ifMatch"), "request.ifMatch")?,
            none_matches: Tags::parse(text("ifNoneMatch")),
        },
        if_modified_since: text("ifModifiedSince").and_then(header::instant),
        if_none_exist: text("ifNoneExist").map(str::to_owned),
        prefer_return: outer.headers.prefer_return,
        strict: outer.headers.strict,
    };
    let target = Target::parse(&path, &server.definitions)?;
    let full_url = item.get("fullUrl").and_then(Value::as_str).map(str::to_owned);
    if target == Target::System && method == Method::Post {
        let text = "A batch or transaction cannot be an entry of another one.";
        return Err(Problem::new(Kind::Invalid, text).at("request.url"));
    }
    if matches!(method, Method::Put | Method::Patch) && resource.is_none() {
        return Err(missing("resource", "the content to be stored"));
    }
    let request = Request {
        method,
        path,
        query: url::query_pairs(query)?,
        headers,
        body: resource.map_or(Body::None, Body::Resource),
        wanted: outer.wanted,
        caller: outer.caller.clone(),
        request_id: outer.request_id.clone(),
        correlation_id: outer.correlation_id.clone(),
    };
    Ok(Entry { index, full_url, request, target })
}

fn missing(element: &str, expected: &str) -> Problem {
    let text = format!("{element} must be {expected}.");
    Problem::with_issues(Kind::Invalid, vec![Issue::new(Severity::Error, IssueCode::Required, "", text).at(element)])
}

/// Asks for every entry whether the caller may carry it out, before anything is. All refusals are reported together.
pub fn granted(entries: &[Entry]) -> Result<(), Problem> {
    let mut issues = Vec::new();
    for entry in entries {
        let code = list::code(&entry.target, entry.request.method);
        if let Err(problem) = access::grant(&entry.request.caller, code, entry.target.resource_type()) {
            issues.extend_from_slice(located(&problem, entry.index).issues());
        }
    }
    if issues.is_empty() { Ok(()) } else { Err(Problem::with_issues(Kind::Forbidden, issues)) }
}

/// The same problem with its places below `Bundle.entry[index]`.
#[must_use]
pub fn located(problem: &Problem, index: usize) -> Problem {
    let issues = problem
        .issues()
        .iter()
        .map(|issue| {
            let place = match issue.expression.as_deref() {
                None => format!("Bundle.entry[{index}]"),
                Some(place) if place.starts_with("request.") || matches!(place, "resource" | "fullUrl") => {
                    format!("Bundle.entry[{index}].{place}")
                }
                Some(place) if place.starts_with("http.") => format!("Bundle.entry[{index}].request.url"),
                Some(place) => match place.split_once('.') {
                    Some((_, rest)) => format!("Bundle.entry[{index}].resource.{rest}"),
                    None => format!("Bundle.entry[{index}].resource"),
                },
            };
            issue.clone().at(place)
        })
        .collect();
    Problem::with_issues(problem.kind, issues)
}

/// The entry of the response Bundle. The resource goes along where `with_resource` says so.
pub fn answer(server: &Server, reply: &Reply, with_resource: bool) -> Result<Value, Problem> {
    use super::reply::Content;
    let mut response = Map::new();
    response.insert("status".to_owned(), json!(reply.status.to_string()));
    if let Some(location) = &reply.location {
        response.insert("location".to_owned(), json!(location));
    }
    if let Some(etag) = reply.etag() {
        response.insert("etag".to_owned(), json!(etag));
    }
    if let Some(instant) = reply.last_updated {
        response.insert("lastModified".to_owned(), json!(temporal::format_instant(instant)));
    }
    let outcome = reply.status >= 400 || reply.applied.contains(&ReturnPreference::OperationOutcome.text());
    let resource = match &reply.content {
        Content::Stored(bytes) if outcome || with_resource => Some(json::parse_stored(bytes)?),
        Content::Resource(value) if outcome || with_resource => Some(value.clone()),
        Content::Empty | Content::Stored(_) | Content::Resource(_) => None,
    };
    let mut entry = Map::new();
    match resource {
        Some(mut issues) if outcome => {
            super::links::add(server, &mut issues);
            response.insert("outcome".to_owned(), issues);
        }
        Some(resource) => {
            if let Some(location) = &reply.location {
                let name = location.split("/_history/").next().unwrap_or(location);
                entry.insert("fullUrl".to_owned(), json!(format!("{}/{name}", server.base)));
            }
            entry.insert("resource".to_owned(), resource);
        }
        None => {}
    }
    entry.insert("response".to_owned(), Value::Object(response));
    Ok(Value::Object(entry))
}

/// Order of processing: DELETE, POST, PUT and PATCH, GET and HEAD.
#[must_use]
pub const fn rank(method: Method) -> u8 {
    match method {
        Method::Delete => 0,
        Method::Post => 1,
        Method::Put | Method::Patch => 2,
        Method::Get | Method::Head => 3,
    }
}
