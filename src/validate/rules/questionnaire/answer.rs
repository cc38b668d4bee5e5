//! `questionnaire-answer-type`: an answer is of the type that the question asks for; then its limits and options.

use serde_json::Value;

use crate::fhir::issue::IssueCode;

use crate::validate::run::{Origin, Place, Run};

use super::{Form, choice, limits, list, options};

/// The suffixes of `value[x]` that answers to a type of question may have
/// (<https://hl7.org/fhir/R4/valueset-item-type.html>).
fn suffixes(type_: &str) -> &'static [&'static str] {
    match type_ {
        "boolean" => &["Boolean"],
        "decimal" => &["Decimal"],
        "integer" => &["Integer"],
        "date" => &["Date"],
        "dateTime" => &["DateTime"],
        "time" => &["Time"],
        "string" | "text" => &["String"],
        "url" => &["Uri"],
        "attachment" => &["Attachment"],
        "reference" => &["Reference"],
        "quantity" => &["Quantity"],
        "choice" | "open-choice" => &["Coding", "String", "Integer", "Date", "Time", "Reference"],
        _ => &[],
    }
}

/// Checks one answer.
pub fn check<'a>(
    run: &mut Run<'_, 'a>,
    form: &Form<'_, 'a>,
    definition: &Value,
    answer: &'a Value,
    place: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    let Some((suffix, value)) = choice(answer, "value") else { return };
    let type_ = super::member::text(definition, "type").unwrap_or_default();
    let name = run.validator.types().get(suffix).map_or_else(|| uncapitalised(suffix), |_| suffix.to_owned());
    let step = format!("value.ofType({name})");
    let path = place.path.element(&step);
    let place_of_value = place.with_path(&path);
    let allowed = suffixes(type_);
    if !allowed.is_empty() && !allowed.contains(&suffix) {
        let wanted: Vec<String> = allowed.iter().map(|suffix| format!("value{suffix}")).collect();
        let text =
            format!("The question is of type {type_}; its answer is {}, not value{suffix}.", wanted.join(" or "));
        return run.error(IssueCode::Structure, "questionnaire-answer-type", text, &path, origin);
    }
    limits::check(run, definition, value, place, place_of_value, origin);
    if !list(definition, "answerOption").is_empty() || super::member::has(definition, "answerValueSet") {
        options::check(run, form, definition, (suffix, value), place, place_of_value, origin);
    }
}

fn uncapitalised(suffix: &str) -> String {
    let mut letters = suffix.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
