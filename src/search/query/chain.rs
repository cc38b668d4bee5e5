//! Chained parameters (`subject:Patient.name`) and reverse chains (`_has:Task:focus:status`)
//! (<https://hl7.org/fhir/R4/search.html#chaining>, <https://hl7.org/fhir/R4/search.html#has>).

use super::fault::{self, Fault};
use super::parse::{self, Context, Target};
use super::{Condition, Link};
use crate::search::kinds::Kind;
use crate::search::parameters::Parameter;

/// The most resource types that a chain without a named type may stand for.
const MOST_TYPES: usize = 6;

/// Parses `first.rest`.
pub(super) fn chain(
    target: &Target<'_>,
    first: &str,
    rest: &str,
    context: &Context<'_>,
    depth: usize,
) -> Result<Condition, Fault> {
    let (code, named) = match first.split_once(':') {
        Some((code, named)) => (code, Some(named)),
        None => (first, None),
    };
    let parameter = reference(target, target.resource_type, code, context)?;
    let types = candidate_types(target, parameter, named, rest, context)?;
    let mut alternatives = Vec::new();
    for resource_type in types {
        let link = Link {
            source: target.resource_type.to_owned(),
            code: parameter.codes.own.clone(),
            target: resource_type.to_owned(),
        };
        let inner = Target { resource_type, key: rest, ..*target };
        let condition = parse::condition(&inner, context, depth + 1)?;
        alternatives.push(Condition::Chain(link, Box::new(condition)));
    }
    Ok(if alternatives.len() == 1 { alternatives.remove(0) } else { Condition::Any(alternatives) })
}

/// The types that the chain may go through: the one named, or those that have the next parameter.
fn candidate_types<'a>(
    target: &Target<'_>,
    parameter: &'a Parameter,
    named: Option<&'a str>,
    rest: &str,
    context: &Context<'a>,
) -> Result<Vec<&'a str>, Fault> {
    let targets = &parameter.targets;
    if let Some(named) = named {
        let known = context.registry.is_resource_type(named);
        return if known && (targets.is_empty() || targets.iter().any(|name| name == named)) {
            Ok(vec![named])
        } else {
            let text = format!("The type before the dot must be one the parameter refers to: {}.", targets.join(", "));
            Err(fault::usage(target.name, text))
        };
    }
    let next = rest.split(['.', ':']).next().unwrap_or_default();
    let has_next = |name: &&str| next == "_has" || context.registry.get(name, next).is_some();
    let types: Vec<&str> = targets.iter().map(String::as_str).filter(has_next).collect();
    match types.len() {
        0 => {
            let first = targets.first().map_or("Resource", String::as_str);
            Err(fault::unknown(target.name, next, first, context.registry))
        }
        1..=MOST_TYPES => Ok(types),
        _ => {
            let code = parameter.code();
            let text = format!("Say which type is meant, for example {code}:{}.{next}.", types.first().unwrap_or(&""));
            Err(fault::usage(target.name, text))
        }
    }
}

/// Parses what follows `_has:`: `Type:reference:rest`.
pub(super) fn has(target: &Target<'_>, rest: &str, context: &Context<'_>, depth: usize) -> Result<Condition, Fault> {
    let mut parts = rest.splitn(3, ':');
    let (Some(source), Some(code), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        let text = "`_has` is written _has:[type]:[reference parameter]:[parameter]=value.";
        return Err(fault::usage(target.name, text));
    };
    if !context.registry.is_resource_type(source) {
        return Err(fault::usage(target.name, "The type after `_has:` is not a resource type."));
    }
    let parameter = reference(target, source, code, context)?;
    if !(parameter.targets.is_empty() || parameter.targets.iter().any(|name| name == target.resource_type)) {
        let text = format!(
            "{source}.{code} does not refer to {}; it refers to {}.",
            target.resource_type,
            parameter.targets.join(", ")
        );
        return Err(fault::usage(target.name, text));
    }
    let link =
        Link { source: source.to_owned(), code: parameter.codes.own.clone(), target: target.resource_type.to_owned() };
    let inner = parse::condition(&Target { resource_type: source, key, ..*target }, context, depth + 1)?;
    Ok(Condition::Has(link, Box::new(inner)))
}

fn reference<'a>(
    target: &Target<'_>,
    resource_type: &str,
    code: &str,
    context: &Context<'a>,
) -> Result<&'a Parameter, Fault> {
    match context.registry.get(resource_type, code) {
        Some(parameter) if parameter.kind == Kind::Reference && parameter.is_searchable() => Ok(parameter),
        Some(_) => Err(fault::usage(target.name, format!("Only reference parameters can be chained; {code} is none."))),
        None => Err(fault::unknown(target.name, code, resource_type, context.registry)),
    }
}
