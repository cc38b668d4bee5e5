//! The value rules of every R4 primitive type (<https://hl7.org/fhir/R4/datatypes.html#primitive>), hand-coded so that a
//! check allocates nothing. Called by validation for each primitive element, and by the codecs and search where they need
//! one of the text forms.

mod kind;
mod number;
mod text;

use std::fmt;

use serde_json::Value;

use crate::fhir::temporal::{DateTime, Time};

pub use kind::PrimitiveKind;
pub use number::{is_decimal, is_integer, is_positive_integer, is_unsigned_integer};
pub use text::{MAX_STRING_LENGTH, is_base64, is_code, is_id, is_oid, is_permitted_in_xml, is_string, is_uri, is_uuid};

/// What is wrong with a primitive value. The texts never contain the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The JSON value is of the wrong kind; the text says which kind it should be.
    JsonKind(&'static str),
    /// The JSON kind is right and the value does not follow the rules of the type; the text says what is right.
    Format(&'static str),
}

impl Fault {
    /// The stable id of the rule that was broken, as issues carry it.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::JsonKind(_) => "json-kind",
            Self::Format(_) => "primitive-format",
        }
    }

    /// What would be right.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::JsonKind(text) | Self::Format(text) => text,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text())
    }
}

impl std::error::Error for Fault {}

/// Checks a JSON value against the rules of its primitive type: JSON kind, published pattern, and what the pattern cannot
/// say (days that exist, 32-bit range, length). `null` is of the wrong kind: whether it may stand in an array beside an
/// extension is the caller's question.
pub fn check(kind: PrimitiveKind, value: &Value) -> Result<(), Fault> {
    match kind {
        PrimitiveKind::Boolean => match value {
            Value::Bool(_) => Ok(()),
            _ => Err(Fault::JsonKind("must be the JSON literal true or false, without quotes")),
        },
        _ if kind.is_number() => match value {
            Value::Number(number) => check_number(kind, number.as_str()),
            _ => Err(Fault::JsonKind("must be a JSON number, without quotes")),
        },
        _ => match value {
            Value::String(text) => check_text(kind, text),
            _ => Err(Fault::JsonKind("must be a JSON string")),
        },
    }
}

fn check_number(kind: PrimitiveKind, text: &str) -> Result<(), Fault> {
    let (holds, rule) = match kind {
        PrimitiveKind::PositiveInt => (is_positive_integer(text), "must be a whole number from 1 to 2147483647"),
        PrimitiveKind::UnsignedInt => (is_unsigned_integer(text), "must be a whole number from 0 to 2147483647"),
        PrimitiveKind::Integer => (
            is_integer(text),
            "must be a whole number from -2147483648 to 2147483647, without decimal point or exponent",
        ),
        _ => (is_decimal(text), "must be a decimal number such as 1.50"),
    };
    if holds { Ok(()) } else { Err(Fault::Format(rule)) }
}

/// Checks the text of a primitive type whose JSON form is a string.
pub fn check_text(kind: PrimitiveKind, text: &str) -> Result<(), Fault> {
    let (holds, rule) = match kind {
        PrimitiveKind::Date => {
            return DateTime::parse_date(text).map(|_| ()).map_err(|fault| Fault::Format(fault.text()));
        }
        PrimitiveKind::DateTime => {
            return DateTime::parse(text).map(|_| ()).map_err(|fault| Fault::Format(fault.text()));
        }
        PrimitiveKind::Instant => {
            return DateTime::parse_instant(text).map(|_| ()).map_err(|fault| Fault::Format(fault.text()));
        }
        PrimitiveKind::Time => {
            (Time::parse(text).is_ok(), "must be a time hh:mm:ss with optional fraction and no zone")
        }
        PrimitiveKind::Code => {
            (is_code(text), "must be a code: not empty, no space at either end, and only single spaces inside")
        }
        PrimitiveKind::Id => (is_id(text), "must be an id: 1 to 64 letters (A-Z, a-z), digits, hyphens and full stops"),
        PrimitiveKind::Uri | PrimitiveKind::Url | PrimitiveKind::Canonical => {
            (is_uri(text), "must be a URI: not empty and without spaces or line breaks")
        }
        PrimitiveKind::Oid => {
            (is_oid(text), "must be urn:oid: followed by an OID such as 1.2.3, without leading zeros")
        }
        PrimitiveKind::Uuid => (is_uuid(text), "must be urn:uuid: followed by a UUID in lower case"),
        PrimitiveKind::Base64Binary => {
            (is_base64(text), "must be base64: groups of four characters, padding with = only at the end")
        }
        _ => (
            is_string(text),
            "must be text of 1 to 1048576 characters that is not only white space and has no control characters but tab, \
             line feed and carriage return",
        ),
    };
    if holds { Ok(()) } else { Err(Fault::Format(rule)) }
}
