//! An element of the resource as FHIRPath sees it: the JSON value, for primitives the sibling `_name` with id and
//! extensions, and the type where it is known. Everything is borrowed.

use std::borrow::Cow;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde_json::{Map, Number, Value};

use super::item::Item;
use super::quantity::Quantity;
use super::temporal::Temporal;
use crate::fhir::types::{PrimitiveKind, TypeIndex, TypeKind, Types};

/// Stands for a primitive without a value, and for a resource of which only the type is known.
pub(super) static NULL: Value = Value::Null;

/// A borrowed element.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    value: &'a Value,
    sibling: Option<&'a Value>,
    type_: Option<TypeIndex>,
}

impl<'a> Node<'a> {
    /// An element with its `_name` sibling and its type, where there are such.
    #[must_use]
    pub const fn new(value: &'a Value, sibling: Option<&'a Value>, type_: Option<TypeIndex>) -> Self {
        Self { value, sibling, type_ }
    }

    /// A resource; its type is what `resourceType` says, if `types` knows it.
    #[must_use]
    pub fn resource(value: &'a Value, types: &Types) -> Self {
        Self::new(value, None, resource_type(value, types))
    }

    /// The JSON value; `null` for a primitive that has only extensions.
    #[must_use]
    pub const fn value(&self) -> &'a Value {
        self.value
    }

    /// The sibling that holds id and extensions of a primitive.
    #[must_use]
    pub const fn sibling(&self) -> Option<&'a Value> {
        self.sibling
    }

    /// The type, where it is known.
    #[must_use]
    pub const fn type_index(&self) -> Option<TypeIndex> {
        self.type_
    }

    /// Whether both are the same place in the same resource.
    #[must_use]
    pub fn same_place(&self, other: &Self) -> bool {
        let siblings = match (self.sibling, other.sibling) {
            (Some(one), Some(two)) => std::ptr::eq(one, two),
            (None, None) => true,
            _ => false,
        };
        siblings && std::ptr::eq(self.value, other.value) && !self.value.is_null()
    }

    /// The element as a system value, see [`Item::system`].
    #[must_use]
    pub fn system(&self, types: &Types) -> Option<Item<'a>> {
        match self.value {
            Value::Null | Value::Array(_) => None,
            Value::Bool(value) => Some(Item::Boolean(*value)),
            Value::Number(number) => number_item(number, self.primitive(types) == Some(PrimitiveKind::Decimal)),
            Value::String(text) => Some(self.text_item(text, types)),
            Value::Object(map) => self.quantity(map, types).map(|quantity| Item::Quantity(Box::new(quantity))),
        }
    }

    /// The primitive kind, where the type is known and primitive.
    pub(super) fn primitive(&self, types: &Types) -> Option<PrimitiveKind> {
        match types.definition(self.type_?).kind {
            TypeKind::Primitive(kind) => Some(kind),
            _ => None,
        }
    }

    /// Whether the element is a primitive: by its type, or by its JSON where the type is unknown.
    pub(super) fn is_primitive(&self, types: &Types) -> bool {
        match self.type_ {
            Some(own) => matches!(types.definition(own).kind, TypeKind::Primitive(_)),
            None => !self.value.is_object() && !self.value.is_array(),
        }
    }

    fn text_item(&self, text: &'a str, types: &Types) -> Item<'a> {
        let temporal = match self.primitive(types) {
            Some(PrimitiveKind::Date) => Temporal::parse_date(text),
            Some(PrimitiveKind::DateTime | PrimitiveKind::Instant) => Temporal::parse_date_time(text),
            Some(PrimitiveKind::Time) => Temporal::parse_time(text),
            _ => None,
        };
        temporal.map_or(Item::Text(Cow::Borrowed(text)), Item::Temporal)
    }

    /// FHIR's Quantity as System.Quantity (<https://hl7.org/fhir/R4/fhirpath.html#quantity>). A comparator makes the
    /// value a bound, not a value; a unit without a code can only be compared with the same words.
    fn quantity(&self, map: &'a Map<String, Value>, types: &Types) -> Option<Quantity<'a>> {
        let quantity = types.get("Quantity")?;
        if !self.type_.is_some_and(|type_| type_ == quantity || types.is_subtype(type_, quantity)) {
            return None;
        }
        if map.contains_key("comparator") {
            return None;
        }
        let value = decimal(map.get("value")?.as_number()?)?;
        let unit = map.get("code").or_else(|| map.get("unit")).and_then(Value::as_str).unwrap_or("1");
        Some(Quantity { value, unit: Cow::Borrowed(unit), calendar: false })
    }
}

/// The type that `resourceType` names.
pub(super) fn resource_type(value: &Value, types: &Types) -> Option<TypeIndex> {
    types.get(value.get("resourceType")?.as_str()?)
}

fn number_item<'a>(number: &Number, is_decimal: bool) -> Option<Item<'a>> {
    match number.as_i64() {
        Some(integer) if !is_decimal => Some(Item::Integer(integer)),
        _ => decimal(number).map(Item::Decimal),
    }
}

/// A JSON number as a decimal with its scale; nothing where it has more digits than can be calculated with.
pub(super) fn decimal(number: &Number) -> Option<Decimal> {
    let text = number.to_string();
    if text.contains(['e', 'E']) { Decimal::from_scientific(&text).ok() } else { Decimal::from_str(&text).ok() }
}
