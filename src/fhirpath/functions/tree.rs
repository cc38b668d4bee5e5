//! Tree navigation: children, descendants (<https://hl7.org/fhirpath/N1/#tree-navigation>).

use super::super::evaluate::{Items, Outcome};
use super::super::navigate::{self, Sink};
use super::super::node::Node;
use super::{Call, ENOUGH, Function, MORE, values};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    values("children", 0, 0, |call, sink| {
        call.each_input(&mut |item| item.as_node().map_or(MORE, |node| children(call, node, sink)))
    }),
    values("descendants", 0, 0, |call, sink| {
        call.each_input(&mut |item| item.as_node().map_or(MORE, |node| descend(call, node, sink)))
    }),
];

fn children<'a>(call: &Call<'_, 'a>, node: &Node<'a>, sink: Sink<'_, 'a>) -> Outcome {
    navigate::children(node, call.evaluator.context.types, &mut |item| {
        call.evaluator.step(1)?;
        sink(item)
    })
}

/// Walks with a stack of its own: expressions nest walks in walks, and the thread's stack must not grow with both.
fn descend<'a>(call: &Call<'_, 'a>, node: &Node<'a>, sink: Sink<'_, 'a>) -> Outcome {
    let mut waiting = Items::new();
    let _ = children(call, node, &mut |item| call.evaluator.push(&mut waiting, item))?;
    waiting.reverse();
    while let Some(item) = waiting.pop() {
        let child = item.as_node().copied();
        if sink(item)?.is_break() {
            return ENOUGH;
        }
        if let Some(child) = child {
            let first = waiting.len();
            let _ = children(call, &child, &mut |item| call.evaluator.push(&mut waiting, item))?;
            if let Some(added) = waiting.get_mut(first..) {
                added.reverse();
            }
        }
    }
    MORE
}
