//! `$everything`: all that belongs to one record, as a searchset in pages. What the operations on Patient and on ServiceRequest
//! share: their parameters, and the answer.

mod graph;
pub mod patient;
pub mod referral;

use serde_json::Value;

use crate::fhir::primitive;
use crate::fhir::types::PrimitiveKind;
use crate::interactions::operation::Level;
use crate::interactions::pages::Search;
use crate::interactions::record::{Stamp, patients};
use crate::interactions::reply::{Content, Reply};
use crate::interactions::request::{Body, Method, Request};
use crate::interactions::search;
use crate::interactions::searchset::{self, Answer};
use crate::interactions::server::Server;
use crate::problem::{Kind, Problem};
use crate::search::query::{self, Query};
use crate::store::AuditRecord;

/// The parameters of a call, as text, whether they came in the address or in a Parameters resource.
#[derive(Debug, Default)]
pub(super) struct Call {
    /// `start` and `end`, where the operation has them.
    start: Option<String>,
    end: Option<String>,
    /// `_since`.
    since: Option<String>,
    /// `_type`; empty for all.
    types: Vec<String>,
    /// What every search takes: page size, page, summary.
    settings: Vec<(String, String)>,
    /// All of them, for links and audit.
    understood: Vec<(String, String)>,
}

/// Parameters that shape the answer as they do that of a search.
const SETTINGS: [&str; 6] = ["_count", "_page", "_summary", "_elements", "_format", "_pretty"];

impl Call {
    /// Reads the parameters. `dates` says whether the operation has `start` and `end`. 400 with the parameter's name where one is
    /// not known, given twice or not of its type.
    pub(super) fn read(server: &Server, request: &Request, dates: bool) -> Result<Self, Problem> {
        let mut call = Self::default();
        for (name, value) in given(server, request)? {
            let place = format!("http.query.{name}");
            let wrong = |text: &str| Err(Problem::new(Kind::Invalid, text).at(place.clone()));
            let slot = match name.as_str() {
                "start" if dates => &mut call.start,
                "end" if dates => &mut call.end,
                "_since" => &mut call.since,
                "_type" => {
                    let types = value.split(',').map(|name| name.trim().to_owned());
                    call.types.extend(types);
                    if !call.types.iter().all(|name| server.definitions.is_resource_type(name)) {
                        return wrong("_type takes names of resource types, for example Task,ServiceRequest.");
                    }
                    call.understood.push((name, value));
                    continue;
                }
                name if SETTINGS.contains(&name) => {
                    call.settings.push((name.to_owned(), value.clone()));
                    call.understood.push((name.to_owned(), value));
                    continue;
                }
                _ => return wrong("This operation has no such parameter. Its OperationDefinition says what it takes."),
            };
            let kind = if name == "_since" { PrimitiveKind::Instant } else { PrimitiveKind::Date };
            if slot.is_some() || primitive::check_text(kind, &value).is_err() {
                return wrong("This parameter is given once, `start` and `end` as a date, `_since` as an instant.");
            }
            *slot = Some(value.clone());
            call.understood.push((name, value));
        }
        Ok(call)
    }

    /// True for types that are wanted.
    fn wants(&self, resource_type: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|name| name == resource_type)
    }
}

/// Names and values as they came.
fn given(server: &Server, request: &Request) -> Result<Vec<(String, String)>, Problem> {
    let mut given = request.query.clone();
    if request.method == Method::Post && !matches!(&request.body, Body::None) {
        let body = request.resource(server.bounds())?;
        if body.get("resourceType").and_then(Value::as_str) != Some("Parameters") {
            return Err(Problem::new(Kind::Invalid, "This operation takes a Parameters resource.").at("http.body"));
        }
        for part in body.get("parameter").and_then(Value::as_array).into_iter().flatten() {
            let name = part.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            let values = part.as_object().into_iter().flatten().filter(|(key, _)| key.starts_with("value"));
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            given.extend(values.map(|(_, value)| (name.clone(), text(value))));
        }
    }
    Ok(given)
}

/// Audits what is disclosed and answers with the Bundle.
async fn reply(
    server: &Server,
    request: &Request,
    level: &Level,
    search: &Search,
    answer: &Answer,
) -> Result<Reply, Problem> {
    let (resource_type, id) = match level {
        Level::Instance(name, id) | Level::Version(name, id, _) => (name.clone(), id.clone()),
        Level::Type(name) => (name.clone(), String::new()),
        Level::System => Default::default(),
    };
    let disclosed = answer.matches.iter().chain(&answer.included).map(|stored| stored.patient.as_str());
    let record = AuditRecord {
        resource_type,
        resource_id: id,
        patients: patients(disclosed),
        query: searchset::query_string(&search.common().understood),
        ..Stamp::of(request, server.clock.now()).record("operation $everything", 200)
    };
    server.store.audit(record).await?;
    let bytes = searchset::bundle(server, &search.path, search.common(), answer)?;
    Ok(Reply::new(200, Content::Stored(bytes)))
}

/// The address of the operation below the base.
fn path(level: &Level) -> String {
    match level {
        Level::Instance(name, id) | Level::Version(name, id, _) => format!("{name}/{id}/$everything"),
        Level::Type(name) => format!("{name}/$everything"),
        Level::System => "$everything".to_owned(),
    }
}

/// The queries of a search with the call's settings, on each of `types`, with what `_since` asks.
fn queries(server: &Server, request: &Request, call: &Call, types: &[&str]) -> Result<Vec<Query>, Problem> {
    let mut parameters = call.settings.clone();
    parameters.extend(call.since.iter().map(|since| ("_lastUpdated".to_owned(), format!("ge{since}"))));
    parameters.push(("_sort".to_owned(), "_id".to_owned()));
    let context = search::context(server, request);
    let parse = |name: &&str| {
        let mut query = query::parse(name, &parameters, &context)?;
        query.understood.clone_from(&call.understood);
        Ok(query)
    };
    types.iter().map(parse).collect()
}
