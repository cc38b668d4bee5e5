//! `=` and `~` (<https://hl7.org/fhirpath/N1/#equality>). Called by `evaluate` and by everything that removes duplicates.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use serde_json::Value;

use super::item::Item;
use super::node::{Node, decimal};
use super::quantity::equivalent_decimals;
use super::temporal::Temporal;
use crate::fhir::types::Types;

/// Whether two collections are equal; nothing where one is empty or the precision leaves it open.
pub(super) fn equal_collections(left: &[Item<'_>], right: &[Item<'_>], types: &Types) -> Option<bool> {
    if left.is_empty() || right.is_empty() {
        return None;
    }
    if left.len() != right.len() {
        return Some(false);
    }
    let mut uncertain = false;
    for (left, right) in left.iter().zip(right) {
        match equal(left, right, types) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => uncertain = true,
        }
    }
    if uncertain { None } else { Some(true) }
}

/// Whether two items are equal.
pub(super) fn equal(left: &Item<'_>, right: &Item<'_>, types: &Types) -> Option<bool> {
    if let (Item::Node(left), Item::Node(right)) = (left, right)
        && let Some(known) = equal_nodes(left, right)
    {
        return known;
    }
    match (left.system(types), right.system(types)) {
        (Some(one), Some(two)) => equal_values(left, &one, right, &two),
        (None, None) => Some(false),
        (None, Some(_)) => without_value(left),
        (Some(_), None) => without_value(right),
    }
}

/// A primitive without a value is compared as if it were empty; a complex element differs from any value.
fn without_value(item: &Item<'_>) -> Option<bool> {
    let empty = item.as_node().is_some_and(|node| node.value().is_null());
    if empty { None } else { Some(false) }
}

/// Equality where it can be told from the JSON alone; the outer nothing means: compare the values.
#[expect(clippy::option_option, reason = "equality itself may be unknown")]
fn equal_nodes(left: &Node<'_>, right: &Node<'_>) -> Option<Option<bool>> {
    if left.same_place(right) {
        return Some(Some(true));
    }
    match (left.value(), right.value()) {
        (Value::Null, Value::Null) => Some(Some(left.sibling() == right.sibling())),
        (one @ Value::Object(_), two @ Value::Object(_)) if equal_json(one, two) => Some(Some(true)),
        _ => None,
    }
}

/// Deep equality; numbers by value, objects whatever their order.
pub(super) fn equal_json(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(one), Value::Number(two)) => {
            one == two || decimal(one).is_some_and(|one| Some(one) == decimal(two))
        }
        (Value::Array(one), Value::Array(two)) => {
            one.len() == two.len() && one.iter().zip(two).all(|(one, two)| equal_json(one, two))
        }
        (Value::Object(one), Value::Object(two)) => {
            one.len() == two.len()
                && one.iter().all(|(key, value)| two.get(key).is_some_and(|other| equal_json(value, other)))
        }
        _ => left == right,
    }
}

fn equal_values(left: &Item<'_>, one: &Item<'_>, right: &Item<'_>, two: &Item<'_>) -> Option<bool> {
    match (one, two) {
        (Item::Text(one), Item::Text(two)) => Some(one == two),
        (Item::Temporal(one), Item::Temporal(two)) => equal_temporals(one, two),
        (Item::Text(text), Item::Temporal(temporal)) => equal_text(left, text, temporal),
        (Item::Temporal(temporal), Item::Text(text)) => equal_text(right, text, temporal),
        (Item::Quantity(one), Item::Quantity(two)) => one.compare(two).map(|order| order == Ordering::Equal),
        (Item::Boolean(one), Item::Boolean(two)) => Some(one == two),
        (Item::Integer(one), Item::Integer(two)) => Some(one == two),
        (Item::Type(one), Item::Type(two)) => Some(one == two),
        _ => Some(numbers(one, two).is_some_and(|(one, two)| one == two)),
    }
}

/// Integers and decimals as decimals.
pub(super) fn numbers(one: &Item<'_>, two: &Item<'_>) -> Option<(Decimal, Decimal)> {
    let number = |item: &Item<'_>| match item {
        Item::Integer(value) => Some(Decimal::from(*value)),
        Item::Decimal(value) => Some(*value),
        _ => None,
    };
    Some((number(one)?, number(two)?))
}

fn equal_temporals(one: &Temporal, two: &Temporal) -> Option<bool> {
    if !one.comparable(two) {
        return Some(false);
    }
    one.compare(two).map(|order| order == Ordering::Equal)
}

/// An element of unknown type may be a date written as text.
fn equal_text(item: &Item<'_>, text: &str, temporal: &Temporal) -> Option<bool> {
    match untyped_temporal(item, text) {
        Some(parsed) => equal_temporals(&parsed, temporal),
        None => Some(false),
    }
}

/// The date, dateTime or time that the text of an element of unknown type may mean.
pub(super) fn untyped_temporal(item: &Item<'_>, text: &str) -> Option<Temporal> {
    item.as_node().filter(|node| node.type_index().is_none())?;
    Temporal::parse_date(text).or_else(|| Temporal::parse_date_time(text)).or_else(|| Temporal::parse_time(text))
}

/// Whether two collections are equivalent, whatever their order.
pub(super) fn equivalent_collections(left: &[Item<'_>], right: &[Item<'_>], types: &Types) -> bool {
    let mut rest: Vec<&Item<'_>> = right.iter().collect();
    left.len() == right.len()
        && left.iter().all(|item| {
            let found = rest.iter().position(|other| equivalent(item, other, types));
            found.is_some_and(|at| {
                rest.swap_remove(at);
                true
            })
        })
}

/// Whether two items are equivalent.
fn equivalent(left: &Item<'_>, right: &Item<'_>, types: &Types) -> bool {
    match (left.system(types), right.system(types)) {
        (Some(one), Some(two)) => match (&one, &two) {
            (Item::Text(one), Item::Text(two)) => equivalent_texts(one, two),
            (Item::Temporal(one), Item::Temporal(two)) => one.equivalent(two),
            (Item::Quantity(one), Item::Quantity(two)) => one.equivalent(two),
            _ => match numbers(&one, &two) {
                Some((one, two)) => equivalent_decimals(one, two),
                None => equal_values(left, &one, right, &two) == Some(true),
            },
        },
        (None, None) => match (left, right) {
            (Item::Node(one), Item::Node(two)) => one.same_place(two) || equivalent_json(one.value(), two.value()),
            _ => false,
        },
        _ => false,
    }
}

/// Deep equivalence: texts without regard to case and spacing, arrays without regard to order.
fn equivalent_json(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::String(one), Value::String(two)) => equivalent_texts(one, two),
        (Value::Array(one), Value::Array(two)) => {
            one.len() == two.len() && one.iter().all(|item| two.iter().any(|other| equivalent_json(item, other)))
        }
        (Value::Object(one), Value::Object(two)) => {
            let ignored = |key: &str| key == "id";
            let all = |from: &serde_json::Map<String, Value>, to: &serde_json::Map<String, Value>| {
                from.iter()
                    .filter(|(key, _)| !ignored(key))
                    .all(|(key, value)| to.get(key).is_some_and(|other| equivalent_json(value, other)))
            };
            all(one, two) && all(two, one)
        }
        _ => equal_json(left, right),
    }
}

fn equivalent_texts(one: &str, two: &str) -> bool {
    if one.is_ascii() && two.is_ascii() && !one.contains(char::is_whitespace) && !two.contains(char::is_whitespace) {
        return one.eq_ignore_ascii_case(two);
    }
    let normal = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ");
    normal(one) == normal(two)
}
