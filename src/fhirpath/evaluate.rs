//! Runs a compiled expression. Items are pushed to a sink one by one and nobody collects them unless a function needs
//! the whole, so that `name.exists()` stops at the first name and allocates nothing.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use smallvec::SmallVec;

use super::arithmetic;
use super::context::Context;
use super::error::EvaluateError;
use super::expression::{CallExpr, Expr, Member, Variable};
use super::functions::Call;
use super::item::Item;
use super::navigate::{self, Sink};
use super::node::Node;
use super::seen::Seen;
use super::specifier::TypeSpecifier;
use super::syntax::Operator;
use crate::fhir::types::TypeIndex;

/// Whether more items are wanted, or why the evaluation stops.
pub(super) type Outcome = Result<ControlFlow<()>, EvaluateError>;
/// A collected collection; one or two items need no heap.
pub(super) type Items<'a> = SmallVec<[Item<'a>; 2]>;

/// What `$this`, `$index` and `$total` are at the moment.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s, 'a> {
    pub(super) this: Option<&'s Item<'a>>,
    pub(super) index: usize,
    pub(super) total: &'s [Item<'a>],
}

/// One run of an expression.
pub(super) struct Evaluator<'a> {
    pub(super) context: &'a Context<'a>,
    /// `%context`.
    pub(super) focus: Item<'a>,
    steps: Cell<u64>,
}

impl Drop for Evaluator<'_> {
    fn drop(&mut self) {
        if let Some(spent) = self.context.spent {
            spent.fetch_add(self.steps.get(), Ordering::Relaxed);
        }
    }
}

impl<'a> Evaluator<'a> {
    pub(super) const fn new(context: &'a Context<'a>, focus: Item<'a>) -> Self {
        Self { context, focus, steps: Cell::new(0) }
    }

    /// Counts work; ends the evaluation at the limit.
    pub(super) fn step(&self, count: usize) -> Result<(), EvaluateError> {
        let steps = self.steps.get().saturating_add(count as u64);
        self.steps.set(steps);
        if steps > self.context.limits.steps { Err(EvaluateError::TooManySteps) } else { Ok(()) }
    }

    /// Bounds the texts that an expression can build.
    pub(super) const fn check_length(&self, length: usize) -> Result<(), EvaluateError> {
        if length > self.context.limits.text { Err(EvaluateError::TextTooLong) } else { Ok(()) }
    }

    /// Sends every item of the expression's result to the sink.
    pub(super) fn each(&self, expr: &'a Expr, scope: &Scope<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
        self.step(1)?;
        match expr {
            Expr::Empty => Ok(ControlFlow::Continue(())),
            Expr::Literal(item) => sink(item.clone()),
            Expr::This => scope.this.map_or(Ok(ControlFlow::Continue(())), |item| sink(item.clone())),
            Expr::Index => sink(Item::Integer(i64::try_from(scope.index).unwrap_or(i64::MAX))),
            Expr::Total => send_all(scope.total, sink),
            Expr::Variable(variable) => self.variable(variable, sink),
            Expr::Start { member, type_ } => self.start(member, *type_, scope, sink),
            Expr::Member { base, member } => self.each(base, scope, &mut |item| self.member(&item, member, sink)),
            Expr::Call(call) => self.call(call, scope, sink),
            Expr::Indexer { base, index } => self.indexer(base, index, scope, sink),
            Expr::Union(members) => self.union(members, scope, sink),
            Expr::As { operand, type_ } => self.cast(operand, type_, scope, sink),
            Expr::Negate(_) | Expr::Positive(_) | Expr::Is { .. } | Expr::Binary { .. } => {
                self.value(expr, scope)?.map_or(Ok(ControlFlow::Continue(())), sink)
            }
        }
    }

    /// The results of operators, which have one item at most.
    pub(super) fn value(&self, expr: &'a Expr, scope: &Scope<'_, 'a>) -> Result<Option<Item<'a>>, EvaluateError> {
        match expr {
            Expr::Negate(operand) => {
                let item = self.single(operand, scope, "-")?;
                item.and_then(|item| item.system(self.context.types)).map_or(Ok(None), arithmetic::negate)
            }
            Expr::Positive(operand) => {
                let item = self.single(operand, scope, "+")?;
                item.and_then(|item| item.system(self.context.types)).map_or(Ok(None), arithmetic::positive)
            }
            Expr::Is { operand, type_ } => {
                let item = self.single(operand, scope, "is")?;
                Ok(item.map(|item| Item::Boolean(type_.is(&item, self.context.types))))
            }
            Expr::Binary { operator, left, right } => match operator {
                Operator::Add
                | Operator::Subtract
                | Operator::Concatenate
                | Operator::Multiply
                | Operator::Divide
                | Operator::Div
                | Operator::Mod => {
                    let name = operator.symbol();
                    let (left, right) = (self.single(left, scope, name)?, self.single(right, scope, name)?);
                    arithmetic::calculate(self, *operator, left, right)
                }
                _ => Ok(self.boolean(expr, scope)?.map(Item::Boolean)),
            },
            _ => Ok(None),
        }
    }

    /// The only item, nothing where there is none, an error where there are several.
    pub(super) fn single(
        &self,
        expr: &'a Expr,
        scope: &Scope<'_, 'a>,
        operation: &'static str,
    ) -> Result<Option<Item<'a>>, EvaluateError> {
        let mut found = None;
        let _ = self.each(expr, scope, &mut |item| {
            if found.is_some() {
                return Err(EvaluateError::NotSingle(operation));
            }
            found = Some(item);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// The whole result.
    pub(super) fn collect(&self, expr: &'a Expr, scope: &Scope<'_, 'a>) -> Result<Items<'a>, EvaluateError> {
        let mut items = Items::new();
        let _ = self.each(expr, scope, &mut |item| self.push(&mut items, item))?;
        Ok(items)
    }

    /// Adds to a collection within the limit.
    pub(super) fn push(&self, items: &mut Items<'a>, item: Item<'a>) -> Outcome {
        if items.len() >= self.context.limits.items {
            return Err(EvaluateError::TooManyItems);
        }
        items.push(item);
        Ok(ControlFlow::Continue(()))
    }

    /// The children of an item called `member`.
    fn member(&self, item: &Item<'a>, member: &Member, sink: Sink<'_, 'a>) -> Outcome {
        self.step(1)?;
        match item {
            Item::Node(node) => navigate::member(node, member, self.context.types, sink),
            Item::Type(type_) if &*member.name == "name" => sink(Item::Text(type_.name.into())),
            Item::Type(type_) if &*member.name == "namespace" => sink(Item::Text(type_.namespace.into())),
            _ => Ok(ControlFlow::Continue(())),
        }
    }

    /// A path may begin with the type of the focus: `Patient.name` is `name` of a patient.
    fn start(&self, member: &Member, type_: Option<TypeIndex>, scope: &Scope<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
        let Some(item) = scope.this else { return Ok(ControlFlow::Continue(())) };
        if let (Some(wanted), Some(actual)) = (type_, item.as_node().and_then(Node::type_index))
            && self.context.types.is_subtype(actual, wanted)
        {
            return sink(item.clone());
        }
        self.member(item, member, sink)
    }

    fn variable(&self, variable: &'a Variable, sink: Sink<'_, 'a>) -> Outcome {
        let node = match variable {
            Variable::Resource => self.context.resource,
            Variable::RootResource => self.context.root_resource,
            Variable::Context => return sink(self.focus.clone()),
            Variable::Text(text) => return sink(Item::Text(text.as_str().into())),
            Variable::Named(name) => {
                let defined = self.context.variables.iter().find(|(known, _)| known == name);
                let (_, items) = defined.ok_or_else(|| EvaluateError::UnknownVariable(name.clone()))?;
                return send_all(items, sink);
            }
        };
        node.map_or(Ok(ControlFlow::Continue(())), |node| sink(Item::Node(node)))
    }

    fn call(&self, call: &'a CallExpr, scope: &Scope<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
        (call.function.run)(&Call { evaluator: self, expr: call, scope }, sink)
    }

    fn indexer(&self, base: &'a Expr, index: &'a Expr, scope: &Scope<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
        let index = match self.single(index, scope, "[]")?.and_then(|item| item.system(self.context.types)) {
            None => return Ok(ControlFlow::Continue(())),
            Some(Item::Integer(index)) => index,
            Some(other) => return Err(EvaluateError::WrongType { operation: "[]", found: other.kind() }),
        };
        let mut at = 0;
        let mut found = None;
        let _ = self.each(base, scope, &mut |item| {
            if at == index {
                found = Some(item);
                return Ok(ControlFlow::Break(()));
            }
            at += 1;
            Ok(ControlFlow::Continue(()))
        })?;
        found.map_or(Ok(ControlFlow::Continue(())), sink)
    }

    fn union(&self, members: &'a [Expr], scope: &Scope<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
        let mut seen = Seen::new(self);
        for member in members {
            let flow = self.each(member, scope, &mut |item| {
                if seen.insert(&item)? { sink(item) } else { Ok(ControlFlow::Continue(())) }
            })?;
            if flow.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn cast(&self, operand: &'a Expr, type_: &TypeSpecifier, scope: &Scope<'_, 'a>, sink: Sink<'_, 'a>) -> Outcome {
        if self.context.strict_as {
            let item = self.single(operand, scope, "as")?;
            let item = item.filter(|item| type_.selects(item, self.context.types));
            return item.map_or(Ok(ControlFlow::Continue(())), sink);
        }
        self.each(operand, scope, &mut |item| {
            if type_.selects(&item, self.context.types) { sink(item) } else { Ok(ControlFlow::Continue(())) }
        })
    }
}

/// Sends a slice to the sink.
pub(super) fn send_all<'a>(items: &[Item<'a>], sink: Sink<'_, 'a>) -> Outcome {
    for item in items {
        if sink(item.clone())?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}
