//! The text of an expression constraint into its tree. Nesting and length are bounded.

use super::scanner::Scanner;
use super::{Ecl, Expression, Relation};

/// Deepest nesting.
const DEEPEST: usize = 40;

/// Longest text, in bytes: value sets list thousands of concepts.
const LONGEST: usize = 1 << 18;

/// What is wrong with a constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EclError {
    /// How many characters stand before it.
    pub at: usize,
    /// What is wrong there.
    pub text: String,
}

impl std::fmt::Display for EclError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "at character {}, {}", self.at + 1, self.text)
    }
}

/// Operators as signs, longer ones first, and as words.
const SIGNS: [(&str, Relation); 10] = [
    ("<<!", Relation::ChildrenOrSelf),
    (">>!", Relation::ParentsOrSelf),
    ("!!>", Relation::Top),
    ("!!<", Relation::Bottom),
    ("<<", Relation::BelowOrSelf),
    (">>", Relation::AboveOrSelf),
    ("<!", Relation::Children),
    (">!", Relation::Parents),
    ("<", Relation::Below),
    (">", Relation::Above),
];
const WORDS: [(&str, Relation); 10] = [
    ("descendantOf", Relation::Below),
    ("descendantOrSelfOf", Relation::BelowOrSelf),
    ("childOf", Relation::Children),
    ("childOrSelfOf", Relation::ChildrenOrSelf),
    ("ancestorOf", Relation::Above),
    ("ancestorOrSelfOf", Relation::AboveOrSelf),
    ("parentOf", Relation::Parents),
    ("parentOrSelfOf", Relation::ParentsOrSelf),
    ("top", Relation::Top),
    ("bottom", Relation::Bottom),
];

impl Ecl {
    /// Reads a constraint.
    pub fn parse(text: &str) -> Result<Self, EclError> {
        let mut parser = Parser { scanner: Scanner::new(text), depth: 0 };
        if text.len() > LONGEST {
            return Err(parser.scanner.wrong(&format!("the constraint is longer than {LONGEST} bytes")));
        }
        let expression = parser.expression()?;
        match parser.scanner.peek() {
            None => Ok(Self(expression)),
            Some(_) => Err(parser.scanner.wrong("AND, OR, MINUS, a refinement or the end is expected")),
        }
    }
}

/// How parts are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    And,
    Or,
    Minus,
}

pub(super) struct Parser<'t> {
    pub(super) scanner: Scanner<'t>,
    depth: usize,
}

impl Parser<'_> {
    /// Runs a step one level deeper.
    pub(super) fn deeper<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T, EclError>) -> Result<T, EclError> {
        if self.depth >= DEEPEST {
            return Err(self
                .scanner
                .wrong(&format!("more than {DEEPEST} brackets or operators stand within each other")));
        }
        self.depth += 1;
        let done = step(self);
        self.depth -= 1;
        done
    }

    /// A whole constraint: with refinement, joined or plain.
    pub(super) fn expression(&mut self) -> Result<Expression, EclError> {
        let first = self.operand()?;
        if self.scanner.take(":") {
            let refinement = self.deeper(Self::refinement)?;
            return Ok(Expression::Refined(Box::new(first), Box::new(refinement)));
        }
        if self.scanner.peek() == Some('.') {
            return self.dotted(first);
        }
        let Some(joint) = self.joint() else { return Ok(first) };
        let mut all = vec![first, self.operand()?];
        while let Some(next) = self.joint() {
            if next != joint || joint == Joint::Minus {
                return Err(self.scanner.wrong("brackets are needed: AND, OR and MINUS do not stand side by side"));
            }
            all.push(self.operand()?);
        }
        Ok(match joint {
            Joint::And => Expression::And(all),
            Joint::Or => Expression::Or(all),
            Joint::Minus => {
                let out = all.pop().unwrap_or(Expression::Any);
                let from = all.pop().unwrap_or(Expression::Any);
                Expression::Minus(Box::new(from), Box::new(out))
            }
        })
    }

    pub(super) fn joint(&mut self) -> Option<Joint> {
        if self.scanner.take(",") || self.scanner.take_word("and") {
            Some(Joint::And)
        } else if self.scanner.take_word("or") {
            Some(Joint::Or)
        } else if self.scanner.take_word("minus") {
            Some(Joint::Minus)
        } else {
            None
        }
    }

    fn dotted(&mut self, first: Expression) -> Result<Expression, EclError> {
        let mut values = first;
        while self.scanner.take(".") {
            let name = self.operand()?;
            values = Expression::Values(Box::new(values), Box::new(name));
            // Each step is a level of the tree.
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err(self.scanner.wrong("there are too many dots"));
            }
        }
        Ok(values)
    }

    /// A concept, `*` or brackets, with its operator.
    pub(super) fn operand(&mut self) -> Result<Expression, EclError> {
        let relation = self.relation();
        let members = self.scanner.take("^") || self.scanner.take_word("memberOf");
        if members && self.scanner.peek() == Some('[') {
            return Err(self.scanner.wrong("fields of a reference set ([ ]) are not evaluated here"));
        }
        let mut operand = match self.scanner.peek() {
            Some('(') => self.deeper(Self::brackets)?,
            Some('*') => {
                self.scanner.take("*");
                Expression::Any
            }
            _ => Expression::Concept(self.scanner.concept()?),
        };
        if members {
            operand = Expression::MembersOf(Box::new(operand));
        }
        if self.scanner.take("{{") {
            return Err(self.scanner.wrong("filters and history supplements ({{ }}) are not evaluated here"));
        }
        Ok(match relation {
            Some(relation) => Expression::Related(relation, Box::new(operand)),
            None => operand,
        })
    }

    fn brackets(&mut self) -> Result<Expression, EclError> {
        self.scanner.need("(", "here")?;
        let inner = self.expression()?;
        self.scanner.need(")", "after the brackets' content")?;
        Ok(inner)
    }

    fn relation(&mut self) -> Option<Relation> {
        let sign = SIGNS.iter().find(|(sign, _)| self.scanner.take(sign));
        let found = sign.or_else(|| WORDS.iter().find(|(word, _)| self.scanner.take_word(word)));
        found.map(|(_, relation)| *relation)
    }
}
