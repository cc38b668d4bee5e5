//! `slice-cardinality`, `slice-order`, `slice-unmatched`, `slice-undecidable`, `slice-ambiguous`: what slicing demands, and how a
//! discriminator path is followed (<https://hl7.org/fhir/R4/profiling.html#discriminator>).

use serde_json::Value;
use smallvec::SmallVec;

use crate::fhir::issue::IssueCode;
use crate::fhir::member;
use crate::fhir::path::Path;
use crate::fhir::types::TypeIndex;

use crate::validate::run::{Focus, Origin, Overlay, Place, Run};
use crate::validate::schema::{Node, ProfileSchema, Slice, Slicing, SlicingRules, Step};

pub use super::fixed_value::same;
pub use super::pattern_value::contains;

const fn origin<'s>(overlay: &Overlay<'s>) -> Origin<'s> {
    Origin { profile: overlay.profile.url.as_str(), element: overlay.node.id.as_str(), base: false }
}

/// Checks how many occurrences a slice has. The issue stands at the element that holds them.
pub fn count(run: &mut Run<'_, '_>, overlay: Overlay<'_>, slice: &Slice, found: usize, path: &Path<'_>) {
    let id = &overlay.profile.nodes[slice.node as usize].id;
    let found = u32::try_from(found).unwrap_or(u32::MAX);
    let text = if found < slice.min {
        format!("{id} occurs {found} times; at least {} are required.", slice.min)
    } else if let Some(max) = slice.max.filter(|max| found > *max) {
        format!("{id} occurs {found} times; at most {max} are allowed.")
    } else {
        return;
    };
    let origin = Origin { element: id, ..origin(&overlay) };
    run.error(IssueCode::Required, "slice-cardinality", text, path.parent().unwrap_or(path), origin);
}

/// Reports a slice that is required where the element does not occur at all.
pub fn missing(run: &mut Run<'_, '_>, profile: &ProfileSchema, node: &Node, slice: &Slice, path: &Path<'_>) {
    if node.min > 0 {
        return;
    }
    let id = &profile.nodes[slice.node as usize].id;
    let text = format!("{id} is required and missing. Add it.");
    let origin = Origin { profile: &profile.url, element: id, base: false };
    run.error(IssueCode::Required, "slice-cardinality", text, path, origin);
}

/// Checks the order: of the slices where they are ordered, and that nothing else stands before them where the slicing
/// is open at the end.
pub fn order(
    run: &mut Run<'_, '_>,
    overlay: Overlay<'_>,
    slicing: &Slicing,
    members: &[usize],
    found: &[Option<usize>],
    path: &Path<'_>,
) {
    let mut last = 0;
    let mut other = false;
    for (item, slice) in members.iter().zip(found) {
        let Some(slice) = *slice else {
            other = true;
            continue;
        };
        let text = if other && slicing.rules == SlicingRules::OpenAtEnd {
            format!("Occurrences that belong to no slice of {} must come last.", overlay.node.id)
        } else if slicing.ordered && slice < last {
            format!("The slices of {} must come in the order of the profile.", overlay.node.id)
        } else {
            last = slice;
            continue;
        };
        run.error(IssueCode::Structure, "slice-order", text, &path.index(*item), origin(&overlay));
    }
}

/// Reports an occurrence that belongs to no slice where the slicing is closed.
pub fn unmatched(run: &mut Run<'_, '_>, overlay: Overlay<'_>, slicing: &Slicing, item: usize, path: &Path<'_>) {
    let names: Vec<&str> = slicing.slices.iter().map(|slice| slice.name.as_str()).collect();
    let text = format!("{} allows only {}; this occurrence is none of them.", overlay.node.id, names.join(", "));
    run.error(IssueCode::Structure, "slice-unmatched", text, &path.index(item), origin(&overlay));
}

/// Warns of a slice whose profile does not say how it is told apart: a defect of the profile.
pub fn undecidable(run: &mut Run<'_, '_>, overlay: Overlay<'_>, slice: &Slice, item: usize, path: &Path<'_>) {
    let id = &overlay.profile.nodes[slice.node as usize].id;
    let text = format!("The profile does not say what tells slice {id} apart; the slice was not checked.");
    let origin = Origin { element: id, ..origin(&overlay) };
    run.warn(IssueCode::NotSupported, "slice-undecidable", text, &path.index(item), origin);
}

/// Reports an occurrence that two slices claim.
pub fn ambiguous(run: &mut Run<'_, '_>, overlay: Overlay<'_>, slices: [&Slice; 2], item: usize, path: &Path<'_>) {
    let [first, second] = slices.map(|slice| slice.name.as_str());
    let text = format!("This occurrence belongs to two slices of {}: {first} and {second}.", overlay.node.id);
    run.error(IssueCode::Structure, "slice-ambiguous", text, &path.index(item), origin(&overlay));
}

/// The values at the end of a discriminator path.
pub type Found<'a> = SmallVec<[Focus<'a>; 4]>;

/// Adds the values at the end of a discriminator path to `found`.
pub fn select<'a>(run: &Run<'_, 'a>, steps: &[Step], focus: Focus<'a>, place: Place<'_, 'a>, found: &mut Found<'a>) {
    let [step, rest @ ..] = steps else {
        return found.push(with_resource_type(run, focus));
    };
    let Some(value) = focus.value else { return };
    let mut follow = |value: &'a Value, type_: TypeIndex| {
        let focus = with_resource_type(run, Focus { value: Some(value), sibling: None, type_ });
        select(run, rest, focus, place, found);
    };
    match step {
        Step::Child(names) => {
            for (name, type_) in names {
                match member::member(value, name) {
                    Some(Value::Array(items)) => items.iter().for_each(|item| follow(item, *type_)),
                    Some(item) => follow(item, *type_),
                    None => {}
                }
            }
        }
        Step::Extension(url) => {
            let list = member::member(value, "extension").and_then(Value::as_array).map(Vec::as_slice);
            let wanted =
                list.unwrap_or_default().iter().filter(|extension| member::text(extension, "url") == Some(url));
            wanted.for_each(|extension| follow(extension, run.validator.known().extension));
        }
        Step::Resolve => {
            let text = value.as_str().or_else(|| member::text(value, "reference"));
            if let Some(resource) = text.and_then(|text| super::reference::resolve(run, text, place)) {
                follow(resource, focus.type_);
            } else if let Some(name) = super::reference::type_by_reference(run, value, place)
                && let Some(type_) = run.validator.types().get(name)
            {
                select(run, rest, Focus { value: None, sibling: None, type_ }, place, found);
            }
        }
        Step::OfType(type_) => {
            if run.validator.types().is_subtype(focus.type_, *type_) {
                select(run, rest, focus, place, found);
            }
        }
    }
}

/// A resource's own type in place of the abstract one of its element.
fn with_resource_type<'a>(run: &Run<'_, 'a>, focus: Focus<'a>) -> Focus<'a> {
    let name = focus.value.and_then(|value| member::text(value, "resourceType"));
    let type_ = name.and_then(|name| run.validator.types().get(name)).unwrap_or(focus.type_);
    Focus { type_, ..focus }
}
