//! `questionnaire-answer-option`: an answer is one of those that the question offers, its unit one of those allowed.

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member;
use crate::terminology::Membership;

use crate::validate::rules::fixed_value::same;
use crate::validate::run::{Origin, Place, Run};

use super::{Form, choice, extensions, list};

const RULE: &str = "questionnaire-answer-option";

/// Checks an answer against `answerOption` and `answerValueSet`. `place` is that of the answer, `at` that of the value.
pub fn check<'a>(
    run: &mut Run<'_, 'a>,
    form: &Form<'_, 'a>,
    definition: &Value,
    (suffix, value): (&str, &Value),
    place: Place<'_, 'a>,
    at: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    let is_open = member::text(definition, "type") == Some("open-choice");
    if is_open && suffix == "String" {
        return;
    }
    let offered = list(definition, "answerOption");
    let fits = if offered.is_empty() {
        member::text(definition, "answerValueSet").is_none_or(|set| is_member(run, form, set, value))
    } else {
        let options: Vec<(&str, &Value)> = offered.iter().filter_map(|option| choice(option, "value")).collect();
        let of_kind = |(kind, option): &(&str, &Value)| *kind == suffix && is_option(option, value);
        options.iter().any(of_kind) || (suffix == "String" && options.iter().all(|(kind, _)| *kind != "String"))
    };
    if !fits {
        let text = "The answer is none of those that the Questionnaire offers.".to_owned();
        let path = if suffix == "Coding" { place.path } else { at.path };
        run.error(IssueCode::CodeInvalid, RULE, text, path, origin);
    }
}

/// An option fits where it says the same; a Coding by system and code.
fn is_option(option: &Value, value: &Value) -> bool {
    match member::text(option, "code") {
        Some(code) => {
            let system = member::text(option, "system");
            member::text(value, "code") == Some(code) && (system.is_none() || member::text(value, "system") == system)
        }
        None if option.is_object() => super::super::pattern_value::contains(value, option),
        None => same(option, value),
    }
}

/// Whether a value set has the answer; what is not loaded, and value sets within the Questionnaire, are not judged.
fn is_member(run: &Run<'_, '_>, form: &Form<'_, '_>, set: &str, value: &Value) -> bool {
    let known = list(form.questionnaire, "contained").is_empty() || !set.starts_with('#');
    let (system, code) = match value {
        Value::String(code) => (None, Some(code.as_str())),
        _ => (Some(member::text(value, "system").unwrap_or_default()), member::text(value, "code")),
    };
    let Some(code) = code.filter(|_| known) else { return true };
    run.validator.terminology().member(set, system, code) != Membership::NotIn
}

/// Checks the unit of a quantity against the units and the value set of units that the question allows.
pub fn unit<'a>(run: &mut Run<'_, 'a>, definition: &Value, value: &Value, at: Place<'_, 'a>, origin: Origin<'_>) {
    let code = member::text(value, "code");
    let mut units = extensions(definition, "questionnaire-unitOption").peekable();
    let is_of_options = units.peek().is_none() || units.any(|option| is_option(option, value));
    let is_of_set = extensions(definition, "questionnaire-unitValueSet").filter_map(Value::as_str).all(|set| {
        let system = Some(member::text(value, "system").unwrap_or_default());
        code.is_some_and(|code| run.validator.terminology().member(set, system, code) != Membership::NotIn)
    });
    if !is_of_options || !is_of_set {
        let text = "The unit is none of those that the Questionnaire allows.".to_owned();
        run.error(IssueCode::CodeInvalid, RULE, text, at.path, origin);
    }
}
