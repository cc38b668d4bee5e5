//! The compiled expression: what `compile` makes of a syntax tree and what `evaluate` runs. Names are resolved, literals
//! parsed, regular expressions compiled.

use std::sync::atomic::{AtomicU64, Ordering};

use regex::Regex;

use super::functions::Function;
use super::item::Item;
use super::specifier::TypeSpecifier;
use super::syntax::Operator;
use crate::fhir::types::TypeIndex;

/// A part of a compiled expression.
#[derive(Debug)]
pub(super) enum Expr {
    Empty,
    Literal(Item<'static>),
    This,
    Index,
    Total,
    Variable(Variable),
    /// A name at the beginning of a path; may be the type of the focus instead of a child.
    Start {
        member: Member,
        type_: Option<TypeIndex>,
    },
    Member {
        base: Box<Expr>,
        member: Member,
    },
    Call(Box<CallExpr>),
    Indexer {
        base: Box<Expr>,
        index: Box<Expr>,
    },
    Negate(Box<Expr>),
    Positive(Box<Expr>),
    Binary {
        operator: Operator,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Union(Vec<Expr>),
    Is {
        operand: Box<Expr>,
        type_: TypeSpecifier,
    },
    As {
        operand: Box<Expr>,
        type_: TypeSpecifier,
    },
}

/// A function call.
#[derive(Debug)]
pub(super) struct CallExpr {
    pub(super) base: Option<Expr>,
    pub(super) function: &'static Function,
    pub(super) arguments: Vec<Expr>,
    pub(super) prepared: Prepared,
}

/// What could be worked out from the arguments when compiling.
#[derive(Debug)]
pub(super) enum Prepared {
    Nothing,
    Pattern(Regex),
    Type(TypeSpecifier),
    /// `sort`: for each key, whether it descends.
    Order(Vec<bool>),
}

/// Where the value of a `%variable` comes from.
#[derive(Debug)]
pub(super) enum Variable {
    Resource,
    RootResource,
    Context,
    Text(String),
    Named(String),
}

/// The name of a child, with the outcome of the last look-up in the type table: an expression nearly always meets the
/// same parent type, so one remembered answer spares almost every look-up.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: Box<str>,
    remembered: AtomicU64,
}

/// What a name means below a parent type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The parent has no such element.
    Absent,
    /// A choice: the JSON name has a type appended.
    Choice,
    /// A plain element of this type.
    Element(TypeIndex),
}

const ABSENT: u32 = u32::MAX;
const CHOICE: u32 = u32::MAX - 1;

impl Member {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.into(), remembered: AtomicU64::new(0) }
    }

    /// The remembered meaning below `parent`.
    pub(super) fn recall(&self, parent: TypeIndex) -> Option<Meaning> {
        let word = self.remembered.load(Ordering::Relaxed);
        if word >> 32 != u64::from(parent.0) + 1 {
            return None;
        }
        match u32::try_from(word & u64::from(u32::MAX)).unwrap_or(ABSENT) {
            ABSENT => Some(Meaning::Absent),
            CHOICE => Some(Meaning::Choice),
            index => Some(Meaning::Element(TypeIndex(index))),
        }
    }

    /// Remembers a meaning. Both halves are one word, so that threads never mix answers.
    pub(super) fn remember(&self, parent: TypeIndex, meaning: Meaning) {
        let low = match meaning {
            Meaning::Absent => ABSENT,
            Meaning::Choice => CHOICE,
            Meaning::Element(TypeIndex(index)) => index,
        };
        self.remembered.store(((u64::from(parent.0) + 1) << 32) | u64::from(low), Ordering::Relaxed);
    }
}
