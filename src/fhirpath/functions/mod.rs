//! The functions, one file for each family of the specification (<https://hl7.org/fhirpath/N1/#functions>). A function
//! is one entry in its family's list; `compile` looks names up here, `evaluate` runs what it found.

mod boolean;
mod boundary;
mod codec;
mod combining;
mod conversion;
mod existence;
mod fhir;
mod filtering;
mod html;
mod math;
mod strings;
mod subsetting;
mod terminology;
mod tree;
mod types;
mod utility;

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::error::EvaluateError;
use super::evaluate::{Evaluator, Items, Outcome, Scope};
use super::expression::{CallExpr, Expr};
use super::item::Item;
use super::navigate::Sink;

pub(super) use conversion::is_number;
pub(super) use strings::pattern;

/// How the arguments of a function are read when compiling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arguments {
    /// Expressions evaluated where the call stands.
    Values,
    /// Expressions evaluated for each item of the input, with `$this` set to it.
    Criteria,
    /// The name of a type.
    Type,
    /// A regular expression first; the flag says whether it must match the whole text.
    Pattern(bool),
    /// Sort keys: criteria of which each may have a minus in front.
    Order,
}

/// What a function needs and how it runs.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) least: usize,
    pub(super) most: usize,
    pub(super) arguments: Arguments,
    pub(super) run: Run,
}

/// Sends the results of a call to the sink.
pub(super) type Run = for<'a> fn(&Call<'_, 'a>, Sink<'_, 'a>) -> Outcome;

const fn values(name: &'static str, least: usize, most: usize, run: Run) -> Function {
    Function { name, least, most, arguments: Arguments::Values, run }
}

const fn criteria(name: &'static str, least: usize, most: usize, run: Run) -> Function {
    Function { name, least, most, arguments: Arguments::Criteria, run }
}

/// Every family.
const FAMILIES: [&[Function]; 15] = [
    existence::FUNCTIONS,
    filtering::FUNCTIONS,
    subsetting::FUNCTIONS,
    combining::FUNCTIONS,
    conversion::FUNCTIONS,
    strings::FUNCTIONS,
    codec::FUNCTIONS,
    math::FUNCTIONS,
    boundary::FUNCTIONS,
    tree::FUNCTIONS,
    utility::FUNCTIONS,
    boolean::FUNCTIONS,
    types::FUNCTIONS,
    fhir::FUNCTIONS,
    terminology::FUNCTIONS,
];

/// The function with this name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name == name)
}

/// Every function, family by family.
pub(super) fn all() -> impl Iterator<Item = &'static Function> {
    FAMILIES.into_iter().flatten()
}

/// A call at work: the function's view of its input and arguments.
pub(super) struct Call<'s, 'a> {
    pub(super) evaluator: &'s Evaluator<'a>,
    pub(super) expr: &'a CallExpr,
    pub(super) scope: &'s Scope<'s, 'a>,
}

impl<'a> Call<'_, 'a> {
    /// The function's name, for errors.
    pub(super) const fn name(&self) -> &'static str {
        self.expr.function.name
    }

    /// Sends each item of the input to the sink.
    pub(super) fn each_input(&self, sink: Sink<'_, 'a>) -> Outcome {
        match (&self.expr.base, self.scope.this) {
            (Some(base), _) => self.evaluator.each(base, self.scope, sink),
            (None, Some(this)) => sink(this.clone()),
            (None, None) => Ok(ControlFlow::Continue(())),
        }
    }

    /// The whole input.
    pub(super) fn input(&self) -> Result<Items<'a>, EvaluateError> {
        let mut items = Items::new();
        let _ = self.each_input(&mut |item| self.evaluator.push(&mut items, item))?;
        Ok(items)
    }

    /// The only item of the input.
    pub(super) fn single_input(&self) -> Result<Option<Item<'a>>, EvaluateError> {
        match &self.expr.base {
            Some(base) => self.evaluator.single(base, self.scope, self.name()),
            None => Ok(self.scope.this.cloned()),
        }
    }

    /// The only item of the input as a system value. An element that has none is an error, one without a value is empty.
    pub(super) fn value_input(&self) -> Result<Option<Item<'a>>, EvaluateError> {
        self.single_input()?.map_or(Ok(None), |item| self.system(&item))
    }

    /// The only item of the input as text; another kind is an error.
    pub(super) fn text_input(&self) -> Result<Option<Cow<'a, str>>, EvaluateError> {
        self.value_input()?.map_or(Ok(None), |item| self.expect_text(item))
    }

    /// An item as a system value.
    pub(super) fn system(&self, item: &Item<'a>) -> Result<Option<Item<'a>>, EvaluateError> {
        match (item.system(self.evaluator.context.types), item) {
            (Some(value), _) => Ok(Some(value)),
            (None, Item::Node(node)) if node.value().is_null() => Ok(None),
            (None, _) => Err(self.wrong(item)),
        }
    }

    /// The error that the function does not take such an item.
    pub(super) const fn wrong(&self, item: &Item<'_>) -> EvaluateError {
        EvaluateError::WrongType { operation: self.expr.function.name, found: item.kind() }
    }

    fn expect_text(&self, item: Item<'a>) -> Result<Option<Cow<'a, str>>, EvaluateError> {
        match item {
            Item::Text(text) => Ok(Some(text)),
            // FHIR's dates are text to string functions, as they are in R4's own expressions (`matches`, `length`).
            Item::Temporal(temporal) => Ok(Some(Cow::Owned(temporal.to_string()))),
            other => Err(self.wrong(&other)),
        }
    }

    /// The argument at `at`, where it is given.
    pub(super) fn argument(&self, at: usize) -> Option<&'a Expr> {
        self.expr.arguments.get(at)
    }

    /// The only item of an argument, evaluated where the call stands.
    pub(super) fn single_argument(&self, at: usize) -> Result<Option<Item<'a>>, EvaluateError> {
        let Some(argument) = self.argument(at) else { return Ok(None) };
        let Some(item) = self.evaluator.single(argument, self.scope, self.name())? else { return Ok(None) };
        self.system(&item)
    }

    /// An argument as text.
    pub(super) fn text_argument(&self, at: usize) -> Result<Option<Cow<'a, str>>, EvaluateError> {
        self.single_argument(at)?.map_or(Ok(None), |item| self.expect_text(item))
    }

    /// An argument as an integer.
    pub(super) fn integer_argument(&self, at: usize) -> Result<Option<i64>, EvaluateError> {
        match self.single_argument(at)? {
            None => Ok(None),
            Some(Item::Integer(value)) => Ok(Some(value)),
            Some(other) => Err(self.wrong(&other)),
        }
    }

    /// All items of an argument, evaluated where the call stands.
    pub(super) fn argument_items(&self, at: usize) -> Result<Items<'a>, EvaluateError> {
        self.argument(at).map_or(Ok(Items::new()), |argument| self.evaluator.collect(argument, self.scope))
    }

    /// The scope of a criterion for one item.
    pub(super) const fn scope_of<'i>(&'i self, item: &'i Item<'a>, index: usize) -> Scope<'i, 'a> {
        Scope { this: Some(item), index, total: self.scope.total }
    }

    /// A criterion for one item of the input.
    pub(super) fn criterion(&self, at: usize, item: &Item<'a>, index: usize) -> Result<Option<bool>, EvaluateError> {
        let Some(argument) = self.argument(at) else { return Ok(Some(true)) };
        self.evaluator.boolean(argument, &self.scope_of(item, index))
    }
}

/// Sends one boolean.
pub(super) fn emit_boolean(value: bool, sink: Sink<'_, '_>) -> Outcome {
    sink(Item::Boolean(value))
}

/// Sends the item, if there is one.
pub(super) fn emit<'a>(item: Option<Item<'a>>, sink: Sink<'_, 'a>) -> Outcome {
    item.map_or(Ok(ControlFlow::Continue(())), sink)
}

/// Sends a text, if there is one, within the limit of length.
pub(super) fn emit_text<'a>(call: &Call<'_, 'a>, text: Option<String>, sink: Sink<'_, 'a>) -> Outcome {
    let Some(text) = text else { return Ok(ControlFlow::Continue(())) };
    call.evaluator.check_length(text.len())?;
    sink(Item::owned(text))
}

/// The wish for more items.
pub(super) const MORE: Outcome = Ok(ControlFlow::Continue(()));
/// The wish for no more.
pub(super) const ENOUGH: Outcome = Ok(ControlFlow::Break(()));
