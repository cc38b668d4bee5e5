//! An audit row as an AuditEvent resource, as IHE BALP asks (<https://profiles.ihe.net/ITI/BALP/>): client, organisation, person
//! and server as agents; request, resource, patients and query as entities.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::devices::Devices;
use super::kind::{self, DICOM};
use crate::fhir::base64;
use crate::fhir::primitive;
use crate::fhir::temporal;
use crate::fhir::types::PrimitiveKind;
use crate::interactions::server::Server;
use crate::store::AuditRow;

/// System of the identifiers of registered clients.
pub const CLIENT_SYSTEM: &str = "https://kith.example/fhir/Id/client";
const REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const BALP_ENTITY: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType";
const SOURCE_TYPE: &str = "http://terminology.hl7.org/CodeSystem/security-source-type";

/// The logical id of a row: its chain and its place in it.
#[must_use]
pub fn id(row: &AuditRow) -> String {
    format!("{}.{}", row.chain.replace('/', "."), row.sequence)
}

/// The chain and the place that a logical id names.
#[must_use]
pub fn place(id: &str) -> Option<(String, i64)> {
    let (chain, sequence) = id.rsplit_once('.')?;
    let (process, lane) = chain.rsplit_once('.')?;
    let sequence = sequence.parse().ok().filter(|number| *number > 0)?;
    Some((format!("{process}/{lane}"), sequence))
}

/// The resource.
#[must_use]
pub fn of(server: &Server, devices: &Devices, row: &AuditRow) -> Value {
    let recorded = temporal::format_instant(row.recorded);
    let event = kind::event(&row.interaction);
    let coding =
        |(system, code, display): (&str, String, String)| json!({ "system": system, "code": code, "display": display });
    let subtypes: Vec<Value> = kind::subtypes(&row.interaction).into_iter().map(coding).collect();
    let mut resource = json!({
        "resourceType": "AuditEvent",
        "id": id(row),
        "meta": { "versionId": "1", "lastUpdated": recorded },
        "type": { "system": event.system, "code": event.code, "display": event.display },
    });
    if !subtypes.is_empty() {
        resource["subtype"] = Value::Array(subtypes);
    }
    resource["action"] = json!(kind::action(&row.interaction));
    resource["recorded"] = json!(recorded);
    resource["outcome"] = json!(outcome(row.status));
    resource["outcomeDesc"] = json!(description(row));
    if let Some(purpose) = purpose(row) {
        resource["purposeOfEvent"] = json!([purpose]);
    }
    resource["agent"] = Value::Array(agents(server, devices, row));
    resource["source"] = json!({
        "observer": server_itself(server),
        "type": [{ "system": SOURCE_TYPE, "code": "4", "display": "Application Server" }],
    });
    let entities = entities(server, row);
    if !entities.is_empty() {
        resource["entity"] = Value::Array(entities);
    }
    resource
}

/// 0 success, 4 refused, 8 failed (<https://hl7.org/fhir/R4/valueset-audit-event-outcome.html>).
const fn outcome(status: i64) -> &'static str {
    match status {
        ..400 => "0",
        400..500 => "4",
        _ => "8",
    }
}

fn description(row: &AuditRow) -> String {
    let problems = AuditRow::texts_in(&row.problem);
    if problems.is_empty() {
        format!("HTTP {}", row.status)
    } else {
        format!("HTTP {}: {}", row.status, problems.join(", "))
    }
}

fn purpose(row: &AuditRow) -> Option<Value> {
    if row.purpose.is_empty() {
        return None;
    }
    let (system, code) = row.purpose.split_once('|').unwrap_or((REASON, &row.purpose));
    let is_code = primitive::check_text(PrimitiveKind::Code, code).is_ok() && !code.contains(' ');
    let is_uri = primitive::check_text(PrimitiveKind::Uri, system).is_ok();
    Some(if is_code && is_uri {
        json!({ "coding": [{ "system": system, "code": code }] })
    } else {
        json!({ "text": row.purpose })
    })
}

/// Who took part: whoever has the data first is the source.
fn agents(server: &Server, devices: &Devices, row: &AuditRow) -> Vec<Value> {
    let writes = matches!(kind::action(&row.interaction), "C" | "U" | "D");
    let source = json!({ "coding": [{ "system": DICOM, "code": "110153", "display": "Source Role ID" }] });
    let destination = json!({ "coding": [{ "system": DICOM, "code": "110152", "display": "Destination Role ID" }] });
    let (own, clients) = if writes { (destination, source) } else { (source, destination) };
    let mut agents = vec![client(devices, row, &clients)];
    if !row.organisation.is_empty() {
        let who = identified(&row.organisation, "Organization");
        agents.push(json!({ "type": { "text": "Organisation on whose behalf the client acts" }, "who": who, "requestor": false }));
    }
    if !row.user_id.is_empty() || !row.user_role.is_empty() {
        agents.push(person(row, writes));
    }
    agents.push(json!({
        "type": own,
        "who": server_itself(server),
        "requestor": false,
        "network": { "address": server.base, "type": "5" },
    }));
    agents
}

/// The client by its identifier and, where it stands for one, its Device.
fn client(devices: &Devices, row: &AuditRow, role: &Value) -> Value {
    let mut agent = json!({ "type": role });
    agent["who"] = if row.client.is_empty() {
        json!({ "display": "A client that did not say who it is" })
    } else {
        json!({ "identifier": { "system": CLIENT_SYSTEM, "value": row.client }, "display": row.client })
    };
    if let Some(device) = devices.of(&row.client) {
        agent["who"]["reference"] = json!(device);
        agent["who"]["type"] = json!("Device");
    }
    agent["requestor"] = json!(row.user_id.is_empty() && row.user_role.is_empty());
    if row.address.parse::<IpAddr>().is_ok() {
        agent["network"] = json!({ "address": row.address, "type": "2" });
    } else if !row.address.is_empty() {
        agent["network"] = json!({ "address": row.address });
    }
    agent
}

fn person(row: &AuditRow, writes: bool) -> Value {
    let (code, display) = if writes { ("AUT", "author (originator)") } else { ("IRCP", "information recipient") };
    let mut agent = json!({ "type": { "coding": [{ "system": PARTICIPATION, "code": code, "display": display }] } });
    if !row.user_role.is_empty() {
        agent["role"] = json!([{ "text": row.user_role }]);
    }
    if !row.user_id.is_empty() {
        agent["who"] = identified(&row.user_id, "");
    }
    agent["requestor"] = json!(true);
    if let Some(purpose) = purpose(row) {
        agent["purposeOfUse"] = json!([purpose]);
    }
    agent
}

/// A reference by identifier, out of a `system|value` token or a bare value.
fn identified(token: &str, resource_type: &str) -> Value {
    let mut reference = json!({});
    if !resource_type.is_empty() {
        reference["type"] = json!(resource_type);
    }
    reference["identifier"] = match token.split_once('|') {
        Some((system, value)) if !system.is_empty() && !value.is_empty() => json!({ "system": system, "value": value }),
        _ => json!({ "value": token }),
    };
    reference
}

fn server_itself(server: &Server) -> Value {
    json!({ "identifier": { "system": "urn:ietf:rfc:3986", "value": server.base }, "display": "Kith" })
}

fn entities(server: &Server, row: &AuditRow) -> Vec<Value> {
    let mut entities = Vec::new();
    entities.extend(resource_entity(server, row));
    for patient in AuditRow::texts_in(&row.patients) {
        entities.push(json!({
            "what": { "reference": patient },
            "type": { "system": ENTITY_TYPE, "code": "1", "display": "Person" },
            "role": { "system": OBJECT_ROLE, "code": "1", "display": "Patient" },
        }));
    }
    if !row.query.is_empty() || row.interaction.starts_with("search") {
        entities.push(query_entity(row));
    }
    for (code, display, id) in [
        ("XrequestId", "The X-Request-Id value that identifies the transaction", &row.request_id),
        (
            "XcorrelationId",
            "The X-Correlation-Id value that identifies what the request is part of",
            &row.correlation_id,
        ),
    ] {
        if !id.is_empty() {
            entities.push(json!({
                "what": { "identifier": { "value": id } },
                "type": { "system": BALP_ENTITY, "code": code, "display": display },
            }));
        }
    }
    entities
}

/// The resource that was asked for, in the version that was read or made.
fn resource_entity(server: &Server, row: &AuditRow) -> Option<Value> {
    let known = server.definitions.is_resource_type(&row.resource_type);
    if !known || primitive::check_text(PrimitiveKind::Id, &row.resource_id).is_err() {
        return None;
    }
    let version = row.version_after.map_or_else(String::new, |version| format!("/_history/{version}"));
    let mut entity = json!({
        "what": { "reference": format!("{}/{}{version}", row.resource_type, row.resource_id) },
        "type": { "system": ENTITY_TYPE, "code": "2", "display": "System Object" },
        "role": { "system": OBJECT_ROLE, "code": "4", "display": "Domain Resource" },
    });
    if let Some(before) = row.version_before {
        entity["detail"] = json!([{ "type": "version before", "valueString": before.to_string() }]);
    }
    Some(entity)
}

fn query_entity(row: &AuditRow) -> Value {
    let asked = if row.query.starts_with(&row.resource_type) && row.query.contains('?') {
        row.query.clone()
    } else {
        format!("{}?{}", row.resource_type, row.query)
    };
    json!({
        "type": { "system": ENTITY_TYPE, "code": "2", "display": "System Object" },
        "role": { "system": OBJECT_ROLE, "code": "24", "display": "Query" },
        "query": base64::encode(asked.as_bytes(), base64::STANDARD),
    })
}
