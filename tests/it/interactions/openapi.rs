//! `openapi.json` is true: what it lists is offered, what is offered is listed, and it is small.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::http::TestServer;
use crate::support::{TestDatabase, over_http};

/// An address of this form.
fn example(path: &str) -> String {
    let path = path
        .trim_start_matches('/')
        .replace("{compartment}", "Patient")
        .replace("{id}", "nobody")
        .replace("{version}", "1");
    path.replace("{type}", if path.starts_with("Patient/nobody") { "Task" } else { "Patient" })
}

over_http!(every_address_offers_what_is_listed);

fn every_address_offers_what_is_listed(database: &TestDatabase) {
    let server = TestServer::start(database);
    let answer = server.get("openapi.json").expect(200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(answer.text.len() < 100_000, "{} bytes", answer.text.len());
    let description = answer.json();
    assert_eq!(description["servers"][0]["url"], server.base.as_str());
    let statement = server.get("metadata").expect(200).json();
    let types: BTreeSet<&str> = description["components"]["parameters"]["type"]["schema"]["enum"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    let stated = statement["rest"][0]["resource"].as_array().unwrap();
    assert_eq!(types, stated.iter().map(|resource| resource["type"].as_str().unwrap()).collect());
    let mut operations = BTreeSet::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        let mut listed: BTreeSet<String> =
            item.as_object().unwrap().keys().filter(|key| *key != "parameters").map(|key| key.to_uppercase()).collect();
        let allowed = server.send("OPTIONS", &example(path), &[], None).expect(204);
        listed.insert("OPTIONS".to_owned());
        if listed.contains("GET") {
            listed.insert("HEAD".to_owned());
        }
        let allowed: BTreeSet<String> = allowed.header("allow").split(", ").map(str::to_owned).collect();
        assert_eq!(listed, allowed, "{path}");
        operations.extend(path.split_once('$').map(|(_, name)| name.to_owned()));
    }
    let of = |value: &Value| -> Vec<String> {
        value["operation"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|operation| operation["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let stated: BTreeSet<String> = stated.iter().flat_map(of).chain(of(&statement["rest"][0])).collect();
    assert_eq!(operations, stated);
    references_lead_somewhere(&description, &description);
}

fn references_lead_somewhere(value: &Value, whole: &Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref") {
                assert!(whole.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
            }
            map.values().for_each(|child| references_lead_somewhere(child, whole));
        }
        Value::Array(items) => items.iter().for_each(|child| references_lead_somewhere(child, whole)),
        _ => {}
    }
}
