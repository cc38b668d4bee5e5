//! FHIR's additional functions (<https://hl7.org/fhir/R4/fhirpath.html#functions>): extension, hasValue, getValue,
//! resolve, conformsTo, htmlChecks, checkModifiers.

use std::borrow::Cow;

use serde_json::Value;

use super::super::error::EvaluateError;
use super::super::evaluate::Outcome;
use super::super::item::Item;
use super::super::navigate::{self, Sink};
use super::super::node::Node;
use super::{Call, ENOUGH, Function, MORE, emit, emit_boolean, html, values};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    values("extension", 1, 1, extension),
    values("hasExtension", 1, 1, has_extension),
    values("hasValue", 0, 0, has_value),
    values("getValue", 0, 0, get_value),
    values("resolve", 0, 0, resolve),
    values("conformsTo", 1, 1, conforms_to),
    values("htmlChecks", 0, 0, html_checks),
    values("htmlChecks2", 0, 0, html_checks),
    values("checkModifiers", 0, 64, check_modifiers),
];

/// Sends the extensions of an element that have this url; without one, all modifier extensions.
fn extensions<'a>(call: &Call<'_, 'a>, name: &str, url: Option<&str>, sink: Sink<'_, 'a>) -> Outcome {
    call.each_input(&mut |item| {
        let Item::Node(node) = item else { return MORE };
        navigate::named(&node, name, call.evaluator.context.types, &mut |extension| {
            call.evaluator.step(1)?;
            let found = extension.as_node().and_then(|node| node.value().get("url")).and_then(Value::as_str);
            if url.is_none_or(|url| found == Some(url)) { sink(extension) } else { MORE }
        })
    })
}

fn extension<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let Some(url) = call.text_argument(0)? else { return MORE };
    extensions(call, "extension", Some(&url), sink)
}

fn has_extension<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let Some(url) = call.text_argument(0)? else { return MORE };
    let mut found = false;
    let _ = extensions(call, "extension", Some(&url), &mut |_| {
        found = true;
        ENOUGH
    })?;
    emit_boolean(found, sink)
}

/// The primitive with a value that is the only input.
fn primitive_value<'a>(call: &Call<'_, 'a>) -> Result<Option<Item<'a>>, EvaluateError> {
    let input = call.input()?;
    let [item] = input.as_slice() else { return Ok(None) };
    let types = call.evaluator.context.types;
    Ok(match item {
        Item::Node(node) if node.is_primitive(types) => node.system(types),
        Item::Node(_) => None,
        other => Some(other.clone()),
    })
}

fn has_value<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let input = call.input()?;
    let has_value = match input.as_slice() {
        // Whether there is a value, not which: a date need not be parsed for that.
        [Item::Node(node)] => !node.value().is_null() && node.is_primitive(call.evaluator.context.types),
        [_] => true,
        _ => false,
    };
    emit_boolean(has_value, sink)
}

fn get_value<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    emit(primitive_value(call)?, sink)
}

/// The reference of a Reference, or a uri or canonical itself.
fn reference<'a>(item: &Item<'a>) -> Option<Cow<'a, str>> {
    match item {
        Item::Node(node) => match node.value() {
            Value::String(text) => Some(Cow::Borrowed(text.as_str())),
            other => other.get("reference").and_then(Value::as_str).map(Cow::Borrowed),
        },
        Item::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// Looks among the contained resources, then in the Bundle, then asks the services; what is not found is left out.
fn resolve<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let context = call.evaluator.context;
    let surroundings = context.surroundings();
    call.each_input(&mut |item| {
        let Some(reference) = reference(&item) else { return MORE };
        call.evaluator.step(1)?;
        let found = surroundings.resolve(&reference).or_else(|| context.services.resolve(&reference));
        let typed = || surroundings.by_type(&reference).filter(|_| context.typed_references);
        emit(found.or_else(typed).map(Item::Node), sink)
    })
}

const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";

/// Base definitions by type, other profiles by the services; an unknown profile is an error.
fn conforms_to<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let (Some(item), Some(profile)) = (call.single_input()?, call.text_argument(0)?) else { return MORE };
    let Item::Node(node) = item else { return Err(call.wrong(&item)) };
    let known = call.evaluator.context.services.conforms_to(&node, &profile);
    match known.or_else(|| conforms_to_base(call, &node, &profile)) {
        Some(conforms) => emit_boolean(conforms, sink),
        None => Err(EvaluateError::UnknownCanonical(profile.into_owned())),
    }
}

fn conforms_to_base(call: &Call<'_, '_>, node: &Node<'_>, profile: &str) -> Option<bool> {
    let types = call.evaluator.context.types;
    let name = profile.split('|').next().unwrap_or(profile).strip_prefix(BASE)?;
    let wanted = types.get(name)?;
    Some(node.type_index().is_some_and(|actual| types.is_subtype(actual, wanted)))
}

/// Whether narrative keeps to the XHTML that FHIR allows.
fn html_checks<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let Some(item) = call.single_input()? else { return MORE };
    let Some(text) = item.text() else { return Err(call.wrong(&item)) };
    call.evaluator.step(text.len() / 16)?;
    emit_boolean(html::is_allowed(text), sink)
}

/// Passes the input on where every modifier extension in it is one of those named; anything else is an error.
fn check_modifiers<'a>(call: &Call<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
    let mut known = Vec::new();
    for at in 0..call.expr.arguments.len() {
        known.extend(call.text_argument(at)?);
    }
    let _ = extensions(call, "modifierExtension", None, &mut |extension| {
        let url = extension.as_node().and_then(|node| node.value().get("url")).and_then(Value::as_str);
        if url.is_some_and(|url| known.iter().any(|known| known == url)) {
            return MORE;
        }
        Err(EvaluateError::InvalidArgument("checkModifiers"))
    })?;
    call.each_input(sink)
}
