//! `Patient/[id]/$everything` and `Patient/$everything` (<https://hl7.org/fhir/R4/patient-operation-everything.html>): the
//! patient's compartment, and the organisations, people and places that it refers to.

use std::sync::Arc;

use super::{Call, path, queries, reply};
use crate::access::Grant;
use crate::interactions::operation::{Answer, Level, Operation};
use crate::interactions::pages::{self, Search};
use crate::interactions::request::Request;
use crate::interactions::scope::{self, living};
use crate::interactions::search;
use crate::interactions::server::Server;
use crate::problem::Problem;
use crate::search::compartment;
use crate::search::kinds::Kind;
use crate::search::query::{self, Condition, Include, Query};

/// The operation.
#[derive(Debug)]
pub struct PatientEverything;

/// Members of the compartment that bring other patients together; HAPI leaves them out, too.
const LEFT_OUT: [&str; 2] = ["Group", "List"];

/// What comes with the record, where the record refers to it: nothing of these is about a patient.
const SUPPORTING: [&str; 10] = [
    "Device",
    "Endpoint",
    "HealthcareService",
    "Location",
    "Medication",
    "Organization",
    "OrganizationAffiliation",
    "Practitioner",
    "PractitionerRole",
    "Substance",
];

/// The parameters that say when care was given, the first that a type has counts. A type without any, such as Patient, is
/// wanted whatever the dates; so is a resource without a value.
const CARE_DATES: [&str; 21] = [
    "date",
    "authored",
    "authored-on",
    "authoredon",
    "occurrence",
    "period",
    "created",
    "sent",
    "onset-date",
    "identified",
    "start-date",
    "started",
    "effective-time",
    "effective",
    "whenhandedover",
    "datetime",
    "when",
    "recorded",
    "collected",
    "datewritten",
    "event-date",
];

impl Operation for PatientEverything {
    fn name(&self) -> &'static str {
        "everything"
    }

    fn definition(&self) -> &'static str {
        "http://hl7.org/fhir/OperationDefinition/Patient-everything"
    }

    fn offered_at(&self, level: &Level) -> bool {
        matches!(level, Level::Type(name) | Level::Instance(name, _) if name == "Patient")
    }

    fn by_get(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, server: &'a Arc<Server>, request: &'a Request, level: &'a Level, grant: Grant) -> Answer<'a> {
        Box::pin(async move {
            let call = Call::read(server, request, true)?;
            let id = if let Level::Instance(name, id) = level {
                living(server, request, name, id).await?;
                Some(id.as_str())
            } else {
                None
            };
            let restrictions = grant.restrictions();
            let record: Vec<Query> =
                record(server, request, &call, id)?.into_iter().map(|query| restrictions.apply(query)).collect();
            let search = Search::new(path(level), scope::in_use(server, record).await?)?;
            let mut answer = pages::answer(server, &request.caller, &search, &restrictions).await?;
            let matched = answer.matches.len();
            answer.matches.retain(|stored| call.wants(&stored.resource_type));
            answer.total = answer.total.filter(|_| answer.matches.len() == matched);
            reply(server, request, level, &search, &answer).await
        })
    }
}

/// The queries that find the record of one patient, or of all.
fn record(server: &Server, request: &Request, call: &Call, id: Option<&str>) -> Result<Vec<Query>, Problem> {
    let Some(compartment) = compartment::of("Patient") else {
        return Err(Problem::internal("the compartment of Patient is not defined"));
    };
    let wanted = |name: &&str| !LEFT_OUT.contains(name) && call.wants(name);
    let mut types: Vec<&str> = compartment.types().filter(wanted).collect();
    if types.is_empty() {
        // Only what supports a record is wanted. It comes with what refers to it, so the record is searched but not shown.
        types.extend(compartment.types().filter(|name| !LEFT_OUT.contains(name)));
    }
    let mut queries = queries(server, request, call, &types)?;
    for query in &mut queries {
        query.conditions.extend(compartment.condition(&server.parameters, &query.resource_type, id));
        query.conditions.extend(care_date(server, request, call, &query.resource_type)?);
        query.includes = SUPPORTING.into_iter().filter(|name| call.wants(name)).map(include).collect();
    }
    Ok(queries)
}

fn include(target: &str) -> Include {
    Include { reverse: false, iterate: true, follow: None, target: Some(target.to_owned()) }
}

/// That care was given in the period from `start` to `end`, or at a time that is not known.
fn care_date(
    server: &Server,
    request: &Request,
    call: &Call,
    resource_type: &str,
) -> Result<Option<Condition>, Problem> {
    if call.start.is_none() && call.end.is_none() {
        return Ok(None);
    }
    let has = |code: &&&str| server.parameters.get(resource_type, code).is_some_and(|found| found.kind == Kind::Date);
    let Some(code) = CARE_DATES.iter().find(has) else { return Ok(None) };
    let from = call.start.iter().map(|start| ((*code).to_owned(), format!("ge{start}")));
    let to = call.end.iter().map(|end| ((*code).to_owned(), format!("le{end}")));
    let context = search::context(server, request);
    let within = query::parse(resource_type, &from.chain(to).collect::<Vec<_>>(), &context)?.conditions;
    let missing = query::parse(resource_type, &[(format!("{code}:missing"), "true".to_owned())], &context)?.conditions;
    Ok(Some(Condition::Any(std::iter::once(Condition::All(within)).chain(missing).collect())))
}
