//! Which of several definitions with one canonical url is meant where no version is asked for: FHIR's own last, active ones
//! before drafts, retired ones after those; then the newest version, then the one that was added last.

use std::cmp::Ordering;

use super::embedded;
use super::entry::Entry;

/// Orders two definitions with one url, the preferred one last.
pub(super) fn order(left: &Entry, right: &Entry) -> Ordering {
    let is_added = |entry: &Entry| *entry.package != *embedded::CORE;
    let by_origin = is_added(left).cmp(&is_added(right));
    by_origin.then_with(|| rank(left).cmp(&rank(right))).then_with(|| match (&left.version, &right.version) {
        (Some(left), Some(right)) => versions(left, right),
        (left, right) => left.is_some().cmp(&right.is_some()),
    })
}

fn rank(entry: &Entry) -> u8 {
    match entry.status() {
        "active" => 2,
        "retired" => 0,
        _ => 1,
    }
}

/// Compares business versions: numbers as numbers, anything else as text; what comes after a hyphen is a step towards the
/// version before it.
pub(crate) fn versions(left: &str, right: &str) -> Ordering {
    let split = |text: &str| match text.split_once('-') {
        Some((number, step)) => (number.to_owned(), Some(step.to_owned())),
        None => (text.to_owned(), None),
    };
    let ((left, left_step), (right, right_step)) = (split(left), split(right));
    parts(&left, &right).then_with(|| match (left_step, right_step) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(left), Some(right)) => parts(&left, &right),
    })
}

fn parts(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.split(['.', '-']), right.split(['.', '-']));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(left), Some(right)) => match (left.parse::<u64>(), right.parse::<u64>()) {
                (Ok(left), Ok(right)) => left.cmp(&right),
                _ => left.cmp(right),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}
