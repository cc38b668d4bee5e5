//! What an evaluation works on: nodes of the resource, borrowed, and computed system values. Results are items too.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde_json::Value;

use super::node::Node;
use super::quantity::Quantity;
use super::temporal::{Temporal, TemporalKind};
use crate::fhir::types::{TypeIndex, Types};

/// One item of a collection. Thirty-two bytes, no heap for what is common.
#[derive(Debug, Clone)]
pub enum Item<'a> {
    /// An element of the resource.
    Node(Node<'a>),
    /// System.Boolean.
    Boolean(bool),
    /// System.Integer.
    Integer(i64),
    /// System.Decimal; trailing zeros are kept.
    Decimal(Decimal),
    /// System.String.
    Text(Cow<'a, str>),
    /// System.Date, System.DateTime or System.Time.
    Temporal(Temporal),
    /// System.Quantity.
    Quantity(Box<Quantity<'a>>),
    /// What `type()` returns.
    Type(TypeName),
}

/// The result of `type()`: `SimpleTypeInfo` or `ClassInfo` (<https://hl7.org/fhirpath/N1/#reflection>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeName {
    /// `System` or `FHIR`.
    pub namespace: &'static str,
    /// The name within it.
    pub name: &'static str,
}

impl<'a> Item<'a> {
    /// The root of a resource, or an element, whose type is known.
    #[must_use]
    pub const fn node(value: &'a Value, type_: TypeIndex) -> Self {
        Self::Node(Node::new(value, None, Some(type_)))
    }

    /// A resource; its type is what `resourceType` says, if `types` knows it.
    #[must_use]
    pub fn resource(value: &'a Value, types: &Types) -> Self {
        Self::Node(Node::resource(value, types))
    }

    /// The node, if it is one.
    #[must_use]
    pub const fn as_node(&self) -> Option<&Node<'a>> {
        match self {
            Self::Node(node) => Some(node),
            _ => None,
        }
    }

    /// The value as System types have it: a primitive node becomes its value, a Quantity node a quantity.
    /// Nothing for other complex nodes and for primitives without a value.
    #[must_use]
    pub fn system(&self, types: &Types) -> Option<Self> {
        match self {
            Self::Node(node) => node.system(types),
            other => Some(other.clone()),
        }
    }

    /// The text of a string or of a string-like node.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Node(node) => node.value().as_str(),
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The item as JSON, for results that leave the engine (FHIRPath Patch, tests, rule messages).
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Node(node) => node.value().clone(),
            Self::Boolean(value) => Value::Bool(*value),
            Self::Integer(value) => Value::from(*value),
            Self::Decimal(value) => serde_json::from_str(&value.to_string()).unwrap_or(Value::Null),
            other => Value::String(other.to_text().unwrap_or_default()),
        }
    }

    /// The text that `toString()` gives; nothing for complex nodes.
    #[must_use]
    pub fn to_text(&self) -> Option<String> {
        match self {
            Self::Node(_) => None,
            Self::Boolean(value) => Some(value.to_string()),
            Self::Integer(value) => Some(value.to_string()),
            Self::Decimal(value) => Some(value.to_string()),
            Self::Text(text) => Some(text.to_string()),
            Self::Temporal(temporal) => Some(temporal.to_string()),
            Self::Quantity(quantity) => Some(quantity.to_string()),
            Self::Type(name) => Some(format!("{}.{}", name.namespace, name.name)),
        }
    }

    /// How an error names the kind of the item.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Node(_) => "an element",
            Self::Boolean(_) => "a Boolean",
            Self::Integer(_) => "an Integer",
            Self::Decimal(_) => "a Decimal",
            Self::Text(_) => "a String",
            Self::Temporal(temporal) => match temporal.kind {
                TemporalKind::Date => "a Date",
                TemporalKind::DateTime => "a DateTime",
                TemporalKind::Time => "a Time",
            },
            Self::Quantity(_) => "a Quantity",
            Self::Type(_) => "a type",
        }
    }

    /// A text made at run time.
    pub(super) fn owned(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}
