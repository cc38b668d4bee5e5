//! Tokens: codes, identifiers, booleans (<https://hl7.org/fhir/R4/search.html#token>).

use serde_json::Value;

use super::{Shape, Sink, bounded, string};
use crate::search::index::TokenRow;
use crate::search::query::value::Pieces;
use crate::search::sql::builder::Sql;

/// What a token value asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The system: none where any will do, empty where there must be none.
    pub system: Option<String>,
    /// The code; none where only the system counts.
    pub code: Option<String>,
}

/// Codes of one system, any of which will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codes {
    /// The system; empty where the rows carry none.
    pub system: String,
    /// The codes.
    pub codes: Vec<String>,
}

impl Codes {
    /// See [`super::Criterion::condition`].
    pub(super) fn condition(&self, alias: &str, sql: &mut Sql) {
        sql.push(&format!("{alias}.system = ")).text(&self.system);
        sql.push(&format!(" and {alias}.code in ("));
        for (position, code) in self.codes.iter().enumerate() {
            sql.push(if position == 0 { "" } else { ", " }).text(code);
        }
        sql.push(")");
    }
}

/// Rows of a Coding, CodeableConcept, Identifier, ContactPoint, code, boolean, string or uri.
pub(super) fn index(shape: Shape, value: &Value, sink: &mut Sink<'_>) {
    match shape {
        Shape::Code | Shape::Text | Shape::Uri | Shape::Canonical => {
            if let Some(code) = value.as_str() {
                add(sink, "", code);
            }
        }
        Shape::Boolean => {
            if let Some(boolean) = value.as_bool() {
                add(sink, "", if boolean { "true" } else { "false" });
            }
        }
        Shape::Coding => index_coding(value, sink),
        Shape::CodeableConcept => {
            for coding in value.get("coding").and_then(Value::as_array).into_iter().flatten() {
                index_coding(coding, sink);
            }
            index_text(value, "text", sink);
        }
        Shape::Identifier => index_identifier(value, sink),
        Shape::ContactPoint => {
            if let Some(code) = text(value, "value") {
                add(sink, text(value, "system").unwrap_or_default(), code);
                let folded = code.split_whitespace().collect::<String>();
                if folded != code {
                    add(sink, text(value, "system").unwrap_or_default(), &folded);
                }
            }
        }
        _ => {}
    }
}

fn index_coding(coding: &Value, sink: &mut Sink<'_>) {
    let (system, code) = (text(coding, "system").unwrap_or_default(), text(coding, "code").unwrap_or_default());
    if !(system.is_empty() && code.is_empty()) {
        add(sink, system, code);
    }
    index_text(coding, "display", sink);
}

fn index_identifier(identifier: &Value, sink: &mut Sink<'_>) {
    let system = text(identifier, "system").unwrap_or_default();
    let Some(code) = text(identifier, "value") else {
        if !system.is_empty() {
            add(sink, system, "");
        }
        return;
    };
    add(sink, system, code);
    let Some(kind) = identifier.get("type") else { return };
    index_text(kind, "text", sink);
    for coding in kind.get("coding").and_then(Value::as_array).into_iter().flatten() {
        if let (Some(type_system), Some(type_code)) = (text(coding, "system"), text(coding, "code")) {
            let parameter = sink.codes.of_type.clone();
            let system = bounded(&format!("{type_system}|{type_code}"));
            sink.rows.tokens.push(TokenRow { parameter, system, code: bounded(code) });
        }
    }
}

fn index_text(value: &Value, name: &str, sink: &mut Sink<'_>) {
    if let Some(words) = text(value, name) {
        let parameter = sink.codes.text.clone();
        string::add(&mut sink.rows.strings, parameter, words);
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn add(sink: &mut Sink<'_>, system: &str, code: &str) {
    let parameter = sink.codes.own.clone();
    sink.rows.tokens.push(TokenRow { parameter, system: bounded(system), code: bounded(code) });
}

/// Adds the logical identifier of a reference under `code:identifier`.
pub(super) fn add_logical(sink: &mut Sink<'_>, identifier: &Value) {
    if let Some(code) = text(identifier, "value") {
        let parameter = sink.codes.identifier.clone();
        let system = bounded(text(identifier, "system").unwrap_or_default());
        sink.rows.tokens.push(TokenRow { parameter, system, code: bounded(code) });
    }
}

impl Token {
    /// Reads `code`, `system|code`, `|code` or `system|`. Errors say what is wrong with the value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Pieces::split(text, '|');
        let (first, second) = (pieces.next().unwrap_or_default(), pieces.next());
        let token = match second {
            None => Self { system: None, code: Some(bounded(&first)) },
            Some(code) if code.is_empty() => Self { system: Some(bounded(&first)), code: None },
            Some(code) => Self { system: Some(bounded(&first)), code: Some(bounded(&code)) },
        };
        let empty =
            token.code.as_ref().is_none_or(String::is_empty) && token.system.as_ref().is_none_or(String::is_empty);
        match (pieces.next(), empty) {
            (Some(_), _) => Err("a token has at most one `|`; write `\\|` for a bar within the value".to_owned()),
            (None, true) => {
                Err("a token needs a code, a system or both: `code`, `system|code`, `|code`, `system|`".to_owned())
            }
            (None, false) => Ok(token),
        }
    }

    /// Reads the value of `:of-type`: `type system|type code|value`.
    pub fn parse_of_type(text: &str) -> Result<Self, String> {
        let pieces: Vec<String> = Pieces::split(text, '|').collect();
        match pieces.as_slice() {
            [system, code, value] if !(system.is_empty() || code.is_empty() || value.is_empty()) => {
                Ok(Self { system: Some(bounded(&format!("{system}|{code}"))), code: Some(bounded(value)) })
            }
            _ => Err("`:of-type` takes `system|code|value`: system and code of the identifier's type, and its value"
                .to_owned()),
        }
    }

    /// See [`super::Criterion::condition`].
    pub(super) fn condition(&self, alias: &str, sql: &mut Sql) {
        let columns = [("code", self.code.as_ref()), ("system", self.system.as_ref())];
        let mut first = true;
        for (column, value) in columns.iter().filter_map(|(column, value)| value.map(|value| (column, value))) {
            sql.push(if first { "" } else { " and " });
            sql.push(&format!("{alias}.{column} = ")).text(value);
            first = false;
        }
    }
}
