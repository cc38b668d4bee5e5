//! `binding-required`, `binding-extensible`, `binding-preferred`, `terminology-unloaded`: codes against value sets
//! (<https://hl7.org/fhir/R4/terminologies.html#strength>).

use serde_json::Value;

use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::language;
use crate::fhir::member::{self, has, text};
use crate::terminology::{self, CompiledValueSet, Membership};

use super::language_tag;
use crate::validate::rule::{Binding, Strength};
use crate::validate::run::{Focus, Origin, Place, Run};

/// What the codes of one value came to.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// One of them is in the value set.
    Member,
    /// None is.
    Stranger,
    /// None is for certain; this code system or value set is not loaded.
    Unloaded(String),
    /// There is no code.
    NoCode,
}

/// Checks a coded value against its binding.
pub fn check<'a>(run: &mut Run<'_, 'a>, binding: &Binding, focus: Focus<'a>, place: Place<'_, 'a>, origin: Origin<'_>) {
    let Some(value) = focus.value else {
        // Extensions say why there is no code, which does not make it one.
        if binding.strength == Strength::Required && focus.type_ == run.validator.known().code {
            let text = format!("{} must be a code of value set {}.", origin.element, binding.value_set);
            run.error(IssueCode::CodeInvalid, "binding-required", text, place.path, origin);
        }
        return;
    };
    if value.is_string() && origin.element.ends_with("[x]") && focus.type_ != run.validator.known().code {
        // The binding of a choice speaks of its coded types.
        return;
    }
    let Some(set) = compiled(run, binding, 0) else {
        return report_unloaded(run, binding, &binding.value_set, place, origin);
    };
    match outcome(set, value) {
        Outcome::Member => {}
        Outcome::Unloaded(missing) => report_unloaded(run, binding, &missing, place, origin),
        Outcome::Stranger => stranger(run, binding, set, value, place, origin),
        Outcome::NoCode => no_code(run, binding, value, place, origin),
    }
}

/// True where a value (code, Coding, CodeableConcept) has a code of the value set for certain.
#[must_use]
pub fn has_member(run: &Run<'_, '_>, binding: &Binding, value: &Value) -> bool {
    compiled(run, binding, 0).is_some_and(|set| outcome(set, value) == Outcome::Member)
}

fn compiled<'b>(run: &Run<'_, '_>, binding: &'b Binding, which: usize) -> Option<&'b CompiledValueSet> {
    let canonical = if which == 0 { Some(&binding.value_set) } else { binding.max_value_set.as_ref() }?;
    binding.compiled[which].get_or_init(|| run.validator.terminology().compiled(canonical)).as_deref()
}

fn outcome(set: &CompiledValueSet, value: &Value) -> Outcome {
    match value {
        Value::String(code) => of(set.member(None, code)),
        Value::Object(object) => match member::of(object, "coding") {
            Some(Value::Array(codings)) => {
                codings.iter().map(|coding| of_coding(set, coding)).reduce(better).unwrap_or(Outcome::NoCode)
            }
            Some(_) => Outcome::NoCode,
            None => of_coding(set, value),
        },
        _ => Outcome::NoCode,
    }
}

fn of_coding(set: &CompiledValueSet, coding: &Value) -> Outcome {
    match text(coding, "code") {
        Some(code) => of(set.member(Some(text(coding, "system").unwrap_or_default()), code)),
        None => Outcome::NoCode,
    }
}

fn of(membership: Membership) -> Outcome {
    match membership {
        Membership::In => Outcome::Member,
        Membership::NotIn => Outcome::Stranger,
        Membership::Unknown { missing } => Outcome::Unloaded(missing),
    }
}

fn better(left: Outcome, right: Outcome) -> Outcome {
    const fn rank(outcome: &Outcome) -> u8 {
        match outcome {
            Outcome::Member => 0,
            Outcome::Unloaded(_) => 1,
            Outcome::Stranger => 2,
            Outcome::NoCode => 3,
        }
    }
    if rank(&right) < rank(&left) { right } else { left }
}

fn stranger<'a>(
    run: &mut Run<'_, 'a>,
    binding: &Binding,
    set: &CompiledValueSet,
    value: &Value,
    place: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    let asked_of_tags = if binding.strength == Strength::Required { Some(set) } else { compiled(run, binding, 1) };
    if let (Some(set), Value::String(tag)) = (asked_of_tags, value)
        && set.has_all_languages()
        && !language::is_tag(tag)
    {
        return language_tag::report(run, tag, place.path, origin);
    }
    if binding.strength != Strength::Required
        && let Some(bound) = compiled(run, binding, 1)
        && outcome(bound, value) == Outcome::Stranger
    {
        let bound = binding.max_value_set.as_deref().unwrap_or_default();
        let text = format!("{} must be a code of value set {bound}.", origin.element);
        return run.error(IssueCode::CodeInvalid, "binding-required", text, place.path, origin);
    }
    let (severity, rule, verb) = match binding.strength {
        Strength::Required => (Severity::Error, "binding-required", "must be"),
        Strength::Extensible => (Severity::Warning, "binding-extensible", "should be, unless none fits,"),
        Strength::Preferred | Strength::Example => (Severity::Information, "binding-preferred", "had better be"),
    };
    let hint = run.allowed_or_nearest(code_of(value), set);
    let text = [origin.element, " ", verb, " a code of value set ", &binding.value_set, ".", &hint].concat();
    run.push(Issue::new(severity, IssueCode::CodeInvalid, rule, text), place.path, origin);
}

/// The first code of a value.
fn code_of(value: &Value) -> Option<&str> {
    let first = || member::member(value, "coding").and_then(|codings| codings.get(0));
    value.as_str().or_else(|| text(value, "code")).or_else(|| first().and_then(|coding| text(coding, "code")))
}

/// A required binding wants a code; a text alone or an extension instead of a code is not for us to judge elsewhere.
fn no_code<'a>(run: &mut Run<'_, 'a>, binding: &Binding, value: &Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let is_coded = has(value, "coding") || has(value, "text");
    let excused = has(value, "extension") || has(value, "value") || has(value, "unit");
    if binding.strength == Strength::Required && is_coded && !excused {
        let text = format!(
            "{} must have a code of value set {}; a text alone is not enough.",
            origin.element, binding.value_set
        );
        run.error(IssueCode::CodeInvalid, "binding-required", text, place.path, origin);
    }
}

fn report_unloaded<'a>(
    run: &mut Run<'_, 'a>,
    binding: &Binding,
    missing: &str,
    place: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    let severity = if binding.strength == Strength::Preferred { Severity::Information } else { Severity::Warning };
    let set = &binding.value_set;
    let how = terminology::how_to_load(missing);
    let text =
        [origin.element, " could not be checked against value set ", set, ": ", missing, " is not loaded. ", how]
            .concat();
    run.push(Issue::new(severity, IssueCode::NotFound, "terminology-unloaded", text), place.path, origin);
}
