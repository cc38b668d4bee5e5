//! `fixed-value`: a value that the definition prescribes whole.

use serde_json::Value;

use crate::fhir::decimal::Decimal;
use crate::fhir::issue::IssueCode;
use crate::fhir::path::Path;

use crate::validate::run::{Focus, Origin, Place, Run};

/// Checks `fixed[x]`.
pub fn check<'a>(run: &mut Run<'_, 'a>, fixed: &Value, focus: Focus<'a>, place: Place<'_, 'a>, origin: Origin<'_>) {
    if let Some(value) = focus.value.filter(|value| !same(value, fixed)) {
        differences(run, (value, fixed), place.path, origin);
    }
}

/// Reports where a value differs: each member that should not be there, and what is missing or another.
fn differences(run: &mut Run<'_, '_>, (value, fixed): (&Value, &Value), path: &Path<'_>, origin: Origin<'_>) {
    let (Value::Object(members), Value::Object(wanted)) = (value, fixed) else {
        let text = format!("{} must be exactly {}.", origin.element, show(fixed));
        return run.error(IssueCode::Value, "fixed-value", text, path, origin);
    };
    for (name, member) in members {
        match wanted.get(name) {
            Some(wanted) if same(member, wanted) => {}
            Some(wanted) => differences(run, (member, wanted), &path.element(name), origin),
            None => {
                let text = format!("{} must be exactly {}, without {name}.", origin.element, show(fixed));
                run.error(IssueCode::Value, "fixed-value", text, &path.element(name), origin);
            }
        }
    }
    if let Some((name, _)) = wanted.iter().find(|(name, _)| !members.contains_key(*name)) {
        let text = format!("{} must be exactly {}; {name} is missing.", origin.element, show(fixed));
        run.error(IssueCode::Value, "fixed-value", text, path, origin);
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
