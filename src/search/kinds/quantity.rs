//! Quantities: a number with a unit (<https://hl7.org/fhir/R4/search.html#quantity>). Units are compared as written; 1 g and
//! 1000 mg do not match each other.

use serde_json::Value;

use super::number::{Bounds, range, real};
use super::{Shape, Sink, bounded};
use crate::search::index::QuantityRow;
use crate::search::query::value::Pieces;
use crate::search::sql::builder::Sql;

/// What a quantity value asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// The number.
    pub bounds: Bounds,
    /// The system of the unit, where it counts.
    pub system: Option<String>,
    /// The unit's code, or its text, where it counts.
    pub code: Option<String>,
}

/// System of currency codes, which Money implies.
const CURRENCIES: &str = "urn:iso:std:iso:4217";

/// Rows of a Quantity, Money or Range.
pub(super) fn index(shape: Shape, value: &Value, sink: &mut Sink<'_>) {
    match shape {
        Shape::Quantity => {
            if let Some(number) = value.get("value").and_then(real) {
                let (low, high) = comparator_interval(value, number);
                add_units(sink, value, low, high);
            }
        }
        Shape::Money => {
            if let Some(number) = value.get("value").and_then(real) {
                let currency = value.get("currency").and_then(Value::as_str).unwrap_or_default();
                add(sink, CURRENCIES, currency, number, number);
            }
        }
        Shape::Range => {
            if let Some((low, high)) = range(value) {
                let unit = value.get("low").or_else(|| value.get("high")).unwrap_or(&Value::Null);
                add_units(sink, unit, low, high);
            }
        }
        _ => {}
    }
}

/// `< 5` is anything below 5, and so on.
fn comparator_interval(quantity: &Value, number: f64) -> (f64, f64) {
    match quantity.get("comparator").and_then(Value::as_str) {
        Some("<" | "<=") => (f64::MIN, number),
        Some(">" | ">=") => (number, f64::MAX),
        _ => (number, number),
    }
}

/// One row by the unit's code, and one by its text where that differs.
fn add_units(sink: &mut Sink<'_>, quantity: &Value, low: f64, high: f64) {
    let text = |name: &str| quantity.get(name).and_then(Value::as_str).unwrap_or_default();
    let (system, code, unit) = (text("system"), text("code"), text("unit"));
    if !code.is_empty() || unit.is_empty() {
        add(sink, system, code, low, high);
    }
    if !unit.is_empty() && unit != code {
        add(sink, "", unit, low, high);
    }
}

fn add(sink: &mut Sink<'_>, system: &str, code: &str, low: f64, high: f64) {
    let parameter = sink.codes.own.clone();
    sink.rows.quantities.push(QuantityRow { parameter, system: bounded(system), code: bounded(code), low, high });
}

impl Quantity {
    /// Reads `[prefix]number`, `[prefix]number|system|code` or `[prefix]number||code`. Errors say what is wrong with the value.
    pub fn parse(text: &str) -> Result<Self, String> {
        let pieces: Vec<String> = Pieces::split(text, '|').collect();
        let given = |text: &str| (!text.is_empty()).then(|| bounded(text));
        let (number, system, code) = match pieces.as_slice() {
            [number] => (number, None, None),
            [number, system, code] => (number, given(system), given(code)),
            _ => return Err("a quantity is `number`, `number|system|code` or `number||code`".to_owned()),
        };
        Ok(Self { bounds: Bounds::parse(number)?, system, code })
    }

    /// See [`super::Criterion::condition`].
    pub(super) fn condition(&self, alias: &str, sql: &mut Sql) {
        self.bounds.condition(alias, sql);
        if let Some(system) = &self.system {
            sql.push(&format!(" and {alias}.system = ")).text(system);
        }
        if let Some(code) = &self.code {
            sql.push(&format!(" and {alias}.code = ")).text(code);
        }
    }
}
