//! What stands against a ValueSet: imports that lead back to it, patterns that are none.

use std::collections::HashSet;

use serde_json::Value;

use crate::fhir::definitions::ValueSet;
use crate::fhir::issue::{Issue, IssueCode};
use crate::validate::Validator;

use super::{fault, items, text};

/// How many imported value sets are looked at.
const MOST_IMPORTS: usize = 1000;

/// The largest program that a pattern may become; the same as where filters are run.
const MOST_PATTERN: usize = 1 << 20;

/// Everything that stands against using a ValueSet.
pub(super) fn check(validator: &Validator, definition: &Value, canonical: &str) -> Vec<Issue> {
    let mut issues = Vec::new();
    let Some(compose) = definition.get("compose") else { return issues };
    for part in ["include", "exclude"] {
        for (at, clause) in items(compose, part).iter().enumerate() {
            let place = format!("ValueSet.compose.{part}[{at}]");
            for (number, filter) in items(clause, "filter").iter().enumerate() {
                pattern(filter, &format!("{place}.filter[{number}].value"), &mut issues);
            }
            for (number, imported) in items(clause, "valueSet").iter().enumerate() {
                if imported.as_str().is_some_and(|imported| leads_to(validator, imported, canonical)) {
                    let text = "The value sets that are imported here lead back to this one: a circle has no members.";
                    issues.push(fault(format!("{place}.valueSet[{number}]"), IssueCode::Invalid, text));
                }
            }
        }
    }
    issues
}

fn pattern(filter: &Value, place: &str, issues: &mut Vec<Issue>) {
    if text(filter, "op") != Some("regex") {
        return;
    }
    let value = text(filter, "value").unwrap_or_default();
    if regex::RegexBuilder::new(&format!("^(?:{value})$")).size_limit(MOST_PATTERN).build().is_err() {
        let text = "The pattern is no regular expression, or one that is too large.";
        issues.push(fault(place, IssueCode::Invalid, text));
    }
}

/// Whether imports lead from one value set to another.
fn leads_to(validator: &Validator, from: &str, wanted: &str) -> bool {
    let url = |canonical: &str| canonical.split('|').next().unwrap_or(canonical).to_owned();
    let wanted = url(wanted);
    let mut seen = HashSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(canonical) = open.pop() {
        if url(&canonical) == wanted {
            return true;
        }
        if seen.len() < MOST_IMPORTS && seen.insert(canonical.clone()) {
            open.extend(validator.terminology().value_set(&canonical).iter().flat_map(|set| imports(set)));
        }
    }
    false
}

fn imports(definition: &ValueSet) -> Vec<String> {
    let clauses = definition.compose.include.iter().chain(&definition.compose.exclude);
    clauses.flat_map(|clause| clause.value_sets.iter().cloned()).collect()
}
