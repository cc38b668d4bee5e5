//! `<`, `<=`, `>`, `>=` (<https://hl7.org/fhirpath/N1/#comparison>). Called by `evaluate` and `sort()`.

use std::cmp::Ordering;

use super::equality::{numbers, untyped_temporal};
use super::error::EvaluateError;
use super::item::Item;
use super::syntax::Operator;
use crate::fhir::types::Types;

/// Applies a comparison operator; nothing where an operand is empty or the precision leaves the order open.
pub(super) fn order(
    types: &Types,
    operator: Operator,
    left: Option<Item<'_>>,
    right: Option<Item<'_>>,
) -> Result<Option<bool>, EvaluateError> {
    let (Some(left), Some(right)) = (left, right) else { return Ok(None) };
    let order = compare(&left, &right, types, operator.symbol())?;
    Ok(order.map(|order| match operator {
        Operator::Less => order == Ordering::Less,
        Operator::LessOrEqual => order != Ordering::Greater,
        Operator::Greater => order == Ordering::Greater,
        _ => order != Ordering::Less,
    }))
}

/// The order of two items of the same kind; an error where the kinds have no order between them.
pub(super) fn compare(
    left: &Item<'_>,
    right: &Item<'_>,
    types: &Types,
    operation: &'static str,
) -> Result<Option<Ordering>, EvaluateError> {
    let (one, two) = match (left.system(types), right.system(types)) {
        (Some(one), Some(two)) => (one, two),
        (None, _) => return without_value(left, types, operation),
        (_, None) => return without_value(right, types, operation),
    };
    let (one, two) = aligned(left, one, right, two);
    match (&one, &two) {
        (Item::Text(one), Item::Text(two)) => Ok(Some(one.cmp(two))),
        (Item::Temporal(one), Item::Temporal(two)) if one.comparable(two) => Ok(one.compare(two)),
        (Item::Quantity(one), Item::Quantity(two)) => Ok(one.compare(two)),
        _ => match numbers(&one, &two) {
            Some((one, two)) => Ok(Some(one.cmp(&two))),
            None => Err(EvaluateError::WrongType { operation, found: two.kind() }),
        },
    }
}

/// A text of unknown type beside a temporal value is read as one.
fn aligned<'a>(left: &Item<'_>, one: Item<'a>, right: &Item<'_>, two: Item<'a>) -> (Item<'a>, Item<'a>) {
    let parsed = match (&one, &two) {
        (Item::Text(text), Item::Temporal(_)) => untyped_temporal(left, text).map(|parsed| (true, parsed)),
        (Item::Temporal(_), Item::Text(text)) => untyped_temporal(right, text).map(|parsed| (false, parsed)),
        _ => None,
    };
    match parsed {
        Some((true, parsed)) => (Item::Temporal(parsed), two),
        Some((false, parsed)) => (one, Item::Temporal(parsed)),
        None => (one, two),
    }
}

/// A primitive without a value, a quantity without one and a quantity that is a bound count as empty.
fn without_value(item: &Item<'_>, types: &Types, operation: &'static str) -> Result<Option<Ordering>, EvaluateError> {
    let quantity = types.get("Quantity");
    let is_quantity = |type_| quantity.is_some_and(|quantity| types.is_subtype(type_, quantity));
    match item {
        Item::Node(node) if node.value().is_null() || node.type_index().is_some_and(is_quantity) => Ok(None),
        _ => Err(EvaluateError::WrongType { operation, found: item.kind() }),
    }
}
