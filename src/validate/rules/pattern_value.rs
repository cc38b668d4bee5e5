//! `pattern-value`: a value must have at least what the pattern has.

use serde_json::Value;

use crate::fhir::issue::IssueCode;

use crate::validate::run::{Focus, Origin, Place, Run};

use super::fixed_value::{same, show};

/// Checks `pattern[x]`.
pub fn check<'a>(run: &mut Run<'_, 'a>, pattern: &Value, focus: Focus<'a>, place: Place<'_, 'a>, origin: Origin<'_>) {
    if focus.value.is_some_and(|value| !contains(value, pattern)) {
        let text = format!("{} must contain {}.", origin.element, show(pattern));
        run.error(IssueCode::Value, "pattern-value", text, place.path, origin);
    }
}

/// True where `value` has every member of `pattern`, and every item of each array somewhere in the array.
#[must_use]
pub fn contains(value: &Value, pattern: &Value) -> bool {
    match (value, pattern) {
        (Value::Object(value), Value::Object(pattern)) => {
            pattern.iter().all(|(key, pattern)| value.get(key).is_some_and(|value| contains(value, pattern)))
        }
        (Value::Array(value), Value::Array(pattern)) => {
            pattern.iter().all(|pattern| value.iter().any(|value| contains(value, pattern)))
        }
        _ => same(value, pattern),
    }
}
