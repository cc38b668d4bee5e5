//! Boolean: not (<https://hl7.org/fhirpath/N1/#boolean-logic>).

use super::super::evaluate::Outcome;
use super::super::item::Item;
use super::super::logic::truth;
use super::super::navigate::Sink;
use super::{Call, Function, emit, values};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[values("not", 0, 0, not)];

fn not<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let value = match &call.expr.base {
        Some(base) => call.evaluator.boolean(base, call.scope)?,
        None => call.scope.this.and_then(truth),
    };
    emit(value.map(|value| Item::Boolean(!value)), sink)
}
