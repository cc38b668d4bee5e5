//! Combining: union, combine (<https://hl7.org/fhirpath/N1/#combining>).

use super::super::evaluate::{Outcome, send_all};
use super::super::navigate::Sink;
use super::super::seen::Seen;
use super::{Call, Function, MORE, values};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[values("union", 1, 1, union), values("combine", 1, 1, combine)];

fn union<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let mut seen = Seen::new(call.evaluator);
    let flow = call.each_input(&mut |item| if seen.insert(&item)? { sink(item) } else { MORE })?;
    if flow.is_break() {
        return Ok(flow);
    }
    for item in call.argument_items(0)? {
        if seen.insert(&item)? && sink(item)?.is_break() {
            return super::ENOUGH;
        }
    }
    MORE
}

fn combine<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    if call.each_input(sink)?.is_break() {
        return super::ENOUGH;
    }
    send_all(&call.argument_items(0)?, sink)
}
