//! search: `GET [base]/[type]?…` and `POST [base]/[type]/_search`, and the same over all types and in compartments
//! (<https://hl7.org/fhir/R4/http.html#search>). Parses, runs the statements of one page, brings what is to be included, audits
//! which patients are disclosed, answers with a Bundle.

use super::audit_event;
use super::pages::{self, Search};
use super::record::{Stamp, patients};
use super::reply::{Content, Reply};
use super::request::{Body, Request};
use super::scope::{self, Scope};
use super::searchset::{self, Answer};
use super::server::Server;
use super::url;
use super::visible;
use crate::access::Grant;
use crate::interactions::format::BodyFormat;
use crate::problem::{Kind, Problem};
use crate::search::query::{Context, Handling, Query};
use crate::store::AuditRecord;

/// Carries out a search.
pub async fn search(server: &Server, request: &Request, scope: &Scope<'_>, grant: Grant) -> Result<Reply, Problem> {
    let parameters = parameters(request)?;
    parameters
        .iter()
        .filter(|(name, _)| name == "_type")
        .try_for_each(|(_, types)| audit_event::refuse_among(types))?;
    let context = context(server, request);
    let restrictions = grant.restrictions();
    let queries = scope.queries(&parameters, &context)?;
    check_inclusions(scope, &queries)?;
    queries.iter().try_for_each(|query| visible::check_query(&request.caller, query))?;
    let queries = queries.into_iter().map(|query| restrictions.apply(query)).collect();
    if let Scope::Compartment { centre, id, .. } = scope {
        scope::living(server, request, centre, id).await?;
    }
    let search = Search::new(scope.path(), scope::in_use(server, queries).await?)?;
    let query = search.common();
    let answer = pages::answer(server, &request.caller, &search, &restrictions).await?;
    audit(server, request, scope, query, &answer).await?;
    let bytes = searchset::bundle(server, &search.path, query, &answer)?;
    Ok(Reply { issues: query.warnings.clone(), ..Reply::new(200, Content::Stored(bytes)) })
}

/// How the parameters of a request are to be read.
#[must_use]
pub fn context<'a>(server: &'a Server, request: &Request) -> Context<'a> {
    Context {
        registry: &server.parameters,
        base: &server.base,
        now: server.clock.now(),
        handling: if request.headers.strict { Handling::Strict } else { Handling::Lenient },
    }
}

/// An inclusion that starts where nothing is searched would bring nothing.
fn check_inclusions(scope: &Scope<'_>, queries: &[Query]) -> Result<(), Problem> {
    let types: Vec<&str> = queries.iter().map(|query| query.resource_type.as_str()).collect();
    let includes = queries.first().map_or(&[] as &[_], |query| query.includes.as_slice());
    if includes.iter().all(|include| include.starts_at(&types)) {
        return Ok(());
    }
    let searched = match scope.resource_type() {
        None => "one of the types that are searched",
        Some(name) => name,
    };
    let text = format!("An inclusion starts at what is searched for, {searched}; for others write `_include:iterate`.");
    Err(Problem::new(Kind::Invalid, text).at("http.query._include"))
}

/// Parameters of the address, and of the form that POST brings.
pub fn parameters(request: &Request) -> Result<Vec<(String, String)>, Problem> {
    let mut parameters = request.query.clone();
    match &request.body {
        Body::None => {}
        Body::Bytes(bytes, BodyFormat::Form) => {
            let text = std::str::from_utf8(bytes)
                .map_err(|_| Problem::new(Kind::Invalid, "The form is not UTF-8.").at("http.body"))?;
            parameters.extend(url::query_pairs(text)?);
        }
        _ => {
            let text = "A search by POST takes a form: Content-Type application/x-www-form-urlencoded.";
            return Err(Problem::new(Kind::UnsupportedMediaType, text).at("http.content-type"));
        }
    }
    Ok(parameters)
}

/// Which patients' data the answer discloses, and by which search. The record is there before the answer is.
async fn audit(
    server: &Server,
    request: &Request,
    scope: &Scope<'_>,
    query: &Query,
    answer: &Answer,
) -> Result<(), Problem> {
    let disclosed = answer.matches.iter().chain(&answer.included).map(|stored| stored.patient.as_str());
    let parameters = searchset::query_string(&query.understood);
    let asked = match scope {
        Scope::System | Scope::Type(_) => parameters,
        Scope::Compartment { .. } => format!("{}?{parameters}", scope.path()),
    };
    let record = AuditRecord {
        resource_type: scope.resource_type().unwrap_or_default().to_owned(),
        patients: patients(disclosed),
        query: asked,
        ..Stamp::of(request, server.clock.now()).record(scope.interaction(), 200)
    };
    server.store.audit(record).await
}
