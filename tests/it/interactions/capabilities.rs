//! The CapabilityStatement says what is there, and what it says is true (<https://hl7.org/fhir/R4/capabilitystatement.html>).

use serde_json::{Value, json};

use crate::support::http::TestServer;
use crate::support::{TestDatabase, over_http};

fn resource<'a>(statement: &'a Value, name: &str) -> &'a Value {
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    resources.iter().find(|entry| entry["type"] == name).unwrap()
}

fn the_statement_is_complete(database: &TestDatabase) {
    let server = TestServer::start(database);
    let statement = server.get("metadata").expect(200).json();
    assert_eq!(statement["fhirVersion"], "4.0.1");
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    assert_eq!(resources.len(), server.server.definitions.resource_types().len());
    assert!(resources.len() >= 146, "{}", resources.len());
    let task = resource(&statement, "Task");
    let codes: Vec<&str> =
        task["interaction"].as_array().unwrap().iter().map(|code| code["code"].as_str().unwrap()).collect();
    let codes_of_all =
        ["create", "search-type", "history-type", "read", "vread", "update", "patch", "delete", "history-instance"];
    for code in codes_of_all {
        assert!(codes.contains(&code), "{code} not in {codes:?}");
    }
    let system = statement["rest"][0]["interaction"].to_string();
    for code in ["transaction", "batch", "history-system"] {
        assert!(system.contains(code), "{code} not in {system}");
    }
    let parameters: Vec<&str> =
        task["searchParam"].as_array().unwrap().iter().map(|parameter| parameter["name"].as_str().unwrap()).collect();
    for name in ["_id", "_lastUpdated", "owner", "status", "focus", "authored-on", "business-status"] {
        assert!(parameters.contains(&name), "{name} not in {parameters:?}");
    }
    let holds = |member: &str, value: &str| task[member].as_array().unwrap().iter().any(|entry| entry == value);
    assert!(holds("searchInclude", "*") && holds("searchInclude", "Task:focus"));
    assert!(!holds("searchInclude", "Task:status") && !holds("searchInclude", "ServiceRequest:subject"));
    assert!(holds("searchRevInclude", "Provenance:target") && holds("searchRevInclude", "Task:part-of"));
    assert!(!holds("searchRevInclude", "Observation:subject"));
    let operations = |name: &str| resource(&statement, name)["operation"].to_string();
    assert!(operations("ServiceRequest").contains("/kith-servicerequest-everything"));
    assert!(operations("Patient").contains("/Patient-everything") && !operations("Task").contains("everything"));
    assert_eq!(statement["rest"][0]["compartment"].as_array().unwrap().len(), 5);
    server.get("metadata?mode=sideways").expect(400);
}

/// A resource with nothing but what R4 demands, by type; what a type demands beyond its name is not asked here.
fn each_type_is_stored_or_says_what_it_lacks(database: &TestDatabase) {
    let server = TestServer::start(database);
    let types: Vec<String> = server.server.definitions.resource_types().to_vec();
    for name in types {
        let answer = server.post(&name, &json!({ "resourceType": name, "id": "x", "language": "en-GB" }));
        let never_written = name == "AuditEvent" && answer.status == 405;
        assert!(matches!(answer.status, 201 | 422) || never_written, "{name}: {}", answer.text);
        let found = server.get(&format!("{name}?_count=1")).expect(200).json();
        assert_eq!(found["resourceType"], "Bundle", "{name}");
    }
}

fn what_is_not_claimed_does_not_answer(database: &TestDatabase) {
    let server = TestServer::start(database);
    server.get("$nothing").expect(404);
    server.get("Patient/$nothing").expect(404);
    server.get("Patient/x/y/z/q").expect(404);
    server.send("PUT", "metadata", &[], None).expect(405);
}

over_http!(the_statement_is_complete, each_type_is_stored_or_says_what_it_lacks, what_is_not_claimed_does_not_answer);
