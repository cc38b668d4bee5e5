//! FHIR's functions about codes: memberOf, subsumes, subsumedBy (<https://hl7.org/fhir/R4/fhirpath.html#functions>).
//! The answers come from [`super::super::Services`]; where nobody can say, the result is empty.

use serde_json::Value;

use super::super::evaluate::Outcome;
use super::super::item::Item;
use super::super::navigate::Sink;
use super::{Call, Function, MORE, emit, values};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    values("memberOf", 1, 1, member_of),
    values("subsumes", 1, 1, |call, sink| subsumes(call, false, sink)),
    values("subsumedBy", 1, 1, |call, sink| subsumes(call, true, sink)),
];

/// A code with its system, where it has one.
type Code<'c> = (Option<&'c str>, &'c str);

/// The codes of a code, Coding or CodeableConcept; nothing for another kind.
fn codes<'i>(item: &'i Item<'_>) -> Option<Vec<Code<'i>>> {
    let coding = |value: &'i Value| {
        Some((value.get("system").and_then(Value::as_str), value.get("code").and_then(Value::as_str)?))
    };
    match item {
        Item::Text(code) => Some(vec![(None, code)]),
        Item::Node(node) => match node.value() {
            Value::String(code) => Some(vec![(None, code)]),
            value => match value.get("coding").and_then(Value::as_array) {
                Some(codings) => Some(codings.iter().filter_map(coding).collect()),
                None => Some(coding(value).into_iter().collect()),
            },
        },
        _ => None,
    }
}

/// True where one answer is; not known where none is true and one is not known.
fn any(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(false);
    for answer in answers {
        match answer {
            Some(true) => return Some(true),
            Some(false) => {}
            None => result = None,
        }
    }
    result
}

fn member_of<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let (Some(item), Some(value_set)) = (call.single_input()?, call.text_argument(0)?) else { return MORE };
    let codes = codes(&item).ok_or_else(|| call.wrong(&item))?;
    let services = call.evaluator.context.services;
    let answer = any(codes.iter().map(|(system, code)| services.member_of(&value_set, *system, code)));
    emit(answer.map(Item::Boolean), sink)
}

fn subsumes<'a>(call: &Call<'_, 'a>, reversed: bool, sink: Sink<'_, 'a>) -> Outcome {
    let Some(argument) = call.argument(0) else { return MORE };
    let other = call.evaluator.single(argument, call.scope, call.name())?;
    let (Some(item), Some(other)) = (call.single_input()?, other) else { return MORE };
    let (general, specific) = if reversed { (&other, &item) } else { (&item, &other) };
    let general_codes = codes(general).ok_or_else(|| call.wrong(general))?;
    let specific_codes = codes(specific).ok_or_else(|| call.wrong(specific))?;
    call.evaluator.step(general_codes.len() * specific_codes.len())?;
    let services = call.evaluator.context.services;
    let pairs = general_codes.iter().flat_map(|one| specific_codes.iter().map(move |two| (one, two)));
    let answer = any(pairs.map(|(one, two)| match (one, two) {
        (one, two) if one == two => Some(true),
        ((Some(system), general), (Some(other), specific)) if system == other => {
            services.subsumes(system, general, specific)
        }
        _ => Some(false),
    }));
    emit(answer.map(Item::Boolean), sink)
}
