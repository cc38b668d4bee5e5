//! `+ - * / div mod &` and signs (<https://hl7.org/fhirpath/N1/#math>). Called by `evaluate`.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::error::EvaluateError;
use super::evaluate::Evaluator;
use super::item::Item;
use super::quantity::Quantity;
use super::syntax::Operator;

type Calculated<'a> = Result<Option<Item<'a>>, EvaluateError>;

/// Applies an arithmetic operator. Nothing where an operand is empty, the divisor is zero or the result out of range.
pub(super) fn calculate<'a>(
    evaluator: &Evaluator<'a>,
    operator: Operator,
    left: Option<Item<'a>>,
    right: Option<Item<'a>>,
) -> Calculated<'a> {
    let types = evaluator.context.types;
    let value =
        |item: Option<Item<'a>>| item.map(|item| item.system(types).ok_or_else(|| wrong(operator, &item))).transpose();
    let (left, right) = (value(left)?, value(right)?);
    if operator == Operator::Concatenate {
        return concatenate(evaluator, left, right);
    }
    let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
    match (&left, &right) {
        (Item::Integer(one), Item::Integer(two)) => Ok(integers(operator, *one, *two)),
        (Item::Text(one), Item::Text(two)) if operator == Operator::Add => join(evaluator, one, two),
        (Item::Quantity(one), Item::Quantity(two)) => quantities(operator, one, two),
        (Item::Quantity(one), Item::Integer(_) | Item::Decimal(_)) => scale(operator, one, &right),
        (Item::Integer(_) | Item::Decimal(_), Item::Quantity(two)) if operator == Operator::Multiply => {
            scale(operator, two, &left)
        }
        (Item::Temporal(temporal), Item::Quantity(quantity))
            if matches!(operator, Operator::Add | Operator::Subtract) =>
        {
            temporal.add(quantity, operator == Operator::Subtract).map(|sum| sum.map(Item::Temporal))
        }
        _ => match super::equality::numbers(&left, &right) {
            Some((one, two)) => Ok(decimals(operator, one, two)),
            None => Err(wrong(operator, &right)),
        },
    }
}

fn wrong(operator: Operator, item: &Item<'_>) -> EvaluateError {
    EvaluateError::WrongType { operation: operator.symbol(), found: item.kind() }
}

fn integers<'a>(operator: Operator, one: i64, two: i64) -> Option<Item<'a>> {
    let integer = match operator {
        Operator::Add => one.checked_add(two),
        Operator::Subtract => one.checked_sub(two),
        Operator::Multiply => one.checked_mul(two),
        Operator::Div => one.checked_div(two),
        Operator::Mod => one.checked_rem(two),
        _ => return Decimal::from(one).checked_div(Decimal::from(two)).map(Item::Decimal),
    };
    integer.map(Item::Integer)
}

fn decimals<'a>(operator: Operator, one: Decimal, two: Decimal) -> Option<Item<'a>> {
    match operator {
        Operator::Add => one.checked_add(two).map(Item::Decimal),
        Operator::Subtract => one.checked_sub(two).map(Item::Decimal),
        Operator::Multiply => one.checked_mul(two).map(Item::Decimal),
        Operator::Divide => one.checked_div(two).map(Item::Decimal),
        Operator::Mod => one.checked_rem(two).map(Item::Decimal),
        _ => one.checked_div(two)?.trunc().to_i64().map(Item::Integer),
    }
}

fn quantities<'a>(operator: Operator, one: &Quantity<'a>, two: &Quantity<'a>) -> Calculated<'a> {
    let result = match operator {
        Operator::Add => one.add(two, false),
        Operator::Subtract => one.add(two, true),
        Operator::Multiply => one.multiply(two, false),
        Operator::Divide => one.multiply(two, true),
        _ => return Err(EvaluateError::WrongType { operation: operator.symbol(), found: "a Quantity" }),
    };
    Ok(result.map(|quantity| Item::Quantity(Box::new(quantity))))
}

fn scale<'a>(operator: Operator, quantity: &Quantity<'a>, number: &Item<'a>) -> Calculated<'a> {
    let value = match number {
        Item::Integer(value) => Decimal::from(*value),
        Item::Decimal(value) => *value,
        _ => return Err(wrong(operator, number)),
    };
    let factor = Quantity { value, unit: "1".into(), calendar: false };
    quantities(operator, quantity, &factor)
}

/// `&`: an empty operand counts as the empty text.
fn concatenate<'a>(evaluator: &Evaluator<'a>, left: Option<Item<'a>>, right: Option<Item<'a>>) -> Calculated<'a> {
    let text = |item: Option<Item<'a>>| match item {
        None => Ok("".into()),
        Some(Item::Text(text)) => Ok(text),
        Some(other) => Err(wrong(Operator::Concatenate, &other)),
    };
    let (left, right) = (text(left)?, text(right)?);
    join(evaluator, &left, &right)
}

fn join<'a>(evaluator: &Evaluator<'a>, one: &str, two: &str) -> Calculated<'a> {
    evaluator.check_length(one.len() + two.len())?;
    Ok(Some(Item::owned(format!("{one}{two}"))))
}

/// `-x`.
pub(super) fn negate(item: Item<'_>) -> Calculated<'_> {
    match item {
        Item::Integer(value) => Ok(value.checked_neg().map(Item::Integer)),
        Item::Decimal(value) => Ok(Some(Item::Decimal(-value))),
        Item::Quantity(mut quantity) => {
            quantity.value = -quantity.value;
            Ok(Some(Item::Quantity(quantity)))
        }
        other => Err(EvaluateError::WrongType { operation: "-", found: other.kind() }),
    }
}

/// `+x`.
pub(super) fn positive(item: Item<'_>) -> Calculated<'_> {
    match item {
        Item::Integer(_) | Item::Decimal(_) | Item::Quantity(_) => Ok(Some(item)),
        other => Err(EvaluateError::WrongType { operation: "+", found: other.kind() }),
    }
}
