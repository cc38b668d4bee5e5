//! `Patient/[id]/$access-log`: who saw or changed what is known about a person, when and why, as a subject access request asks. The
//! answer is a searchset of AuditEvents, the newest first. Each is cut down to this person: other patients whom one search showed
//! as well, and what was searched for, are left out; its narrative tells the event in a sentence.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::access::Grant;
use crate::access::scope::Permission;
use crate::fhir::temporal;
use crate::interactions::audit_event::parameters::Parameters;
use crate::interactions::audit_event::{self, Devices, permitted};
use crate::interactions::operation::{Answer, Level, Operation};
use crate::interactions::record::Stamp;
use crate::interactions::reply::{Content, Reply};
use crate::interactions::request::Request;
use crate::interactions::scope::living;
use crate::interactions::searchset;
use crate::interactions::server::Server;
use crate::problem::{Kind, Problem};
use crate::store::{AuditRecord, AuditRow};

/// The operation.
#[derive(Debug)]
pub struct AccessLog;

/// Parameters that it takes: a period, order and pages.
const TAKEN: [&str; 7] = ["date", "_sort", "_count", "_page", "_total", "_format", "_pretty"];

impl Operation for AccessLog {
    fn name(&self) -> &'static str {
        "access-log"
    }

    fn definition(&self) -> &'static str {
        "https://kith.example/fhir/OperationDefinition/kith-access-log"
    }

    fn offered_at(&self, level: &Level) -> bool {
        matches!(level, Level::Instance(name, _) if name == "Patient")
    }

    fn resource_types(&self) -> &'static [&'static str] {
        &["Patient"]
    }

    fn by_get(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, server: &'a Arc<Server>, request: &'a Request, level: &'a Level, _grant: Grant) -> Answer<'a> {
        Box::pin(async move {
            let Level::Instance(_, id) = level else {
                return Err(Problem::internal("an access log without a patient"));
            };
            let _grant = permitted(&request.caller, Permission::Search)?;
            if request.caller.limits_on("Patient")?.is_some() {
                living(server, request, "Patient", id).await?;
            }
            answer(server, request, id).await
        })
    }
}

async fn answer(server: &Server, request: &Request, id: &str) -> Result<Reply, Problem> {
    if let Some((name, _)) = request.query.iter().find(|(name, _)| !TAKEN.contains(&name.as_str())) {
        let text = format!("The access log has no such parameter. It takes {}.", TAKEN.join(", "));
        return Err(Problem::new(Kind::Invalid, text).at(format!("http.query.{name}")));
    }
    let patient = format!("Patient/{id}");
    let devices = Devices::read(server).await?;
    let mut parameters = Parameters::read(server, &devices, request, &request.query)?;
    let about = audit_event::parameters::about(&patient);
    parameters.tests.push(about);
    let page = audit_event::page(server, &format!("{patient}/$access-log"), &parameters).await?;
    let record = AuditRecord {
        resource_type: "Patient".to_owned(),
        resource_id: id.to_owned(),
        patients: vec![patient.clone()],
        query: searchset::query_string(&parameters.understood),
        ..Stamp::of(request, server.clock.now()).record("operation $access-log", 200)
    };
    server.store.audit(record).await?;
    let bundle = page.bundle(server, &parameters, |row| event((server, &devices), row, &patient));
    Ok(Reply::new(200, Content::Resource(bundle)))
}

/// The event as far as it is about one patient.
fn event((server, devices): (&Server, &Devices), row: &AuditRow, patient: &str) -> Value {
    let own = AuditRow { patients: json!([patient]).to_string(), query: String::new(), ..row.clone() };
    let mut event = audit_event::resource(server, devices, &own);
    event["meta"]["tag"] =
        json!([{ "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED" }]);
    if let Some(entities) = event["entity"].as_array_mut() {
        entities.retain(|entity| entity.get("query").is_none());
    }
    let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{}</div>", escaped(&sentence(row)));
    event["text"] = json!({ "status": "generated", "div": div });
    event
}

/// What happened, in words.
fn sentence(row: &AuditRow) -> String {
    let mut who =
        if row.client.is_empty() { "A client that did not say who it is".to_owned() } else { row.client.clone() };
    for (before, value) in
        [(" for organisation ", &row.organisation), (", person ", &row.user_id), (", role ", &row.user_role)]
    {
        if !value.is_empty() {
            who.push_str(before);
            who.push_str(value);
        }
    }
    let what = match (row.resource_type.is_empty(), row.resource_id.is_empty()) {
        (true, _) => "the whole record".to_owned(),
        (false, true) => row.resource_type.clone(),
        (false, false) => format!("{}/{}", row.resource_type, row.resource_id),
    };
    let why = if row.purpose.is_empty() { "no purpose given" } else { &row.purpose };
    let outcome = if row.status < 400 { "done" } else { "refused" };
    let when = temporal::format_instant(row.recorded);
    format!("{when}: {who}: {} of {what}; purpose: {why}; {outcome} (HTTP {}).", row.interaction, row.status)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
