//! `min-value`, `max-value`: numbers, dates, times and quantities between limits.

use std::borrow::Cow;
use std::cmp::Ordering;

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::fhir::decimal::Decimal as Number;
use crate::fhir::issue::IssueCode;
use crate::fhir::temporal::DateTime;
use crate::fhirpath::Quantity;

use crate::validate::run::{Focus, Origin, Place, Run};

use super::fixed_value::show;

const UCUM: &str = "http://unitsofmeasure.org";

/// Checks `minValue[x]`.
pub fn check_min<'a>(run: &mut Run<'_, 'a>, limit: &Value, focus: Focus<'a>, place: Place<'_, 'a>, origin: Origin<'_>) {
    if focus.value.and_then(|value| compare(value, limit)) == Some(Ordering::Less) {
        let text = format!("{} is below the least value allowed, {}.", origin.element, show(limit));
        run.error(IssueCode::Value, "min-value", text, place.path, origin);
    }
}

/// Checks `maxValue[x]`.
pub fn check_max<'a>(run: &mut Run<'_, 'a>, limit: &Value, focus: Focus<'a>, place: Place<'_, 'a>, origin: Origin<'_>) {
    if focus.value.and_then(|value| compare(value, limit)) == Some(Ordering::Greater) {
        let text = format!("{} is above the greatest value allowed, {}.", origin.element, show(limit));
        run.error(IssueCode::Value, "max-value", text, place.path, origin);
    }
}

/// How a value stands to a limit; none where they cannot be compared. Quantities where UCUM converts their units.
pub fn compare(value: &Value, limit: &Value) -> Option<Ordering> {
    match (value, limit) {
        (Value::Number(value), Value::Number(limit)) => {
            Some(Number::parse(value.as_str())?.compare(&Number::parse(limit.as_str())?))
        }
        (Value::String(value), Value::String(limit)) => compare_times(value, limit),
        (Value::Object(quantity), Value::Object(bound)) => amount(quantity)?.compare(&amount(bound)?),
        _ => None,
    }
}

/// A Quantity with a UCUM code, as FHIRPath has it; another system's codes compare where they are the same.
fn amount(quantity: &Map<String, Value>) -> Option<Quantity<'_>> {
    let Value::Number(value) = quantity.get("value")? else { return None };
    let text = |name: &str| quantity.get(name).and_then(Value::as_str);
    let (system, code) = (text("system")?, text("code")?);
    let unit = if system == UCUM { Cow::Borrowed(code) } else { Cow::Owned(format!("{system}|{code}")) };
    let number = value.as_str();
    let value = number.parse().or_else(|_| Decimal::from_scientific(number)).ok()?;
    Some(Quantity { value, unit, calendar: false })
}

fn compare_times(value: &str, limit: &str) -> Option<Ordering> {
    if let (Ok(value), Ok(limit)) = (DateTime::parse_partial(value), DateTime::parse_partial(limit)) {
        let ((value_low, value_high), (limit_low, limit_high)) = (value.interval(), limit.interval());
        return if value_high <= limit_low {
            Some(Ordering::Less)
        } else if value_low >= limit_high {
            Some(Ordering::Greater)
        } else {
            Some(Ordering::Equal)
        };
    }
    let is_time = |text: &str| text.as_bytes().get(2) == Some(&b':');
    (is_time(value) && is_time(limit)).then(|| value.cmp(limit))
}
