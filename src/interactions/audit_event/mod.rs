//! AuditEvent: the audit trail as resources, to be read and searched by those who may and written by nobody
//! (<https://hl7.org/fhir/R4/auditevent.html>). The events are made of the audit rows when they are asked for; they are not
//! stored as resources. `dispatch` sends every request at an AuditEvent address here; the access log of a patient uses
//! `page` too.

mod devices;
mod kind;
mod page;
pub mod parameters;
mod resource;

pub use self::devices::Devices;
pub use self::page::{Page, page};
pub use self::resource::of as resource;

use super::header::Tags;
use super::record::{Stamp, patients};
use super::reply::{Content, Reply};
use super::request::{Method, Request};
use super::route::Target;
use super::search;
use super::server::Server;
use super::subset::Subset;
use crate::access::scope::Permission;
use crate::access::{self, Authority, Caller, Grant, Role};
use crate::fhir::codec::json as fhir_json;
use crate::problem::{Kind, Problem};
use crate::store::{AuditRecord, AuditRow};

/// The resource type.
pub const TYPE: &str = "AuditEvent";

/// True where an address is one of the audit trail's; operations are dispatched as everywhere.
#[must_use]
pub fn is_at(target: &Target) -> bool {
    !matches!(target, Target::Operation { .. }) && target.resource_type() == Some(TYPE)
}

/// The methods that are offered at such an address.
#[must_use]
pub fn methods(target: &Target) -> &'static [Method] {
    match target {
        Target::Type(_) | Target::Instance(..) => &[Method::Get, Method::Head],
        Target::Compartment(centre, ..) if centre == "Patient" => &[Method::Get, Method::Head],
        Target::TypeSearch(_) => &[Method::Post],
        Target::CompartmentSearch(centre, ..) if centre == "Patient" => &[Method::Post],
        _ => &[],
    }
}

/// Answers a request at such an address. 405 for what would write, and for versions and histories: there are none.
pub async fn answer(server: &Server, request: &Request, target: &Target) -> Result<Reply, Problem> {
    if !methods(target).contains(&request.method) {
        access::grant_permission(&request.caller, None, Some(TYPE))?;
        return Err(never_written());
    }
    match target {
        Target::Instance(_, id) => {
            let _grant = permitted(&request.caller, Permission::Read)?;
            read(server, request, id).await
        }
        Target::Compartment(_, id, _) | Target::CompartmentSearch(_, id, _) => {
            let _grant = permitted(&request.caller, Permission::Search)?;
            let mut given = search::parameters(request)?;
            given.push(("patient".to_owned(), format!("Patient/{id}")));
            find(server, request, &given).await
        }
        _ => {
            let _grant = permitted(&request.caller, Permission::Search)?;
            find(server, request, &search::parameters(request)?).await
        }
    }
}

/// 405: the audit trail is the server's own.
#[must_use]
pub fn never_written() -> Problem {
    let text = "AuditEvents are made by the server itself. They are read and searched, and have one version each.";
    Problem::new(Kind::MethodNotAllowed, text).at("http.method")
}

/// 400: a search over several types does not look into the audit trail.
pub fn refuse_among(types: &str) -> Result<(), Problem> {
    if types.split(',').all(|name| name.trim() != TYPE) {
        return Ok(());
    }
    let text = "AuditEvent is searched by itself: GET [base]/AuditEvent.";
    Err(Problem::new(Kind::Invalid, text).at("http.query._type"))
}

/// Asks whether a caller may look into the audit trail: under open access everybody, else operators (and the test harness of a
/// test server) whose scopes allow it. 401 and 403 otherwise.
pub fn permitted(caller: &Caller, permission: Permission) -> Result<Grant, Problem> {
    let grant = access::grant_permission(caller, Some(permission), Some(TYPE))?;
    match &caller.authority {
        Authority::Token(granted) if !matches!(granted.role, Role::Operator | Role::Harness) => {
            let text = "The audit trail is shown to operators only.";
            Err(Problem::new(Kind::Forbidden, text).at("http.authorization"))
        }
        _ => Ok(grant),
    }
}

async fn read(server: &Server, request: &Request, id: &str) -> Result<Reply, Problem> {
    let subset = Subset::of_one(request)?;
    let row = match resource::place(id) {
        Some((chain, sequence)) => server.store.audit_row(&chain, sequence).await?,
        None => None,
    };
    let row = row.ok_or_else(|| Problem::new(Kind::NotFound, "There is no such resource.").at("http.url"))?;
    let known = match &request.headers.precondition.none_matches {
        Tags::Absent => false,
        tags => tags.name(1),
    };
    let status = if known { 304 } else { 200 };
    let record = AuditRecord {
        resource_type: TYPE.to_owned(),
        resource_id: id.to_owned(),
        version_after: Some(1),
        patients: AuditRow::texts_in(&row.patients),
        ..Stamp::of(request, server.clock.now()).record("read", status)
    };
    server.store.audit(record).await?;
    let mut content = Content::Empty;
    if !known {
        let mut event = resource::of(server, &Devices::read(server).await?, &row);
        subset.reduce(&mut event);
        content = Content::Stored(fhir_json::to_bytes(&event).into());
    }
    Ok(Reply::new(status, content).versioned(1, row.recorded))
}

async fn find(server: &Server, request: &Request, given: &[(String, String)]) -> Result<Reply, Problem> {
    let devices = Devices::read(server).await?;
    let parameters = parameters::Parameters::read(server, &devices, request, given)?;
    let page = page(server, TYPE, &parameters).await?;
    let shown: Vec<Vec<String>> = page.rows.iter().map(|row| AuditRow::texts_in(&row.patients)).collect();
    let record = AuditRecord {
        resource_type: TYPE.to_owned(),
        patients: patients(shown.iter().flatten().map(String::as_str)),
        query: super::searchset::query_string(&parameters.understood),
        ..Stamp::of(request, server.clock.now()).record("search-type", 200)
    };
    server.store.audit(record).await?;
    let bundle = page.bundle(server, &parameters, |row| resource::of(server, &devices, row));
    Ok(Reply { issues: parameters.warnings, ..Reply::new(200, Content::Resource(bundle)) })
}
