//! What a value of limited precision may stand for: lowBoundary, highBoundary, precision, comparable
//! (<https://build.fhir.org/ig/HL7/FHIRPath/#lowboundaryprecision-integer-decimal--date--datetime--time>).

use rust_decimal::{Decimal, RoundingStrategy};

use super::super::error::EvaluateError;
use super::super::evaluate::Outcome;
use super::super::item::Item;
use super::super::navigate::Sink;
use super::super::temporal::{Precision, Temporal, TemporalKind};
use super::super::temporal_parse::days_in_month;
use super::{Call, Function, MORE, emit, emit_boolean, values};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    values("lowBoundary", 0, 1, |call, sink| boundary(call, false, sink)),
    values("highBoundary", 0, 1, |call, sink| boundary(call, true, sink)),
    values("precision", 0, 0, precision),
    values("comparable", 1, 1, comparable),
];

fn boundary<'a>(call: &Call<'_, 'a>, high: bool, sink: Sink<'_, 'a>) -> Outcome {
    let Some(item) = call.value_input()? else { return MORE };
    let digits = call.integer_argument(0)?;
    let bound = match item {
        Item::Integer(value) => decimal_bound(Decimal::from(value), digits, high).map(Item::Decimal),
        Item::Decimal(value) => decimal_bound(value, digits, high).map(Item::Decimal),
        Item::Quantity(mut quantity) => decimal_bound(quantity.value, digits, high).map(|value| {
            quantity.value = value;
            Item::Quantity(quantity)
        }),
        Item::Temporal(temporal) => temporal_bound(&temporal, digits, high).map(Item::Temporal),
        other => return Err(call.wrong(&other)),
    };
    emit(bound, sink)
}

/// Half a unit of the last digit down or up. The bound nearer to zero is cut off, the other one rounded, as the
/// specification's tests have it.
fn decimal_bound(value: Decimal, digits: Option<i64>, high: bool) -> Option<Decimal> {
    let digits = u32::try_from(digits.unwrap_or(8)).ok().filter(|digits| *digits <= 28)?;
    let half = Decimal::try_new(5, value.scale().checked_add(1)?).ok()?;
    let negative = value.is_sign_negative();
    let outward = high != negative;
    let magnitude = if outward { value.abs().checked_add(half)? } else { value.abs().checked_sub(half)? };
    let strategy = if outward { RoundingStrategy::MidpointAwayFromZero } else { RoundingStrategy::ToZero };
    let mut bound = magnitude.round_dp_with_strategy(digits, strategy);
    bound.rescale(digits);
    Some(if negative { -bound } else { bound })
}

fn temporal_bound(value: &Temporal, digits: Option<i64>, high: bool) -> Option<Temporal> {
    let wanted = match (value.kind, digits) {
        (TemporalKind::Date, None | Some(8)) | (TemporalKind::DateTime, Some(8)) => Precision::Day,
        (TemporalKind::Date | TemporalKind::DateTime, Some(4)) => Precision::Year,
        (TemporalKind::Date | TemporalKind::DateTime, Some(6)) => Precision::Month,
        (TemporalKind::DateTime, Some(10)) | (TemporalKind::Time, Some(2)) => Precision::Hour,
        (TemporalKind::DateTime, Some(12)) | (TemporalKind::Time, Some(4)) => Precision::Minute,
        (TemporalKind::DateTime, None | Some(14 | 17)) | (TemporalKind::Time, None | Some(6 | 9)) => Precision::Second,
        _ => return None,
    };
    let mut bound = *value;
    // FHIR has no bare hours: 08 is read as 08:00 before anything is filled in.
    if bound.precision == Precision::Hour {
        bound.precision = Precision::Minute;
    }
    fill(&mut bound, high);
    bound.precision = wanted;
    let milliseconds = matches!(digits, None | Some(17 | 9)) && wanted == Precision::Second;
    bound.fraction_digits = if milliseconds { 3 } else { 0 };
    if bound.fraction_digits == 0 {
        bound.nanosecond = 0;
    }
    bound.offset = match bound.offset {
        _ if wanted < Precision::Hour || value.kind == TemporalKind::Time => None,
        None if high => Some(-12 * 60),
        None => Some(14 * 60),
        known => known,
    };
    Some(bound)
}

/// Gives the fields beyond the precision their least or greatest value.
fn fill(bound: &mut Temporal, high: bool) {
    let choose = |low: u8, greatest: u8| if high { greatest } else { low };
    if bound.precision < Precision::Month {
        bound.month = choose(1, 12);
    }
    if bound.precision < Precision::Day {
        let last = days_in_month(bound.year.into(), bound.month.into());
        bound.day = choose(1, u8::try_from(last).unwrap_or(28));
    }
    if bound.precision < Precision::Hour {
        bound.hour = choose(0, 23);
    }
    if bound.precision < Precision::Minute {
        bound.minute = choose(0, 59);
    }
    if bound.precision < Precision::Second {
        bound.second = choose(0, 59);
    }
    if bound.fraction_digits == 0 && high {
        bound.nanosecond = 999_000_000;
    }
}

fn precision<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let digits = match call.value_input()? {
        None => return MORE,
        Some(Item::Integer(_)) => 0,
        Some(Item::Decimal(value)) => i64::from(value.scale()),
        Some(Item::Temporal(temporal)) => temporal.digits(),
        Some(other) => return Err(call.wrong(&other)),
    };
    sink(Item::Integer(digits))
}

fn comparable<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let (Some(one), Some(two)) = (call.value_input()?, call.single_argument(0)?) else { return MORE };
    match (&one, &two) {
        (Item::Quantity(one), Item::Quantity(two)) => emit_boolean(one.comparable(two), sink),
        (Item::Quantity(_), other) | (other, _) => {
            Err(EvaluateError::WrongType { operation: "comparable", found: other.kind() })
        }
    }
}
