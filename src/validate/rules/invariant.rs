//! Invariants in FHIRPath (<https://hl7.org/fhir/R4/conformance-rules.html#constraints>). The rule id is the key.

use serde_json::Value;

use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhirpath::{Context, Expression, Item, Node};

use crate::validate::rule::Invariant;
use crate::validate::run::{Focus, Origin, Place, Run, Scope};

/// Evaluates an invariant on a value and reports it where it does not hold.
pub fn check<'a>(
    run: &mut Run<'_, 'a>,
    invariant: &Invariant,
    focus: Focus<'a>,
    place: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    match evaluate(run, &invariant.expression, focus, place.scope) {
        Ok(true) => {}
        Ok(false) => {
            let text = format!("{} breaks invariant {}: {}", origin.element, invariant.key, invariant.source);
            run.push(
                Issue::new(invariant.severity, IssueCode::Invariant, invariant.key.as_str(), text),
                place.path,
                origin,
            );
        }
        Err(reason) => {
            let text = format!("Invariant {} of {} could not be evaluated: {reason}", invariant.key, origin.element);
            run.push(
                Issue::new(Severity::Warning, IssueCode::Processing, "invariant-failed", text),
                place.path,
                origin,
            );
        }
    }
}

/// Whether a condition holds on a value; an error counts as no.
#[must_use]
pub fn holds<'a>(run: &Run<'_, 'a>, condition: &Expression, focus: Focus<'a>, scope: &Scope<'a>) -> bool {
    evaluate(run, condition, focus, scope).unwrap_or(false)
}

/// Whether an expression on the resource selects an element.
#[must_use]
pub fn selects<'a>(run: &Run<'_, 'a>, expression: &Expression, element: &Value, scope: &Scope<'a>) -> bool {
    let context = context(run, scope);
    let focus = Item::Node(Node::resource(scope.resource, run.validator.types()));
    let found = expression.evaluate(&context, focus).unwrap_or_default();
    found.iter().filter_map(Item::as_node).any(|node| std::ptr::eq(node.value(), element))
}

fn evaluate<'a>(
    run: &Run<'_, 'a>,
    expression: &Expression,
    focus: Focus<'a>,
    scope: &Scope<'a>,
) -> Result<bool, String> {
    static NULL: Value = Value::Null;
    let node = Node::new(focus.value.unwrap_or(&NULL), focus.sibling, Some(focus.type_));
    expression.holds(&context(run, scope), Item::Node(node)).map_err(|error| error.to_string())
}

fn context<'c, 'a: 'c>(run: &'c Run<'_, 'a>, scope: &Scope<'a>) -> Context<'c> {
    let [resource, root, bundle] = scope.types;
    let around = scope.bundle.map(|value| Node::new(value, None, bundle));
    Context {
        resource: Some(Node::new(scope.resource, None, resource)),
        root_resource: Some(Node::new(scope.root, None, root)),
        bundle: around,
        types: run.validator.types(),
        now: run.now,
        services: run.validator,
        variables: Vec::new(),
        typed_references: false,
        strict_as: false,
        limits: run.limits(),
        spent: Some(&run.spent),
    }
}
