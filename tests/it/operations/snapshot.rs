//! `StructureDefinition/$snapshot`.

use serde_json::{Value, json};

use crate::support::http::TestServer;
use crate::support::{TestDatabase, over_http};

fn definition() -> Value {
    json!({
        "resourceType": "StructureDefinition", "id": "walker", "url": "https://kith.example/test/StructureDefinition/walker",
        "name": "Walker", "status": "active", "kind": "resource", "abstract": false, "type": "Patient", "version": "1",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient", "derivation": "constraint",
        "differential": { "element": [
            { "id": "Patient.name", "path": "Patient.name", "short": "What to call them", "min": 1, "mustSupport": true },
            { "id": "Patient.name.family", "path": "Patient.name.family", "max": "0" },
        ] },
    })
}

fn element<'a>(answer: &'a Value, id: &str) -> &'a Value {
    let elements = answer["snapshot"]["element"].as_array().unwrap();
    elements.iter().find(|element| element["id"] == id).unwrap_or_else(|| panic!("no element {id} in {answer}"))
}

/// Texts are kept where the definition was sent or is read from where it is stored; of what is loaded there are only facts.
fn has_texts(answer: &Value) {
    let name = element(answer, "Patient.name");
    assert_eq!((&name["short"], &name["definition"]), (&json!("What to call them"), &json!("What to call them")));
}

fn is_whole(answer: &Value) {
    assert_eq!(answer["resourceType"], "StructureDefinition");
    let name = element(answer, "Patient.name");
    assert_eq!((&name["min"], &name["max"], &name["mustSupport"]), (&json!(1), &json!("*"), &json!(true)));
    assert_eq!(name["base"], json!({ "path": "Patient.name", "min": 0, "max": "*" }));
    assert_eq!(element(answer, "Patient.name.family")["max"], "0");
    assert_eq!(element(answer, "Patient.name.family")["base"]["path"], "HumanName.family");
    assert_eq!(element(answer, "Patient.id")["base"]["path"], "Resource.id");
    assert_eq!(element(answer, "Patient.deceased[x]")["type"].as_array().unwrap().len(), 2);
    assert_eq!(element(answer, "Patient.gender")["binding"]["strength"], "required");
}

fn a_definition_is_completed(database: &TestDatabase) {
    let server = TestServer::start(database);
    let parameters = |definition: &Value| json!({ "resourceType": "Parameters", "parameter": [{ "name": "definition", "resource": definition }] });
    let answer = server.post("StructureDefinition/$snapshot", &parameters(&definition())).expect(200).json();
    is_whole(&answer);
    has_texts(&answer);
    // The answer is a sound StructureDefinition by the rules of R4.
    let outcome = server.post("StructureDefinition/$validate", &answer).expect(200).json();
    let errors: Vec<&Value> =
        outcome["issue"].as_array().unwrap().iter().filter(|issue| issue["severity"] == "error").collect();
    assert!(errors.is_empty(), "{errors:#?}");
    is_whole(&server.post("StructureDefinition/$snapshot", &definition()).expect(200).json());
    server.put("StructureDefinition/walker", &definition()).expect(201);
    let answer = server.get("StructureDefinition/walker/$snapshot").expect(200).json();
    is_whole(&answer);
    has_texts(&answer);
    let by_url = "StructureDefinition/$snapshot?url=https://kith.example/test/StructureDefinition/walker";
    is_whole(&server.get(by_url).expect(200).json());
    let loaded = "StructureDefinition/$snapshot?url=https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient";
    let answer = server.get(loaded).expect(200).json();
    assert_eq!(element(&answer, "Patient.identifier:nhsNumber")["sliceName"], "nhsNumber");
    let statement = server.get("metadata").json().to_string();
    assert!(statement.contains("OperationDefinition/StructureDefinition-snapshot"));
}

fn what_cannot_be_completed_is_refused_with_the_reason(database: &TestDatabase) {
    let server = TestServer::start(database);
    let mut unknown = definition();
    unknown["differential"]["element"][0] = json!({ "id": "Patient.shoe", "path": "Patient.shoe", "min": 1 });
    let answer = server.post("StructureDefinition/$snapshot", &unknown).expect(422).json();
    assert_eq!(answer["issue"][0]["expression"][0], "StructureDefinition.differential.element[0]");
    let mut circle = definition();
    circle["baseDefinition"] = circle["url"].clone();
    server.post("StructureDefinition/$snapshot", &circle).expect(422);
    server.post("StructureDefinition/$snapshot", &json!({ "resourceType": "StructureDefinition" })).expect(422);
    server.post("StructureDefinition/$snapshot", &json!({ "resourceType": "Patient" })).expect(400);
    server.get("StructureDefinition/$snapshot").expect(400);
    server.get("StructureDefinition/$snapshot?url=https://kith.example/nothing").expect(404);
    server.get("StructureDefinition/nothing/$snapshot").expect(404);
}

over_http!(a_definition_is_completed, what_cannot_be_completed_is_refused_with_the_reason);
