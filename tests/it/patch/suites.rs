//! The public suites for JSON Patch and FHIRPath Patch of the FHIR test cases.

use std::fs;
use std::path::PathBuf;

use kith::fhir::codec::{Limits, xml};
use kith::fhir::types::Types;
use kith::patch::Patch;
use serde_json::Value;

use crate::support::shared_data;

fn file(name: &str) -> Option<String> {
    let path: PathBuf = shared_data()?.join("fhir-test-cases/r4/patch").join(name);
    Some(fs::read_to_string(path).unwrap())
}

fn between<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let start = text.find(&open)? + open.len();
    Some(text[start..].split(&close).next()?.trim())
}

fn resource(text: &str) -> Value {
    let limits = Limits { depth: 60, bytes: 1 << 20 };
    xml::parse(text.as_bytes(), &limits, Types::r4()).unwrap_or_else(|problem| panic!("{problem}: {text}"))
}

/// Narrative is compared without white space and with quotation marks of one kind: the suite writes them in several ways.
fn squeezed(mut value: Value) -> Value {
    if let Some(div) = value.pointer_mut("/text/div") {
        *div = Value::String(div.as_str().unwrap().replace("&quot;", "\"").split_whitespace().collect());
    }
    value
}

#[test]
fn fhirpath_patch() {
    let Some(text) = file("fhir-patch-tests.xml") else { return };
    let mut count = 0;
    for case in text.split("<case ").skip(1) {
        let name = case.split('"').nth(1).unwrap();
        let input = resource(between(case, "input").unwrap());
        let patch = Patch::fhirpath(&resource(between(case, "diff").unwrap()));
        let result = patch.and_then(|patch| patch.apply(&input, 0));
        match between(case, "output") {
            Some(output) => {
                let found = result.unwrap_or_else(|problem| panic!("{name}: {problem}"));
                assert_eq!(squeezed(found), squeezed(resource(output)), "{name}");
            }
            None => assert!(result.is_err(), "{name}"),
        }
        count += 1;
    }
    assert_eq!(count, 33);
}

#[test]
fn json_patch() {
    let Some(text) = file("json-patch-tests.json") else { return };
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    for case in &cases {
        let comment = &case["comment"];
        let result = Patch::json(&case["patch"]).and_then(|patch| patch.apply_plainly(&case["doc"]));
        match case.get("expected") {
            Some(expected) => assert_eq!(&result.unwrap(), expected, "{comment}"),
            None => assert!(result.is_err(), "{comment}"),
        }
    }
    assert!(cases.len() >= 16, "{}", cases.len());
}
