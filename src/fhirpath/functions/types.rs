//! Types: is, as, type (<https://hl7.org/fhirpath/N1/#types>). `ofType` stands with filtering.

use super::super::evaluate::Outcome;
use super::super::expression::Prepared;
use super::super::item::Item;
use super::super::navigate::Sink;
use super::super::specifier;
use super::{Arguments, Call, Function, MORE, emit, values};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function { name: "is", least: 1, most: 1, arguments: Arguments::Type, run: is },
    Function { name: "as", least: 1, most: 1, arguments: Arguments::Type, run: as_ },
    values("type", 0, 0, type_),
];

fn is<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let Prepared::Type(wanted) = &call.expr.prepared else { return MORE };
    let item = call.single_input()?;
    emit(item.map(|item| Item::Boolean(wanted.is(&item, call.evaluator.context.types))), sink)
}

fn as_<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let Prepared::Type(wanted) = &call.expr.prepared else { return MORE };
    let types = call.evaluator.context.types;
    if call.evaluator.context.strict_as {
        return emit(call.single_input()?.filter(|item| wanted.selects(item, types)), sink);
    }
    call.each_input(&mut |item| if wanted.selects(&item, types) { sink(item) } else { MORE })
}

fn type_<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    call.each_input(&mut |item| emit(specifier::type_name(&item, call.evaluator.context.types).map(Item::Type), sink))
}
