//! The description of the API for tools that know OpenAPI (<https://spec.openapis.org/oas/v3.0.3>): `GET [base]/openapi.json`.
//! Like the CapabilityStatement it is derived from the lists that dispatch uses. Resource types are values of one path
//! parameter, so that it stays small; which search parameters each has stands in the CapabilityStatement.

use serde_json::{Map, Value, json};

use super::list;
use super::operation::{Level, Operation};
use super::request::Method;
use super::route::Target;
use super::server::Server;
use crate::config::Access;
use crate::search::compartment;

/// Formats of resources.
const FORMATS: [&str; 2] = ["application/fhir+json", "application/fhir+xml"];

/// The description of this server.
#[must_use]
pub fn description(server: &Server) -> Value {
    let mut paths = Map::new();
    for (path, target) in addresses() {
        let methods = list::methods(&target).iter().copied();
        paths.insert(path.to_owned(), item(path, methods, |method| named(&target, method)));
    }
    for operation in server.operations {
        add_operation(server, *operation, &mut paths);
    }
    let mut description = json!({
        "openapi": "3.0.3",
        "info": {
            "title": "Kith, a FHIR R4 referral server",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The FHIR REST API. GET /metadata says which search parameters each type has.",
        },
        "externalDocs": { "url": "https://hl7.org/fhir/R4/http.html" },
        "servers": [{ "url": server.base }],
        "paths": paths,
        "components": components(server),
    });
    if server.settings.access == Access::Token {
        description["security"] = json!([{ "smart": [] }]);
    }
    description
}

/// Every form of address below the base, with one that has it.
fn addresses() -> Vec<(&'static str, Target)> {
    let (name, id) = (|| "Patient".to_owned(), || "1".to_owned());
    vec![
        ("/", Target::System),
        ("/metadata", Target::Metadata),
        ("/_history", Target::SystemHistory),
        ("/_search", Target::SystemSearch),
        ("/{type}", Target::Type(name())),
        ("/{type}/_search", Target::TypeSearch(name())),
        ("/{type}/_history", Target::TypeHistory(name())),
        ("/{type}/{id}", Target::Instance(name(), id())),
        ("/{type}/{id}/_history", Target::InstanceHistory(name(), id())),
        ("/{type}/{id}/_history/{version}", Target::Version(name(), id(), 1)),
        ("/{compartment}/{id}/{type}", Target::Compartment(name(), id(), Some("Task".to_owned()))),
        ("/{compartment}/{id}/{type}/_search", Target::CompartmentSearch(name(), id(), Some("Task".to_owned()))),
    ]
}

/// The FHIR code of what a method does at an address; batches come where transactions do.
fn named(target: &Target, method: Method) -> String {
    let code = list::code(target, method);
    match (target, method) {
        (Target::System, Method::Post) => "batch or transaction".to_owned(),
        (Target::Type(_), Method::Put | Method::Patch | Method::Delete) => format!("conditional {code}"),
        (Target::Compartment(..) | Target::CompartmentSearch(..), _) => "search in a compartment".to_owned(),
        _ => code.to_owned(),
    }
}

/// What one address offers. HEAD is where GET is, and not said again.
fn item(path: &str, methods: impl Iterator<Item = Method>, name: impl Fn(Method) -> String) -> Value {
    let mut item = Map::new();
    let parameters: Vec<Value> = ["compartment", "type", "id", "version"]
        .iter()
        .filter(|name| path.contains(&format!("{{{name}}}")))
        .map(|name| json!({ "$ref": format!("#/components/parameters/{name}") }))
        .collect();
    if !parameters.is_empty() {
        item.insert("parameters".to_owned(), Value::Array(parameters));
    }
    for method in methods.filter(|method| *method != Method::Head) {
        let name = name(method);
        let verb = method.name().to_lowercase();
        item.insert(verb.clone(), operation(path, method, &name));
    }
    Value::Object(item)
}

fn operation(path: &str, method: Method, name: &str) -> Value {
    let mut operation = json!({
        "summary": name,
        "operationId": format!("{} {path}", method.name().to_lowercase()),
        "responses": {
            "2XX": { "$ref": "#/components/responses/resource" },
            "default": { "$ref": "#/components/responses/outcome" },
        },
    });
    if method == Method::Get {
        operation["parameters"] = json!([{ "$ref": "#/components/parameters/query" }]);
    }
    let by_form = path.ends_with("/_search");
    let body = match method {
        Method::Post if by_form => Some("form"),
        Method::Post | Method::Put => Some("resource"),
        Method::Patch => Some("patch"),
        _ => None,
    };
    if let Some(body) = body {
        operation["requestBody"] = json!({ "$ref": format!("#/components/requestBodies/{body}") });
    }
    if matches!(method, Method::Put | Method::Patch | Method::Delete) {
        operation["parameters"] = json!([{ "$ref": "#/components/parameters/ifMatch" }]);
    }
    operation
}

/// The addresses of one operation: at each level at which some type offers it.
fn add_operation(server: &Server, operation: &dyn Operation, paths: &mut Map<String, Value>) {
    let name = operation.name();
    let types = server.definitions.resource_types();
    let offering = |level: &dyn Fn(String) -> Level| -> Vec<&str> {
        types.iter().map(String::as_str).filter(|name| operation.offered_at(&level((*name).to_owned()))).collect()
    };
    let id = || "1".to_owned();
    let levels: [(String, Vec<&str>); 3] = [
        ("{type}/".to_owned(), offering(&Level::Type)),
        ("{type}/{id}/".to_owned(), offering(&|name| Level::Instance(name, id()))),
        ("{type}/{id}/_history/{version}/".to_owned(), offering(&|name| Level::Version(name, id(), 1))),
    ];
    let methods = || super::offered(operation).into_iter();
    if operation.offered_at(&Level::System) {
        let path = format!("/${name}");
        let item = item(&path, methods(), |_| format!("${name}"));
        paths.insert(path, item);
    }
    for (prefix, offering) in levels.into_iter().filter(|(_, offering)| !offering.is_empty()) {
        // Types for which only some offer it are written out.
        let all = offering.len() == types.len();
        let prefixes =
            if all { vec![prefix] } else { offering.iter().map(|name| prefix.replace("{type}", name)).collect() };
        for prefix in prefixes {
            let path = format!("/{prefix}${name}");
            let item = item(&path, methods(), |_| format!("${name}"));
            paths.insert(path, item);
        }
    }
}

fn components(server: &Server) -> Value {
    let resource = |schema: &str| -> Value {
        let content = FORMATS.iter().map(|format| {
            let schema = if format.ends_with("json") {
                json!({ "$ref": format!("#/components/schemas/{schema}") })
            } else {
                json!({ "type": "string" })
            };
            ((*format).to_owned(), json!({ "schema": schema }))
        });
        Value::Object(content.collect())
    };
    let types = server.definitions.resource_types();
    let compartments: Vec<&str> = compartment::all().iter().map(|compartment| compartment.code.as_str()).collect();
    let mut components = json!({
        "parameters": {
            "type": { "name": "type", "in": "path", "required": true, "schema": { "type": "string", "enum": types } },
            "compartment": { "name": "compartment", "in": "path", "required": true, "schema": { "type": "string", "enum": compartments } },
            "id": { "name": "id", "in": "path", "required": true, "schema": { "type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$" } },
            "version": { "name": "version", "in": "path", "required": true, "schema": { "type": "integer", "minimum": 1 } },
            "query": { "name": "query", "in": "query", "style": "form", "explode": true,
                "schema": { "type": "object", "additionalProperties": { "type": "string" } } },
            "ifMatch": { "name": "If-Match", "in": "header", "schema": { "type": "string" } },
        },
        "requestBodies": {
            "resource": { "required": true, "content": resource("Resource") },
            "patch": { "required": true, "content": {
                "application/json-patch+json": { "schema": { "type": "array", "items": { "type": "object" } } },
                "application/fhir+json": { "schema": { "$ref": "#/components/schemas/Resource" } },
            } },
            "form": { "content": { "application/x-www-form-urlencoded": {
                "schema": { "type": "object", "additionalProperties": { "type": "string" } } } } },
        },
        "responses": {
            "resource": { "description": "What was asked for", "content": resource("Resource") },
            "outcome": { "description": "What is wrong", "content": resource("OperationOutcome") },
        },
        "schemas": {
            "Resource": { "type": "object", "required": ["resourceType"],
                "properties": { "resourceType": { "type": "string" }, "id": { "type": "string" } } },
            "OperationOutcome": { "type": "object", "required": ["resourceType", "issue"], "properties": {
                "resourceType": { "type": "string", "enum": ["OperationOutcome"] },
                "issue": { "type": "array", "items": { "type": "object", "required": ["severity", "code"] } } } },
        },
    });
    if server.settings.access == Access::Token {
        let token = format!("{}/oauth2/token", server.base.strip_suffix("/fhir").unwrap_or(&server.base));
        components["securitySchemes"] = json!({ "smart": { "type": "oauth2",
            "flows": { "clientCredentials": { "tokenUrl": token, "scopes": {} } } } });
    }
    components
}
