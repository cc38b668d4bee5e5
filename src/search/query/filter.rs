//! A parameter with its modifier and values becomes a condition (<https://hl7.org/fhir/R4/search.html#modifiers>).

use super::fault::{self, Fault};
use super::parse::{Context, Target};
use super::value::{split_raw, unescape};
use super::{Condition, Rows, Weight};
use crate::fhir::primitive::is_id;
use crate::search::index::ParameterCode;
use crate::search::kinds::date::Span;
use crate::search::kinds::number::Bounds;
use crate::search::kinds::quantity::Quantity;
use crate::search::kinds::reference::Target as Reference;
use crate::search::kinds::string::Text;
use crate::search::kinds::token::Token;
use crate::search::kinds::uri::Uri;
use crate::search::kinds::{Criterion, Kind, Table, bounded};
use crate::search::parameters::Parameter;

/// Parameters of the specification that this server does not offer. Passing over them would widen the result.
const NOT_OFFERED: [&str; 7] = ["_text", "_content", "_filter", "_list", "_query", "_type", "_has"];

/// The most values that one parameter may have.
const MOST_VALUES: usize = 500;

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;

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
        _ => {}
    }
    let Some(parameter) = context.registry.get(target.resource_type, code) else {
        return Err(fault::unknown(target.name, code, target.resource_type, context.registry));
    };
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
    let own = parameter.kind.table().map(|table| presence(table, &parameter.codes.own));
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
    let reading = Reading { parameter, modifier, context, target };
    let parsed = values.iter().map(|value| reading.criterion(value));
    let any: Vec<Criterion> = parsed.collect::<Result<_, _>>()?;
    let codes = &parameter.codes;
    let (table, code, weight) = match (parameter.kind, modifier) {
        (Kind::Token, Some("text")) => (Some(Table::String), &codes.text, Weight::Some),
        (Kind::Token, Some("of-type")) => (Some(Table::Token), &codes.of_type, Weight::Unique),
        (Kind::Reference, Some("identifier")) => (Some(Table::Token), &codes.identifier, Weight::Few),
        _ => (parameter.kind.table(), &codes.own, parameter.weight),
    };
    let table = table.ok_or_else(|| fault::unsupported(target.name, "This parameter has no index."))?;
    let resource_type = parameter.resource_type.clone();
    let weight = any.iter().map(|criterion| weigh(criterion, weight)).max().unwrap_or(weight);
    let condition = Condition::Rows(Rows { table, resource_type, code: code.clone(), any, weight });
    Ok(if modifier == Some("not") { Condition::Not(Box::new(condition)) } else { condition })
}

/// Open ranges and short texts leave more than the parameter's own weight says.
fn weigh(criterion: &Criterion, weight: Weight) -> Weight {
    use super::value::Prefix;
    match criterion {
        Criterion::Token(token) if token.code.is_none() => Weight::Many,
        Criterion::String(Text::Contains(_)) => Weight::Many,
        Criterion::String(Text::Prefix(prefix)) if prefix.chars().count() < 3 => Weight::Some,
        Criterion::Date(span) if span.prefix != Prefix::Eq || span.high - span.low > DAY => Weight::Many,
        Criterion::Number(bounds) if bounds.prefix != Prefix::Eq => Weight::Many,
        Criterion::Quantity(quantity) if quantity.bounds.prefix != Prefix::Eq => Weight::Many,
        _ => weight,
    }
}

struct Reading<'a> {
    parameter: &'a Parameter,
    modifier: Option<&'a str>,
    context: &'a Context<'a>,
    target: &'a Target<'a>,
}

impl Reading<'_> {
    fn criterion(&self, value: &str) -> Result<Criterion, Fault> {
        let parsed = match self.parameter.kind {
            Kind::Token => self.token(value)?,
            Kind::String => self.string(value)?,
            Kind::Date => self.plain("date")?.then(|| Span::parse(value, self.context.now).map(Criterion::Date)),
            Kind::Number => self.plain("number")?.then(|| Bounds::parse(value).map(Criterion::Number)),
            Kind::Quantity => self.plain("quantity")?.then(|| Quantity::parse(value).map(Criterion::Quantity)),
            Kind::Reference => self.reference(value)?,
            Kind::Uri => self.uri(value)?,
            Kind::Composite | Kind::Special => None,
        };
        let parsed = parsed.ok_or_else(|| fault::unsupported(self.target.name, "This parameter has no index."))?;
        parsed.map_err(|text| fault::value(self.target.name, sentence(&text)))
    }

    /// Types of search without modifiers of their own.
    fn plain(&self, kind: &str) -> Result<bool, Fault> {
        match self.modifier {
            None => Ok(true),
            Some(_) => Err(fault::modifier(self.target.name, kind, ":missing")),
        }
    }

    fn token(&self, value: &str) -> Result<Option<Result<Criterion, String>>, Fault> {
        Ok(Some(match self.modifier {
            None | Some("not") => Token::parse(value).map(|token| Criterion::Token(self.without_implied_system(token))),
            Some("of-type") => Token::parse_of_type(value).map(Criterion::Token),
            Some("text") => Text::prefix(&unescape(value)).map(Criterion::String),
            Some("in" | "not-in" | "above" | "below") => {
                let text = "This server does not offer search by value set or hierarchy yet.";
                return Err(fault::unsupported(self.target.name, text));
            }
            Some(_) => return Err(fault::modifier(self.target.name, "token", ":not, :text, :of-type, :missing")),
        }))
    }

    /// Elements of type `code` have their system from their binding; rows carry none.
    fn without_implied_system(&self, token: Token) -> Token {
        match &token.system {
            Some(system) if self.parameter.plain_code && !system.is_empty() => {
                let implied = self.context.registry.implied_systems(self.parameter);
                if implied.iter().any(|known| known == system) {
                    Token { system: Some(String::new()), ..token }
                } else {
                    token
                }
            }
            None if self.parameter.plain_code => Token { system: Some(String::new()), ..token },
            _ => token,
        }
    }

    fn string(&self, value: &str) -> Result<Option<Result<Criterion, String>>, Fault> {
        let text = unescape(value);
        let parsed = match self.modifier {
            None => Text::prefix(&text),
            Some("contains") => Text::contains(&text),
            Some("exact") => Ok(Text::Exact(text)),
            Some(_) => return Err(fault::modifier(self.target.name, "string", ":exact, :contains, :missing")),
        };
        Ok(Some(parsed.map(Criterion::String)))
    }

    fn reference(&self, value: &str) -> Result<Option<Result<Criterion, String>>, Fault> {
        let targets = &self.parameter.targets;
        let named = match self.modifier {
            Some("identifier") => return Ok(Some(Token::parse(value).map(Criterion::Token))),
            Some(name) if self.context.registry.is_resource_type(name) => {
                if !(targets.is_empty() || targets.iter().any(|target| target == name)) {
                    let text = format!("This parameter does not refer to {name}; it refers to {}.", targets.join(", "));
                    return Err(fault::usage(self.target.name, text));
                }
                Some(name)
            }
            Some(_) => return Err(fault::modifier(self.target.name, "reference", ":[type], :identifier, :missing")),
            None => None,
        };
        let parsed = Reference::parse(&unescape(value), named, targets, self.context.base);
        Ok(Some(parsed.map(Criterion::Reference)))
    }

    fn uri(&self, value: &str) -> Result<Option<Result<Criterion, String>>, Fault> {
        let text = unescape(value);
        let parsed = match self.modifier {
            None => Ok(Uri::Is(bounded(&text))),
            Some("below") => Uri::below(&text),
            Some("above") => Uri::above(&text),
            Some(_) => return Err(fault::modifier(self.target.name, "uri", ":above, :below, :missing")),
        };
        Ok(Some(parsed.map(Criterion::Uri)))
    }
}

/// The text as a sentence.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    let rest = characters.as_str().trim_end_matches('.');
    format!("{first}{rest}.")
}
