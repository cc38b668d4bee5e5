//! The search types, one file each: how a typed element becomes index rows, how a value in a query becomes a criterion, and how a
//! criterion becomes a condition on the rows of its table.

pub mod composite;
pub mod date;
pub mod hierarchy;
pub mod number;
pub mod place;
pub mod quantity;
pub mod reference;
pub mod shape;
pub mod string;
pub mod token;
pub mod uri;
pub mod words;

use crate::search::index::{IndexRows, ParameterCode};
use crate::search::sql::builder::Sql;

pub use crate::fhir::definitions::SearchKind as Kind;
pub use shape::Shape;

impl Kind {
    /// The FHIR code of the type (<https://hl7.org/fhir/R4/valueset-search-param-type.html>).
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Date => "date",
            Self::String => "string",
            Self::Token => "token",
            Self::Reference => "reference",
            Self::Composite => "composite",
            Self::Quantity => "quantity",
            Self::Uri => "uri",
            Self::Special => "special",
        }
    }

    /// The table that holds this type's rows; none where there is none of its own.
    #[must_use]
    pub const fn table(self) -> Option<Table> {
        match self {
            Self::Number => Some(Table::Number),
            Self::Date => Some(Table::Date),
            Self::String => Some(Table::String),
            Self::Token => Some(Table::Token),
            Self::Reference => Some(Table::Reference),
            Self::Quantity => Some(Table::Quantity),
            Self::Uri => Some(Table::Uri),
            Self::Composite => Some(Table::Component),
            Self::Special => Some(Table::Place),
        }
    }
}

/// An index table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Table {
    /// `index_token`
    Token,
    /// `index_string`
    String,
    /// `index_date`
    Date,
    /// `index_number`
    Number,
    /// `index_quantity`
    Quantity,
    /// `index_reference`
    Reference,
    /// `index_uri`
    Uri,
    /// `index_component`
    Component,
    /// `index_place`
    Place,
    /// `index_text`
    Text,
}

impl Table {
    /// The name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "index_token",
            Self::String => "index_string",
            Self::Date => "index_date",
            Self::Number => "index_number",
            Self::Quantity => "index_quantity",
            Self::Reference => "index_reference",
            Self::Uri => "index_uri",
            Self::Component => "index_component",
            Self::Place => "index_place",
            Self::Text => "index_text",
        }
    }

    /// True if resources can be sorted by their rows in it.
    #[must_use]
    pub const fn has_order(self) -> bool {
        !matches!(self, Self::Component | Self::Place | Self::Text)
    }
}

/// The codes under which one parameter's rows are kept: its own, and the pseudo-codes of what is searched by a modifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codes {
    /// The parameter's code.
    pub own: ParameterCode,
    /// `code:text`: displays and texts of codes, string rows.
    pub text: ParameterCode,
    /// `code:of-type`: identifiers by their type, token rows with system = `type system|type code`.
    pub of_type: ParameterCode,
    /// `code:identifier`: logical references, token rows.
    pub identifier: ParameterCode,
    /// `code:canonical`: quantities in the base units of UCUM, quantity rows.
    pub canonical: ParameterCode,
}

impl Codes {
    /// The codes of a parameter.
    #[must_use]
    pub fn new(code: &str) -> Self {
        let with = |suffix: &str| format!("{code}:{suffix}").into();
        Self {
            own: code.into(),
            text: with("text"),
            of_type: with("of-type"),
            identifier: with("identifier"),
            canonical: with("canonical"),
        }
    }
}

/// Where the rows of one parameter go while a resource is read.
#[derive(Debug)]
pub struct Sink<'a> {
    /// The rows of the resource so far.
    pub rows: &'a mut IndexRows,
    /// The parameter's codes.
    pub codes: &'a Codes,
    /// Base URL of this server without a slash at its end; references below it are local.
    pub base: &'a str,
}

impl Kind {
    /// Adds the rows that `value`, an element of type `shape`, means for a parameter of this type. Elements of unexpected shape
    /// add nothing.
    pub fn index(self, shape: Shape, value: &serde_json::Value, sink: &mut Sink<'_>) {
        match self {
            Self::Token => token::index(shape, value, sink),
            Self::String => string::index(shape, value, sink),
            Self::Date => date::index(shape, value, sink),
            Self::Number => number::index(shape, value, sink),
            Self::Quantity => quantity::index(shape, value, sink),
            Self::Reference => reference::index(shape, value, sink),
            Self::Uri => uri::index(shape, value, sink),
            Self::Special => place::index(shape, value, sink),
            Self::Composite => {}
        }
    }
}

/// What one value of a query asks of an index row.
#[derive(Debug, Clone, PartialEq)]
pub enum Criterion {
    /// On `index_token`.
    Token(token::Token),
    /// On `index_token`: one of several codes.
    Codes(token::Codes),
    /// On `index_string`.
    String(string::Text),
    /// On `index_date`.
    Date(date::Span),
    /// On `index_number`.
    Number(number::Bounds),
    /// On `index_quantity`.
    Quantity(quantity::Quantity),
    /// On `index_reference`.
    Reference(reference::Target),
    /// On `index_reference`: one of the relatives in a hierarchy.
    Hierarchy(hierarchy::Hierarchy),
    /// On `index_uri`.
    Uri(uri::Uri),
    /// On `index_component`.
    Composite(composite::Composite),
    /// On `index_place`.
    Place(place::Near),
    /// On `index_text`.
    Words(words::Words),
    /// On the table of the criterion that must not hold for the row.
    Not(Box<Criterion>),
}

impl Criterion {
    /// Writes the condition that a row of the criterion's table, known as `alias`, must meet.
    pub fn condition(&self, alias: &str, sql: &mut Sql) {
        match self {
            Self::Token(token) => token.condition(alias, sql),
            Self::Codes(codes) => codes.condition(alias, sql),
            Self::String(text) => text.condition(alias, sql),
            Self::Date(span) => span.condition(&format!("{alias}.low"), &format!("{alias}.high"), sql),
            Self::Number(bounds) => bounds.condition(alias, sql),
            Self::Quantity(quantity) => quantity.condition(alias, sql),
            Self::Reference(target) => target.condition(alias, sql),
            Self::Hierarchy(hierarchy) => hierarchy.condition(alias, sql),
            Self::Uri(uri) => uri.condition(alias, sql),
            Self::Composite(composite) => composite.condition(alias, sql),
            Self::Place(near) => near.condition(alias, sql),
            Self::Words(words) => words.condition(alias, sql),
            Self::Not(criterion) => {
                sql.push("not (");
                criterion.condition(alias, sql);
                sql.push(")");
            }
        }
    }
}

/// The longest text kept whole in an index row, in bytes: an index entry of PostgreSQL holds at most 2,704 bytes.
const LONGEST: usize = 900;

/// The form of `text` that index rows and criteria use: itself, or if it is very long its beginning and a hash of the whole.
#[must_use]
pub fn bounded(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let start = text.char_indices().map(|(at, _)| at).take_while(|at| *at < LONGEST - 20).last().unwrap_or(0);
    format!("{}…{:016x}", text.get(..start).unwrap_or_default(), hash(text))
}

/// FNV-1a, which stays the same from build to build.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
