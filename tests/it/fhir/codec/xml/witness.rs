//! Somebody else's codec as a witness: fhirbolt's generic element reads each example, and must find in it what we find.
//! Its known faults are passed over, each with its reason.

use std::panic::catch_unwind;

use fhirbolt_element::Element;
use kith::fhir::codec::{Limits, json, xml};
use kith::fhir::types::Types;
use serde_json::Value;

use crate::support::{files, shared_data};

const R4: fhirbolt_shared::FhirRelease = fhirbolt_shared::FhirReleases::R4;

/// What fhirbolt reads of an XML text, as JSON.
fn theirs(bytes: &[u8]) -> Result<Value, String> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    // It knows the name of the encoding in capitals only.
    let text = text.replacen("encoding=\"utf-8\"", "encoding=\"UTF-8\"", 1);
    let read = catch_unwind(|| {
        let element: Element<R4> = fhirbolt_serde::xml::from_str(&text, None).map_err(|error| error.to_string())?;
        let json = fhirbolt_serde::json::to_string(&element, None).map_err(|error| error.to_string())?;
        serde_json::from_str(&json).map_err(|error| error.to_string())
    });
    read.unwrap_or_else(|_| Err("panicked".to_owned()))
}

/// It trims white space inside the narrative and writes entities its own way: narratives are compared by their letters.
fn without_narrative_spaces(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_narrative_spaces),
        Value::Object(members) => {
            if let Some(Value::String(div)) = members.get_mut("div") {
                div.retain(char::is_alphanumeric);
            }
            members.values_mut().for_each(without_narrative_spaces);
        }
        _ => {}
    }
}

#[test]
fn fhirbolt_agrees_on_every_uk_core_example() {
    let Some(data) = shared_data() else { return };
    let (mut agreed, mut failures) = (0, Vec::new());
    for file in files(&data.join("uk-core/examples"), "xml") {
        let bytes = std::fs::read(&file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let (mut ours, _) = xml::parse_leniently(&bytes, &Limits::default(), Types::r4()).unwrap();
        match theirs(&bytes) {
            Err(error) => failures.push(format!("{name}: refused: {error}")),
            Ok(mut theirs) => {
                without_narrative_spaces(&mut ours);
                without_narrative_spaces(&mut theirs);
                if ours == theirs { agreed += 1 } else { failures.push(format!("{name}: differ\n{ours}\n{theirs}")) }
            }
        }
    }
    assert!(failures.is_empty(), "{agreed} agreed\n{}", failures.join("\n"));
}

/// The official examples on which fhirbolt differs, and why ours is right.
const DIFFERENCES: [(&str, &str); 2] = [
    ("Observation-decimal.json", "it rewrites the exponent of 1E-22 as 1e-22; FHIR wants the text of decimals kept"),
    ("PlanDefinition-KDN5.json", "it resolves &quot; in the narrative; the text of the narrative is kept"),
];

/// `KITH_R4_EXAMPLES` names the folder of the unpacked package hl7.fhir.r4.examples 4.0.1.
#[test]
fn fhirbolt_agrees_on_what_we_write_of_official_examples() {
    let Some(folder) = std::env::var_os("KITH_R4_EXAMPLES").map(std::path::PathBuf::from) else {
        eprintln!("SKIPPED: set KITH_R4_EXAMPLES to the folder of the package hl7.fhir.r4.examples");
        return;
    };
    let (mut agreed, mut failures) = (0, Vec::new());
    for file in files(&folder, "json") {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(&file).unwrap();
        if name == "package.json" || name == ".index.json" || bytes.len() > 300_000 {
            continue;
        }
        let mut ours = json::parse(&bytes, &Limits::default()).unwrap();
        let verdict = theirs(&xml::to_bytes(&ours, Types::r4()).unwrap());
        without_narrative_spaces(&mut ours);
        let verdict = verdict.and_then(|mut theirs| {
            without_narrative_spaces(&mut theirs);
            if ours == theirs { Ok(()) } else { Err(format!("differs: {}", first_difference(&ours, &theirs))) }
        });
        match verdict {
            Ok(()) => agreed += 1,
            Err(_) if DIFFERENCES.iter().any(|(known, _)| *known == name) => {}
            Err(verdict) => failures.push(format!("{name}: {verdict}")),
        }
    }
    assert!(failures.is_empty(), "{agreed} agreed, {} not\n{}", failures.len(), failures.join("\n"));
}

fn first_difference(ours: &Value, theirs: &Value) -> String {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let mut names: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
            names.sort();
            let differs = names.into_iter().find(|name| ours.get(*name) != theirs.get(*name));
            let name = differs.unwrap();
            match (ours.get(name), theirs.get(name)) {
                (Some(ours), Some(theirs)) => format!("{name}.{}", first_difference(ours, theirs)),
                (ours, theirs) => format!("{name}: {ours:?} {theirs:?}"),
            }
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let differs = ours.iter().zip(theirs).position(|(ours, theirs)| ours != theirs).unwrap();
            format!("[{differs}].{}", first_difference(&ours[differs], &theirs[differs]))
        }
        _ => format!("{ours} {theirs}"),
    }
}
