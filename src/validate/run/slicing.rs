//! Which slice each occurrence of an element belongs to, and what slicing demands of them all
//! (<https://hl7.org/fhir/R4/profiling.html#slicing>).

use smallvec::SmallVec;

use crate::fhir::types::TypeIndex;

use crate::validate::rules::{binding, must_support, slicing as rule};
use crate::validate::schema::{Condition, Slice, Slicing, SlicingRules, Test};

use super::object::Items;
use super::{Focus, Overlay, Place, Range, Run};

/// Most elements occur at most so often.
const FEW: usize = 8;

/// Whether an occurrence belongs to a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    Yes,
    No,
    /// The profile names nothing to tell by.
    Undecidable,
}

/// What the last discriminator path found: the slices of one slicing mostly share their paths.
#[derive(Debug, Default)]
struct Selected<'a> {
    way: Option<usize>,
    found: rule::Found<'a>,
}

impl<'v, 'a> Run<'v, 'a> {
    /// Assigns the occurrences of an element to the slices of every node of `range` and reports what does not fit.
    pub(super) fn slice(&mut self, range: Range, items: Items<'a>, type_: TypeIndex, place: Place<'_, 'a>) {
        for position in range.start..range.end {
            let overlay = self.overlays[position];
            if let Some(slicing) = &overlay.node.slicing {
                let all: SmallVec<[usize; FEW]> = (0..items.len()).collect();
                self.slice_by(overlay, slicing, &all, items, type_, place);
            }
        }
    }

    fn slice_by(
        &mut self,
        overlay: Overlay<'v>,
        slicing: &'v Slicing,
        members: &[usize],
        items: Items<'a>,
        type_: TypeIndex,
        place: Place<'_, 'a>,
    ) {
        let mut found: SmallVec<[Option<usize>; FEW]> = SmallVec::with_capacity(members.len());
        for item in members {
            let (value, sibling) = items.get(*item);
            found.push(self.slice_of(overlay, slicing, Focus { value, sibling, type_ }, *item, place));
        }
        rule::order(self, overlay, slicing, members, &found, place.path);
        for (position, slice) in slicing.slices.iter().enumerate() {
            let of_slice = members.iter().zip(&found).filter(|(_, found)| **found == Some(position));
            let own: SmallVec<[usize; FEW]> = of_slice.map(|(item, _)| *item).collect();
            if !slice.conditions.is_empty() {
                rule::count(self, overlay, slice, own.len(), place.path);
            }
            let node = &overlay.profile.nodes[slice.node as usize];
            let overlay = Overlay { profile: overlay.profile, node };
            if self.must_support {
                must_support::say(self, overlay, !own.is_empty(), place.path);
            }
            self.assigned.extend(own.iter().map(|item| (*item, overlay)));
            if let Some(inner) = &node.slicing
                && !own.is_empty()
            {
                self.slice_by(overlay, inner, &own, items, type_, place);
            }
        }
        if slicing.rules == SlicingRules::Closed {
            for (item, _) in members.iter().zip(&found).filter(|(_, found)| found.is_none()) {
                rule::unmatched(self, overlay, slicing, *item, place.path);
            }
        }
    }

    /// The first slice that the occurrence belongs to.
    fn slice_of(
        &mut self,
        overlay: Overlay<'v>,
        slicing: &'v Slicing,
        focus: Focus<'a>,
        item: usize,
        place: Place<'_, 'a>,
    ) -> Option<usize> {
        let mut undecidable = None;
        let mut last = Selected::default();
        for (position, slice) in slicing.slices.iter().enumerate() {
            match self.belongs(slice, focus, place, &mut last) {
                Match::Yes => {
                    if slicing.ambiguous {
                        self.other_slice(overlay, (slicing, position), focus, item, place);
                    }
                    return Some(position);
                }
                Match::No => {}
                Match::Undecidable => undecidable = undecidable.or(Some(slice)),
            }
        }
        if let Some(slice) = undecidable {
            rule::undecidable(self, overlay, slice, item, place.path);
        }
        None
    }

    /// Reports an occurrence that belongs to a later slice too.
    fn other_slice(
        &mut self,
        overlay: Overlay<'v>,
        (slicing, found): (&'v Slicing, usize),
        focus: Focus<'a>,
        item: usize,
        place: Place<'_, 'a>,
    ) {
        let mut last = Selected::default();
        let later = slicing.slices.iter().skip(found + 1);
        for slice in later.filter(|slice| !slice.conditions.is_empty()) {
            if self.belongs(slice, focus, place, &mut last) == Match::Yes {
                return rule::ambiguous(self, overlay, [&slicing.slices[found], slice], item, place.path);
            }
        }
    }

    fn belongs(&self, slice: &'v Slice, focus: Focus<'a>, place: Place<'_, 'a>, last: &mut Selected<'a>) -> Match {
        if slice.conditions.is_empty() {
            return Match::Undecidable;
        }
        let meets = |condition: &'v Condition| {
            if last.way != Some(condition.way) {
                last.found.clear();
                rule::select(self, &condition.steps, focus, place, &mut last.found);
                last.way = Some(condition.way);
            }
            condition.tests.iter().any(|test| self.passes(test, &last.found, place))
        };
        if slice.conditions.iter().all(meets) { Match::Yes } else { Match::No }
    }

    fn passes(&self, test: &'v Test, found: &[Focus<'a>], place: Place<'_, 'a>) -> bool {
        let values = || found.iter().filter_map(|focus| focus.value);
        match test {
            Test::Exists(wanted) => found.is_empty() != *wanted,
            Test::Equals(value) => values().any(|found| rule::same(found, value)),
            Test::Contains(pattern) => values().any(|found| rule::contains(found, pattern)),
            Test::Types(types) => found
                .iter()
                .any(|focus| types.iter().any(|wanted| self.validator.types().is_subtype(focus.type_, *wanted))),
            Test::Profiles(profiles) => found
                .iter()
                .filter(|focus| focus.value.is_some())
                .any(|focus| profiles.iter().any(|profile| self.meets(*profile, *focus, place))),
            Test::InValueSet(binding) => values().any(|value| binding::has_member(self, binding, value)),
        }
    }
}
