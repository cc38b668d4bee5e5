//! `questionnaire-answer-limit`: least and greatest values, lengths, formats, kinds of attachments and references, units.

use std::cmp::Ordering;

use regex::RegexBuilder;
use serde_json::Value;

use crate::fhir::decimal::Decimal;
use crate::fhir::issue::IssueCode;
use crate::fhir::member;
use crate::fhir::temporal::DateTime;

use crate::validate::rules::{reference, value_range};
use crate::validate::run::{Origin, Place, Run};

use super::{extensions, options};

const RULE: &str = "questionnaire-answer-limit";

/// Checks a value against the limits of its question. `place` is that of the answer, `at` that of the value.
pub fn check<'a>(
    run: &mut Run<'_, 'a>,
    definition: &Value,
    value: &'a Value,
    place: Place<'_, 'a>,
    at: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    range(run, definition, value, at, origin);
    match value {
        Value::String(text) => length(run, definition, text, at, origin),
        Value::Number(number) => digits(run, definition, number.as_str(), at, origin),
        Value::Object(_) => {
            attachment(run, definition, value, place, origin);
            target(run, definition, value, at, origin);
            options::unit(run, definition, value, at, origin);
        }
        _ => {}
    }
}

fn range<'a>(run: &mut Run<'_, 'a>, definition: &Value, value: &Value, at: Place<'_, 'a>, origin: Origin<'_>) {
    const LIMITS: [(&str, Ordering, &str); 4] = [
        ("minValue", Ordering::Less, "below the least"),
        ("maxValue", Ordering::Greater, "above the greatest"),
        ("minQuantity", Ordering::Less, "below the least"),
        ("maxQuantity", Ordering::Greater, "above the greatest"),
    ];
    for (url, wrong, words) in LIMITS {
        for limit in extensions(definition, url) {
            let text = match compare(value, limit) {
                Some(order) if order != wrong => continue,
                Some(_) => format!("The answer is {words} value that the Questionnaire allows."),
                None if limit.is_object() => format!(
                    "The answer cannot be compared with the {url} of the Questionnaire. Give a unit code that can."
                ),
                None => continue,
            };
            run.error(IssueCode::Value, RULE, text, at.path, origin);
        }
    }
}

/// How an answer stands to a limit: numbers, times by where they begin, quantities of units that convert into each other.
pub fn compare(value: &Value, limit: &Value) -> Option<Ordering> {
    match (value, limit) {
        (Value::Number(value), Value::Number(limit)) => {
            Some(Decimal::parse(value.as_str())?.compare(&Decimal::parse(limit.as_str())?))
        }
        (Value::String(value), Value::String(limit)) => {
            match (DateTime::parse_partial(value), DateTime::parse_partial(limit)) {
                (Ok(value), Ok(limit)) => Some(value.interval().0.cmp(&limit.interval().0)),
                _ => value_range::compare(&Value::from(value.as_str()), &Value::from(limit.as_str())),
            }
        }
        (Value::Object(_), Value::Object(_)) => value_range::compare(value, limit),
        _ => None,
    }
}

fn length<'a>(run: &mut Run<'_, 'a>, definition: &Value, text: &str, at: Place<'_, 'a>, origin: Origin<'_>) {
    let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    let most = member::member(definition, "maxLength").and_then(Value::as_u64);
    let least = extensions(definition, "minLength").find_map(Value::as_u64);
    if let Some(most) = most.filter(|most| length > *most) {
        let text = format!("The answer is longer than the {most} characters that the Questionnaire allows.");
        run.error(IssueCode::Value, RULE, text, at.path, origin);
    }
    if let Some(least) = least.filter(|least| length < *least) {
        let text = format!("The answer is shorter than the {least} characters that the Questionnaire demands.");
        run.error(IssueCode::Value, RULE, text, at.path, origin);
    }
    for source in extensions(definition, "regex").filter_map(Value::as_str) {
        // The whole answer must match; a pattern that does not compile (or is huge) says nothing.
        let pattern = RegexBuilder::new(&format!("^(?:{source})$")).size_limit(1 << 18).build();
        if pattern.is_ok_and(|pattern| !pattern.is_match(text)) {
            let text = format!("The answer has not the format that the Questionnaire demands: {source}");
            run.error(IssueCode::Value, RULE, text, at.path, origin);
        }
    }
}

fn digits<'a>(run: &mut Run<'_, 'a>, definition: &Value, number: &str, at: Place<'_, 'a>, origin: Origin<'_>) {
    let most = extensions(definition, "maxDecimalPlaces").find_map(Value::as_i64);
    let found = Decimal::parse(number).map_or(0, |number| number.scale());
    if let Some(most) = most.filter(|most| found > *most) {
        let text = format!("The answer has more than the {most} decimal places that the Questionnaire allows.");
        run.error(IssueCode::Value, RULE, text, at.path, origin);
    }
}

fn attachment<'a>(run: &mut Run<'_, 'a>, definition: &Value, value: &Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let allowed: Vec<&str> = extensions(definition, "mimeType").filter_map(Value::as_str).collect();
    let found = member::text(value, "contentType");
    if !allowed.is_empty() && found.is_some_and(|found| !allowed.contains(&found)) {
        let text = format!("The attachment is of another kind than the Questionnaire allows: {}.", allowed.join(", "));
        run.error(IssueCode::Value, RULE, text, place.path, origin);
    }
    let most = extensions(definition, "maxSize").find_map(Value::as_f64);
    let size = member::member(value, "size").and_then(Value::as_f64);
    // The extension counts in megabytes.
    if most.zip(size).is_some_and(|(most, size)| size > most * 1_048_576.0) {
        let text = "The attachment is larger than the Questionnaire allows.".to_owned();
        run.error(IssueCode::Value, RULE, text, place.path, origin);
    }
}

fn target<'a>(run: &mut Run<'_, 'a>, definition: &Value, value: &'a Value, at: Place<'_, 'a>, origin: Origin<'_>) {
    let allowed: Vec<&str> =
        extensions(definition, "questionnaire-referenceResource").filter_map(Value::as_str).collect();
    if allowed.is_empty() {
        return;
    }
    let found = reference::type_by_reference(run, value, at);
    if found.is_some_and(|found| !allowed.contains(&found)) {
        let text = format!("The answer refers to another type than the Questionnaire allows: {}.", allowed.join(", "));
        run.error(IssueCode::Structure, RULE, text, at.path, origin);
    }
}
