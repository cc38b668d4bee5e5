//! Existence: empty, exists, all, allTrue …, subsetOf, supersetOf, count, distinct, isDistinct
//! (<https://hl7.org/fhirpath/N1/#existence>).

use super::super::equality;
use super::super::error::EvaluateError;
use super::super::evaluate::{Items, Outcome};
use super::super::item::Item;
use super::super::logic::truth;
use super::super::navigate::Sink;
use super::super::seen::Seen;
use super::{Call, ENOUGH, Function, MORE, criteria, emit_boolean, values};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    values("empty", 0, 0, empty),
    criteria("exists", 0, 1, exists),
    criteria("all", 1, 1, all),
    values("allTrue", 0, 0, |call, sink| every(call, true, sink)),
    values("anyTrue", 0, 0, |call, sink| any(call, true, sink)),
    values("allFalse", 0, 0, |call, sink| every(call, false, sink)),
    values("anyFalse", 0, 0, |call, sink| any(call, false, sink)),
    values("subsetOf", 1, 1, |call, sink| {
        let (input, other) = (call.input()?, call.argument_items(0)?);
        emit_boolean(is_subset(call, &input, &other)?, sink)
    }),
    values("supersetOf", 1, 1, |call, sink| {
        let (input, other) = (call.input()?, call.argument_items(0)?);
        emit_boolean(is_subset(call, &other, &input)?, sink)
    }),
    values("count", 0, 0, count),
    values("distinct", 0, 0, distinct),
    values("isDistinct", 0, 0, is_distinct),
];

fn any_input<'a>(
    call: &Call<'_, 'a>,
    mut accept: impl FnMut(&Item<'a>, usize) -> Result<bool, EvaluateError>,
) -> Result<bool, EvaluateError> {
    let mut found = false;
    let mut index = 0;
    let _ = call.each_input(&mut |item| {
        found = accept(&item, index)?;
        index += 1;
        if found { ENOUGH } else { MORE }
    })?;
    Ok(found)
}

fn empty<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    emit_boolean(!any_input(call, |_, _| Ok(true))?, sink)
}

fn exists<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    emit_boolean(any_input(call, |item, index| Ok(call.criterion(0, item, index)? == Some(true)))?, sink)
}

fn all<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    emit_boolean(!any_input(call, |item, index| Ok(call.criterion(0, item, index)? != Some(true)))?, sink)
}

/// The input as booleans; another kind is an error.
fn is_boolean(call: &Call<'_, '_>, item: &Item<'_>, wanted: bool) -> Result<bool, EvaluateError> {
    let boolean = match item {
        Item::Boolean(_) => true,
        Item::Node(node) => node.value().is_boolean() || node.value().is_null(),
        _ => false,
    };
    if boolean { Ok(truth(item) == Some(wanted)) } else { Err(call.wrong(item)) }
}

fn every<'a>(call: &Call<'_, 'a>, wanted: bool, sink: Sink<'_, 'a>) -> Outcome {
    let mut all = true;
    let _ = call.each_input(&mut |item| {
        all &= is_boolean(call, &item, wanted)?;
        MORE
    })?;
    emit_boolean(all, sink)
}

fn any<'a>(call: &Call<'_, 'a>, wanted: bool, sink: Sink<'_, 'a>) -> Outcome {
    emit_boolean(any_input(call, |item, _| is_boolean(call, item, wanted))?, sink)
}

fn is_subset<'a>(call: &Call<'_, 'a>, part: &Items<'a>, whole: &Items<'a>) -> Result<bool, EvaluateError> {
    call.evaluator.step(part.len().saturating_mul(whole.len()))?;
    let types = call.evaluator.context.types;
    let is_in_whole = |item: &Item<'a>| whole.iter().any(|other| equality::equal(item, other, types) == Some(true));
    Ok(part.iter().all(is_in_whole))
}

fn count<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let mut count = 0;
    let _ = call.each_input(&mut |_| {
        count += 1;
        MORE
    })?;
    sink(Item::Integer(count))
}

pub(super) fn distinct<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let mut seen = Seen::new(call.evaluator);
    call.each_input(&mut |item| if seen.insert(&item)? { sink(item) } else { MORE })
}

fn is_distinct<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let mut seen = Seen::new(call.evaluator);
    let repeated = any_input(call, |item, _| Ok(!seen.insert(item)?))?;
    emit_boolean(!repeated, sink)
}
