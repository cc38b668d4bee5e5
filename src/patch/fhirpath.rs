//! FHIRPath Patch (<https://hl7.org/fhir/R4/fhirpatch.html>): a Parameters resource read into operations, and the operations
//! carried out one after the other, each on what the one before has left.

use serde_json::{Map, Value};

use super::build::Content;
use super::element;
use super::place::{Place, object};
use super::target::{Found, List, absent};
use super::{MOST_ADDED, MOST_OPERATIONS, extent, malformed, refuse};
use crate::clock::Micros;
use crate::fhir::issue::IssueCode;
use crate::fhirpath::Expression;
use crate::problem::Problem;

/// One operation, with the number of its parameter.
#[derive(Debug)]
pub(super) struct Operation {
    number: usize,
    path: Expression,
    action: Action,
}

#[derive(Debug)]
enum Action {
    Add { name: String, content: Content },
    Insert { index: usize, content: Content },
    Delete,
    Replace(Content),
    Move { source: usize, destination: usize },
}

/// Reads the operations of a Parameters resource.
pub(super) fn read(parameters: &Value) -> Result<Vec<Operation>, Problem> {
    if parameters.get("resourceType").and_then(Value::as_str) != Some("Parameters") {
        return Err(malformed("A FHIRPath Patch is a Parameters resource with operations.", "http.body"));
    }
    let list = parameters.get("parameter").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if list.len() > MOST_OPERATIONS {
        return Err(malformed(format!("A patch has at most {MOST_OPERATIONS} operations."), "Parameters.parameter"));
    }
    if extent(parameters).0 > MOST_ADDED {
        return Err(malformed("The patch is too large.", "Parameters"));
    }
    let read = |(number, item): (usize, &Value)| operation(number, item).map_err(|text| malformed(text, place(number)));
    list.iter().enumerate().map(read).collect()
}

fn place(number: usize) -> String {
    format!("Parameters.parameter[{number}]")
}

fn operation(number: usize, item: &Value) -> Result<Operation, String> {
    if item.get("name").and_then(Value::as_str) != Some("operation") {
        return Err("Every parameter of a FHIRPath Patch is named operation.".to_owned());
    }
    let parts = item.get("part").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let part = |name: &str| {
        let named = |part: &&Map<String, Value>| part.get("name").and_then(Value::as_str) == Some(name);
        parts.iter().filter_map(Value::as_object).find(named)
    };
    let text = |name: &str| {
        let value = part(name).and_then(|part| part.iter().find(|(key, _)| key.starts_with("value")));
        value.and_then(|(_, value)| value.as_str()).ok_or_else(|| format!("The operation needs a {name} (a string)."))
    };
    let number_of = |name: &str| {
        let value = part(name).and_then(|part| part.get("valueInteger")).and_then(Value::as_u64);
        let value = value.and_then(|value| usize::try_from(value).ok());
        value.ok_or_else(|| format!("The operation needs {name} (an integer from 0)."))
    };
    let content = || {
        let part = part("value").ok_or_else(|| "The operation needs a value.".to_owned())?;
        Content::read(part).map_err(|text| format!("The value of the operation cannot be used: {text}."))
    };
    let action = match text("type")? {
        "add" => Action::Add { name: text("name")?.to_owned(), content: content()? },
        "insert" => Action::Insert { index: number_of("index")?, content: content()? },
        "delete" => Action::Delete,
        "replace" => Action::Replace(content()?),
        "move" => Action::Move { source: number_of("source")?, destination: number_of("destination")? },
        _ => return Err("The type of an operation is one of add, insert, delete, replace, move.".to_owned()),
    };
    let path = Expression::compile(text("path")?).map_err(|error| format!("The path is not FHIRPath: {error}"))?;
    Ok(Operation { number, path, action })
}

/// Carries the operations out; `resource` is of no use after a failure.
pub(super) fn apply(resource: &mut Value, operations: &[Operation], now: Micros) -> Result<(), Problem> {
    for operation in operations {
        carry_out(resource, operation, now).map_err(|text| {
            let text = format!("Operation {}: {text}. Nothing was changed.", operation.number + 1);
            refuse(IssueCode::Processing, "patch-path", text, place(operation.number))
        })?;
    }
    Ok(())
}

fn carry_out(resource: &mut Value, operation: &Operation, now: Micros) -> Result<(), String> {
    match &operation.action {
        Action::Add { name, content } => {
            let Some(target) = Found::only(resource, &operation.path, now)? else { return Err(absent()) };
            let way = target.inner(resource)?;
            let map = object(resource, &way).ok_or_else(absent)?;
            content.put(map, target.type_, name)
        }
        Action::Delete => match Found::only(resource, &operation.path, now)? {
            Some(target) => delete(resource, &target.element()?),
            None => Ok(()),
        },
        Action::Replace(content) => {
            let Some(target) = Found::only(resource, &operation.path, now)? else { return Err(absent()) };
            replace(resource, &target, content)
        }
        Action::Insert { index, content } => {
            let list = List::find(resource, &operation.path, now)?;
            let built = content.build(list.type_)?;
            list.change(resource, |all| {
                let fits = *index <= all.len();
                if fits {
                    all.insert(*index, built);
                }
                fits
            })
        }
        Action::Move { source, destination } => {
            let list = List::find(resource, &operation.path, now)?;
            list.change(resource, |all| {
                let fits = *source < all.len() && *destination < all.len();
                if fits {
                    let moved = all.remove(*source);
                    all.insert(*destination, moved);
                }
                fits
            })
        }
    }
}

fn delete(resource: &mut Value, place: &Place) -> Result<(), String> {
    let map = object(resource, &place.holder).ok_or_else(absent)?;
    match place.index {
        None => element::remove(map, &place.name),
        Some(index) => {
            let mut all = element::list(map, &place.name);
            if index < all.len() {
                all.remove(index);
            }
            element::put_list(map, &place.name, all);
        }
    }
    Ok(())
}

fn replace(resource: &mut Value, target: &Found, content: &Content) -> Result<(), String> {
    let place = target.element()?;
    let map = object(resource, &place.holder).ok_or_else(absent)?;
    if let Some(index) = place.index {
        let built = content.build(target.type_)?;
        let mut all = element::list(map, &place.name);
        if let Some(element) = all.get_mut(index) {
            *element = built;
        }
        element::put_list(map, &place.name, all);
        return Ok(());
    }
    let declared = target.declared(content)?;
    let built = content.build(declared.as_ref().map_or(target.type_, |declared| declared.type_))?;
    let name = declared.map_or_else(|| place.name.clone(), |declared| declared.name);
    if name != place.name {
        element::remove(map, &place.name);
    }
    element::put_one(map, &name, built);
    Ok(())
}
