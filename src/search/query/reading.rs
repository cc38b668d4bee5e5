//! One value of a parameter, with the modifier it is under, becomes what is asked of index rows
//! (<https://hl7.org/fhir/R4/search.html#modifiers>).

use super::Weight;
use super::fault::{self, Fault};
use super::parse::Context;
use super::value::{Prefix, split_raw, unescape};
use crate::search::index::ParameterCode;
use crate::search::kinds::composite::{Composite, Part};
use crate::search::kinds::date::Span;
use crate::search::kinds::hierarchy::{Hierarchy, PART_OF};
use crate::search::kinds::number::Bounds;
use crate::search::kinds::place::Near;
use crate::search::kinds::quantity::Quantity;
use crate::search::kinds::reference::Target as Reference;
use crate::search::kinds::string::Text;
use crate::search::kinds::token::Token;
use crate::search::kinds::uri::Uri;
use crate::search::kinds::{Criterion, Kind, Table, bounded};
use crate::search::parameters::Parameter;

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;

/// What is asked of the rows of one code in one table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    pub(super) table: Table,
    pub(super) code: ParameterCode,
    pub(super) weight: Weight,
    pub(super) criterion: Criterion,
}

/// How values of a parameter are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) parameter: &'a Parameter,
    pub(super) modifier: Option<&'a str>,
    pub(super) context: &'a Context<'a>,
    /// The whole name, for issues.
    pub(super) name: &'a str,
}

impl Reading<'_> {
    /// Reads one value. Several pieces are alternatives, none matches nothing.
    pub(super) fn pieces(&self, value: &str) -> Result<Vec<Piece>, Fault> {
        match self.parameter.kind {
            Kind::Token => self.token(value),
            Kind::String => self.string(value),
            Kind::Date => self.plain("date", Span::parse(value, self.context.now).map(Criterion::Date)),
            Kind::Number => self.plain("number", Bounds::parse(value).map(Criterion::Number)),
            Kind::Quantity => self.quantity(value),
            Kind::Reference => self.reference(value),
            Kind::Uri => self.uri(value),
            Kind::Composite => self.composite(value),
            Kind::Special => self.plain("special", Near::parse(value).map(Criterion::Place)),
        }
    }

    /// What is asked of the parameter's own rows.
    fn own(&self, parsed: Result<Criterion, String>) -> Result<Vec<Piece>, Fault> {
        let Some(table) = self.parameter.kind.table() else {
            return Err(fault::unsupported(self.name, "This parameter has no index."));
        };
        self.under(table, &self.parameter.codes.own, self.parameter.weight, parsed)
    }

    fn under(
        &self,
        table: Table,
        code: &ParameterCode,
        weight: Weight,
        parsed: Result<Criterion, String>,
    ) -> Result<Vec<Piece>, Fault> {
        let criterion = parsed.map_err(|text| fault::value(self.name, sentence(&text)))?;
        let weight = weigh(&criterion, weight);
        Ok(vec![Piece { table, code: code.clone(), weight, criterion }])
    }

    /// Types of search without modifiers of their own.
    fn plain(&self, kind: &str, parsed: Result<Criterion, String>) -> Result<Vec<Piece>, Fault> {
        match self.modifier {
            None => self.own(parsed),
            Some(_) => Err(fault::modifier(self.name, kind, ":missing")),
        }
    }

    fn quantity(&self, value: &str) -> Result<Vec<Piece>, Fault> {
        let parsed = Quantity::parse(value);
        match Quantity::canonical(value).filter(|_| parsed.is_ok() && self.modifier.is_none()) {
            Some(canonical) => {
                let code = &self.parameter.codes.canonical;
                self.under(Table::Quantity, code, self.parameter.weight, Ok(Criterion::Quantity(canonical)))
            }
            None => self.plain("quantity", parsed.map(Criterion::Quantity)),
        }
    }

    fn token(&self, value: &str) -> Result<Vec<Piece>, Fault> {
        let codes = &self.parameter.codes;
        match self.modifier {
            None | Some("not") => {
                self.own(Token::parse(value).map(|token| Criterion::Token(self.without_implied_system(token))))
            }
            Some("of-type") => {
                let parsed = Token::parse_of_type(value).map(Criterion::Token);
                self.under(Table::Token, &codes.of_type, Weight::Unique, parsed)
            }
            Some("text") => {
                let parsed = Text::prefix(&unescape(value)).map(Criterion::String);
                self.under(Table::String, &codes.text, Weight::Some, parsed)
            }
            Some("in" | "not-in") => self.in_value_set(&unescape(value)),
            Some("above") => self.in_hierarchy(value, true),
            Some("below") => self.in_hierarchy(value, false),
            Some(_) => {
                let allowed = ":not, :text, :in, :not-in, :above, :below, :of-type, :missing";
                Err(fault::modifier(self.name, "token", allowed))
            }
        }
    }

    /// Elements of type `code` have their system from their binding; rows carry none.
    fn without_implied_system(&self, token: Token) -> Token {
        match &token.system {
            Some(system) if self.parameter.plain_code && !system.is_empty() && self.implies(system) => {
                Token { system: Some(String::new()), ..token }
            }
            None if self.parameter.plain_code => Token { system: Some(String::new()), ..token },
            _ => token,
        }
    }

    /// True where rows of the parameter carry no system and mean this one.
    pub(super) fn implies(&self, system: &str) -> bool {
        let implied = || self.context.registry.implied_systems(self.parameter);
        self.parameter.plain_code && implied().iter().any(|known| known == system)
    }

    fn string(&self, value: &str) -> Result<Vec<Piece>, Fault> {
        let text = unescape(value);
        let parsed = match self.modifier {
            None => Text::prefix(&text),
            Some("contains") => Text::contains(&text),
            Some("exact") => Ok(Text::Exact(text)),
            Some(_) => return Err(fault::modifier(self.name, "string", ":exact, :contains, :missing")),
        };
        self.own(parsed.map(Criterion::String))
    }

    fn reference(&self, value: &str) -> Result<Vec<Piece>, Fault> {
        let registry = self.context.registry;
        let targets = &self.parameter.targets;
        let named = match self.modifier {
            Some("identifier") => {
                let parsed = Token::parse(value).map(Criterion::Token);
                return self.under(Table::Token, &self.parameter.codes.identifier, Weight::Few, parsed);
            }
            Some(name) if registry.is_resource_type(name) => {
                if !(targets.is_empty() || targets.iter().any(|target| target == name)) {
                    let text = format!("This parameter does not refer to {name}; it refers to {}.", targets.join(", "));
                    return Err(fault::usage(self.name, text));
                }
                Some(name)
            }
            Some("above" | "below") | None => None,
            Some(_) => {
                return Err(fault::modifier(self.name, "reference", ":[type], :identifier, :above, :below, :missing"));
            }
        };
        let parsed = Reference::parse(&unescape(value), named, targets, self.context.base);
        if let Some(modifier @ ("above" | "below")) = self.modifier {
            let has_parts = |name: &str| registry.get(name, PART_OF).is_some();
            let parsed = parsed.and_then(|target| Hierarchy::new(target, modifier == "above", has_parts));
            return self.own(parsed.map(Criterion::Hierarchy));
        }
        self.own(parsed.map(Criterion::Reference))
    }

    fn uri(&self, value: &str) -> Result<Vec<Piece>, Fault> {
        let text = unescape(value);
        let parsed = match self.modifier {
            None => Ok(Uri::Is(bounded(&text))),
            Some("below") => Uri::below(&text),
            Some("above") => Uri::above(&text),
            Some(_) => return Err(fault::modifier(self.name, "uri", ":above, :below, :missing")),
        };
        self.own(parsed.map(Criterion::Uri))
    }

    /// One value for each component, between dollar signs.
    fn composite(&self, value: &str) -> Result<Vec<Piece>, Fault> {
        if self.modifier.is_some() {
            return Err(fault::modifier(self.name, "composite", ":missing"));
        }
        let (parts, values) = (&self.parameter.parts, split_raw(value, '$'));
        if values.len() != parts.len() || values.iter().any(|value| value.is_empty()) {
            let kinds: Vec<&str> = parts.iter().map(|part| part.kind.code()).collect();
            let text = format!(
                "This parameter takes {} values with `$` between them: {}. Write `\\$` for a dollar sign within a value.",
                parts.len(),
                kinds.join(", ")
            );
            return Err(fault::value(self.name, text));
        }
        let mut asked = Vec::with_capacity(parts.len());
        let mut weight = Weight::Many;
        for (parameter, value) in parts.iter().zip(values) {
            for piece in (Reading { parameter, ..*self }).pieces(value)? {
                weight = weight.min(piece.weight);
                asked.push(Part { code: piece.code, criterion: piece.criterion });
            }
        }
        let code = asked.first().map_or_else(|| self.parameter.codes.own.clone(), |part| part.code.clone());
        let composite = Composite { resource_type: self.parameter.resource_type.clone(), parts: asked };
        let criterion = Criterion::Composite(composite);
        Ok(vec![Piece { table: Table::Component, code, weight: weight.max(Weight::Few), criterion }])
    }
}

/// Open ranges and short texts leave more than the parameter's own weight says.
fn weigh(criterion: &Criterion, weight: Weight) -> Weight {
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

/// The text as a sentence.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    let rest = characters.as_str().trim_end_matches('.');
    format!("{first}{rest}.")
}
