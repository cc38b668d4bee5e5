//! capabilities: `GET [base]/metadata` (<https://hl7.org/fhir/R4/http.html#capabilities>). The statement is derived from the
//! lists that dispatch uses: interactions, operations, search parameters, resource types.

use serde_json::{Value, json};

use super::audit_event;
use super::list::{INTERACTIONS, Level};
use super::operation;
use super::reply::{Content, Reply};
use super::request::Request;
use super::server::Server;
use super::terminology_capabilities;
use crate::access::Grant;
use crate::config::{Access, ConditionalDelete, Duplicates, References, ValidationMode};
use crate::fhir::temporal;
use crate::problem::{Kind, Problem};
use crate::search::compartment;
use crate::search::parameters::OfType;
use crate::search::query::include;

/// Canonical url of our implementation guide.
const IMPLEMENTATION_GUIDE: &str = "https://kith.example/fhir/ImplementationGuide/kith";

/// Answers with the CapabilityStatement, or with the TerminologyCapabilities where `mode=terminology` asks for them.
pub fn metadata(server: &Server, request: &Request, _grant: Grant) -> Result<Reply, Problem> {
    match request.parameter("mode") {
        None | Some("full" | "normative") => Ok(Reply::new(200, Content::Resource(statement(server)))),
        Some("terminology") => Ok(Reply::new(200, Content::Resource(terminology_capabilities::statement(server)))),
        Some(_) => {
            Err(Problem::new(Kind::Invalid, "mode must be full, normative or terminology.").at("http.query.mode"))
        }
    }
}

/// The CapabilityStatement of this server.
#[must_use]
pub fn statement(server: &Server) -> Value {
    json!({
        "resourceType": "CapabilityStatement",
        "url": format!("{}/metadata", server.base),
        "version": env!("CARGO_PKG_VERSION"),
        "name": "Kith",
        "title": "Kith referral server for social prescribing",
        "status": "active",
        "date": temporal::format_instant(server.started),
        "kind": "instance",
        "description": description(server),
        "software": { "name": "Kith", "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": "Kith, FHIR R4 referral server", "url": server.base },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/fhir+xml", "json", "xml"],
        "patchFormat": ["application/json-patch+json", "application/fhir+json", "application/fhir+xml"],
        "implementationGuide": [IMPLEMENTATION_GUIDE],
        "rest": [{
            "mode": "server",
            "security": security(server),
            "resource": resources(server),
            "interaction": codes(Level::System),
            "operation": operations(server, &operation::Level::System),
            "compartment": compartment::all().iter().map(|compartment| compartment.url).collect::<Vec<_>>(),
        }],
    })
}

/// How access is protected (<https://hl7.org/fhir/smart-app-launch/STU2.1/conformance.html>).
fn security(server: &Server) -> Value {
    let cors = !server.settings.cors_origins.is_empty();
    if server.settings.access == Access::Open {
        let text = "Access is open because the server listens on the loopback interface only.";
        return json!({ "cors": cors, "description": text });
    }
    let root = server.base.strip_suffix("/fhir").unwrap_or(&server.base);
    json!({
        "cors": cors,
        "service": [{ "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "SMART-on-FHIR",
        }] }],
        "description": "SMART Backend Services: a registered system signs an assertion and gets an access token for its scopes, \
                        which may constrain what is read and searched of a type by search parameters.",
        "extension": [{
            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
            "extension": [
                { "url": "token", "valueUri": format!("{root}/oauth2/token") },
                { "url": "introspect", "valueUri": format!("{root}/oauth2/introspect") },
                { "url": "revoke", "valueUri": format!("{root}/oauth2/revoke") },
            ],
        }],
    })
}

fn description(server: &Server) -> String {
    let validation = match server.settings.validation {
        ValidationMode::Enforce => "Invalid resources are refused with 422.",
        ValidationMode::Report => "Invalid resources are stored; this server only reports what is wrong with them.",
    };
    let duplicates = match server.settings.duplicates {
        Duplicates::Refuse => "A second open referral of one patient to one service is refused with 409.",
        Duplicates::Warn => "A second open referral of one patient to one service is stored with a warning.",
        Duplicates::Allow => "Duplicate referrals are not looked for.",
    };
    let root = server.base.strip_suffix("/fhir").unwrap_or(&server.base);
    let levels = match server.validator.settings().levels.chosen().count() {
        0 => "All validation rules have their own levels".to_owned(),
        count => format!("{count} validation rules have levels of this server ($validation-rules lists them)"),
    };
    format!("{validation} {levels}; {root}/rules describes each. {duplicates}")
}

fn codes(level: Level) -> Vec<Value> {
    INTERACTIONS
        .iter()
        .filter(|entry| entry.level == level && entry.listed)
        .map(|entry| json!({ "code": entry.code }))
        .collect()
}

fn resources(server: &Server) -> Vec<Value> {
    let interactions: Vec<Value> = codes(Level::Type).into_iter().chain(codes(Level::Instance)).collect();
    let referrers = include::offered_reverse(&server.parameters);
    let complete = |name: &String| {
        if name == audit_event::TYPE {
            return audit_trail(server);
        }
        let mut entry = resource(server, name, &interactions);
        entry["searchInclude"] = json!(include::offered(&server.parameters, name));
        entry["searchRevInclude"] = json!(referrers.get(name.as_str()).map(|all| stored_types(all)));
        entry
    };
    server.definitions.resource_types().iter().map(complete).collect()
}

/// AuditEvents are read and searched, and made by the server only.
fn audit_trail(server: &Server) -> Value {
    let parameters: Vec<Value> = audit_event::parameters::OFFERED
        .iter()
        .map(|(name, kind, definition)| json!({ "name": name, "definition": definition, "type": kind }))
        .collect();
    json!({
        "type": audit_event::TYPE,
        "profile": format!("http://hl7.org/fhir/StructureDefinition/{}", audit_event::TYPE),
        "interaction": [{ "code": "read" }, { "code": "search-type" }],
        "versioning": "no-version",
        "readHistory": false,
        "updateCreate": false,
        "conditionalCreate": false,
        "conditionalRead": "not-match",
        "conditionalUpdate": false,
        "conditionalDelete": "not-supported",
        "referencePolicy": reference_policy(server),
        "searchParam": parameters,
        "operation": [{ "name": "validate", "definition": "http://hl7.org/fhir/OperationDefinition/Resource-validate" }],
    })
}

fn resource(server: &Server, name: &str, interactions: &[Value]) -> Value {
    let mut parameters: Vec<Value> = server
        .parameters
        .of_type(name)
        .into_iter()
        .flat_map(OfType::iter)
        .filter(|parameter| parameter.is_searchable())
        .map(
            |parameter| json!({ "name": parameter.code(), "definition": parameter.url, "type": parameter.kind.code() }),
        )
        .collect();
    // It has no SearchParameter of its own (<https://hl7.org/fhir/R4/search.html#list>).
    parameters.push(json!({ "name": "_list", "type": "string", "documentation": "What a List refers to: its id." }));
    let mut entry = json!({
        "type": name,
        "profile": format!("http://hl7.org/fhir/StructureDefinition/{name}"),
    });
    let supported = server.definitions.profiles_for_type(name);
    if !supported.is_empty() {
        entry["supportedProfile"] = json!(supported);
    }
    entry["interaction"] = json!(interactions);
    entry["versioning"] = json!("versioned-update");
    entry["readHistory"] = json!(true);
    entry["updateCreate"] = json!(true);
    entry["referencePolicy"] = json!(reference_policy(server));
    entry["conditionalCreate"] = json!(true);
    entry["conditionalUpdate"] = json!(true);
    entry["conditionalDelete"] = json!(conditional_delete(server));
    entry["conditionalRead"] = json!("full-support");
    entry["searchParam"] = json!(parameters);
    let operations = operations(server, &operation::Level::Type(name.to_owned()));
    if !operations.is_empty() {
        entry["operation"] = json!(operations);
    }
    entry
}

/// Values of `_revinclude` without those that start at AuditEvents, which are not stored.
fn stored_types(offered: &[String]) -> Vec<&String> {
    offered.iter().filter(|value| !value.starts_with("AuditEvent:")).collect()
}

/// References to other servers are taken, so it is not `local`.
fn reference_policy(server: &Server) -> Vec<&'static str> {
    let whole = [server.settings.references_write, server.settings.references_delete];
    let mut policy = vec!["literal", "logical", "resolves"];
    if whole == [References::Enforce; 2] {
        policy.push("enforced");
    }
    policy
}

const fn conditional_delete(server: &Server) -> &'static str {
    match server.settings.conditional_delete {
        ConditionalDelete::Single => "single",
        ConditionalDelete::Multiple => "multiple",
    }
}

/// One resource of the type, for what is offered there only: the statement has no place of its own for it.
fn at_instance(level: &operation::Level) -> Option<operation::Level> {
    match level {
        operation::Level::Type(name) => Some(operation::Level::Instance(name.clone(), String::new())),
        _ => None,
    }
}

fn operations(server: &Server, level: &operation::Level) -> Vec<Value> {
    server
        .operations
        .iter()
        .filter(|operation| {
            operation.offered_at(level) || at_instance(level).is_some_and(|level| operation.offered_at(&level))
        })
        .map(|operation| json!({ "name": operation.name(), "definition": operation.definition() }))
        .collect()
}
