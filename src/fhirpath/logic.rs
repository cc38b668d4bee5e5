//! Conditions: the boolean operators with their three values, membership, equality and order. A condition never becomes
//! a collection, and what decides it is evaluated first. Called by `evaluate` and by every function with a criterion.

use std::ops::ControlFlow;

use super::error::EvaluateError;
use super::evaluate::{Evaluator, Scope};
use super::expression::Expr;
use super::item::Item;
use super::syntax::Operator;
use super::{compare, equality};

impl<'a> Evaluator<'a> {
    /// The expression as a boolean: nothing for an empty result; a single item that is no boolean counts as true
    /// (<https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections>).
    pub(super) fn boolean(&self, expr: &'a Expr, scope: &Scope<'_, 'a>) -> Result<Option<bool>, EvaluateError> {
        let Expr::Binary { operator, left, right } = expr else {
            let item = self.single(expr, scope, "a condition")?;
            return Ok(item.and_then(|item| truth(&item)));
        };
        self.step(1)?;
        match operator {
            Operator::And => match self.boolean(left, scope)? {
                Some(false) => Ok(Some(false)),
                left => Ok(and(left, self.boolean(right, scope)?)),
            },
            Operator::Or => match self.boolean(left, scope)? {
                Some(true) => Ok(Some(true)),
                left => Ok(or(left, self.boolean(right, scope)?)),
            },
            Operator::Implies => match self.boolean(left, scope)? {
                Some(false) => Ok(Some(true)),
                left => Ok(or(left.map(|left| !left), self.boolean(right, scope)?)),
            },
            Operator::Xor => {
                let (left, right) = (self.boolean(left, scope)?, self.boolean(right, scope)?);
                Ok(left.zip(right).map(|(left, right)| left != right))
            }
            Operator::In => self.contains(right, left, scope, "in"),
            Operator::Contains => self.contains(left, right, scope, "contains"),
            Operator::Equal => self.equal(left, right, scope),
            Operator::NotEqual => Ok(self.equal(left, right, scope)?.map(|equal| !equal)),
            Operator::Equivalent => self.equivalent(left, right, scope).map(Some),
            Operator::NotEquivalent => Ok(Some(!self.equivalent(left, right, scope)?)),
            Operator::Less | Operator::Greater | Operator::LessOrEqual | Operator::GreaterOrEqual => {
                let name = operator.symbol();
                let (left, right) = (self.single(left, scope, name)?, self.single(right, scope, name)?);
                compare::order(self.context.types, *operator, left, right)
            }
            _ => Ok(self.value(expr, scope)?.and_then(|item| truth(&item))),
        }
    }

    /// `in` and `contains`; duplicates do not matter, so a union need not be freed of them.
    fn contains(
        &self,
        collection: &'a Expr,
        wanted: &'a Expr,
        scope: &Scope<'_, 'a>,
        operation: &'static str,
    ) -> Result<Option<bool>, EvaluateError> {
        let Some(wanted) = self.single(wanted, scope, operation)? else { return Ok(None) };
        let mut found = false;
        let mut look = |item: Item<'a>| {
            self.step(1)?;
            found = equality::equal(&item, &wanted, self.context.types) == Some(true);
            Ok(if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        };
        let members =
            if let Expr::Union(members) = collection { members.as_slice() } else { std::slice::from_ref(collection) };
        for member in members {
            if self.each(member, scope, &mut look)?.is_break() {
                break;
            }
        }
        Ok(Some(found))
    }

    fn equal(&self, left: &'a Expr, right: &'a Expr, scope: &Scope<'_, 'a>) -> Result<Option<bool>, EvaluateError> {
        let (left, right) = (self.collect(left, scope)?, self.collect(right, scope)?);
        self.step(left.len())?;
        Ok(equality::equal_collections(&left, &right, self.context.types))
    }

    fn equivalent(&self, left: &'a Expr, right: &'a Expr, scope: &Scope<'_, 'a>) -> Result<bool, EvaluateError> {
        let (left, right) = (self.collect(left, scope)?, self.collect(right, scope)?);
        if left.len() != right.len() {
            return Ok(false);
        }
        self.step(left.len().saturating_mul(right.len()))?;
        Ok(equality::equivalent_collections(&left, &right, self.context.types))
    }
}

/// A single item as a condition; a primitive without a value counts as empty.
pub(super) fn truth(item: &Item<'_>) -> Option<bool> {
    match item {
        Item::Boolean(value) => Some(*value),
        Item::Node(node) => match node.value() {
            serde_json::Value::Bool(value) => Some(*value),
            serde_json::Value::Null if node.sibling().is_some() => None,
            _ => Some(true),
        },
        _ => Some(true),
    }
}

const fn and(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

const fn or(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}
