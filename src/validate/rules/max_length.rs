//! `max-length`: the greatest number of characters.

use serde_json::Value;

use crate::fhir::issue::IssueCode;

use crate::validate::run::{Focus, Origin, Place, Run};

/// Checks `maxLength`.
pub fn check<'a>(run: &mut Run<'_, 'a>, limit: u32, focus: Focus<'a>, place: Place<'_, 'a>, origin: Origin<'_>) {
    let Some(text) = focus.value.and_then(Value::as_str) else { return };
    let limit = limit as usize;
    if text.len() > limit && text.chars().count() > limit {
        let text = format!("{} has {} characters; at most {limit} are allowed.", origin.element, text.chars().count());
        run.error(IssueCode::TooLong, "max-length", text, place.path, origin);
    }
}
