//! Code systems and value sets: membership by every form of compose, what is not loaded, grammars.

mod ecl;
pub mod snomed;

use kith::fhir::definitions::Definitions;
use kith::fhir::definitions::package::{Manifest, Package};
use kith::terminology::{Existence, Limits, Membership, Terminology, Unexpanded};
use serde_json::{Value, json};

const SYSTEM: &str = "http://test.example/CodeSystem/animals";

fn animals() -> Value {
    json!({
        "resourceType": "CodeSystem", "url": SYSTEM, "status": "active", "content": "complete", "caseSensitive": true,
        "hierarchyMeaning": "is-a",
        "concept": [
            { "code": "animal", "display": "Animal", "concept": [
                { "code": "dog", "display": "Dog", "concept": [{ "code": "poodle", "display": "Poodle" }] },
                { "code": "cat", "display": "Cat", "property": [{ "code": "legs", "valueInteger": 4 }] },
            ] },
            { "code": "stone", "display": "Stone" },
        ],
    })
}

fn terminology(compose: Value) -> Terminology {
    let set = json!({ "resourceType": "ValueSet", "url": "http://test.example/ValueSet/v", "status": "active", "compose": compose });
    let circle = |url: &str, other: &str| {
        json!({ "resourceType": "ValueSet", "url": url, "status": "active",
            "compose": { "include": [{ "valueSet": [other] }, { "system": SYSTEM, "concept": [{ "code": "dog" }] }] } })
    };
    let a = circle("http://test.example/ValueSet/a", "http://test.example/ValueSet/b");
    let b = circle("http://test.example/ValueSet/b", "http://test.example/ValueSet/a");
    let package = Package::new(Manifest::default(), &[animals(), set, a, b]);
    Terminology::new(Definitions::embedded().with_packages(vec![package]).unwrap().into())
}

/// Which of the animals (and things) are in a value set of this compose.
fn members(compose: Value) -> Vec<&'static str> {
    let terminology = terminology(compose);
    let all = ["animal", "dog", "poodle", "cat", "stone", "unicorn"];
    let is_in =
        |code: &&str| terminology.member("http://test.example/ValueSet/v", Some(SYSTEM), code) == Membership::In;
    all.into_iter().filter(is_in).collect()
}

fn filter(property: &str, op: &str, value: &str) -> Value {
    json!({ "include": [{ "system": SYSTEM, "filter": [{ "property": property, "op": op, "value": value }] }] })
}

#[test]
fn every_form_of_compose() {
    assert_eq!(members(json!({ "include": [{ "system": SYSTEM }] })), ["animal", "dog", "poodle", "cat", "stone"]);
    assert_eq!(members(json!({ "include": [{ "system": SYSTEM, "concept": [{ "code": "cat" }] }] })), ["cat"]);
    assert_eq!(members(filter("concept", "is-a", "dog")), ["dog", "poodle"]);
    assert_eq!(members(filter("concept", "descendent-of", "dog")), ["poodle"]);
    assert_eq!(members(filter("concept", "is-not-a", "animal")), ["stone"]);
    assert_eq!(members(filter("concept", "in", "dog, stone")), ["dog", "stone"]);
    assert_eq!(members(filter("concept", "generalizes", "poodle")), ["animal", "dog", "poodle"]);
    assert_eq!(members(filter("concept", "regex", "[dc].*")), ["dog", "cat"]);
    assert_eq!(members(filter("legs", "=", "4")), ["cat"]);
    assert_eq!(members(filter("legs", "exists", "false")), ["animal", "dog", "poodle", "stone"]);
    let excluded =
        json!({ "include": [{ "system": SYSTEM }], "exclude": [{ "system": SYSTEM, "concept": [{ "code": "dog" }] }] });
    assert_eq!(members(excluded), ["animal", "poodle", "cat", "stone"]);
    let both = json!({ "include": [{ "system": SYSTEM, "valueSet": ["http://test.example/ValueSet/a"] }] });
    assert_eq!(members(both), ["dog"]);
}

#[test]
fn case_counts_as_the_code_system_says() {
    let mut system = animals();
    system["caseSensitive"] = json!(false);
    let rule = |op: &str, value: &str| {
        let filter = json!([{ "property": "concept", "op": op, "value": value }]);
        let set = json!({ "resourceType": "ValueSet", "url": "http://test.example/ValueSet/c", "status": "active",
            "compose": { "include": [{ "system": SYSTEM, "filter": filter }] } });
        let package = Package::new(Manifest::default(), &[system.clone(), set]);
        let terminology = Terminology::new(Definitions::embedded().with_packages(vec![package]).unwrap().into());
        let codes = ["DOG", "dog", "Poodle", "stone"];
        let is_in =
            |code: &&str| terminology.member("http://test.example/ValueSet/c", Some(SYSTEM), code) == Membership::In;
        codes.into_iter().filter(is_in).collect::<Vec<_>>()
    };
    assert_eq!(rule("is-a", "Dog"), ["DOG", "dog", "Poodle"]);
    assert_eq!(rule("=", "DoG"), ["DOG", "dog"]);
    assert_eq!(rule("in", "POODLE, Stone"), ["Poodle", "stone"]);
    assert_eq!(rule("not-in", "Dog, POODLE"), ["stone"]);
    assert_eq!(members(filter("concept", "=", "DOG")), [""; 0]);
}

#[test]
fn circles_of_imports_end() {
    assert_eq!(members(json!({ "include": [{ "valueSet": ["http://test.example/ValueSet/a"] }] })), ["dog"]);
}

#[test]
fn what_is_not_loaded_is_said() {
    let snomed = "http://snomed.info/sct";
    let is_a = json!([{ "property": "concept", "op": "is-a", "value": "404684003" }]);
    let terminology = terminology(json!({ "include": [{ "system": snomed, "filter": is_a }, { "system": SYSTEM }] }));
    let member = |system: &str, code: &str| terminology.member("http://test.example/ValueSet/v", Some(system), code);
    assert_eq!(member(snomed, "386661006"), Membership::Unknown { missing: snomed.to_owned() });
    assert_eq!(member(SYSTEM, "dog"), Membership::In);
    assert_eq!(member(SYSTEM, "unicorn"), Membership::NotIn);
    assert_eq!(member("http://test.example/other", "dog"), Membership::NotIn);
    let missing = "http://test.example/ValueSet/missing";
    assert_eq!(terminology.member(missing, None, "x"), Membership::Unknown { missing: missing.to_owned() });
}

#[test]
fn grammars_are_checked() {
    let terminology = Terminology::new(Definitions::embedded());
    let media = |code: &str| terminology.member("http://hl7.org/fhir/ValueSet/mimetypes", None, code);
    for code in ["text/plain", "application/fhir+json", "text/plain; charset=utf-8", "json"] {
        assert_eq!(media(code), Membership::In, "{code}");
    }
    for code in ["plain", "text/", "/plain", "text plain", "text/plain; charset"] {
        assert_eq!(media(code), Membership::NotIn, "{code}");
    }
    let language =
        |code: &str| terminology.member("http://hl7.org/fhir/ValueSet/all-languages", Some("urn:ietf:bcp:47"), code);
    for code in ["en", "en-GB", "zh-Hant-TW", "x-test", "cy"] {
        assert_eq!(language(code), Membership::In, "{code}");
    }
    for code in ["", "e", "anglosaxon", "en_GB", "en-"] {
        assert_eq!(language(code), Membership::NotIn, "{code}");
    }
}

#[test]
fn code_systems_know_their_codes_and_displays() {
    let terminology = terminology(json!({ "include": [] }));
    assert_eq!(terminology.code_exists(SYSTEM, "dog"), Existence::Exists);
    assert_eq!(terminology.code_exists(SYSTEM, "unicorn"), Existence::Missing);
    assert_eq!(terminology.code_exists("http://snomed.info/sct", "1"), Existence::Unknown);
    let system = terminology.system(SYSTEM).unwrap();
    assert_eq!(system.wrong_display("dog", "  dog "), None);
    assert_eq!(system.wrong_display("dog", "Hound"), Some("Dog"));
}

#[test]
fn answers_come_from_memory() {
    let terminology = Terminology::new(Definitions::embedded());
    let ask = || terminology.member("http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1", None, "female");
    assert_eq!(ask(), Membership::In);
    assert_eq!((0..1_000).map(|_| ask()).filter(|answer| *answer == Membership::In).count(), 1_000);
}

#[test]
fn an_expansion_keeps_the_order_of_the_definition() {
    let terminology = terminology(json!({ "include": [
        { "system": SYSTEM, "concept": [{ "code": "stone", "display": "Rock" }] },
        { "system": SYSTEM, "filter": [{ "property": "concept", "op": "is-a", "value": "animal" }] },
        { "valueSet": ["http://test.example/ValueSet/a"] },
    ] }));
    let set = terminology.value_set("http://test.example/ValueSet/v").unwrap();
    let expansion = terminology.expand(&set, Limits { work: 100, filter: None }).unwrap();
    let codes: Vec<&str> = expansion.entries.iter().map(|entry| entry.code.as_str()).collect();
    assert_eq!(codes, ["stone", "animal", "dog", "poodle", "cat"]);
    assert_eq!(expansion.entries[0].display.as_deref(), Some("Rock"));
    assert_eq!(terminology.expand(&set, Limits { work: 5, filter: None }).unwrap_err(), Unexpanded::TooCostly);
}

/// Value sets each of which imports the next one ten times.
fn tower() -> Terminology {
    let url = |level: usize| format!("http://test.example/ValueSet/level-{level}");
    let mut all: Vec<Value> = (0..12)
        .map(|level| {
            let include: Vec<Value> = (0..10).map(|_| json!({ "valueSet": [url(level + 1)] })).collect();
            json!({ "resourceType": "ValueSet", "url": url(level), "status": "active", "compose": { "include": include } })
        })
        .collect();
    all.push(json!({ "resourceType": "ValueSet", "url": url(12), "status": "active",
        "compose": { "include": [{ "system": SYSTEM }] } }));
    all.push(animals());
    let package = Package::new(Manifest::default(), &all);
    Terminology::new(Definitions::embedded().with_packages(vec![package]).unwrap().into())
}

#[test]
fn imports_that_multiply_are_bounded_and_get_no_verdict() {
    let terminology = tower();
    let top = terminology.value_set("http://test.example/ValueSet/level-0").unwrap();
    assert_eq!(terminology.expand(&top, Limits { work: 100_000, filter: None }).unwrap_err(), Unexpanded::TooCostly);
    let member = terminology.member("http://test.example/ValueSet/level-0", Some(SYSTEM), "unicorn");
    assert!(matches!(member, Membership::Unknown { .. }), "{member:?}");
}

#[test]
fn hierarchies_may_be_circles_or_very_deep() {
    let concept = |code: usize, parent: usize| json!({ "code": format!("c{code}"), "property": [{ "code": "parent", "valueCode": format!("c{parent}") }] });
    // A circle of 20,000 codes.
    let concepts: Vec<Value> = (0..20_000).map(|code| concept(code, (code + 1) % 20_000)).collect();
    let url = "http://test.example/CodeSystem/circle";
    let system = json!({ "resourceType": "CodeSystem", "url": url, "status": "active", "content": "complete", "concept": concepts });
    let rule =
        json!({ "include": [{ "system": url, "filter": [{ "property": "concept", "op": "is-a", "value": "c7" }] }] });
    let set = json!({ "resourceType": "ValueSet", "url": "http://test.example/ValueSet/c", "status": "active", "compose": rule });
    let package = Package::new(Manifest::default(), &[system, set]);
    let terminology = Terminology::new(Definitions::embedded().with_packages(vec![package]).unwrap().into());
    let set = terminology.value_set("http://test.example/ValueSet/c").unwrap();
    assert_eq!(terminology.expand(&set, Limits { work: 30_000, filter: None }).unwrap().entries.len(), 20_000);
}

#[test]
fn a_pattern_that_would_be_huge_is_not_answered() {
    let terminology = terminology(filter("concept", "regex", "((a{1000}){1000}){1000}"));
    let set = terminology.value_set("http://test.example/ValueSet/v").unwrap();
    let refused = terminology.expand(&set, Limits { work: 1000, filter: None }).unwrap_err();
    assert_eq!(refused, Unexpanded::Filter(SYSTEM.to_owned()));
    let member = terminology.member("http://test.example/ValueSet/v", Some(SYSTEM), "dog");
    assert_eq!(member, Membership::Unknown { missing: SYSTEM.to_owned() });
}
