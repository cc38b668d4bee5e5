//! Tree navigation: children, descendants (<https://hl7.org/fhirpath/N1/#tree-navigation>).

use super::super::evaluate::Outcome;
use super::super::item::Item;
use super::super::navigate::{self, Sink};
use super::super::node::Node;
use super::{Call, ENOUGH, Function, MORE, values};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    values("children", 0, 0, |call, sink| {
        call.each_input(&mut |item| item.as_node().map_or(MORE, |node| children(call, node, sink)))
    }),
    values("descendants", 0, 0, |call, sink| {
        call.each_input(&mut |item| item.as_node().map_or(MORE, |node| descend(call, node, MAX_DEPTH, sink)))
    }),
];

/// Deepest nesting followed; parsed JSON is no deeper.
const MAX_DEPTH: u32 = 200;

fn children<'a>(call: &Call<'_, 'a>, node: &Node<'a>, sink: Sink<'_, 'a>) -> Outcome {
    navigate::children(node, call.evaluator.context.types, &mut |item| {
        call.evaluator.step(1)?;
        sink(item)
    })
}

fn descend<'a>(call: &Call<'_, 'a>, node: &Node<'a>, depth: u32, sink: Sink<'_, 'a>) -> Outcome {
    if depth == 0 {
        return MORE;
    }
    children(call, node, &mut |item: Item<'a>| {
        let Item::Node(child) = item else { return MORE };
        if sink(item)?.is_break() {
            return ENOUGH;
        }
        descend(call, &child, depth - 1, sink)
    })
}
