//! Conversion: toInteger, toDecimal, toString, toBoolean, toDate, toDateTime, toTime, toQuantity and the convertsTo…
//! beside each (<https://hl7.org/fhirpath/N1/#conversion>).

use std::str::FromStr;

use rust_decimal::Decimal;

use super::super::error::EvaluateError;
use super::super::evaluate::Outcome;
use super::super::item::Item;
use super::super::navigate::Sink;
use super::super::quantity::Quantity;
use super::super::temporal::{Precision, Temporal, TemporalKind};
use super::{Call, Function, MORE, Run, emit, emit_boolean, values};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    values("toBoolean", 0, 0, |call, sink| convert(call, boolean, sink)),
    values("convertsToBoolean", 0, 0, |call, sink| converts(call, boolean, sink)),
    values("toInteger", 0, 0, |call, sink| convert(call, integer, sink)),
    values("convertsToInteger", 0, 0, |call, sink| converts(call, integer, sink)),
    values("toDecimal", 0, 0, |call, sink| convert(call, decimal, sink)),
    values("convertsToDecimal", 0, 0, |call, sink| converts(call, decimal, sink)),
    values("toString", 0, 0, |call, sink| convert(call, text, sink)),
    values("convertsToString", 0, 0, |call, sink| converts(call, text, sink)),
    values("toDate", 0, 0, |call, sink| convert(call, date, sink)),
    values("convertsToDate", 0, 0, |call, sink| converts(call, date, sink)),
    values("toDateTime", 0, 0, |call, sink| convert(call, date_time, sink)),
    values("convertsToDateTime", 0, 0, |call, sink| converts(call, date_time, sink)),
    values("toTime", 0, 0, |call, sink| convert(call, time, sink)),
    values("convertsToTime", 0, 0, |call, sink| converts(call, time, sink)),
    values("toQuantity", 0, 1, TO_QUANTITY),
    values("convertsToQuantity", 0, 1, CONVERTS_TO_QUANTITY),
];

const TO_QUANTITY: Run = |call, sink| {
    let converted = call.value_input()?.and_then(|item| quantity(&item));
    let Some(converted) = converted else { return MORE };
    emit(in_unit(call, converted)?.map(|quantity| Item::Quantity(Box::new(quantity))), sink)
};

const CONVERTS_TO_QUANTITY: Run = |call, sink| {
    let Some(item) = call.single_input()? else { return MORE };
    let converted = item.system(call.evaluator.context.types).and_then(|item| quantity(&item));
    let converts = converted.map_or(Ok(None), |quantity| in_unit(call, quantity))?.is_some();
    emit_boolean(converts, sink)
};

fn convert<'a>(call: &Call<'_, 'a>, conversion: fn(&Item<'a>) -> Option<Item<'a>>, sink: Sink<'_, 'a>) -> Outcome {
    emit(call.value_input()?.and_then(|item| conversion(&item)), sink)
}

fn converts<'a>(call: &Call<'_, 'a>, conversion: fn(&Item<'a>) -> Option<Item<'a>>, sink: Sink<'_, 'a>) -> Outcome {
    let Some(item) = call.single_input()? else { return MORE };
    let value = item.system(call.evaluator.context.types);
    emit_boolean(value.is_some_and(|value| conversion(&value).is_some()), sink)
}

fn boolean<'a>(item: &Item<'a>) -> Option<Item<'a>> {
    let value = match item {
        Item::Boolean(value) => *value,
        Item::Integer(value @ (0 | 1)) => *value == 1,
        Item::Decimal(value) if *value == Decimal::ONE || value.is_zero() => !value.is_zero(),
        Item::Text(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => true,
            "false" | "f" | "no" | "n" | "0" | "0.0" => false,
            _ => return None,
        },
        _ => return None,
    };
    Some(Item::Boolean(value))
}

fn integer<'a>(item: &Item<'a>) -> Option<Item<'a>> {
    let value = match item {
        Item::Integer(value) => *value,
        Item::Boolean(value) => i64::from(*value),
        Item::Text(text) if is_number(text) => i64::from(text.parse::<i32>().ok()?),
        _ => return None,
    };
    Some(Item::Integer(value))
}

fn decimal<'a>(item: &Item<'a>) -> Option<Item<'a>> {
    let value = match item {
        Item::Integer(value) => Decimal::from(*value),
        Item::Decimal(value) => *value,
        Item::Boolean(value) => Decimal::from(i64::from(*value)),
        Item::Text(text) if is_number(text) => Decimal::from_str(text).ok()?,
        _ => return None,
    };
    Some(Item::Decimal(value))
}

/// Whether a text is an optional sign, digits, and optionally a point with more digits.
pub(in super::super) fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction)
}

fn text<'a>(item: &Item<'a>) -> Option<Item<'a>> {
    match item {
        Item::Text(_) => Some(item.clone()),
        Item::Type(_) | Item::Node(_) => None,
        other => other.to_text().map(Item::owned),
    }
}

fn date<'a>(item: &Item<'a>) -> Option<Item<'a>> {
    let date = match item {
        Item::Temporal(temporal) if temporal.kind != TemporalKind::Time => Temporal {
            precision: temporal.precision.min(Precision::Day),
            year: temporal.year,
            month: temporal.month,
            day: temporal.day,
            ..Temporal::blank(TemporalKind::Date)
        },
        Item::Text(text) => Temporal::parse_date(text)?,
        _ => return None,
    };
    Some(Item::Temporal(date))
}

fn date_time<'a>(item: &Item<'a>) -> Option<Item<'a>> {
    let value = match item {
        Item::Temporal(temporal) if temporal.kind != TemporalKind::Time => {
            Temporal { kind: TemporalKind::DateTime, ..*temporal }
        }
        Item::Text(text) => Temporal::parse_date_time(text)?,
        _ => return None,
    };
    Some(Item::Temporal(value))
}

fn time<'a>(item: &Item<'a>) -> Option<Item<'a>> {
    match item {
        Item::Temporal(temporal) if temporal.kind == TemporalKind::Time => Some(item.clone()),
        Item::Text(text) => Temporal::parse_time(text).map(Item::Temporal),
        _ => None,
    }
}

fn quantity<'a>(item: &Item<'a>) -> Option<Quantity<'a>> {
    match item {
        Item::Quantity(quantity) => Some((**quantity).clone()),
        Item::Text(text) => Quantity::parse(text),
        other => match decimal(other)? {
            Item::Decimal(value) => Some(Quantity { value, unit: "1".into(), calendar: false }),
            _ => None,
        },
    }
}

/// The quantity in the unit that the argument names; nothing where it cannot be converted.
fn in_unit<'a>(call: &Call<'_, 'a>, quantity: Quantity<'a>) -> Result<Option<Quantity<'a>>, EvaluateError> {
    let Some(unit) = call.text_argument(0)? else { return Ok(Some(quantity)) };
    let zero = Quantity { value: Decimal::ZERO, unit, calendar: false };
    Ok(zero.add(&quantity, false))
}
