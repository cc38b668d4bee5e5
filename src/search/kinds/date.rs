//! Dates, times and periods as intervals (<https://hl7.org/fhir/R4/search.html#date>).

use std::borrow::Cow;

use serde_json::Value;

use super::{Shape, Sink};
use crate::clock::Micros;
use crate::fhir::temporal::DateTime;
use crate::search::index::DateRow;
use crate::search::query::value::Prefix;
use crate::search::sql::builder::Sql;

/// What a date value asks for: how the interval of a row stands to the interval of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The comparison.
    pub prefix: Prefix,
    /// First instant of the value.
    pub low: Micros,
    /// First instant after the value.
    pub high: Micros,
}

/// Rows of a date, dateTime, instant, Period or Timing.
pub(super) fn index(shape: Shape, value: &Value, sink: &mut Sink<'_>) {
    match shape {
        Shape::Date => add(sink, interval(value)),
        Shape::Period => add(sink, period(value)),
        Shape::Timing => add(sink, timing(value)),
        _ => {}
    }
}

fn add(sink: &mut Sink<'_>, interval: Option<(Micros, Micros)>) {
    if let Some((low, high)) = interval {
        sink.rows.dates.push(DateRow { parameter: sink.codes.own.clone(), low, high });
    }
}

fn interval(value: &Value) -> Option<(Micros, Micros)> {
    DateTime::parse(value.as_str()?).ok().map(|date| date.interval())
}

/// An absent end is open: the period reaches as far as time does.
fn period(period: &Value) -> Option<(Micros, Micros)> {
    let (start, end) = (period.get("start").and_then(interval), period.get("end").and_then(interval));
    match (start, end) {
        (None, None) => None,
        (start, end) => {
            let low = start.map_or(Micros::MIN, |(low, _)| low);
            Some((low, end.map_or(Micros::MAX, |(_, high)| high).max(low)))
        }
    }
}

/// From the first event or bound to the last: only the outer limits of a Timing count.
fn timing(timing: &Value) -> Option<(Micros, Micros)> {
    let events = timing.get("event").and_then(Value::as_array).into_iter().flatten().filter_map(interval);
    let bounds = timing.get("repeat").and_then(|repeat| repeat.get("boundsPeriod")).and_then(period);
    events.chain(bounds).reduce(|(low, high), (from, to)| (low.min(from), high.max(to)))
}

/// A plus sign that was not escaped in a URL arrives as a space; in a date it can mean nothing else.
fn with_plus(text: &str) -> Cow<'_, str> {
    if text.contains('T') { Cow::Owned(text.replace(' ', "+")) } else { Cow::Borrowed(text) }
}

impl Span {
    /// Reads a date with an optional prefix; `now` widens `ap`. Errors say what is wrong with the value.
    pub fn parse(text: &str, now: Micros) -> Result<Self, String> {
        let (prefix, text) = Prefix::split(text);
        let date = DateTime::parse_partial(&with_plus(text)).map_err(|fault| {
            format!(
                "The value {}. A search takes YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm[:ss[.fff]][zone].",
                fault.text()
            )
        })?;
        let (low, high) = date.interval();
        if prefix != Prefix::Ap {
            return Ok(Self { prefix, low, high });
        }
        // The specification suggests a tenth of the distance between the value and now.
        let slack = (now.saturating_sub(low) / 10).saturating_abs();
        Ok(Self { prefix, low: low.saturating_sub(slack), high: high.saturating_add(slack) })
    }

    /// Writes the comparison of the interval in columns `low` and `high` with this value.
    pub fn condition(&self, low: &str, high: &str, sql: &mut Sql) {
        match self.prefix {
            Prefix::Eq => {
                sql.push(&format!("{low} >= ")).integer(self.low);
                sql.push(&format!(" and {low} < ")).integer(self.high);
                sql.push(&format!(" and {high} <= ")).integer(self.high);
            }
            Prefix::Ne => {
                sql.push(&format!("({low} < ")).integer(self.low);
                sql.push(&format!(" or {high} > ")).integer(self.high).push(")");
            }
            Prefix::Gt => {
                sql.push(&format!("{high} > ")).integer(self.high);
            }
            Prefix::Lt => {
                sql.push(&format!("{low} < ")).integer(self.low);
            }
            Prefix::Ge => {
                sql.push(&format!("({high} > ")).integer(self.high);
                sql.push(&format!(" or {low} >= ")).integer(self.low).push(")");
            }
            Prefix::Le => {
                sql.push(&format!("({low} < ")).integer(self.low);
                sql.push(&format!(" or {high} <= ")).integer(self.high).push(")");
            }
            Prefix::Sa => {
                sql.push(&format!("{low} >= ")).integer(self.high);
            }
            Prefix::Eb => {
                sql.push(&format!("{high} <= ")).integer(self.low);
            }
            Prefix::Ap => {
                sql.push(&format!("{low} < ")).integer(self.high);
                sql.push(&format!(" and {high} > ")).integer(self.low);
            }
        }
    }
}
