//! Quantities: a number with a unit (<https://hl7.org/fhir/R4/search.html#quantity>). A search that names a UCUM unit compares in
//! base units, so that 1 g and 1000 mg match each other; any other compares units as written.

use serde_json::Value;

use super::number::{Bounds, real};
use super::{Shape, Sink, bounded};
use crate::fhirpath::CanonicalUnit;
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

/// System of UCUM units (<https://hl7.org/fhir/R4/valueset-ucum-units.html>).
const UCUM: &str = "http://unitsofmeasure.org";

/// Rows of a Quantity, Money, Range or SampledData: by the unit as written, and in base units where the unit is one of UCUM.
pub(super) fn index(shape: Shape, value: &Value, sink: &mut Sink<'_>) {
    match shape {
        Shape::Quantity => {
            add_units(sink, value, |read| Some(comparator_interval(value, read(value.get("value")?)?)));
        }
        Shape::Money => {
            if let Some(number) = value.get("value").and_then(real) {
                let currency = value.get("currency").and_then(Value::as_str).unwrap_or_default();
                add(sink, CURRENCIES, currency, number, number);
            }
        }
        Shape::Range => {
            let unit = value.get("low").or_else(|| value.get("high")).unwrap_or(&Value::Null);
            add_units(sink, unit, |read| {
                let end = |name: &str| read(value.get(name)?.get("value")?);
                match (end("low"), end("high")) {
                    (None, None) => None,
                    (low, high) => Some((low.unwrap_or(f64::MIN), high.unwrap_or(f64::MAX))),
                }
            });
        }
        Shape::SampledData => {
            if let Some((low, high)) = samples(value) {
                let number = |end: f64| serde_json::Number::from_f64(end).map_or(Value::Null, Value::Number);
                let (low, high) = (number(low), number(high));
                let unit = value.get("origin").unwrap_or(&Value::Null);
                add_units(sink, unit, |read| Some((read(&low)?, read(&high)?)));
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

/// The least and the greatest sample: `data` times `factor` from `origin` on; `L` and `U` stand for the limits.
fn samples(sampled: &Value) -> Option<(f64, f64)> {
    let number = |name: &str| sampled.get(name).and_then(real);
    let origin = sampled.get("origin").and_then(|origin| origin.get("value")).and_then(real)?;
    let factor = number("factor").unwrap_or(1.0);
    let sample = |text: &str| match text {
        "E" => None,
        "L" => number("lowerLimit"),
        "U" => number("upperLimit"),
        _ => text.parse::<f64>().ok().filter(|sample| sample.is_finite()),
    };
    let found = sampled.get("data")?.as_str()?.split_ascii_whitespace().filter_map(sample);
    let found = found.map(|sample| (origin + sample * factor, origin + sample * factor));
    found.reduce(|(low, high), (from, to)| (low.min(from), high.max(to)))
}

/// How a number of the element is read: as it stands, or in base units.
type Read<'a> = &'a dyn Fn(&Value) -> Option<f64>;

/// One row by the unit's code, one by its text where that differs, one in base units.
fn add_units(sink: &mut Sink<'_>, quantity: &Value, interval: impl Fn(Read<'_>) -> Option<(f64, f64)>) {
    let text = |name: &str| quantity.get(name).and_then(Value::as_str).unwrap_or_default();
    let (system, code, unit) = (text("system"), text("code"), text("unit"));
    let Some((low, high)) = interval(&real) else { return };
    if !code.is_empty() || unit.is_empty() {
        add(sink, system, code, low, high);
    }
    if !unit.is_empty() && unit != code {
        add(sink, "", unit, low, high);
    }
    if system == UCUM && !code.is_empty() {
        let canonical = CanonicalUnit::of(code);
        let converted = |number: &Value| canonical.convert(number.as_number()?.as_str());
        if let Some((low, high)) = interval(&converted) {
            let (parameter, code) = (sink.codes.canonical.clone(), bounded(canonical.code()));
            sink.rows.quantities.push(QuantityRow { parameter, system: String::new(), code, low, high });
        }
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

    /// The same quantity in base units, for the rows under `code:canonical`; none where the unit is not one of UCUM.
    #[must_use]
    pub fn canonical(text: &str) -> Option<Self> {
        let pieces: Vec<String> = Pieces::split(text, '|').collect();
        let [number, system, code] = pieces.as_slice() else { return None };
        if system != UCUM || code.is_empty() {
            return None;
        }
        let unit = CanonicalUnit::of(code);
        let bounds = Bounds::converted(number, |text| unit.convert(text), |number| unit.approximate(number)).ok()?;
        Some(Self { bounds, system: None, code: Some(bounded(unit.code())) })
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
