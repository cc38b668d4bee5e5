//! Somebody else's codec as a witness: fhirbolt's generic element reads each example, and must find in it what we find.
//! Its known faults are passed over, each with its reason.

use std::panic::catch_unwind;

use fhirbolt_element::Element;
use kith::fhir::codec::{Limits, xml};
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
                div.retain(|character| character.is_alphanumeric());
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
