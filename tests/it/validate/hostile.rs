//! Whatever the JSON, validation ends with issues, never with a panic, and in bounded time.

use kith::validate::Options;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::validator;

/// JSON of any shape, with names that resources have.
fn arbitrary() -> impl Strategy<Value = Value> {
    const NAMES: [&str; 26] = [
        "resourceType",
        "id",
        "meta",
        "profile",
        "extension",
        "url",
        "valueString",
        "valueReference",
        "_valueString",
        "contained",
        "name",
        "given",
        "_given",
        "identifier",
        "system",
        "value",
        "reference",
        "coding",
        "code",
        "entry",
        "resource",
        "text",
        "div",
        "subject",
        "modifierExtension",
        "type",
    ];
    const TEXTS: [&str; 14] = [
        "Patient",
        "Bundle",
        "Task",
        "#",
        "#a",
        "a",
        "http://hl7.org/fhir/StructureDefinition/bp",
        "https://kith.example/fhir/StructureDefinition/kith-patient",
        "https://fhir.nhs.uk/Id/nhs-number",
        "<div",
        "2025-02-30",
        "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
        "Patient/1",
        "é\u{0}\u{1F600}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        proptest::sample::select(TEXTS.to_vec()).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 96, 8, |inner| {
        let name = prop_oneof![4 => proptest::sample::select(NAMES.to_vec()).prop_map(str::to_owned), 1 => ".{0,6}"];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::vec((name, inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_json_never_panics(mut value in arbitrary(), type_ in proptest::sample::select(vec!["Patient", "Bundle", "Task", "Observation", "Parameters", "StructureDefinition"])) {
        if let Some(object) = value.as_object_mut() {
            object.insert("resourceType".to_owned(), Value::from(type_));
        }
        let _ = validator().validate(&value, &Options::default());
    }
}

#[test]
fn deep_nesting_ends() {
    let mut extension = json!({ "url": "http://test.example/x", "valueString": "x" });
    for _ in 0..200 {
        // Moved, not copied: a copy would recurse as deeply as the value nests.
        let mut around = json!({ "url": "http://test.example/x" });
        around["extension"] = Value::Array(vec![extension]);
        extension = around;
    }
    let mut patient = json!({ "resourceType": "Patient" });
    patient["extension"] = Value::Array(vec![extension]);
    let issues = validator().validate(&patient, &Options::default());
    assert!(issues.iter().any(|issue| issue.rule == "nesting-depth"));
}

#[test]
fn many_contained_resources_are_looked_up_once() {
    let contained: Vec<Value> = (0..5_000)
        .map(|number| json!({ "resourceType": "Basic", "id": format!("b{number}"), "code": { "text": "x" } }))
        .collect();
    let reasons: Vec<Value> = (0..5_000).map(|number| json!({ "reference": format!("#b{number}") })).collect();
    let list = json!({ "resourceType": "Basic", "code": { "text": "x" }, "contained": contained,
        "extension": [{ "url": "http://test.example/x", "extension": reasons }] });
    let issues = validator().validate(&list, &Options::default());
    assert!(!issues.iter().any(|issue| issue.rule == "dom-3"));
}
