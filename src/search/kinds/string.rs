//! Strings: folded prefixes, `:contains` and `:exact` (<https://hl7.org/fhir/R4/search.html#string>).

use serde_json::Value;

use super::{Shape, Sink, bounded};
use crate::search::fold::fold;
use crate::search::index::{ParameterCode, StringRow};
use crate::search::sql::builder::Sql;

/// What a string value asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// The folded text begins with this.
    Prefix(String),
    /// The folded text contains this.
    Contains(String),
    /// The text as written is this.
    Exact(String),
    /// The folded text is this.
    Is(String),
    /// The folded text ends with this.
    Suffix(String),
}

/// Parts of an Address that its string search covers.
const ADDRESS: [&str; 7] = ["text", "line", "city", "district", "state", "postalCode", "country"];
/// Parts of a HumanName that its string search covers.
const NAME: [&str; 5] = ["text", "family", "given", "prefix", "suffix"];

/// Rows of a string, HumanName, Address, or the text of a code.
pub(super) fn index(shape: Shape, value: &Value, sink: &mut Sink<'_>) {
    match shape {
        Shape::Text | Shape::Uri | Shape::Canonical | Shape::Code => add_value(sink, value),
        Shape::HumanName => add_parts(sink, value, &NAME),
        Shape::Address => add_parts(sink, value, &ADDRESS),
        Shape::CodeableConcept => add_parts(sink, value, &["text"]),
        Shape::ContactPoint | Shape::Identifier => add_parts(sink, value, &["value"]),
        _ => {}
    }
}

fn add_parts(sink: &mut Sink<'_>, value: &Value, parts: &[&str]) {
    for part in parts {
        match value.get(*part) {
            Some(Value::Array(items)) => items.iter().for_each(|item| add_value(sink, item)),
            Some(item) => add_value(sink, item),
            None => {}
        }
    }
}

fn add_value(sink: &mut Sink<'_>, value: &Value) {
    if let Some(text) = value.as_str() {
        add(&mut sink.rows.strings, sink.codes.own.clone(), text);
    }
}

/// Adds a text under a code.
pub(super) fn add(rows: &mut Vec<StringRow>, parameter: ParameterCode, text: &str) {
    let folded = fold(text);
    if !folded.is_empty() {
        rows.push(StringRow { parameter, folded, exact: bounded(text) });
    }
}

impl Text {
    /// A prefix search, folded. Errors say what is wrong with the value.
    pub fn prefix(text: &str) -> Result<Self, String> {
        folded(text).map(Self::Prefix)
    }

    /// A search for a part, folded. Errors say what is wrong with the value.
    pub fn contains(text: &str) -> Result<Self, String> {
        folded(text).map(Self::Contains)
    }

    /// A search for the whole text, folded. Errors say what is wrong with the value.
    pub fn is(text: &str) -> Result<Self, String> {
        folded(text).map(Self::Is)
    }

    /// A search for an ending, folded. Errors say what is wrong with the value.
    pub fn suffix(text: &str) -> Result<Self, String> {
        folded(text).map(Self::Suffix)
    }

    /// See [`super::Criterion::condition`].
    pub(super) fn condition(&self, alias: &str, sql: &mut Sql) {
        match self {
            Self::Is(text) => {
                sql.push(&format!("{alias}.folded = ")).text(text);
            }
            Self::Suffix(end) => {
                sql.push(&format!("{alias}.folded like ")).text(&format!("%{}", escape_like(end))).push(" escape '\\'");
            }
            Self::Prefix(prefix) => {
                sql.push(&format!("{alias}.folded >= ")).text(prefix);
                sql.push(&format!(" and {alias}.folded < ")).text(&past(prefix));
            }
            Self::Contains(part) => {
                sql.push(&format!("{alias}.folded like "))
                    .text(&format!("%{}%", escape_like(part)))
                    .push(" escape '\\'");
            }
            Self::Exact(text) => {
                let folded = fold(text);
                sql.push(&format!("{alias}.folded = ")).text(&folded);
                sql.push(&format!(" and {alias}.exact = ")).text(&bounded(text));
            }
        }
    }
}

fn folded(text: &str) -> Result<String, String> {
    let folded = fold(text);
    if folded.is_empty() { Err("a text to search for is missing".to_owned()) } else { Ok(folded) }
}

/// The first text after all that begin with `prefix`, in the order of code points.
pub(super) fn past(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}

fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
