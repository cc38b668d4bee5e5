//! String manipulation (<https://hl7.org/fhirpath/N1/#string-manipulation>). Positions count characters.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};

use super::super::error::EvaluateError;
use super::super::evaluate::Outcome;
use super::super::expression::Prepared;
use super::super::item::Item;
use super::super::navigate::Sink;
use super::{Arguments, Call, ENOUGH, Function, MORE, emit, emit_boolean, emit_text, values};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    values("indexOf", 1, 1, |call, sink| index_of(call, |text, part| text.find(part), sink)),
    values("lastIndexOf", 1, 1, |call, sink| index_of(call, |text, part| text.rfind(part), sink)),
    values("substring", 1, 2, substring),
    values("startsWith", 1, 1, |call, sink| test(call, |text, part| text.starts_with(part), sink)),
    values("endsWith", 1, 1, |call, sink| test(call, |text, part| text.ends_with(part), sink)),
    values("contains", 1, 1, |call, sink| test(call, |text, part| text.contains(part), sink)),
    values("upper", 0, 0, |call, sink| emit_text(call, call.text_input()?.map(|text| text.to_uppercase()), sink)),
    values("lower", 0, 0, |call, sink| emit_text(call, call.text_input()?.map(|text| text.to_lowercase()), sink)),
    values("trim", 0, 0, |call, sink| emit_text(call, call.text_input()?.map(|text| text.trim().to_owned()), sink)),
    values("replace", 2, 2, replace),
    Function { name: "matches", least: 1, most: 1, arguments: Arguments::Pattern(false), run: matches },
    Function { name: "matchesFull", least: 1, most: 1, arguments: Arguments::Pattern(true), run: matches },
    Function { name: "replaceMatches", least: 2, most: 2, arguments: Arguments::Pattern(false), run: replace_matches },
    values("length", 0, 0, length),
    values("toChars", 0, 0, to_chars),
    values("split", 1, 1, split),
    values("join", 0, 1, join),
];

fn characters(text: &str) -> i64 {
    i64::try_from(if text.is_ascii() { text.len() } else { text.chars().count() }).unwrap_or(i64::MAX)
}

fn index_of<'a>(call: &Call<'_, 'a>, find: fn(&str, &str) -> Option<usize>, sink: Sink<'_, 'a>) -> Outcome {
    let (Some(text), Some(part)) = (call.text_input()?, call.text_argument(0)?) else { return MORE };
    let at = find(&text, &part).and_then(|at| text.get(..at)).map_or(-1, characters);
    sink(Item::Integer(at))
}

fn substring<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let (Some(text), Some(start)) = (call.text_input()?, call.integer_argument(0)?) else { return MORE };
    if start < 0 || start >= characters(&text) {
        return MORE;
    }
    let count = match call.argument(1) {
        None => i64::MAX,
        Some(_) => call.integer_argument(1)?.unwrap_or(i64::MAX),
    };
    let from = usize::try_from(start).unwrap_or(usize::MAX);
    let count = usize::try_from(count).unwrap_or(0);
    sink(Item::Text(slice(text, from, count)))
}

/// `count` characters from `from`; borrowed text stays borrowed.
fn slice(text: Cow<'_, str>, from: usize, count: usize) -> Cow<'_, str> {
    let offset = |text: &str, count: usize| text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
    match text {
        Cow::Borrowed(text) => {
            let rest = text.get(offset(text, from)..).unwrap_or_default();
            Cow::Borrowed(rest.get(..offset(rest, count)).unwrap_or_default())
        }
        Cow::Owned(text) => Cow::Owned(text.chars().skip(from).take(count).collect()),
    }
}

fn test<'a>(call: &Call<'_, 'a>, holds: fn(&str, &str) -> bool, sink: Sink<'_, 'a>) -> Outcome {
    let (Some(text), Some(part)) = (call.text_input()?, call.text_argument(0)?) else { return MORE };
    emit_boolean(holds(&text, &part), sink)
}

fn replace<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let (Some(text), Some(pattern), Some(by)) = (call.text_input()?, call.text_argument(0)?, call.text_argument(1)?)
    else {
        return MORE;
    };
    let matches = if pattern.is_empty() { text.len() + 1 } else { text.len() / pattern.len() };
    call.evaluator.check_length(text.len().saturating_add(matches.saturating_mul(by.len())))?;
    emit_text(call, Some(text.replace(&*pattern, &by)), sink)
}

/// Compiles a pattern: `.` matches line ends too, the size is bounded, and matching takes linear time.
pub(in super::super) fn pattern(text: &str, full: bool) -> Option<Regex> {
    let whole = if full { format!("^(?:{text})$") } else { text.to_owned() };
    RegexBuilder::new(&whole).dot_matches_new_line(true).size_limit(1 << 20).build().ok()
}

/// The pattern of the call: compiled before, or now where it is computed.
fn with_pattern<T>(call: &Call<'_, '_>, use_it: impl FnOnce(&Regex) -> T) -> Result<Option<T>, EvaluateError> {
    if let Prepared::Pattern(regex) = &call.expr.prepared {
        return Ok(Some(use_it(regex)));
    }
    let Some(text) = call.text_argument(0)? else { return Ok(None) };
    call.evaluator.step(1000)?;
    let full = call.expr.function.arguments == Arguments::Pattern(true);
    let regex = pattern(&text, full).ok_or(EvaluateError::InvalidPattern)?;
    Ok(Some(use_it(&regex)))
}

fn matches<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let Some(text) = call.text_input()? else { return MORE };
    emit(with_pattern(call, |regex| regex.is_match(&text))?.map(Item::Boolean), sink)
}

fn replace_matches<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let (Some(text), Some(by)) = (call.text_input()?, call.text_argument(1)?) else { return MORE };
    call.evaluator.check_length(text.len().saturating_mul(by.len().max(1)))?;
    let replaced = with_pattern(call, |regex| {
        // An empty pattern matches between any two characters; the specification's own tests leave the text as it is.
        if regex.as_str().is_empty() { text.to_string() } else { regex.replace_all(&text, &*by).into_owned() }
    })?;
    emit_text(call, replaced, sink)
}

fn length<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    emit(call.text_input()?.map(|text| Item::Integer(characters(&text))), sink)
}

fn to_chars<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let Some(text) = call.text_input()? else { return MORE };
    for character in text.chars() {
        call.evaluator.step(1)?;
        if sink(Item::owned(character.to_string()))?.is_break() {
            return ENOUGH;
        }
    }
    MORE
}

fn split<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let (Some(text), Some(separator)) = (call.text_input()?, call.text_argument(0)?) else { return MORE };
    for part in text.split(&*separator) {
        call.evaluator.step(1)?;
        if sink(Item::owned(part.to_owned()))?.is_break() {
            return ENOUGH;
        }
    }
    MORE
}

fn join<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let separator = call.text_argument(0)?.unwrap_or_default();
    let mut joined: Option<String> = None;
    let _ = call.each_input(&mut |item| {
        let Some(Item::Text(text)) = call.system(&item)? else { return Err(call.wrong(&item)) };
        match &mut joined {
            None => joined = Some(text.into_owned()),
            Some(joined) => {
                call.evaluator.check_length(joined.len() + separator.len() + text.len())?;
                joined.push_str(&separator);
                joined.push_str(&text);
            }
        }
        MORE
    })?;
    emit_text(call, joined, sink)
}
