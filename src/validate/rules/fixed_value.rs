//! `fixed-value`: a value that the definition prescribes whole.

use serde_json::Value;

use crate::fhir::decimal::Decimal;
use crate::fhir::issue::IssueCode;

use crate::validate::run::{Focus, Origin, Place, Run};

/// Checks `fixed[x]`.
pub fn check<'a>(run: &mut Run<'_, 'a>, fixed: &Value, focus: Focus<'a>, place: Place<'_, 'a>, origin: Origin<'_>) {
    if focus.value.is_some_and(|value| !same(value, fixed)) {
        let text = format!("{} must be exactly {}.", origin.element, show(fixed));
        run.error(IssueCode::Value, "fixed-value", text, place.path, origin);
    }
}

/// Deep equality; numbers by value, members in any order.
#[must_use]
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            match (Decimal::parse(left.as_str()), Decimal::parse(right.as_str())) {
                (Some(left), Some(right)) => left.compare(&right).is_eq(),
                _ => false,
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, left)| right.get(key).is_some_and(|right| same(left, right)))
        }
        _ => left == right,
    }
}

/// A value of a definition, as text.
#[must_use]
pub fn show(value: &Value) -> String {
    match value {
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    }
}
