//! SearchParameter. <https://hl7.org/fhir/R4/searchparameter.html>

use serde_json::Value;

use super::parse::{flag, items, text, text_or_empty, texts};

/// The type of a search parameter (<https://hl7.org/fhir/R4/search.html#ptypes>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SearchKind {
    /// Numbers.
    Number,
    /// Dates and times.
    Date,
    /// Text.
    String,
    /// Codes and identifiers.
    Token,
    /// References.
    Reference,
    /// Several parameters about one thing.
    Composite,
    /// Measured amounts.
    Quantity,
    /// Uris.
    Uri,
    /// Logic of its own.
    Special,
}

/// A search parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchParameter {
    /// Canonical url.
    pub url: String,
    /// Name in the query string.
    pub code: String,
    /// Resource types it is defined for; may be `Resource` or `DomainResource`.
    pub base: Vec<String>,
    /// Its type.
    pub kind: SearchKind,
    /// FHIRPath to the values.
    pub expression: Option<String>,
    /// Resource types a reference may point to.
    pub target: Vec<String>,
    /// The parts of a composite.
    pub components: Vec<Component>,
    /// Several values with a comma are allowed.
    pub multiple_or: bool,
    /// Repeating the parameter is allowed.
    pub multiple_and: bool,
    /// Prefixes that are allowed; empty for all of the type.
    pub comparators: Vec<String>,
    /// Modifiers that are allowed; empty for all of the type.
    pub modifiers: Vec<String>,
}

/// A part of a composite search parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Canonical of the search parameter that says the type.
    pub definition: String,
    /// FHIRPath relative to the composite.
    pub expression: String,
}

impl SearchParameter {
    /// Reads a SearchParameter resource or its facts; `None` where url, code or type are missing.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        let kind = match value.get("type")?.as_str()? {
            "number" => SearchKind::Number,
            "date" => SearchKind::Date,
            "string" => SearchKind::String,
            "token" => SearchKind::Token,
            "reference" => SearchKind::Reference,
            "composite" => SearchKind::Composite,
            "quantity" => SearchKind::Quantity,
            "uri" => SearchKind::Uri,
            "special" => SearchKind::Special,
            _ => return None,
        };
        Some(Self {
            url: text(value, "url")?,
            code: text(value, "code")?,
            base: texts(value, "base"),
            kind,
            expression: text(value, "expression"),
            target: texts(value, "target"),
            components: items(value, "component").iter().map(component).collect(),
            multiple_or: flag(value, "multipleOr").unwrap_or(true),
            multiple_and: flag(value, "multipleAnd").unwrap_or(true),
            comparators: texts(value, "comparator"),
            modifiers: texts(value, "modifier"),
        })
    }
}

fn component(value: &Value) -> Component {
    Component { definition: text_or_empty(value, "definition"), expression: text_or_empty(value, "expression") }
}
