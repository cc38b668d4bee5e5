//! Round trips of real resources: every UK Core example (XML), and every official R4 example (JSON) where the package is
//! at hand.

use std::path::{Path, PathBuf};

use kith::fhir::codec::{Limits, json, xml};
use kith::fhir::types::Types;
use kith::problem::Kind;
use serde_json::Value;

use crate::support::{files, shared_data};

const LARGE: Limits = Limits { depth: Limits::MAX_DEPTH, bytes: 100 * 1024 * 1024 };

fn read_xml(bytes: &[u8]) -> Result<Value, String> {
    xml::parse_leniently(bytes, &LARGE, Types::r4()).map(|(value, _)| value).map_err(|problem| problem.to_string())
}

fn write_xml(value: &Value) -> Result<Vec<u8>, String> {
    xml::to_bytes(value, Types::r4()).map_err(|problem| problem.to_string())
}

/// The text is the comparison: numbers, order and white space must be the same.
fn same(left: &Value, right: &Value) -> Result<(), String> {
    let (left, right) = (json::to_bytes(left), json::to_bytes(right));
    if left == right {
        return Ok(());
    }
    let at = left.iter().zip(&right).position(|(a, b)| a != b).unwrap_or(left.len().min(right.len()));
    let around =
        |bytes: &[u8]| String::from_utf8_lossy(&bytes[at.saturating_sub(60)..bytes.len().min(at + 60)]).into_owned();
    Err(format!("differ: {} | {}", around(&left), around(&right)))
}

fn xml_round_trip(bytes: &[u8]) -> Result<(), String> {
    let first = read_xml(bytes)?;
    let written = write_xml(&first)?;
    let second = read_xml(&written)?;
    // Writing puts elements that were out of order into theirs.
    let in_order = xml::parse(bytes, &LARGE, Types::r4()).is_ok();
    if in_order || first != second {
        same(&first, &second)?;
    }
    let pretty = xml::to_pretty_bytes(&first, Types::r4()).map_err(|problem| problem.to_string())?;
    same(&second, &read_xml(&pretty)?)?;
    let reparsed = json::parse(&json::to_bytes(&second), &LARGE).map_err(|problem| problem.to_string())?;
    same(&second, &reparsed)?;
    if write_xml(&reparsed)? == written { Ok(()) } else { Err("the second XML differs from the first".to_owned()) }
}

fn json_round_trip(bytes: &[u8]) -> Result<(), String> {
    let first = json::parse(bytes, &LARGE).map_err(|problem| problem.to_string())?;
    let second = read_xml(&write_xml(&first)?)?;
    // JSON has no order of members; everything else, number texts included, must be the same.
    if first == second { Ok(()) } else { same(&first, &second) }
}

/// Runs `check` on every file and returns the failures.
fn failures(files: &[PathBuf], check: impl Fn(&Path, &[u8]) -> Result<(), String>) -> Vec<String> {
    let failure = |file: &PathBuf| {
        let bytes = std::fs::read(file).unwrap();
        check(file, &bytes).err().map(|text| format!("{}: {text}", file.file_name().unwrap().to_string_lossy()))
    };
    files.iter().filter_map(failure).collect()
}

#[test]
fn uk_core_examples_survive_xml_json_xml_json() {
    let Some(data) = shared_data() else { return };
    let examples = files(&data.join("uk-core/examples"), "xml");
    assert_eq!(examples.len(), 215);
    let failures = failures(&examples, |_, bytes| xml_round_trip(bytes));
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), examples.len(), failures.join("\n"));
}

/// The three that HL7's validator reports for the order of their elements, and only those.
#[test]
fn uk_core_examples_out_of_order_are_named() {
    let Some(data) = shared_data() else { return };
    let mut found = Vec::new();
    for file in files(&data.join("uk-core/examples"), "xml") {
        if let Err(problem) = xml::parse(&std::fs::read(&file).unwrap(), &LARGE, Types::r4()) {
            assert_eq!(problem.kind, Kind::Unprocessable);
            let issue = &problem.issues()[0];
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            found.push((name, issue.rule.clone(), issue.expression.clone().unwrap(), problem.issues().len()));
        }
    }
    let expected = [
        ("Extension-UKCore-CodingSCT-IllicitDrugs-Example.xml", "Observation.text"),
        ("UKCore-Observation-Lab-Albumin-Example.xml", "Observation.meta"),
        ("UKCore-Questionnaire-EOLPlan-Example.xml", "Questionnaire.item[0].item[0].item[0].extension[0]"),
    ];
    let expected: Vec<_> =
        expected.map(|(name, place)| (name.to_owned(), "xml-order".to_owned(), place.to_owned(), 1)).into();
    assert_eq!(found, expected);
}

/// `KITH_R4_EXAMPLES` names the folder of the unpacked package hl7.fhir.r4.examples 4.0.1.
#[test]
fn official_examples_survive_json_xml_json() {
    let Some(folder) = std::env::var_os("KITH_R4_EXAMPLES").map(PathBuf::from) else {
        eprintln!("SKIPPED: set KITH_R4_EXAMPLES to the folder of the package hl7.fhir.r4.examples");
        return;
    };
    let mut examples = files(&folder, "json");
    examples.retain(|file| !matches!(file.file_name().unwrap().to_str(), Some("package.json" | ".index.json")));
    let failures = failures(&examples, |_, bytes| json_round_trip(bytes));
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), examples.len(), failures.join("\n"));
}

/// `KITH_R4_XML` names a folder of official XML, such as the unpacked package hl7.fhir.r4.corexml 4.0.1.
#[test]
fn official_xml_survives_xml_json_xml_json() {
    let Some(folder) = std::env::var_os("KITH_R4_XML").map(PathBuf::from) else {
        eprintln!("SKIPPED: set KITH_R4_XML to the folder of the package hl7.fhir.r4.corexml");
        return;
    };
    let definitions = files(&folder, "xml");
    let failures = failures(&definitions, |_, bytes| xml_round_trip(bytes));
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), definitions.len(), failures.join("\n"));
}
