//! Math (<https://hl7.org/fhirpath/N1/#math>). Decimals are exact; roots, logarithms and fractional powers are computed
//! in binary floating point and rounded to 15 significant digits.

use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use rust_decimal::{Decimal, RoundingStrategy};

use super::super::error::EvaluateError;
use super::super::evaluate::Outcome;
use super::super::item::Item;
use super::super::navigate::Sink;
use super::{Call, Function, MORE, emit, values};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    values("abs", 0, 0, abs),
    values("ceiling", 0, 0, |call, sink| to_integer(call, Decimal::ceil, sink)),
    values("floor", 0, 0, |call, sink| to_integer(call, Decimal::floor, sink)),
    values("truncate", 0, 0, |call, sink| to_integer(call, Decimal::trunc, sink)),
    values("round", 0, 1, round),
    values("exp", 0, 0, |call, sink| floating(call, f64::exp, sink)),
    values("ln", 0, 0, |call, sink| floating(call, f64::ln, sink)),
    values("sqrt", 0, 0, |call, sink| floating(call, f64::sqrt, sink)),
    values("log", 1, 1, log),
    values("power", 1, 1, power),
];

fn number(call: &Call<'_, '_>, item: Option<Item<'_>>) -> Result<Option<Decimal>, EvaluateError> {
    match item {
        None => Ok(None),
        Some(Item::Integer(value)) => Ok(Some(Decimal::from(value))),
        Some(Item::Decimal(value)) => Ok(Some(value)),
        Some(other) => Err(call.wrong(&other)),
    }
}

fn abs<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let item = match call.value_input()? {
        None => None,
        Some(Item::Integer(value)) => value.checked_abs().map(Item::Integer),
        Some(Item::Decimal(value)) => Some(Item::Decimal(value.abs())),
        Some(Item::Quantity(mut quantity)) => {
            quantity.value = quantity.value.abs();
            Some(Item::Quantity(quantity))
        }
        Some(other) => return Err(call.wrong(&other)),
    };
    emit(item, sink)
}

fn to_integer<'a>(call: &Call<'_, 'a>, change: fn(&Decimal) -> Decimal, sink: Sink<'_, 'a>) -> Outcome {
    let value = number(call, call.value_input()?)?;
    emit(value.and_then(|value| change(&value).to_i64()).map(Item::Integer), sink)
}

fn round<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let Some(value) = number(call, call.value_input()?)? else { return MORE };
    let precision = call.integer_argument(0)?.unwrap_or(0);
    let places = u32::try_from(precision).map_err(|_| EvaluateError::InvalidArgument("round"))?;
    let rounded = value.round_dp_with_strategy(places.min(28), RoundingStrategy::MidpointAwayFromZero);
    sink(Item::Decimal(rounded))
}

/// A floating point result as a decimal of 15 significant digits; nothing for infinities and what is no number.
fn rounded(value: f64) -> Option<Decimal> {
    let decimal = Decimal::from_f64(value)?;
    decimal.round_sf(15).map(|value| value.normalize())
}

fn floating<'a>(call: &Call<'_, 'a>, compute: fn(f64) -> f64, sink: Sink<'_, 'a>) -> Outcome {
    let value = number(call, call.value_input()?)?.and_then(|value| value.to_f64());
    emit(value.and_then(|value| rounded(compute(value))).map(Item::Decimal), sink)
}

fn log<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let value = number(call, call.value_input()?)?.and_then(|value| value.to_f64());
    let base = number(call, call.single_argument(0)?)?.and_then(|base| base.to_f64());
    let result = value.zip(base).and_then(|(value, base)| rounded(value.ln() / base.ln()));
    emit(result.map(Item::Decimal), sink)
}

fn power<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let (base, exponent) = (call.value_input()?, call.single_argument(0)?);
    if let (Some(Item::Integer(base)), Some(Item::Integer(exponent))) = (&base, &exponent)
        && let Ok(exponent) = u32::try_from(*exponent)
    {
        return emit(base.checked_pow(exponent).map(Item::Integer), sink);
    }
    let (Some(base), Some(exponent)) = (number(call, base)?, number(call, exponent)?) else { return MORE };
    let result = exact_power(base, exponent).or_else(|| rounded(base.to_f64()?.powf(exponent.to_f64()?)));
    emit(result.map(Item::Decimal), sink)
}

/// Small whole exponents without rounding.
fn exact_power(base: Decimal, exponent: Decimal) -> Option<Decimal> {
    let times = exponent.to_u32().filter(|times| *times <= 64 && exponent.is_integer())?;
    (0..times).try_fold(Decimal::ONE, |product, _| product.checked_mul(base))
}
