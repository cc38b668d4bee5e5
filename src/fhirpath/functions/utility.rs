//! Utility and the like: trace, now, today, timeOfDay, iif, aggregate, sort
//! (<https://hl7.org/fhirpath/N1/#utility-functions>, <https://hl7.org/fhirpath/N1/#aggregates>).

use std::cmp::Ordering;

use super::super::compare;
use super::super::error::EvaluateError;
use super::super::evaluate::{Items, Outcome, Scope, send_all};
use super::super::expression::Prepared;
use super::super::item::Item;
use super::super::navigate::Sink;
use super::super::temporal::{Precision, Temporal, TemporalKind};
use super::{Arguments, Call, Function, MORE, criteria, values};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    // What would be traced is a patient's data, so nothing is written anywhere.
    criteria("trace", 1, 2, |call, sink| call.each_input(sink)),
    values("now", 0, 0, |call, sink| sink(Item::Temporal(now(call)))),
    values("today", 0, 0, |call, sink| sink(Item::Temporal(today(call)))),
    values("timeOfDay", 0, 0, |call, sink| sink(Item::Temporal(time_of_day(call)))),
    criteria("iif", 2, 3, iif),
    criteria("aggregate", 1, 2, aggregate),
    Function { name: "sort", least: 0, most: 8, arguments: Arguments::Order, run: sort },
];

fn now(call: &Call<'_, '_>) -> Temporal {
    Temporal::from_micros(call.evaluator.context.now)
}

fn today(call: &Call<'_, '_>) -> Temporal {
    let now = now(call);
    let blank = Temporal::blank(TemporalKind::Date);
    Temporal { precision: Precision::Day, year: now.year, month: now.month, day: now.day, ..blank }
}

fn time_of_day(call: &Call<'_, '_>) -> Temporal {
    Temporal { kind: TemporalKind::Time, year: 1, month: 1, day: 1, offset: None, ..now(call) }
}

/// Only the branch that is taken is evaluated. The input may be empty; several items are an error.
fn iif<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let this = call.single_input()?;
    let scope = Scope { this: this.as_ref(), ..*call.scope };
    let Some(criterion) = call.argument(0) else { return MORE };
    let taken = match call.evaluator.single(criterion, &scope, "iif")? {
        None => false,
        Some(item) => condition(call, &item)?,
    };
    match call.argument(if taken { 1 } else { 2 }) {
        Some(branch) => call.evaluator.each(branch, &scope, sink),
        None => MORE,
    }
}

fn condition(call: &Call<'_, '_>, item: &Item<'_>) -> Result<bool, EvaluateError> {
    match item.system(call.evaluator.context.types) {
        Some(Item::Boolean(value)) => Ok(value),
        Some(other) => Err(call.wrong(&other)),
        None => Ok(false),
    }
}

fn aggregate<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let Some(aggregator) = call.argument(0) else { return MORE };
    let mut total = call.argument_items(1)?;
    let mut index = 0;
    let _ = call.each_input(&mut |item| {
        let scope = Scope { this: Some(&item), index, total: &total };
        total = call.evaluator.collect(aggregator, &scope)?;
        index += 1;
        MORE
    })?;
    send_all(&total, sink)
}

/// An item with its sort keys.
type Keyed<'a> = (Vec<Option<Item<'a>>>, Item<'a>);

fn sort<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let mut keyed: Vec<Keyed<'a>> = Vec::new();
    for (index, item) in call.input()?.into_iter().enumerate() {
        keyed.push((keys(call, &item, index)?, item));
    }
    call.evaluator.step(keyed.len().saturating_mul(20))?;
    let descending: &[bool] = if let Prepared::Order(order) = &call.expr.prepared { order } else { &[] };
    let mut failure = None;
    keyed.sort_by(|(one, _), (two, _)| {
        compare_keys(call, one, two, descending).unwrap_or_else(|error| {
            failure = Some(error);
            Ordering::Equal
        })
    });
    if let Some(error) = failure {
        return Err(error);
    }
    let sorted: Items<'a> = keyed.into_iter().map(|(_, item)| item).collect();
    send_all(&sorted, sink)
}

fn keys<'a>(call: &Call<'_, 'a>, item: &Item<'a>, index: usize) -> Result<Vec<Option<Item<'a>>>, EvaluateError> {
    if call.expr.arguments.is_empty() {
        return Ok(vec![Some(item.clone())]);
    }
    let scope = call.scope_of(item, index);
    call.expr.arguments.iter().map(|key| call.evaluator.single(key, &scope, "sort")).collect()
}

/// Items without a key come first, whichever way the key is sorted.
fn compare_keys(
    call: &Call<'_, '_>,
    one: &[Option<Item<'_>>],
    two: &[Option<Item<'_>>],
    descending: &[bool],
) -> Result<Ordering, EvaluateError> {
    for (at, (one, two)) in one.iter().zip(two).enumerate() {
        let order = match (one, two) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(one), Some(two)) => {
                let order = compare::compare(one, two, call.evaluator.context.types, "sort")?;
                let order = order.unwrap_or(Ordering::Equal);
                if descending.get(at) == Some(&true) { order.reverse() } else { order }
            }
        };
        if order != Ordering::Equal {
            return Ok(order);
        }
    }
    Ok(Ordering::Equal)
}
