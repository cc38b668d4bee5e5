//! FHIRPath 2.0 with FHIR R4's additions (<http://hl7.org/fhirpath/N1/>, <https://hl7.org/fhir/R4/fhirpath.html>).
//! An expression is compiled once and run many times; running borrows the resource and never copies it. Validation runs
//! invariants with it, search extraction its expressions, FHIRPath Patch its paths.
//!
//! ```text
//! lexer -> parser -> syntax -> compile -> expression -> evaluate -> item
//!                                                        logic, navigate, equality, compare, arithmetic, functions/
//! ```

mod arithmetic;
mod canonical_unit;
mod check;
mod check_call;
mod compare;
mod compile;
mod context;
mod equality;
mod error;
mod evaluate;
mod expression;
mod functions;
mod item;
mod lexer;
mod logic;
mod navigate;
mod node;
mod official;
mod parser;
mod quantity;
mod resolve;
mod seen;
mod specifier;
pub mod syntax;
mod temporal;
mod temporal_add;
mod temporal_parse;
mod ucum;

use std::fmt;

pub use canonical_unit::CanonicalUnit;
pub use context::{Context, Limits, NoServices, Services};
pub use error::{CompileError, EvaluateError};
pub use item::{Item, TypeName};
pub use node::Node;
pub use parser::parse;
pub use quantity::Quantity;
pub use temporal::{Precision, Temporal, TemporalKind};

use crate::fhir::types::{TypeIndex, Types};
use evaluate::{Evaluator, Scope};
use expression::Expr;

/// A compiled expression. Can be shared between threads.
#[derive(Debug)]
pub struct Expression {
    source: Box<str>,
    root: Expr,
}

impl Expression {
    /// Compiles an expression against the types of FHIR R4. The few official R4 expressions that are wrong as published
    /// are read as they were meant, see `official`.
    ///
    /// # Errors
    /// Wrong syntax, and names of functions or types that do not exist; with the position.
    pub fn compile(source: &str) -> Result<Self, CompileError> {
        let meant = official::meant(source);
        let tree = parse(meant)?;
        let root = compile::compile(&tree, meant, Types::r4())?;
        Ok(Self { source: source.into(), root })
    }

    /// Checks the expression against the type it will run on: every element must exist, whatever the content. Not for
    /// search parameters, which name several types at once.
    ///
    /// # Errors
    /// The first mistake, with its position.
    pub fn check(&self, root: TypeIndex) -> Result<(), CompileError> {
        let meant = official::meant(&self.source);
        check::check(&parse(meant)?, meant, root, Types::r4())
    }

    /// The expression as it was given.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Runs the expression with `focus` as `$this` and `%context`.
    ///
    /// # Errors
    /// Operands of the wrong kind or number, unknown variables, and the limits of the context.
    pub fn evaluate<'a>(&'a self, context: &'a Context<'a>, focus: Item<'a>) -> Result<Vec<Item<'a>>, EvaluateError> {
        let evaluator = Evaluator::new(context, focus);
        let items = evaluator.collect(&self.root, &scope(&evaluator.focus))?;
        Ok(items.into_vec())
    }

    /// Runs the expression as a condition: nothing where the result is empty.
    ///
    /// # Errors
    /// As [`Expression::evaluate`], and several items as the result.
    pub fn test<'a>(&'a self, context: &'a Context<'a>, focus: Item<'a>) -> Result<Option<bool>, EvaluateError> {
        let evaluator = Evaluator::new(context, focus);
        evaluator.boolean(&self.root, &scope(&evaluator.focus))
    }

    /// Whether an invariant holds. An empty result counts as holding: the invariant says nothing about such an element.
    ///
    /// # Errors
    /// As [`Expression::test`].
    pub fn holds<'a>(&'a self, context: &'a Context<'a>, focus: Item<'a>) -> Result<bool, EvaluateError> {
        Ok(self.test(context, focus)?.unwrap_or(true))
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.source)
    }
}

fn scope<'s, 'a>(focus: &'s Item<'a>) -> Scope<'s, 'a> {
    Scope { this: Some(focus), index: 0, total: &[] }
}

/// The names of all functions, for documentation and tests.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    functions::all().map(|function| function.name)
}
