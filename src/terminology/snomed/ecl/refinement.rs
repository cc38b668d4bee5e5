//! The part of a constraint after the colon: attributes, groups, cardinalities.

use super::parser::{EclError, Joint, Parser};
use super::{AttributeConstraint, Cardinality, Refinement};

impl Parser<'_> {
    /// Attributes and groups, joined by AND or OR.
    pub(super) fn refinement(&mut self) -> Result<Refinement, EclError> {
        let first = self.part()?;
        let mut all = vec![first];
        let mut joint = None;
        while let Some(next) = self.joint() {
            if next == Joint::Minus || joint.is_some_and(|joint| joint != next) {
                return Err(self.scanner.wrong("brackets are needed: AND and OR do not stand side by side"));
            }
            joint = Some(next);
            all.push(self.part()?);
        }
        Ok(match joint {
            None => all.pop().unwrap_or(Refinement::And(Vec::new())),
            Some(Joint::Or) => Refinement::Or(all),
            Some(_) => Refinement::And(all),
        })
    }

    fn part(&mut self) -> Result<Refinement, EclError> {
        let cardinality = self.cardinality()?;
        match self.scanner.peek() {
            Some('{') => {
                self.scanner.take("{");
                let inner = self.deeper(Self::refinement)?;
                self.scanner.need("}", "after the group")?;
                if has_group(&inner) {
                    return Err(self.scanner.wrong("a group cannot stand within a group"));
                }
                Ok(Refinement::Group(cardinality.unwrap_or(Cardinality::SOME), Box::new(inner)))
            }
            // Brackets around a refinement, or around the name of an attribute: what follows them tells.
            Some('(') if cardinality.is_none() && !self.scanner.brackets_are_compared() => self.deeper(Self::bracketed),
            _ => self.attribute(cardinality),
        }
    }

    fn bracketed(&mut self) -> Result<Refinement, EclError> {
        self.scanner.need("(", "here")?;
        let inner = self.refinement()?;
        self.scanner.need(")", "after the refinement")?;
        Ok(inner)
    }

    fn cardinality(&mut self) -> Result<Option<Cardinality>, EclError> {
        if !self.scanner.take("[") {
            return Ok(None);
        }
        let least = self.scanner.count()?;
        self.scanner.need("..", "in the cardinality")?;
        let most = if self.scanner.take("*") { None } else { Some(self.scanner.count()?) };
        self.scanner.need("]", "after the cardinality")?;
        if most.is_some_and(|most| most < least) {
            return Err(self.scanner.wrong("the cardinality ends below its beginning"));
        }
        Ok(Some(Cardinality { least, most }))
    }

    fn attribute(&mut self, cardinality: Option<Cardinality>) -> Result<Refinement, EclError> {
        let reversed = self.scanner.take_word("R") || self.scanner.take_word("reverseOf");
        if reversed && cardinality.is_some() {
            return Err(self.scanner.wrong("the cardinality of a reversed attribute is not evaluated here"));
        }
        let name = self.deeper(Self::operand)?;
        let equal = if self.scanner.take("!=") {
            false
        } else if self.scanner.take("=") {
            true
        } else {
            let compares = self.scanner.take("<") || self.scanner.take(">");
            let text = if compares { NUMBERS } else { "= or != is expected after the attribute" };
            return Err(self.scanner.wrong(text));
        };
        match self.scanner.peek() {
            Some('#') => return Err(self.scanner.wrong(NUMBERS)),
            Some('"' | '\'') => return Err(self.scanner.wrong("texts as values are not evaluated here")),
            _ if matches!(self.scanner.word().to_ascii_lowercase().as_str(), "true" | "false") => {
                return Err(self.scanner.wrong("booleans as values are not evaluated here"));
            }
            _ => {}
        }
        let value = self.deeper(Self::operand)?;
        let cardinality = cardinality.unwrap_or(Cardinality::SOME);
        Ok(Refinement::Attribute(AttributeConstraint { cardinality, reversed, name, equal, value }))
    }
}

const NUMBERS: &str = "numbers as values are not evaluated here";

fn has_group(refinement: &Refinement) -> bool {
    match refinement {
        Refinement::And(all) | Refinement::Or(all) => all.iter().any(has_group),
        Refinement::Attribute(_) => false,
        Refinement::Group(..) => true,
    }
}
