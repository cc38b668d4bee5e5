//! Resources to writes: PUT for those with an id, POST for others, Bundles by their type.

use serde_json::{Map, Value, json};

use super::source::{BundleHandling, Found, Item, Unreadable};
use crate::fhir::codec::shown;
use crate::fhir::issue::Issue;
use crate::fhir::suggest::nearest;
use crate::fhir::types::Types;
use crate::interactions::request::{Body, Method};
use crate::problem::{Kind, Problem};

/// The writes that a resource asks for: one, or those of a Bundle's entries.
pub fn items(value: Value, source: &str, warnings: Vec<Issue>, bundles: BundleHandling) -> Vec<Found> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    match (text("resourceType"), text("type"), bundles) {
        (Some("Bundle"), Some("batch" | "transaction"), _) if writes(&value) => {
            let (method, path) = (Method::Post, Vec::new());
            vec![Ok(Item { source: source.to_owned(), method, path, body: Body::Resource(value), warnings })]
        }
        (Some("Bundle"), Some("collection" | "searchset"), BundleHandling::Unpack) => unpack(value, source, warnings),
        _ => vec![item(value, source.to_owned(), warnings)],
    }
}

/// True for a Bundle of requests of which at least one changes something; one that only reads is a resource like others.
fn writes(bundle: &Value) -> bool {
    let entries = bundle.get("entry").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let method = |entry: &Value| entry.pointer("/request/method").and_then(Value::as_str).map(str::to_owned);
    entries.iter().filter_map(method).any(|method| !matches!(method.as_str(), "GET" | "HEAD"))
}

/// The write of one resource.
pub fn item(value: Value, source: String, warnings: Vec<Issue>) -> Found {
    let Some(resource_type) = value.get("resourceType").and_then(Value::as_str) else {
        let problem = Problem::new(Kind::Invalid, "this is not a FHIR resource: it has no resourceType");
        return Err(Unreadable { source, problem });
    };
    if !Types::r4().is_resource_type(resource_type) {
        let known = Types::r4().resource_types().iter().map(String::as_str);
        let help = nearest(resource_type, known).map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
        let text = format!("{} is not a resource type of FHIR R4.{help}", shown(resource_type));
        return Err(Unreadable { source, problem: Problem::new(Kind::Invalid, text) });
    }
    let mut path = vec![resource_type.to_owned()];
    let id = value.get("id").and_then(Value::as_str);
    path.extend(id.map(str::to_owned));
    let method = if id.is_some() { Method::Put } else { Method::Post };
    Ok(Item { source, method, path, body: Body::Resource(value), warnings })
}

/// The resources of a collection. Where entries name each other by `urn:` addresses or have no id, they go in together as
/// one transaction, which gives ids and rewrites the references; otherwise each goes in by itself.
fn unpack(mut bundle: Value, source: &str, mut warnings: Vec<Issue>) -> Vec<Found> {
    let entries = match bundle.get_mut("entry").map(Value::take) {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    };
    let holds_resource = |entry: &Value| {
        let mode = entry.pointer("/search/mode").and_then(Value::as_str);
        mode != Some("outcome") && entry.get("resource").is_some_and(Value::is_object)
    };
    let entries: Vec<Value> = entries.into_iter().filter(holds_resource).collect();
    if entries.is_empty() {
        return Vec::new();
    }
    if entries.iter().any(needs_transaction) {
        let entry: Vec<Value> = entries.into_iter().map(transaction_entry).collect();
        let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entry });
        let body = Body::Resource(bundle);
        return vec![Ok(Item { source: source.to_owned(), method: Method::Post, path: Vec::new(), body, warnings })];
    }
    let resource = |(number, mut entry): (usize, Value)| {
        let value = entry.get_mut("resource").map(Value::take).unwrap_or_default();
        let source = format!("{source}, entry {}", number + 1);
        item(value, source, std::mem::take(&mut warnings))
    };
    entries.into_iter().enumerate().map(resource).collect()
}

fn needs_transaction(entry: &Value) -> bool {
    let is_urn = entry.get("fullUrl").and_then(Value::as_str).is_some_and(|url| url.starts_with("urn:"));
    is_urn || entry.pointer("/resource/id").and_then(Value::as_str).is_none()
}

fn transaction_entry(entry: Value) -> Value {
    let Value::Object(mut entry) = entry else { return entry };
    let text = |name: &str| {
        let found = entry.get("resource").and_then(|resource| resource.get(name));
        found.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let (resource_type, id) = (text("resourceType"), text("id"));
    let request = if id.is_empty() {
        json!({ "method": "POST", "url": resource_type })
    } else {
        json!({ "method": "PUT", "url": format!("{resource_type}/{id}") })
    };
    let mut made = Map::new();
    for name in ["fullUrl", "resource"] {
        if let Some(value) = entry.shift_remove(name) {
            made.insert(name.to_owned(), value);
        }
    }
    made.insert("request".to_owned(), request);
    Value::Object(made)
}
