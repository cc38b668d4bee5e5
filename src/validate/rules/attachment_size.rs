//! `attachment-size`: the stated size of an Attachment is that of its data
//! (<https://hl7.org/fhir/R4/datatypes-definitions.html#Attachment.size>).

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member;

use crate::validate::run::{Origin, Place, Run};

/// Checks an Attachment with data and size.
pub fn check<'a>(run: &mut Run<'_, 'a>, attachment: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let Some(data) = member::text(attachment, "data") else { return };
    let Some(stated) = member::member(attachment, "size").and_then(Value::as_u64) else { return };
    let (mut letters, mut padding) = (0_u64, 0_u64);
    for byte in data.bytes() {
        match byte {
            b'=' => padding += 1,
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => letters += 1,
        }
    }
    if (letters + padding).is_multiple_of(4) && letters * 3 / 4 != stated {
        let text = format!("The size is stated as {stated} bytes; the data has {}.", letters * 3 / 4);
        run.error(IssueCode::Value, "attachment-size", text, place.path, origin);
    }
}
