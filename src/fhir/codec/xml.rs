//! FHIR XML (<https://hl7.org/fhir/R4/xml.html>) to the JSON model and back, driven by the type table: which children are
//! arrays, numbers, attributes, resources. Documents with a DOCTYPE or entities of their own are refused, so that neither
//! files are read nor text multiplied.

mod escape;
mod markup;
pub mod narrative;
mod reader;
mod values;
mod writer;

use serde_json::Value;

use super::{Limits, Place};
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::types::Types;
use crate::problem::{Kind, Problem};

/// The namespace of FHIR elements.
pub const FHIR_NAMESPACE: &str = "http://hl7.org/fhir";
/// The namespace of the narrative.
pub const XHTML_NAMESPACE: &str = "http://www.w3.org/1999/xhtml";

/// Reads an XML text. 413 if it is larger than the limit; 400 with line and column if it is no well-formed FHIR document;
/// 422 with all issues found if elements or attributes are unknown, out of order or repeated where they may not be.
pub fn parse(bytes: &[u8], limits: &Limits, types: &Types) -> Result<Value, Problem> {
    match parse_leniently(bytes, limits, types)? {
        (value, issues) if issues.is_empty() => Ok(value),
        (_, issues) => Err(Problem::with_issues(Kind::Unprocessable, issues)),
    }
}

/// Reads an XML text as [`parse`] does, and hands out what was found wrong beside the resource: elements out of order are
/// taken, unknown ones left out. For reports about a document, and for loading it in spite of them.
pub fn parse_leniently(bytes: &[u8], limits: &Limits, types: &Types) -> Result<(Value, Vec<Issue>), Problem> {
    let text = super::json::utf8(bytes, limits)?;
    reader::read(text, limits, types).map_err(|issues| Problem::with_issues(Kind::Invalid, issues))
}

/// Writes a resource as XML, elements in the order of their definition. 406 with the expression of each element that has no
/// XML form: names that the type has not, values of the wrong JSON kind, narrative that is not well-formed.
pub fn to_bytes(resource: &Value, types: &Types) -> Result<Vec<u8>, Problem> {
    write(resource, types, false)
}

/// Writes indented XML for people (`_pretty=true`).
pub fn to_pretty_bytes(resource: &Value, types: &Types) -> Result<Vec<u8>, Problem> {
    write(resource, types, true)
}

fn write(resource: &Value, types: &Types, pretty: bool) -> Result<Vec<u8>, Problem> {
    writer::write(resource, types, pretty).map_err(|issues| Problem::with_issues(Kind::NotAcceptable, issues))
}

/// An issue about the syntax of an XML text.
fn syntax_issue(text: &str, offset: usize, what: &str) -> Issue {
    let place = Place::of(text.as_bytes(), offset);
    Issue::new(Severity::Fatal, IssueCode::Structure, "xml-syntax", format!("{place}: {what}"))
}
