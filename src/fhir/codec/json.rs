//! FHIR JSON (<https://hl7.org/fhir/R4/json.html>) to `Value` and back. Unlike a general JSON reader it refuses duplicate
//! names, deep nesting and the character U+0000, keeps the text of numbers, and says line and column.

mod parser;
mod scan;

use serde_json::{Number, Value};

use super::{Limits, Place};
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::problem::{Kind, Problem};

pub(super) use scan::{Fault, Scanner};

/// Reads a JSON text. 413 if it is larger than the limit, 400 with line and column if it is not JSON as FHIR wants it.
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Value, Problem> {
    let text = utf8(bytes, limits)?;
    parser::parse(text, limits.levels()).map_err(|(offset, fault)| syntax_problem(text.as_bytes(), offset, &fault))
}

/// Reads the bytes of a stored resource, which the server has written itself; a fault is one of the server.
pub fn parse_stored(bytes: &[u8]) -> Result<Value, Problem> {
    let limits = Limits { depth: Limits::MAX_DEPTH, bytes: usize::MAX };
    parse(bytes, &limits).map_err(Problem::internal)
}

/// Writes JSON without white space. Numbers keep their text, members their order.
#[must_use]
pub fn to_bytes(value: &Value) -> Vec<u8> {
    // Writing a Value to memory cannot fail: its keys are strings and memory has no errors.
    serde_json::to_vec(value).unwrap_or_default()
}

/// Writes indented JSON for people (`_pretty=true`).
#[must_use]
pub fn to_pretty_bytes(value: &Value) -> Vec<u8> {
    serde_json::to_vec_pretty(value).unwrap_or_default()
}

/// A number that keeps the given text. serde_json's own reader writes `1E5` as `1e+5`; this constructor does not touch it.
/// `text` must be a number (the callers have checked it).
pub(super) fn exact_number(text: &str) -> Number {
    Number::from_string_unchecked(text.to_owned())
}

/// The text of a body within the size limit, without a byte order mark.
pub(super) fn utf8<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a str, Problem> {
    if bytes.len() > limits.bytes {
        let text = format!("The text has {} bytes; the limit is {}. Send less at a time.", bytes.len(), limits.bytes);
        return Err(Problem::new(Kind::TooLarge, text));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let place = Place::of(bytes, error.valid_up_to());
        let help = match bytes {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => {
                "The text is UTF-16; FHIR is written in UTF-8. Convert it.".to_owned()
            }
            _ => format!("The text is not valid UTF-8 at {place}. FHIR is written in UTF-8; convert it."),
        };
        Problem::new(Kind::Invalid, help)
    })
}

fn syntax_problem(bytes: &[u8], offset: usize, fault: &Fault) -> Problem {
    let place = Place::of(bytes, offset);
    let code = if matches!(fault, Fault::TooDeep(_)) { IssueCode::TooCostly } else { IssueCode::Structure };
    let issue = Issue::new(Severity::Fatal, code, "json-syntax", format!("{place}: {fault}"));
    Problem::with_issues(Kind::Invalid, vec![issue])
}
