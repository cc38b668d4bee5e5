//! The operations of the terminology service (<https://hl7.org/fhir/R4/terminology-service.html>): what they share. They work
//! on what packages define and on ValueSet, CodeSystem and ConceptMap resources that are stored on this server; where both
//! have a canonical url, the packages' definition is used, as in validation.

pub mod expand;
mod inputs;
pub mod lookup;
mod source;
pub mod subsumes;
pub mod translate;
pub mod validate_code;

use serde_json::{Value, json};

use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::interactions::operation::Level;
use crate::interactions::record::Stamp;
use crate::interactions::reply::{Content, Reply};
use crate::interactions::request::Request;
use crate::interactions::server::Server;
use crate::problem::{Kind, Problem};
use crate::store::AuditRecord;
use crate::terminology::{self, CompiledCodeSystem, Edition};

/// Audits a call and answers it.
async fn answer(
    server: &Server,
    request: &Request,
    level: &Level,
    name: &str,
    resource: Value,
) -> Result<Reply, Problem> {
    let (resource_type, resource_id) = match level {
        Level::Instance(name, id) | Level::Version(name, id, _) => (name.clone(), id.clone()),
        Level::Type(name) => (name.clone(), String::new()),
        Level::System => Default::default(),
    };
    let record = Stamp::of(request, server.clock.now()).record(&format!("operation ${name}"), 200);
    server.store.audit(AuditRecord { resource_type, resource_id, ..record }).await?;
    Ok(Reply::new(200, Content::Resource(resource)))
}

/// True at the type and instance level of a resource type.
fn is_at(level: &Level, resource_type: &str) -> bool {
    matches!(level, Level::Type(name) | Level::Instance(name, _) if name == resource_type)
}

/// A Parameters resource.
fn parameters(list: &[Value]) -> Value {
    json!({ "resourceType": "Parameters", "parameter": list })
}

/// 422: the question cannot be answered without something that is not loaded.
fn not_loaded(canonical: &str) -> Problem {
    let text = format!(
        "{canonical} is not loaded here, or only a part of it, so there is no answer. {}",
        terminology::how_to_load(canonical)
    );
    let issue = Issue::new(Severity::Error, IssueCode::NotFound, "terminology-not-loaded", text);
    Problem::with_issues(Kind::Unprocessable, vec![issue])
}

/// 404: the code system has no such code; 422 where it is loaded in part only and may have it.
fn no_such_code(system: &CompiledCodeSystem, canonical: &str, parameter: &str) -> Problem {
    if !system.is_complete() {
        return not_loaded(canonical);
    }
    let text = format!("The code system {} has no such code.", system.url);
    Problem::new(Kind::NotFound, text).at(format!("Parameters.parameter.where(name = '{parameter}')"))
}

/// 404: the edition of SNOMED CT has no such concept; 422 where the code is of an extension that it has not.
fn no_such_concept(edition: &Edition, code: &str, parameter: &str) -> Problem {
    if !edition.covers(code) {
        return not_loaded(&edition.beyond(code));
    }
    let text = format!("{} has no such code.", edition.version().uri());
    Problem::new(Kind::NotFound, text).at(format!("Parameters.parameter.where(name = '{parameter}')"))
}

/// 422: the answer would take more than this server gives.
fn too_costly(text: impl Into<String>) -> Problem {
    let issue = Issue::new(Severity::Error, IssueCode::TooCostly, "terminology-too-costly", text);
    Problem::with_issues(Kind::Unprocessable, vec![issue])
}
