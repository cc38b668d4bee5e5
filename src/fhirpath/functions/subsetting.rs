//! Subsetting: single, first, last, tail, skip, take, intersect, exclude (<https://hl7.org/fhirpath/N1/#subsetting>).

use super::super::error::EvaluateError;
use super::super::evaluate::Outcome;
use super::super::item::Item;
use super::super::navigate::Sink;
use super::super::seen::Seen;
use super::{Call, ENOUGH, Function, MORE, emit, values};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    values("single", 0, 0, |call, sink| emit(call.single_input()?, sink)),
    values("first", 0, 0, first),
    values("last", 0, 0, last),
    values("tail", 0, 0, |call, sink| skip_items(call, 1, sink)),
    values("skip", 1, 1, |call, sink| skip_items(call, integer(call)?, sink)),
    values("take", 1, 1, take),
    values("intersect", 1, 1, intersect),
    values("exclude", 1, 1, exclude),
];

fn integer(call: &Call<'_, '_>) -> Result<i64, EvaluateError> {
    call.integer_argument(0)?.ok_or(EvaluateError::InvalidArgument(call.expr.function.name))
}

fn first<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let mut found = None;
    let _ = call.each_input(&mut |item| {
        found = Some(item);
        ENOUGH
    })?;
    emit(found, sink)
}

fn last<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let mut found = None;
    let _ = call.each_input(&mut |item| {
        found = Some(item);
        MORE
    })?;
    emit(found, sink)
}

fn skip_items<'a>(call: &Call<'_, 'a>, count: i64, sink: Sink<'_, 'a>) -> Outcome {
    let mut at = 0;
    call.each_input(&mut |item| {
        at += 1;
        if at > count { sink(item) } else { MORE }
    })
}

fn take<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let count = integer(call)?;
    let mut at = 0;
    let mut stopped = false;
    let _ = call.each_input(&mut |item| {
        if at >= count {
            return ENOUGH;
        }
        at += 1;
        stopped = sink(item)?.is_break();
        if stopped || at >= count { ENOUGH } else { MORE }
    })?;
    if stopped { ENOUGH } else { MORE }
}

fn intersect<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let other = call.argument_items(0)?;
    let mut known = Seen::new(call.evaluator);
    for item in &other {
        known.insert(item)?;
    }
    let mut sent = Seen::new(call.evaluator);
    call.each_input(&mut |item: Item<'a>| {
        if known.contains(&item)? && sent.insert(&item)? { sink(item) } else { MORE }
    })
}

fn exclude<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let other = call.argument_items(0)?;
    let mut known = Seen::new(call.evaluator);
    for item in &other {
        known.insert(item)?;
    }
    call.each_input(&mut |item| if known.contains(&item)? { MORE } else { sink(item) })
}
