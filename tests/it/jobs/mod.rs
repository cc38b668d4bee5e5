//! Jobs: the runner, re-indexing, search parameters that an operator adds.

mod parameters;
mod reindex;
mod runner;

use serde_json::{Value, json};

use crate::support::TestDatabase;
use crate::support::http::TestServer;

/// A server that looks for changes of other processes often.
pub fn start(database: &TestDatabase) -> TestServer {
    TestServer::start_with(database, &[("jobs.poll", "40")])
}

/// A search parameter for what people are called.
pub fn nickname() -> Value {
    json!({
        "resourceType": "SearchParameter",
        "url": "https://example.org/SearchParameter/patient-nickname",
        "name": "nickname",
        "status": "active",
        "description": "Finds people by what they are called",
        "code": "nickname",
        "base": ["Patient"],
        "type": "string",
        "expression": "Patient.name.where(use = 'nickname').given",
    })
}

/// A person called so.
pub fn patient(id: &str, nickname: &str) -> Value {
    json!({
        "resourceType": "Patient",
        "id": id,
        "name": [{ "use": "nickname", "given": [nickname] }],
    })
}

/// The codes that the CapabilityStatement lists for a type.
pub fn listed(server: &TestServer, resource_type: &str) -> Vec<String> {
    let statement = server.get("metadata").expect(200).json();
    let resources = statement["rest"][0]["resource"].as_array().unwrap().clone();
    let found = resources.into_iter().find(|resource| resource["type"] == resource_type).unwrap();
    found["searchParam"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

/// Asks until the CapabilityStatement lists a parameter.
pub fn wait_until_listed(server: &TestServer, resource_type: &str, code: &str) {
    while !listed(server, resource_type).iter().any(|listed| listed == code) {
        std::thread::yield_now();
    }
}

/// Asks until the CapabilityStatement does not list a parameter any more.
pub fn wait_until_gone(server: &TestServer, resource_type: &str, code: &str) {
    while listed(server, resource_type).iter().any(|listed| listed == code) {
        std::thread::yield_now();
    }
}

/// The ids that a search finds, sorted.
pub fn found(server: &TestServer, search: &str) -> Vec<String> {
    let bundle = server.get(search).expect(200).json();
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let matches = entries.iter().filter(|entry| entry["search"]["mode"] == "match");
    let mut ids: Vec<String> = matches.map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

/// Asks a status address until the work is done; the last answer and the progress texts on the way.
pub fn wait_until_done(status: &str) -> (crate::support::http::Answer, Vec<String>) {
    let mut progress = Vec::new();
    loop {
        let answer = crate::support::http::send("GET", status, &[], None);
        if answer.status != 202 {
            return (answer, progress);
        }
        progress.push(answer.header("x-progress").to_owned());
    }
}
