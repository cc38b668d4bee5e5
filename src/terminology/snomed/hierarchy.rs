//! What is a kind of what. The relation is walked when it is asked about: all that is below a large concept takes
//! milliseconds once, when a value set is compiled; what is above one concept takes microseconds.

use super::concept_set::Bits;
use super::edition::{Edition, Lists};
use crate::terminology::Subsumption;

impl Edition {
    /// All that is below the concepts of a set, these not included unless they are below each other.
    pub(super) fn below(&self, start: &Bits) -> Bits {
        reach(&self.children, start, self.len())
    }

    /// All that is above the concepts of a set.
    pub(super) fn above(&self, start: &Bits) -> Bits {
        reach(&self.parents, start, self.len())
    }

    /// The concepts one step below.
    pub(super) fn children_of(&self, start: &Bits) -> Bits {
        step(&self.children, start, self.len())
    }

    /// The concepts one step above.
    pub(super) fn parents_of(&self, start: &Bits) -> Bits {
        step(&self.parents, start, self.len())
    }

    /// A concept with those below or above it, in the order of identifiers.
    #[must_use]
    pub fn related(&self, at: u32, above: bool) -> Vec<String> {
        let mut start = Bits::none(self.len());
        start.insert(at);
        let mut all = if above { self.above(&start) } else { self.below(&start) };
        all.insert(at);
        all.iter().map(|at| self.id(at).to_string()).collect()
    }

    /// How two concepts relate.
    #[must_use]
    pub fn subsumption(&self, first: u32, second: u32) -> Subsumption {
        if first == second {
            Subsumption::Equivalent
        } else if self.is_above(first, second) {
            Subsumption::Subsumes
        } else if self.is_above(second, first) {
            Subsumption::SubsumedBy
        } else {
            Subsumption::NotSubsumed
        }
    }

    fn is_above(&self, upper: u32, lower: u32) -> bool {
        let mut seen = std::collections::HashSet::new();
        let mut open = vec![lower];
        while let Some(at) = open.pop() {
            for parent in self.parents.of(at) {
                if *parent == upper {
                    return true;
                }
                if seen.insert(*parent) {
                    open.push(*parent);
                }
            }
        }
        false
    }
}

fn reach(edges: &Lists<u32>, start: &Bits, count: usize) -> Bits {
    let mut found = Bits::none(count);
    let mut open: Vec<u32> = start.iter().collect();
    while let Some(at) = open.pop() {
        for next in edges.of(at) {
            if found.insert(*next) {
                open.push(*next);
            }
        }
    }
    found
}

fn step(edges: &Lists<u32>, start: &Bits, count: usize) -> Bits {
    let mut found = Bits::none(count);
    for at in start.iter() {
        for next in edges.of(at) {
            found.insert(*next);
        }
    }
    found
}
