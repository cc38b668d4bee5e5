//! Slicing by every kind of discriminator, closed, ordered, open at the end, nested and sliced again.

use serde_json::{Value, json};

use super::support::{findings, profile, validator_with};

const URL: &str = "http://test.example/StructureDefinition/sliced";

/// What is found in an Observation with these members, against a profile of these elements.
fn check(elements: Value, members: Value) -> Vec<String> {
    let validator = validator_with(&[profile(URL, "Observation", elements)]);
    let mut resource = json!({ "resourceType": "Observation", "status": "final", "code": { "text": "x" } });
    resource.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    findings(&validator, &resource, URL)
}

fn by_code(rules: &str, ordered: bool) -> Value {
    json!([
        { "id": "Observation.category", "path": "Observation.category", "slicing":
            { "discriminator": [{ "type": "pattern", "path": "$this" }], "rules": rules, "ordered": ordered } },
        { "id": "Observation.category:a", "path": "Observation.category", "sliceName": "a", "min": 1, "max": "1",
            "patternCodeableConcept": { "coding": [{ "system": "http://test.example/s", "code": "a" }] } },
        { "id": "Observation.category:b", "path": "Observation.category", "sliceName": "b", "min": 0, "max": "1",
            "patternCodeableConcept": { "coding": [{ "system": "http://test.example/s", "code": "b" }] } },
    ])
}

fn category(codes: &[&str]) -> Value {
    let concepts: Vec<Value> =
        codes.iter().map(|code| json!({ "coding": [{ "system": "http://test.example/s", "code": code }] })).collect();
    json!({ "category": concepts })
}

fn errors(mut found: Vec<String>) -> Vec<String> {
    found.retain(|line| line.starts_with("error"));
    found
}

#[test]
fn by_pattern() {
    assert_eq!(errors(check(by_code("open", false), category(&["a"]))), Vec::<String>::new());
    assert_eq!(errors(check(by_code("open", false), category(&["z", "a"]))), Vec::<String>::new());
    assert_eq!(errors(check(by_code("open", false), category(&["b"]))), ["error slice-cardinality at Observation"]);
    assert_eq!(errors(check(by_code("open", false), json!({}))), ["error slice-cardinality at Observation"]);
    assert_eq!(
        errors(check(by_code("open", false), category(&["a", "a"]))),
        ["error slice-cardinality at Observation"]
    );
}

#[test]
fn closed_ordered_and_open_at_end() {
    assert_eq!(
        errors(check(by_code("closed", false), category(&["a", "z"]))),
        ["error slice-unmatched at Observation.category[1]"]
    );
    assert_eq!(errors(check(by_code("open", true), category(&["a", "z", "b"]))), Vec::<String>::new());
    assert_eq!(
        errors(check(by_code("open", true), category(&["b", "a"]))),
        ["error slice-order at Observation.category[1]"]
    );
    assert_eq!(errors(check(by_code("openAtEnd", false), category(&["b", "a", "z"]))), Vec::<String>::new());
    assert_eq!(
        errors(check(by_code("openAtEnd", false), category(&["z", "a"]))),
        ["error slice-order at Observation.category[1]"]
    );
}

#[test]
fn by_value_with_rules_for_the_slice_alone() {
    let elements = json!([
        { "id": "Observation.identifier", "path": "Observation.identifier",
            "slicing": { "discriminator": [{ "type": "value", "path": "system" }], "rules": "open" } },
        { "id": "Observation.identifier:own", "path": "Observation.identifier", "sliceName": "own", "max": "1" },
        { "id": "Observation.identifier:own.system", "path": "Observation.identifier.system", "min": 1,
            "fixedUri": "http://test.example/own" },
        { "id": "Observation.identifier:own.value", "path": "Observation.identifier.value", "min": 1, "maxLength": 3 },
    ]);
    let other = json!({ "identifier": [{ "system": "http://test.example/other", "value": "12345" }] });
    assert_eq!(check(elements.clone(), other), Vec::<String>::new());
    let long = json!({ "identifier": [{ "system": "http://test.example/own", "value": "1234" }] });
    assert_eq!(check(elements.clone(), long), ["error max-length at Observation.identifier[0].value"]);
    let none = json!({ "identifier": [{ "value": "1" }, { "system": "http://test.example/own" }] });
    assert_eq!(check(elements, none), ["error cardinality-min at Observation.identifier[1]"]);
}

#[test]
fn by_existence() {
    let elements = json!([
        { "id": "Observation.note", "path": "Observation.note",
            "slicing": { "discriminator": [{ "type": "exists", "path": "time" }], "rules": "open" } },
        { "id": "Observation.note:timed", "path": "Observation.note", "sliceName": "timed", "max": "1" },
        { "id": "Observation.note:timed.time", "path": "Observation.note.time", "min": 1 },
        { "id": "Observation.note:plain", "path": "Observation.note", "sliceName": "plain", "max": "1" },
        { "id": "Observation.note:plain.time", "path": "Observation.note.time", "max": "0" },
    ]);
    let timed = json!({ "text": "x", "time": "2025-01-01" });
    assert_eq!(check(elements.clone(), json!({ "note": [timed, { "text": "x" }] })), Vec::<String>::new());
    assert_eq!(check(elements, json!({ "note": [timed, timed] })), ["error slice-cardinality at Observation"]);
}

#[test]
fn by_type_of_a_choice() {
    let elements = json!([
        { "id": "Observation.value[x]", "path": "Observation.value[x]",
            "slicing": { "discriminator": [{ "type": "type", "path": "$this" }], "rules": "open" } },
        { "id": "Observation.value[x]:valueQuantity", "path": "Observation.value[x]", "sliceName": "valueQuantity",
            "type": [{ "code": "Quantity" }] },
        { "id": "Observation.value[x]:valueQuantity.unit", "path": "Observation.value[x].unit", "min": 1 },
    ]);
    assert_eq!(check(elements.clone(), json!({ "valueString": "x" })), Vec::<String>::new());
    assert_eq!(
        check(elements, json!({ "valueQuantity": { "value": 1 } })),
        ["error cardinality-min at Observation.value.ofType(Quantity)"]
    );
}

#[test]
fn by_type_of_the_target() {
    let elements = json!([
        { "id": "Observation.performer", "path": "Observation.performer",
            "slicing": { "discriminator": [{ "type": "type", "path": "resolve()" }], "rules": "open" } },
        { "id": "Observation.performer:person", "path": "Observation.performer", "sliceName": "person", "max": "1",
            "type": [{ "code": "Reference", "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Practitioner"] }] },
    ]);
    let person = json!({ "reference": "Practitioner/1" });
    assert_eq!(
        check(elements.clone(), json!({ "performer": [person, { "reference": "Organization/1" }] })),
        Vec::<String>::new()
    );
    assert_eq!(check(elements, json!({ "performer": [person, person] })), ["error slice-cardinality at Observation"]);
}

#[test]
fn by_profile() {
    const PART: &str = "http://test.example/StructureDefinition/part";
    let part = json!([{ "id": "Organization.name", "path": "Organization.name", "min": 1 }]);
    let elements = json!([
        { "id": "Observation.contained", "path": "Observation.contained",
            "slicing": { "discriminator": [{ "type": "profile", "path": "$this" }], "rules": "open" } },
        { "id": "Observation.contained:named", "path": "Observation.contained", "sliceName": "named", "max": "1",
            "type": [{ "code": "Organization", "profile": [PART] }] },
    ]);
    let validator = validator_with(&[profile(URL, "Observation", elements), profile(PART, "Organization", part)]);
    let observation = |names: [Value; 2]| {
        json!({
            "resourceType": "Observation", "status": "final", "code": { "text": "x" },
            "performer": [{ "reference": "#a" }, { "reference": "#b" }],
            "contained": [{ "resourceType": "Organization", "id": "a", "name": names[0] },
                { "resourceType": "Organization", "id": "b", "alias": names[1] }],
        })
    };
    assert_eq!(
        findings(&validator, &observation([json!("A"), json!(["B"])]), URL),
        ["error org-1 at Observation.contained[1]"]
    );
}

#[test]
fn by_extension_and_by_two_discriminators() {
    let elements = json!([
        { "id": "Observation.component", "path": "Observation.component", "slicing": { "discriminator":
            [{ "type": "value", "path": "code.coding.system" }, { "type": "value", "path": "code.coding.code" }], "rules": "open" } },
        { "id": "Observation.component:a", "path": "Observation.component", "sliceName": "a", "min": 1 },
        { "id": "Observation.component:a.code", "path": "Observation.component.code",
            "patternCodeableConcept": { "coding": [{ "system": "http://test.example/s", "code": "a" }] } },
        { "id": "Observation.component:a.value[x]", "path": "Observation.component.value[x]", "min": 1,
            "type": [{ "code": "integer" }] },
    ]);
    let component = |code: &str, value: Value| json!({ "component": [{ "code": { "coding": [{ "system": "http://test.example/s", "code": code }] }, "valueString": value }] });
    assert_eq!(
        check(elements.clone(), component("a", json!("x"))),
        ["error choice-type at Observation.component[0].value.ofType(string)"]
    );
    assert_eq!(check(elements, component("b", json!("x"))), ["error slice-cardinality at Observation"]);
}

#[test]
fn slices_of_slices() {
    let elements = json!([
        { "id": "Observation.identifier", "path": "Observation.identifier",
            "slicing": { "discriminator": [{ "type": "value", "path": "system" }], "rules": "open" } },
        { "id": "Observation.identifier:own", "path": "Observation.identifier", "sliceName": "own",
            "slicing": { "discriminator": [{ "type": "value", "path": "use" }], "rules": "closed" } },
        { "id": "Observation.identifier:own.system", "path": "Observation.identifier.system", "min": 1, "fixedUri": "http://test.example/own" },
        { "id": "Observation.identifier:own/official", "path": "Observation.identifier", "sliceName": "own/official", "min": 1, "max": "1" },
        { "id": "Observation.identifier:own/official.use", "path": "Observation.identifier.use", "min": 1, "fixedCode": "official" },
    ]);
    let own = |usage: &str| json!({ "system": "http://test.example/own", "use": usage, "value": "1" });
    let other = json!({ "system": "http://test.example/other", "use": "usual" });
    assert_eq!(check(elements.clone(), json!({ "identifier": [own("official"), other] })), Vec::<String>::new());
    assert_eq!(
        check(elements, json!({ "identifier": [own("official"), own("usual")] })),
        ["error slice-unmatched at Observation.identifier[1]"]
    );
}

#[test]
fn a_slice_that_nothing_tells_apart_is_a_warning() {
    let elements = json!([
        { "id": "Observation.note", "path": "Observation.note",
            "slicing": { "discriminator": [{ "type": "value", "path": "text" }], "rules": "open" } },
        { "id": "Observation.note:a", "path": "Observation.note", "sliceName": "a", "min": 1 },
    ]);
    assert_eq!(
        check(elements, json!({ "note": [{ "text": "x" }] })),
        ["warning slice-undecidable at Observation.note[0]"]
    );
}
