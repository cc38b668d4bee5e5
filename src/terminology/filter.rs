//! Filters of a value set's compose on the concepts of a loaded code system
//! (<https://hl7.org/fhir/R4/valueset-filter-operator.html>). A filter is prepared once and then asked about each concept.

use std::collections::HashSet;

use regex::Regex;
use serde_json::Value;

use crate::fhir::definitions::Filter;

use super::code_system::{CompiledCodeSystem, CompiledConcept};

/// The largest program that a pattern may become.
const MOST_PATTERN: usize = 1 << 20;

/// A filter, ready to be asked.
pub(super) struct Prepared<'f> {
    /// The property; none for the code itself.
    property: Option<&'f str>,
    test: Test<'f>,
}

enum Test<'f> {
    /// The code is (true) or is not (false) one of these.
    OneOf(HashSet<Box<str>>, bool),
    Equal(&'f str),
    In(Vec<&'f str>),
    NotIn(Vec<&'f str>),
    Exists(bool),
    Pattern(Regex),
}

/// Prepares the filters of one clause; none where an operator or property is not one that can be answered here.
pub(super) fn prepare<'f>(system: &CompiledCodeSystem, filters: &'f [Filter]) -> Option<Vec<Prepared<'f>>> {
    filters.iter().map(|filter| one(system, filter)).collect()
}

fn one<'f>(system: &CompiledCodeSystem, filter: &'f Filter) -> Option<Prepared<'f>> {
    let value = filter.value.as_str();
    let items = || -> Vec<&str> { value.split(',').map(str::trim).collect() };
    let of_code = matches!(filter.property.as_str(), "concept" | "code");
    let test = match (filter.op.as_str(), of_code) {
        ("is-a", true) => Test::OneOf(system.below(value, true), true),
        ("descendent-of", true) => Test::OneOf(system.below(value, false), true),
        ("is-not-a", true) => Test::OneOf(system.below(value, true), false),
        ("generalizes", true) => Test::OneOf(system.above(value, true), true),
        ("=", true) => Test::OneOf(written(system, &[value]), true),
        ("in", true) => Test::OneOf(written(system, &items()), true),
        ("not-in", true) => Test::OneOf(written(system, &items()), false),
        ("=", false) => Test::Equal(value),
        ("in", false) => Test::In(items()),
        ("not-in", false) => Test::NotIn(items()),
        ("exists", false) => Test::Exists(value == "true"),
        ("regex", _) => {
            let whole = format!("^(?:{value})$");
            Test::Pattern(regex::RegexBuilder::new(&whole).size_limit(MOST_PATTERN).build().ok()?)
        }
        _ => return None,
    };
    Some(Prepared { property: (!of_code).then_some(filter.property.as_str()), test })
}

/// Codes as their system writes them: in some, case does not count.
fn written(system: &CompiledCodeSystem, codes: &[&str]) -> HashSet<Box<str>> {
    codes.iter().map(|code| system.written(code).into()).collect()
}

impl Prepared<'_> {
    /// Whether a concept of the system passes.
    pub(super) fn passes(&self, concept: &CompiledConcept) -> bool {
        let Some(property) = self.property else {
            let code = &*concept.code;
            return match &self.test {
                Test::OneOf(codes, wanted) => codes.contains(code) == *wanted,
                Test::Pattern(pattern) => pattern.is_match(code),
                // Every concept has a code; lists of codes are `OneOf`.
                Test::Exists(_) | Test::Equal(_) | Test::In(_) | Test::NotIn(_) => true,
            };
        };
        let mut found = values(concept, property);
        match &self.test {
            Test::OneOf(codes, wanted) => found.any(|found| codes.contains(found.as_str())) == *wanted,
            Test::Equal(value) => found.any(|found| found == *value),
            Test::In(items) => found.any(|found| items.contains(&found.as_str())),
            Test::NotIn(items) => !found.any(|found| items.contains(&found.as_str())),
            Test::Exists(wanted) => found.next().is_some() == *wanted,
            Test::Pattern(pattern) => found.any(|found| pattern.is_match(&found)),
        }
    }
}

fn values<'c>(concept: &'c CompiledConcept, property: &'c str) -> impl Iterator<Item = String> + 'c {
    let parents = (property == "parent").then(|| concept.parents.iter().map(ToString::to_string)).into_iter().flatten();
    let display = (property == "display").then(|| concept.display.as_deref().map(str::to_owned)).flatten();
    let stated = concept.properties.iter().filter(move |stated| stated.code == property && property != "parent");
    parents.chain(display).chain(stated.map(|stated| match &stated.value {
        Value::String(text) => text.clone(),
        Value::Object(coding) => coding.get("code").and_then(Value::as_str).unwrap_or_default().to_owned(),
        other => other.to_string(),
    }))
}
