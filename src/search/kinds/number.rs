//! Numbers, compared with the precision they are written in (<https://hl7.org/fhir/R4/search.html#number>).

use serde_json::Value;

use super::{Shape, Sink};
use crate::fhir::decimal::Decimal;
use crate::search::index::NumberRow;
use crate::search::query::value::Prefix;
use crate::search::sql::builder::Sql;

/// What a number value asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The comparison.
    pub prefix: Prefix,
    /// The value itself.
    pub value: f64,
    /// Lowest number that rounds to the value (or is near it, for `ap`).
    pub low: f64,
    /// Highest number that rounds to the value; itself excluded where `low` differs.
    pub high: f64,
}

/// Rows of a number or Range.
pub(super) fn index(shape: Shape, value: &Value, sink: &mut Sink<'_>) {
    let interval = match shape {
        Shape::Number => real(value).map(|number| (number, number)),
        Shape::Range => range(value),
        _ => None,
    };
    if let Some((low, high)) = interval {
        sink.rows.numbers.push(NumberRow { parameter: sink.codes.own.clone(), low, high });
    }
}

/// The number in a JSON value, as near as a double comes.
pub(super) fn real(value: &Value) -> Option<f64> {
    value.as_number()?.as_f64().filter(|number| number.is_finite())
}

/// Lowest and highest value of a Range; an absent end is open.
pub(super) fn range(range: &Value) -> Option<(f64, f64)> {
    let end = |name: &str| range.get(name).and_then(|quantity| quantity.get("value")).and_then(real);
    match (end("low"), end("high")) {
        (None, None) => None,
        (low, high) => Some((low.unwrap_or(f64::MIN), high.unwrap_or(f64::MAX))),
    }
}

impl Bounds {
    /// Reads a number with an optional prefix. Errors say what is wrong with the value.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::converted(text, |number| number.parse::<f64>().ok(), |number| number)
    }

    /// As [`Bounds::parse`], each number taken through `exact` (decimal text) or, where it was computed, through `near`.
    pub(super) fn converted(
        text: &str,
        exact: impl Fn(&str) -> Option<f64>,
        near: impl Fn(f64) -> f64,
    ) -> Result<Self, String> {
        let (prefix, digits) = Prefix::split(text);
        let wrong =
            || "a number is digits with an optional sign, fraction and exponent, for example 5.40 or 1e2".to_owned();
        let decimal = Decimal::parse(digits).ok_or_else(wrong)?;
        let (low, high) = decimal.significance();
        let plain = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite()).ok_or_else(wrong);
        let read = |text: &str| exact(text).filter(|number| number.is_finite()).ok_or_else(wrong);
        if prefix != Prefix::Ap {
            return Ok(Self { prefix, value: read(digits)?, low: read(&low)?, high: read(&high)? });
        }
        let (value, low, high) = (plain(digits)?, plain(&low)?, plain(&high)?);
        let slack = (value.abs() / 10.0).max((high - low) / 2.0);
        Ok(Self { prefix, value: read(digits)?, low: near(value - slack), high: near(value + slack) })
    }

    /// See [`super::Criterion::condition`].
    pub(super) fn condition(&self, alias: &str, sql: &mut Sql) {
        let compare = |sql: &mut Sql, column: &str, operator: &str, number: f64| {
            sql.push(&format!("{alias}.{column} {operator} ")).real(number);
        };
        let mut both = |first: (&str, &str, f64), word: &str, second: (&str, &str, f64)| {
            sql.push("(");
            compare(sql, first.0, first.1, first.2);
            sql.push(word);
            compare(sql, second.0, second.1, second.2);
            sql.push(")");
        };
        match self.prefix {
            Prefix::Eq => both(("low", ">=", self.low), " and ", ("high", "<", self.high)),
            Prefix::Ne => both(("low", "<", self.low), " or ", ("high", ">=", self.high)),
            Prefix::Ap => both(("low", "<=", self.high), " and ", ("high", ">=", self.low)),
            Prefix::Gt => compare(sql, "high", ">", self.value),
            Prefix::Lt => compare(sql, "low", "<", self.value),
            Prefix::Ge => compare(sql, "high", ">=", self.value),
            Prefix::Le => compare(sql, "low", "<=", self.value),
            Prefix::Sa => compare(sql, "low", ">", self.value),
            Prefix::Eb => compare(sql, "high", "<", self.value),
        }
    }
}
