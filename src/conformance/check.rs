//! Compares an answer with what a step expects. The player calls it.

use serde_json::{Value, json};

use super::journey::Expect;
use super::template::{Known, fill, matches, reference};
use super::transport::Response;
use crate::clock::Clock;
use crate::fhirpath::{Context, Expression, Item};

/// What is not as expected, one line each.
pub(super) fn check(expect: &Expect, response: &Response, known: &Known, clock: &Clock) -> Result<Vec<String>, String> {
    if !expect.status.contains(&response.status) {
        return Ok(vec![format!("status {} instead of {:?}", response.status, expect.status)]);
    }
    let mut failures = Vec::new();
    for (name, pattern) in &expect.headers {
        let pattern = fill(pattern, known)?;
        let value = response.header(name).unwrap_or_default();
        if !matches(&pattern, value) {
            failures.push(format!("header {name} is {value:?} instead of {pattern:?}"));
        }
    }
    for name in expect.absent.iter().filter(|name| response.header(name).is_some()) {
        failures.push(format!("there is a header {name}"));
    }
    if expect.empty && !response.text.is_empty() {
        failures.push("there is a body".to_owned());
    }
    failures.extend(check_search(expect, response, known)?);
    for pattern in &expect.text {
        let pattern = fill(pattern, known)?;
        if !matches(&pattern, &response.text) {
            failures.push(format!("the body is not like {pattern:?}"));
        }
    }
    for expression in &expect.fhirpath {
        let expression = fill(expression, known)?;
        if evaluate(&expression, &response.body, clock)? != [json!(true)] {
            failures.push(format!("not true: {expression}"));
        }
    }
    Ok(failures)
}

/// Compares the entries of a searchset with those expected.
fn check_search(expect: &Expect, response: &Response, known: &Known) -> Result<Vec<String>, String> {
    let mut failures = Vec::new();
    for (what, mode, expected, ordered) in [
        ("matches", "match", &expect.matches, false),
        ("matches in order", "match", &expect.sequence, true),
        ("includes", "include", &expect.included, false),
    ] {
        let Some(expected) = expected else { continue };
        if response.body["type"] != "searchset" {
            failures.push("the body is no Bundle of type searchset".to_owned());
        }
        let mut expected: Vec<String> = expected.iter().map(|name| fill(name, known)).collect::<Result<_, _>>()?;
        let mut found = entries(&response.body, mode);
        if !ordered {
            expected.sort();
            found.sort();
        }
        if found != expected {
            failures.push(format!("{what} are [{}] instead of [{}]", found.join(", "), expected.join(", ")));
        }
    }
    Ok(failures)
}

/// `Type/id` of the entries with this mode; an entry without one is a match.
fn entries(bundle: &Value, mode: &str) -> Vec<String> {
    let entries = bundle["entry"].as_array().into_iter().flatten();
    let wanted = entries.filter(|entry| entry["search"]["mode"].as_str().unwrap_or("match") == mode);
    let name = |entry: &Value| match (entry["resource"]["resourceType"].as_str(), entry["resource"]["id"].as_str()) {
        (Some(resource_type), Some(id)) => Some(format!("{resource_type}/{id}")),
        _ => entry["fullUrl"].as_str().and_then(reference),
    };
    wanted.filter_map(name).collect()
}

/// The results of a FHIRPath expression on a resource.
pub(super) fn evaluate(expression: &str, resource: &Value, clock: &Clock) -> Result<Vec<Value>, String> {
    if resource.is_null() {
        return Err(format!("there is no resource to evaluate {expression} on"));
    }
    let compiled = Expression::compile(expression).map_err(|error| format!("{expression}: {error}"))?;
    let context = Context::new(resource, clock.now());
    let focus = Item::resource(resource, context.types);
    let found = compiled.evaluate(&context, focus).map_err(|error| format!("{expression}: {error}"))?;
    Ok(found.iter().map(Item::to_json).collect())
}
