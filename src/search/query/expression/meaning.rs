//! What a `_filter` expression asks for. Comparisons use the same reading of values and the same index rows as search
//! parameters with modifiers.

use super::parser;
use super::syntax::{Filter, Operand, Operator, Step};
use crate::search::kinds::date::Span;
use crate::search::kinds::string::Text;
use crate::search::kinds::{Criterion, Kind, Table};
use crate::search::parameters::Parameter;
use crate::search::query::fault::{self, Fault};
use crate::search::query::parse::{self, Context, DEEPEST, Target};
use crate::search::query::reading::{Piece, Reading};
use crate::search::query::value::Prefix;
use crate::search::query::{Condition, Weight, chain, filter};

/// The longest expression, in bytes.
const LONGEST: usize = 10_000;

/// The condition of a `_filter`.
pub(in crate::search::query) fn condition(
    target: &Target<'_>,
    context: &Context<'_>,
    depth: usize,
) -> Result<Condition, Fault> {
    if target.value.len() > LONGEST {
        return Err(fault::value(target.name, format!("A filter may have at most {LONGEST} characters.")));
    }
    let filter = parser::parse(target.value).map_err(|mistake| {
        let text = format!("At character {} of the filter {} is expected.", mistake.position, mistake.expected);
        fault::value(target.name, text)
    })?;
    meaning(&filter, target, context, depth)
}

fn meaning(filter: &Filter, target: &Target<'_>, context: &Context<'_>, depth: usize) -> Result<Condition, Fault> {
    let inner = |filter: &Filter| meaning(filter, target, context, depth);
    match filter {
        Filter::And(left, right) => Ok(Condition::All(vec![inner(left)?, inner(right)?])),
        Filter::Or(left, right) => Ok(Condition::Any(vec![inner(left)?, inner(right)?])),
        Filter::Not(negated) => Ok(Condition::Not(Box::new(inner(negated)?))),
        Filter::Compare { path, operator, operand } => {
            let leaf = Leaf { operator: *operator, operand, context };
            leaf.at(path, target, depth)
        }
    }
}

/// A comparison without its path.
#[derive(Clone, Copy)]
struct Leaf<'a> {
    operator: Operator,
    operand: &'a Operand,
    context: &'a Context<'a>,
}

impl Leaf<'_> {
    /// The comparison at the end of a path from resources of the target's type.
    fn at(&self, path: &[Step], target: &Target<'_>, depth: usize) -> Result<Condition, Fault> {
        if depth > DEEPEST {
            return Err(fault::usage(target.name, format!("Chains may be at most {DEEPEST} references deep.")));
        }
        let Some((first, rest)) = path.split_first() else {
            return Err(fault::value(target.name, "A search parameter is missing."));
        };
        let Some(next) = rest.first() else {
            if first.condition.is_some() {
                let text = "What stands in brackets is about the resource referred to; a parameter of it must follow.";
                return Err(fault::value(target.name, text));
            }
            return self.compare(&Target { key: &first.name, ..*target });
        };
        chain::through(target, &first.name, &next.name, self.context, depth, &mut |inner, depth| {
            let beyond = self.at(rest, inner, depth)?;
            match &first.condition {
                Some(condition) => Ok(Condition::All(vec![meaning(condition, inner, self.context, depth)?, beyond])),
                None => Ok(beyond),
            }
        })
    }

    fn compare(&self, target: &Target<'_>) -> Result<Condition, Fault> {
        if matches!(target.key, "_id" | "_lastUpdated" | "_list") {
            return self.column(target);
        }
        let Some(parameter) = self.context.registry.get(target.resource_type, target.key) else {
            return Err(fault::unknown(target.name, target.key, target.resource_type, self.context.registry).definite());
        };
        if !parameter.is_sortable() && !matches!(parameter.kind, Kind::Composite | Kind::Special) {
            return Err(fault::usage(target.name, format!("A filter cannot use {}.", parameter.code())));
        }
        if self.operator == Operator::Pr {
            return self.present(target);
        }
        match (parameter.kind, self.operator) {
            (Kind::String, _) => self.string(target, parameter),
            (Kind::Date, Operator::Po) => self.overlap(target, parameter),
            (Kind::Date | Kind::Number | Kind::Quantity, _) => self.ordered(target, parameter),
            (Kind::Token, Operator::In) => self.modified(target, parameter, "in"),
            (Kind::Token, Operator::Ni) => self.modified(target, parameter, "not-in"),
            (Kind::Token, Operator::Ss) => self.modified(target, parameter, "below"),
            (Kind::Token, Operator::Sb) => self.modified(target, parameter, "above"),
            (_, Operator::Eq) | (Kind::Reference, Operator::Re) => {
                Ok(filter::combine(parameter, self.pieces(target, parameter, None, &self.value())?, false))
            }
            (_, Operator::Ne) => Ok(unequal(parameter, self.pieces(target, parameter, None, &self.value())?)),
            _ => Err(self.unfit(target, parameter)),
        }
    }

    /// The value as a query would have it: commas do not separate here.
    fn value(&self) -> String {
        self.operand.text().replace(',', "\\,")
    }

    fn unfit(&self, target: &Target<'_>, parameter: &Parameter) -> Fault {
        let text = format!("`{}` does not apply to a {} parameter.", self.operator.word(), parameter.kind.code());
        fault::usage(target.name, text)
    }

    fn pieces(
        &self,
        target: &Target<'_>,
        parameter: &Parameter,
        modifier: Option<&str>,
        value: &str,
    ) -> Result<Vec<Piece>, Fault> {
        Reading { parameter, modifier, context: self.context, name: target.name }.pieces(value)
    }

    fn modified(&self, target: &Target<'_>, parameter: &Parameter, modifier: &str) -> Result<Condition, Fault> {
        let pieces = self.pieces(target, parameter, Some(modifier), &self.value())?;
        Ok(filter::combine(parameter, pieces, modifier == "not-in"))
    }

    fn present(&self, target: &Target<'_>) -> Result<Condition, Fault> {
        let missing = match self.operand.text() {
            "true" => "false",
            "false" => "true",
            _ => return Err(fault::value(target.name, "`pr` takes true or false.")),
        };
        let key = format!("{}:missing", target.key);
        parse::condition(&Target { key: &key, value: missing, ..*target }, self.context, 0)
    }

    /// `_id` and `_lastUpdated` are columns of the resource.
    fn column(&self, target: &Target<'_>) -> Result<Condition, Fault> {
        let date = target.key == "_lastUpdated";
        let ask = |value: &str| parse::condition(&Target { value, ..*target }, self.context, 0);
        match (self.operator, self.prefix()) {
            (Operator::Eq, _) if !date => ask(&self.value()),
            (Operator::Ne, _) if !date => Ok(Condition::Not(Box::new(ask(&self.value())?))),
            (_, Some(prefix)) if date => ask(&format!("{prefix}{}", self.value())),
            _ => {
                Err(fault::usage(target.name, format!("`{}` does not apply to {}.", self.operator.word(), target.key)))
            }
        }
    }

    fn prefix(&self) -> Option<&'static str> {
        use Operator::{Ap, Eb, Eq, Ge, Gt, Le, Lt, Ne, Sa};
        matches!(self.operator, Eq | Ne | Gt | Lt | Ge | Le | Sa | Eb | Ap).then(|| self.operator.word())
    }

    /// Dates, numbers and quantities compare as their prefixes do.
    fn ordered(&self, target: &Target<'_>, parameter: &Parameter) -> Result<Condition, Fault> {
        let prefix = self.prefix().ok_or_else(|| self.unfit(target, parameter))?;
        let value = format!("{prefix}{}", self.value());
        Ok(filter::combine(parameter, self.pieces(target, parameter, None, &value)?, false))
    }

    fn overlap(&self, target: &Target<'_>, parameter: &Parameter) -> Result<Condition, Fault> {
        let mut pieces = self.pieces(target, parameter, None, &format!("eq{}", self.value()))?;
        for piece in &mut pieces {
            if let Criterion::Date(span) = &piece.criterion {
                piece.criterion = Criterion::Date(Span { prefix: Prefix::Ap, ..*span });
            }
        }
        Ok(filter::combine(parameter, pieces, false))
    }

    fn string(&self, target: &Target<'_>, parameter: &Parameter) -> Result<Condition, Fault> {
        let text = self.operand.text();
        let parsed = match self.operator {
            Operator::Eq | Operator::Ne => Text::is(text),
            Operator::Co => Text::contains(text),
            Operator::Sw => Text::prefix(text),
            Operator::Ew => Text::suffix(text),
            _ => return Err(self.unfit(target, parameter)),
        };
        let criterion = Criterion::String(parsed.map_err(|text| fault::value(target.name, text))?);
        let code = parameter.codes.own.clone();
        let pieces = vec![Piece { table: Table::String, code, weight: parameter.weight, criterion }];
        if self.operator == Operator::Ne {
            return Ok(unequal(parameter, pieces));
        }
        Ok(filter::combine(parameter, pieces, false))
    }
}

/// Some value of the parameter is another one.
fn unequal(parameter: &Parameter, pieces: Vec<Piece>) -> Condition {
    let negated = pieces.into_iter().map(|piece| Piece {
        criterion: Criterion::Not(Box::new(piece.criterion)),
        weight: Weight::Many,
        ..piece
    });
    filter::combine(parameter, negated.collect(), false)
}
