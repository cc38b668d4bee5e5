//! A parameter with its modifier and values becomes a condition (<https://hl7.org/fhir/R4/search.html#modifiers>).

use super::fault::{self, Fault};
use super::parse::{Context, Target};
use super::reading::{Piece, Reading};
use super::value::split_raw;
use super::{Condition, Link, Rows, Weight, text};
use crate::fhir::primitive::is_id;
use crate::search::index::ParameterCode;
use crate::search::kinds::date::Span;
use crate::search::kinds::{Kind, Table};
use crate::search::parameters::Parameter;

/// Parameters of the specification that this server does not offer. Passing over them would widen the result.
const NOT_OFFERED: [&str; 3] = ["_query", "_type", "_has"];

/// The most values that one parameter may have.
const MOST_VALUES: usize = 500;

/// Parses a key without chain: `code` or `code:modifier`.
pub(super) fn condition(target: &Target<'_>, context: &Context<'_>) -> Result<Condition, Fault> {
    let (code, modifier) = match target.key.split_once(':') {
        Some((code, modifier)) => (code, Some(modifier)),
        None => (target.key, None),
    };
    if NOT_OFFERED.contains(&code) {
        return Err(fault::unsupported(target.name, format!("This server does not offer {code} here.")));
    }
    let values = values(target)?;
    match code {
        "_id" => return id(target, modifier, &values),
        "_lastUpdated" => return last_updated(target, modifier, &values, context),
        "_list" | "_text" | "_content" if modifier.is_some() => {
            return Err(fault::modifier(target.name, "special", "none"));
        }
        "_list" => return list(target, &values),
        "_text" | "_content" => return text::condition(target, code, &values),
        "_filter" => return Err(fault::modifier(target.name, "special", "none")),
        _ => {}
    }
    let Some(parameter) = context.registry.get(target.resource_type, code) else {
        return Err(fault::unknown(target.name, code, target.resource_type, context.registry));
    };
    if let Some(reason) = parameter.standing.reason() {
        return Err(fault::unsupported(target.name, reason));
    }
    if !parameter.is_searchable() {
        let kind = parameter.kind.code();
        return Err(fault::unsupported(
            target.name,
            format!("This server does not offer search by this {kind} parameter yet."),
        ));
    }
    match modifier {
        Some("missing") => missing(target, parameter),
        _ => rows(target, parameter, modifier, &values, context),
    }
}

fn values<'a>(target: &Target<'a>) -> Result<Vec<&'a str>, Fault> {
    let values = split_raw(target.value, ',');
    if values.iter().any(|value| value.is_empty()) {
        return Err(fault::value(target.name, "A value is missing. Write `\\,` for a comma within a value."));
    }
    if values.len() > MOST_VALUES {
        return Err(fault::value(target.name, format!("At most {MOST_VALUES} values may be given.")));
    }
    Ok(values)
}

fn id(target: &Target<'_>, modifier: Option<&str>, values: &[&str]) -> Result<Condition, Fault> {
    if let Some(wrong) = values.iter().find(|value| !is_id(value)) {
        let more = if wrong.contains('/') { " Give the id without the resource type." } else { "" };
        return Err(fault::value(target.name, format!("An id is 1 to 64 letters, digits, `-` and `.`.{more}")));
    }
    let condition = Condition::Id(values.iter().map(|value| (*value).to_owned()).collect());
    match modifier {
        None => Ok(condition),
        Some("not") => Ok(Condition::Not(Box::new(condition))),
        Some(_) => Err(fault::modifier(target.name, "token", ":not")),
    }
}

/// Resources that a List has as items (<https://hl7.org/fhir/R4/search.html#list>).
fn list(target: &Target<'_>, values: &[&str]) -> Result<Condition, Fault> {
    if values.iter().any(|value| value.starts_with('$')) {
        let text = "This server keeps no functional lists. Give the id of a List.";
        return Err(fault::unsupported(target.name, text));
    }
    let ids: Vec<&str> = values.iter().map(|value| value.strip_prefix("List/").unwrap_or(value)).collect();
    let ids = id(target, None, &ids)?;
    let link =
        Link { source: "List".to_owned(), code: "item".into(), target: target.resource_type.to_owned(), by_url: false };
    Ok(Condition::Has(link, Box::new(ids)))
}

fn last_updated(
    target: &Target<'_>,
    modifier: Option<&str>,
    values: &[&str],
    context: &Context<'_>,
) -> Result<Condition, Fault> {
    if modifier.is_some() {
        return Err(fault::modifier(target.name, "date", "none, since every resource has it"));
    }
    let spans = values.iter().map(|value| Span::parse(value, context.now));
    let spans = spans.collect::<Result<_, _>>().map_err(|text| fault::value(target.name, text))?;
    Ok(Condition::LastUpdated(spans))
}

/// `:missing=true` holds where the parameter has no row of any kind.
fn missing(target: &Target<'_>, parameter: &Parameter) -> Result<Condition, Fault> {
    let presence = |table: Table, code: &ParameterCode| {
        Condition::Rows(Rows {
            table,
            resource_type: parameter.resource_type.clone(),
            code: code.clone(),
            any: Vec::new(),
            weight: Weight::Many,
        })
    };
    let own_code = parameter.parts.first().map_or(&parameter.codes.own, |part| &part.codes.own);
    let own = parameter.kind.table().map(|table| presence(table, own_code));
    let more = match parameter.kind {
        Kind::Token => Some(presence(Table::String, &parameter.codes.text)),
        Kind::Reference => Some(presence(Table::Token, &parameter.codes.identifier)),
        _ => None,
    };
    let present = Condition::Any(own.into_iter().chain(more).collect());
    match target.value {
        "true" => Ok(Condition::Not(Box::new(present))),
        "false" => Ok(present),
        _ => Err(fault::value(target.name, "`:missing` takes true or false.")),
    }
}

fn rows(
    target: &Target<'_>,
    parameter: &Parameter,
    modifier: Option<&str>,
    values: &[&str],
    context: &Context<'_>,
) -> Result<Condition, Fault> {
    let reading = Reading { parameter, modifier, context, name: target.name };
    let mut pieces = Vec::with_capacity(values.len());
    for value in values {
        pieces.extend(reading.pieces(value)?);
    }
    Ok(combine(parameter, pieces, matches!(modifier, Some("not" | "not-in"))))
}

/// One of the pieces holds, or with `negated` none.
pub(super) fn combine(parameter: &Parameter, pieces: Vec<Piece>, negated: bool) -> Condition {
    let mut alternatives: Vec<Rows> = Vec::new();
    for piece in pieces {
        add(&mut alternatives, piece, parameter);
    }
    let mut all: Vec<Condition> = alternatives.into_iter().map(Condition::Rows).collect();
    let condition = if all.len() == 1 { all.remove(0) } else { Condition::Any(all) };
    if negated { Condition::Not(Box::new(condition)) } else { condition }
}

/// Values that are looked up in the same rows become one condition.
fn add(alternatives: &mut Vec<Rows>, piece: Piece, parameter: &Parameter) {
    let same = alternatives.iter_mut().find(|rows| rows.table == piece.table && rows.code == piece.code);
    if let Some(rows) = same {
        rows.weight = rows.weight.max(piece.weight);
        rows.any.push(piece.criterion);
        return;
    }
    alternatives.push(Rows {
        table: piece.table,
        resource_type: parameter.resource_type.clone(),
        code: piece.code,
        any: vec![piece.criterion],
        weight: piece.weight,
    });
}
