//! Definitions that are made to hurt: circles, bombs, patterns and expressions without end. Each ends soon, with an issue.

use std::sync::Arc;
use std::time::Duration;

use kith::fhir::definitions::package::{Manifest, Package};
use kith::fhir::definitions::{Definitions, Part};
use kith::fhir::issue::Issue;
use kith::terminology::Membership;
use kith::validate::{Options, Settings, Validator, admission};
use serde_json::{Value, json};

use crate::support::spent;

/// Far more than any of this takes, and far less than without a bound.
const SOON: Duration = Duration::from_mins(2);

fn url(name: &str) -> String {
    format!("http://test.example/StructureDefinition/{name}")
}

fn profile(name: &str, base: &str, elements: &Value) -> Value {
    json!({
        "resourceType": "StructureDefinition", "url": url(name), "version": "1", "name": "P", "status": "active",
        "kind": "resource", "abstract": false, "type": "Patient", "baseDefinition": base, "derivation": "constraint",
        "differential": { "element": elements },
    })
}

const PATIENT: &str = "http://hl7.org/fhir/StructureDefinition/Patient";

fn validator(definitions: &[Value]) -> Validator {
    let package = Package::new(Manifest::default(), definitions);
    let definitions = Definitions::embedded().with_packages(vec![package]).unwrap();
    Validator::new(Arc::new(definitions), Settings::default()).unwrap()
}

fn within<T>(work: impl FnOnce() -> T) -> T {
    let before = spent();
    let result = work();
    let cost = spent().saturating_sub(before);
    assert!(cost < SOON, "{cost:?}");
    result
}

fn validate(validator: &Validator, resource: &Value) -> Vec<Issue> {
    within(|| validator.validate(resource, &Options::default()))
}

fn patient(profile: &str) -> Value {
    json!({ "resourceType": "Patient", "meta": { "profile": [url(profile)] } })
}

fn says(issues: &[Issue], words: &str) {
    assert!(issues.iter().any(|issue| issue.text.contains(words)), "{words}: {issues:?}");
}

#[test]
fn a_circle_of_bases_is_an_issue() {
    let elements = json!([{ "id": "Patient", "path": "Patient" }]);
    let circle =
        [profile("a", &url("b"), &elements), profile("b", &url("a"), &elements), profile("c", &url("c"), &elements)];
    let validator = validator(&circle);
    for name in ["a", "b", "c"] {
        says(&validate(&validator, &patient(name)), "circle");
        assert!(within(|| validator.definitions().snapshot(&url(name))).is_err());
        assert!(!within(|| admission::check(&validator, &circle[0], &url(name))).is_empty());
    }
}

#[test]
fn profiles_that_ask_for_each_other_on_elements_end() {
    // An extension that holds itself, and two profiles whose contained resources are each other's.
    let extension = json!({
        "resourceType": "StructureDefinition", "url": url("self"), "version": "1", "name": "E", "status": "active",
        "kind": "complex-type", "abstract": false, "type": "Extension", "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
        "context": [{ "type": "element", "expression": "Element" }],
        "differential": { "element": [
            { "id": "Extension.extension:again", "path": "Extension.extension", "sliceName": "again",
              "type": [{ "code": "Extension", "profile": [url("self")] }] },
            { "id": "Extension.extension:again.extension", "path": "Extension.extension.extension", "min": 0 },
            { "id": "Extension.url", "path": "Extension.url", "fixedUri": url("self") },
        ] },
    });
    let contained = |name: &str, other: &str| {
        profile(
            name,
            PATIENT,
            &json!([{ "id": "Patient.contained", "path": "Patient.contained", "min": 1,
            "type": [{ "code": "Patient", "profile": [url(other)] }] }]),
        )
    };
    let validator = validator(&[extension, contained("left", "right"), contained("right", "left")]);
    let mut nested = json!({ "url": url("self"), "valueString": "x" });
    for _ in 0..30 {
        nested = json!({ "url": url("self"), "extension": [nested] });
    }
    let mut person = patient("left");
    person["extension"] = json!([nested]);
    person["contained"] = json!([{ "resourceType": "Patient", "id": "a" }]);
    let _ = validate(&validator, &person);
    let _ = within(|| validator.definitions().snapshot(&url("self")));
}

#[test]
fn slices_that_multiply_are_bounded() {
    // Each profile slices what the one before it has sliced: the elements double from one to the next.
    let mut definitions = Vec::new();
    let mut base = PATIENT.to_owned();
    for level in 0..24 {
        let mut elements = vec![json!({ "id": "Patient.contact", "path": "Patient.contact",
            "slicing": { "discriminator": [{ "type": "value", "path": "gender" }], "rules": "open" } })];
        for slice in 0..40 {
            let id = format!("Patient.contact:s{level}x{slice}");
            elements.push(json!({ "id": id, "path": "Patient.contact", "sliceName": format!("s{level}x{slice}") }));
            for (step, path) in [
                (".name", "Patient.contact.name"),
                (".name.period", "Patient.contact.name.period"),
                (".name.period.start", "Patient.contact.name.period.start"),
            ] {
                elements.push(json!({ "id": format!("{id}{step}"), "path": path, "min": 1 }));
            }
        }
        definitions.push(profile(&format!("level{level}"), &base, &json!(elements)));
        base = url(&format!("level{level}"));
    }
    let validator = validator(&definitions);
    let problem = within(|| validator.definitions().snapshot(&url("level23"))).map(|_| ()).err();
    assert!(problem.is_none_or(|problem| problem.to_string().contains("too large")));
    let _ = validate(&validator, &patient("level23"));
    let many: Vec<Value> = (0..5_001).map(|_| json!({ "id": "Patient.name", "path": "Patient.name" })).collect();
    let large = profile("large", PATIENT, &json!(many));
    let trial = with(&validator, &large);
    says(&within(|| admission::check(&trial, &large, &url("large"))), "at most 5000 elements");
}

fn with(validator: &Validator, resource: &Value) -> Validator {
    let definitions = Arc::new(validator.definitions().with_parts([&Part::of_resource(resource)]));
    let changed = definitions.succeed(validator.definitions());
    validator.succeeding(definitions, &changed).unwrap()
}

#[test]
fn thousands_of_slices_compile_soon() {
    let mut elements = vec![json!({ "id": "Patient.identifier", "path": "Patient.identifier",
        "slicing": { "discriminator": [{ "type": "value", "path": "system" }], "rules": "open" } })];
    for slice in 0..2_000 {
        let id = format!("Patient.identifier:s{slice}");
        elements.push(json!({ "id": id, "path": "Patient.identifier", "sliceName": format!("s{slice}") }));
        elements.push(json!({ "id": format!("{id}.system"), "path": "Patient.identifier.system",
            "fixedUri": format!("http://test.example/{slice}") }));
    }
    let validator = validator(&[profile("wide", PATIENT, &json!(elements))]);
    let mut person = patient("wide");
    let identifiers = (0..200).map(|at| json!({ "system": format!("http://test.example/{at}"), "value": "1" }));
    person["identifier"] = identifiers.collect();
    let _ = validate(&validator, &person);
}

#[test]
fn expressions_and_patterns_without_end_are_cut_off() {
    let costly = "%resource.descendants().select(%resource.descendants().select(%resource.descendants())).count() > 0";
    let patterns = "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'.matches('^(a+)+$') or true";
    let huge = "name.exists() or 'a'.matches('((a{1000}){1000}){1000}')";
    let constraints: Vec<Value> = (0..30)
        .map(|number| json!({ "key": format!("h-{number}"), "severity": "error", "human": "x", "expression": costly }))
        .chain([
            json!({ "key": "p-1", "severity": "error", "human": "x", "expression": patterns }),
            json!({ "key": "p-2", "severity": "error", "human": "x", "expression": "(1 | 2 | 3).repeat($this + 1).count() > 0" }),
        ])
        .collect();
    let slow =
        profile("slow", PATIENT, &json!([{ "id": "Patient.name", "path": "Patient.name", "constraint": constraints }]));
    let validator = validator(std::slice::from_ref(&slow));
    let mut person = patient("slow");
    let names = (0..20).map(|number| json!({ "family": format!("n{number}"), "given": ["a", "b", "c"] }));
    person["name"] = names.collect();
    says(&validate(&validator, &person), "too many steps");
    let pattern = profile(
        "pattern",
        PATIENT,
        &json!([{ "id": "Patient", "path": "Patient",
        "constraint": [{ "key": "p-3", "severity": "error", "human": "x", "expression": huge }] }]),
    );
    let trial = with(&validator, &pattern);
    assert!(!within(|| admission::check(&trial, &pattern, &url("pattern"))).is_empty());
    let deep = format!("{}true{}", "(".repeat(100_000), ")".repeat(100_000));
    let deep = profile(
        "deep",
        PATIENT,
        &json!([{ "id": "Patient", "path": "Patient",
        "constraint": [{ "key": "d-1", "severity": "error", "human": "x", "expression": deep }] }]),
    );
    let trial = with(&validator, &deep);
    assert!(!within(|| admission::check(&trial, &deep, &url("deep"))).is_empty());
}

#[test]
fn value_sets_in_circles_and_without_end_are_cut_off() {
    let set = |name: &str, imports: &[String]| {
        let include: Vec<Value> = imports.iter().map(|import| json!({ "valueSet": [import] })).collect();
        json!({ "resourceType": "ValueSet", "url": format!("http://test.example/{name}"), "status": "active",
            "compose": { "include": include } })
    };
    let named = |name: &str| format!("http://test.example/{name}");
    let mut definitions = vec![set("a", &[named("b")]), set("b", &[named("a")])];
    // Every set imports the next one twenty times: 20^16 ways lead to the last.
    for level in 0..16 {
        definitions.push(set(&format!("l{level}"), &vec![named(&format!("l{}", level + 1)); 20]));
    }
    definitions.push(json!({ "resourceType": "ValueSet", "url": "http://test.example/l16", "status": "active",
        "compose": { "include": [{ "system": "http://test.example/s", "concept": [{ "code": "x" }] }] } }));
    let validator = validator(&definitions);
    let member =
        |name: &str| within(|| validator.terminology().member(&named(name), Some("http://test.example/s"), "x"));
    assert_eq!(member("a"), Membership::NotIn);
    assert!(matches!(member("l0"), Membership::In | Membership::Unknown { .. }));
    assert_eq!(member("l16"), Membership::In);
}

#[test]
fn hierarchies_in_circles_end() {
    let concepts: Vec<Value> = (0..2_000)
        .map(|number| {
            json!({ "code": format!("c{number}"), "property": [
                { "code": "parent", "valueCode": format!("c{}", (number + 1) % 2_000) },
                { "code": "child", "valueCode": format!("c{}", (number + 7) % 2_000) }] })
        })
        .collect();
    let system = json!({ "resourceType": "CodeSystem", "url": "http://test.example/s", "status": "active",
        "content": "complete", "concept": concepts });
    let set = json!({ "resourceType": "ValueSet", "url": "http://test.example/below", "status": "active",
        "compose": { "include": [{ "system": "http://test.example/s",
            "filter": [{ "property": "concept", "op": "is-a", "value": "c5" }] }] } });
    let validator = validator(&[system, set]);
    let member =
        within(|| validator.terminology().member("http://test.example/below", Some("http://test.example/s"), "c9"));
    assert_eq!(member, Membership::In);
}
