//! Chained parameters (`subject:Patient.name`) and reverse chains (`_has:Task:focus:status`)
//! (<https://hl7.org/fhir/R4/search.html#chaining>, <https://hl7.org/fhir/R4/search.html#has>).

use super::fault::{self, Fault};
use super::link;
use super::parse::{self, Context, Target};
use super::{Condition, Link};
use crate::search::kinds::Kind;
use crate::search::parameters::Parameter;

/// The most ways that a chain without named types may stand for: each is a part of the statement.
const MOST_WAYS: usize = 300;

/// Parses `first.rest`.
pub(super) fn chain(
    target: &Target<'_>,
    first: &str,
    rest: &str,
    context: &Context<'_>,
    depth: usize,
) -> Result<Condition, Fault> {
    through(target, first, rest, context, depth, &mut |next, depth| {
        parse::condition(&Target { key: rest, ..*next }, context, depth)
    })
}

/// The condition that a resource refers by `first` to one for which `inner` (of a resource of its type) holds; `rest` is what is asked there.
pub(super) fn through(
    target: &Target<'_>,
    first: &str,
    rest: &str,
    context: &Context<'_>,
    depth: usize,
    inner: &mut dyn FnMut(&Target<'_>, usize) -> Result<Condition, Fault>,
) -> Result<Condition, Fault> {
    let (code, named) = match first.split_once(':') {
        Some((code, named)) => (code, Some(named)),
        None => (first, None),
    };
    let parameter = reference(target, target.resource_type, code, context)?;
    let mut alternatives = Vec::new();
    let mut refused = None;
    let types = candidate_types(target, parameter, named, rest, context)?;
    let ways = target.ways * types.len();
    if ways > MOST_WAYS {
        let text =
            format!("This chain could go more than {MOST_WAYS} ways. Say which type is meant: {code}:[type].{rest}.");
        return Err(fault::usage(target.name, text));
    }
    for resource_type in types {
        let next = Target { resource_type, ways, ..*target };
        match inner(&next, depth + 1) {
            Ok(condition) => {
                let links = links(target.resource_type, parameter, resource_type, context);
                alternatives.extend(links.map(|link| Condition::Chain(link, Box::new(condition.clone()))));
            }
            // Where no type is named, a type that cannot have such a value has no match.
            Err(fault) => refused = refused.or(Some(fault)),
        }
    }
    match refused {
        Some(fault) if alternatives.is_empty() => return Err(fault),
        _ => {}
    }
    Ok(if alternatives.len() == 1 { alternatives.remove(0) } else { Condition::Any(alternatives) })
}

/// The ways in which a parameter of `source` leads to `target`.
fn links<'a>(
    source: &'a str,
    parameter: &'a Parameter,
    target: &'a str,
    context: &Context<'_>,
) -> impl Iterator<Item = Link> + 'a {
    let by_url = link::types_by_url(parameter, context.registry).iter().any(|name| name == target);
    let literal = link::is_literal(parameter) || !by_url;
    [(literal, false), (by_url, true)].into_iter().filter(|(there, _)| *there).map(move |(_, by_url)| Link {
        source: source.to_owned(),
        code: parameter.codes.own.clone(),
        target: target.to_owned(),
        by_url,
    })
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
        return if context.registry.is_resource_type(named) && link::may_refer(parameter, named) {
            Ok(vec![named])
        } else {
            let text = format!("The type before the dot must be one the parameter refers to: {}.", targets.join(", "));
            Err(fault::usage(target.name, text))
        };
    }
    let next = rest.split(['.', ':']).next().unwrap_or_default();
    let has_next = |name: &&str| next == "_has" || context.registry.get(name, next).is_some();
    let types: Vec<&str> = targets.iter().map(String::as_str).filter(has_next).collect();
    if types.is_empty() {
        let first = targets.first().map_or("Resource", String::as_str);
        return Err(fault::unknown(target.name, next, first, context.registry));
    }
    Ok(types)
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
    if !link::may_refer(parameter, target.resource_type) {
        let text = format!(
            "{source}.{code} does not refer to {}; it refers to {}.",
            target.resource_type,
            parameter.targets.join(", ")
        );
        return Err(fault::usage(target.name, text));
    }
    let inner = parse::condition(&Target { resource_type: source, key, ..*target }, context, depth + 1)?;
    let links = links(source, parameter, target.resource_type, context);
    let mut alternatives: Vec<Condition> = links.map(|link| Condition::Has(link, Box::new(inner.clone()))).collect();
    Ok(if alternatives.len() == 1 { alternatives.remove(0) } else { Condition::Any(alternatives) })
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
