//! JSON Patch (<https://www.rfc-editor.org/rfc/rfc6902>): the document read into operations, and the operations carried out.
//! Numbers are equal where their values are, whatever their texts; members keep their order.

use serde_json::{Number, Value};

use super::pointer::{Pointer, get_mut, index};
use super::{DEEPEST, MOST_ADDED, MOST_OPERATIONS, extent, malformed, refuse};
use crate::fhir::decimal::Decimal;
use crate::fhir::issue::IssueCode;
use crate::problem::Problem;

/// One operation with the place it works on.
#[derive(Debug)]
pub(super) struct Operation {
    path: Pointer,
    action: Action,
}

#[derive(Debug)]
enum Action {
    Add(Value),
    Remove,
    Replace(Value),
    Move(Pointer),
    Copy(Pointer),
    Test(Value),
}

/// Reads a document. Members that RFC 6902 does not name are passed over, as it demands.
pub(super) fn read(document: &Value) -> Result<Vec<Operation>, Problem> {
    let Some(list) = document.as_array() else {
        return Err(malformed("A JSON Patch is a JSON array of operations (RFC 6902).", "http.body"));
    };
    if list.len() > MOST_OPERATIONS {
        return Err(malformed(format!("A patch has at most {MOST_OPERATIONS} operations."), "http.body"));
    }
    list.iter()
        .enumerate()
        .map(|(number, item)| operation(item).map_err(|text| malformed(text, place(number))))
        .collect()
}

fn place(number: usize) -> String {
    format!("http.body[{number}]")
}

fn operation(item: &Value) -> Result<Operation, String> {
    let text = |name: &str| item.get(name).and_then(Value::as_str);
    let pointer = |name: &str| {
        let wrong = || format!("\"{name}\" must be a JSON Pointer, for example /name/0/family.");
        text(name).and_then(Pointer::parse).ok_or_else(wrong)
    };
    let value = || item.get("value").cloned().ok_or_else(|| "This operation needs a \"value\".".to_owned());
    let path = pointer("path")?;
    let action = match text("op") {
        Some("add") => Action::Add(value()?),
        Some("remove") => Action::Remove,
        Some("replace") => Action::Replace(value()?),
        Some("move") => Action::Move(pointer("from")?),
        Some("copy") => Action::Copy(pointer("from")?),
        Some("test") => Action::Test(value()?),
        _ => return Err("\"op\" must be one of add, remove, replace, move, copy, test.".to_owned()),
    };
    Ok(Operation { path, action })
}

/// Carries the operations out in order; `document` is of no use after a failure.
pub(super) fn apply(document: &mut Value, operations: &[Operation]) -> Result<(), Problem> {
    let mut added = 0;
    for (number, operation) in operations.iter().enumerate() {
        let (code, rule, text) = match carry_out(document, operation, &mut added) {
            Ok(()) => continue,
            Err(Fault::Test) => (IssueCode::Conflict, "patch-test", "The test failed: another value is there."),
            Err(Fault::Missing) => (IssueCode::NotFound, "patch-path", "There is nothing at the place that it names."),
            Err(Fault::Index) => {
                (IssueCode::NotFound, "patch-path", "The array has no such place; \"-\" is behind its last item.")
            }
            Err(Fault::Within) => (IssueCode::Value, "patch-path", "A value cannot be moved into itself."),
            Err(Fault::Root) => (IssueCode::Value, "patch-path", "The whole document cannot be removed or moved."),
            Err(Fault::TooMuch) => (IssueCode::TooCostly, "patch-size", "The patch makes the resource too large."),
        };
        let text = format!("Operation {}: {text} Nothing was changed.", number + 1);
        return Err(refuse(code, rule, text, place(number)));
    }
    Ok(())
}

/// Why an operation cannot be carried out.
enum Fault {
    Test,
    Missing,
    Index,
    Within,
    Root,
    TooMuch,
}

fn carry_out(document: &mut Value, operation: &Operation, added: &mut usize) -> Result<(), Fault> {
    let path = &operation.path;
    match &operation.action {
        Action::Add(value) => add(document, path, value.clone(), added),
        Action::Remove => remove(document, path).map(drop),
        Action::Replace(value) => {
            bounded(path, value, added)?;
            let target = get_mut(document, path.steps());
            *target.ok_or(Fault::Missing)? = value.clone();
            Ok(())
        }
        Action::Move(from) if from.is_above(path) => Err(Fault::Within),
        Action::Move(from) if from == path => from.get(document).map(drop).ok_or(Fault::Missing),
        Action::Move(from) => {
            let value = remove(document, from)?;
            add(document, path, value, added)
        }
        Action::Copy(from) => {
            let value = from.get(document).ok_or(Fault::Missing)?;
            bounded(path, value, added)?;
            let value = value.clone();
            add(document, path, value, added)
        }
        Action::Test(value) => {
            let found = path.get(document).ok_or(Fault::Missing)?;
            if equal(found, value) { Ok(()) } else { Err(Fault::Test) }
        }
    }
}

/// Keeps repeated copies from growing without end, in number and in depth.
fn bounded(path: &Pointer, value: &Value, added: &mut usize) -> Result<(), Fault> {
    let (count, depth) = extent(value);
    *added += count;
    if *added > MOST_ADDED || path.depth() + depth > DEEPEST { Err(Fault::TooMuch) } else { Ok(()) }
}

fn add(document: &mut Value, path: &Pointer, value: Value, added: &mut usize) -> Result<(), Fault> {
    bounded(path, &value, added)?;
    let Some((above, last)) = path.split() else {
        *document = value;
        return Ok(());
    };
    match get_mut(document, above).ok_or(Fault::Missing)? {
        Value::Object(map) => {
            map.insert(last.to_owned(), value);
            Ok(())
        }
        Value::Array(items) => {
            let at = if last == "-" { Some(items.len()) } else { index(last) };
            let at = at.filter(|at| *at <= items.len()).ok_or(Fault::Index)?;
            items.insert(at, value);
            Ok(())
        }
        _ => Err(Fault::Missing),
    }
}

fn remove(document: &mut Value, path: &Pointer) -> Result<Value, Fault> {
    let (above, last) = path.split().ok_or(Fault::Root)?;
    match get_mut(document, above).ok_or(Fault::Missing)? {
        Value::Object(map) => map.shift_remove(last).ok_or(Fault::Missing),
        Value::Array(items) => {
            let at = index(last).filter(|at| *at < items.len()).ok_or(Fault::Index)?;
            Ok(items.remove(at))
        }
        _ => Err(Fault::Missing),
    }
}

/// Equality of RFC 6902 section 4.6: numbers by value, members in any order.
fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => equal_numbers(one, other),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let same = |(name, value): (&String, &Value)| other.get(name).is_some_and(|other| equal(value, other));
            one.len() == other.len() && one.iter().all(same)
        }
        _ => one == other,
    }
}

fn equal_numbers(one: &Number, other: &Number) -> bool {
    let (one, other) = (one.to_string(), other.to_string());
    one == other
        || match (Decimal::parse(&one), Decimal::parse(&other)) {
            (Some(one), Some(other)) => one.compare(&other).is_eq(),
            _ => false,
        }
}
