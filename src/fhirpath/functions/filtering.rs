//! Filtering and projection: where, select, repeat, ofType (<https://hl7.org/fhirpath/N1/#filtering-and-projection>).

use super::super::evaluate::{Items, Outcome};
use super::super::expression::Prepared;
use super::super::navigate::Sink;
use super::super::seen::Seen;
use super::{Arguments, Call, Function, MORE, criteria};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    criteria("where", 1, 1, where_),
    criteria("select", 1, 1, select),
    criteria("repeat", 1, 1, repeat),
    Function { name: "ofType", least: 1, most: 1, arguments: Arguments::Type, run: of_type },
];

fn where_<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let mut index = 0;
    call.each_input(&mut |item| {
        let keep = call.criterion(0, &item, index)? == Some(true);
        index += 1;
        if keep { sink(item) } else { MORE }
    })
}

fn select<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let Some(projection) = call.argument(0) else { return MORE };
    let mut index = 0;
    call.each_input(&mut |item| {
        let flow = call.evaluator.each(projection, &call.scope_of(&item, index), sink);
        index += 1;
        flow
    })
}

/// Applies the projection to its own results until nothing new comes; equal items are taken once.
fn repeat<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let Some(projection) = call.argument(0) else { return MORE };
    let mut seen = Seen::new(call.evaluator);
    let mut queue = call.input()?;
    while !queue.is_empty() {
        let mut next = Items::new();
        for (index, item) in queue.iter().enumerate() {
            let flow = call.evaluator.each(projection, &call.scope_of(item, index), &mut |found| {
                if !seen.insert(&found)? {
                    return MORE;
                }
                let _ = call.evaluator.push(&mut next, found.clone())?;
                sink(found)
            })?;
            if flow.is_break() {
                return Ok(flow);
            }
        }
        queue = next;
    }
    MORE
}

fn of_type<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let Prepared::Type(type_) = &call.expr.prepared else { return MORE };
    call.each_input(&mut |item| if type_.selects(&item, call.evaluator.context.types) { sink(item) } else { MORE })
}
