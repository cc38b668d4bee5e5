//! How bad the breach of each rule is where a deployment decides otherwise than the rule: `error`, `warning`, `information`,
//! `off`. The validator applies it last; what a slice or a profile is tried for is decided by the rules' own severities.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::RuleLevel;
use crate::fhir::definitions::Definitions;
use crate::fhir::issue::{Issue, Severity};
use crate::fhir::suggest;

use super::catalogue::{self, Change};

/// The id that stands for every invariant of [`BEST_PRACTICE_INVARIANTS`].
pub const BEST_PRACTICE: &str = "best-practice";

/// Invariants that R4 marks as best practice
/// (<https://hl7.org/fhir/R4/extension-elementdefinition-bestpractice.html>).
pub const BEST_PRACTICE_INVARIANTS: [&str; 2] = ["con-3", "dom-6"];

/// The levels that a deployment chose.
#[derive(Debug, Clone, Default)]
pub struct Levels(BTreeMap<String, RuleLevel>);

impl Levels {
    /// Levels by rule id. Whether the ids are right is asked by [`Levels::faults`].
    #[must_use]
    pub fn new(levels: impl IntoIterator<Item = (String, RuleLevel)>) -> Self {
        Self(levels.into_iter().collect())
    }

    /// The level chosen for a rule; none where the rule's own counts.
    #[must_use]
    pub fn of(&self, rule: &str) -> Option<RuleLevel> {
        let group = || self.0.get(BEST_PRACTICE).filter(|_| BEST_PRACTICE_INVARIANTS.contains(&rule));
        self.0.get(rule).or_else(group).copied()
    }

    /// True where a rule that is off by itself was given a level.
    #[must_use]
    pub fn is_on(&self, rule: &str) -> bool {
        self.of(rule).is_some_and(|level| level != RuleLevel::Off)
    }

    /// Rules that the catalogue does not have and that have a level: invariants.
    pub fn chosen(&self) -> impl Iterator<Item = (&str, RuleLevel)> {
        self.0.iter().map(|(rule, level)| (rule.as_str(), *level))
    }

    /// Gives each issue its level and drops those of rules that are off.
    pub fn apply(&self, issues: &mut Vec<Issue>) {
        if self.0.is_empty() {
            return;
        }
        issues.retain_mut(|issue| {
            match self.of(&issue.rule) {
                None => {}
                Some(RuleLevel::Error) => issue.severity = Severity::Error,
                Some(RuleLevel::Warning) => issue.severity = Severity::Warning,
                Some(RuleLevel::Information) => issue.severity = Severity::Information,
                Some(RuleLevel::Off) => return false,
            }
            true
        });
    }

    /// What cannot be: ids that no rule and no invariant has, and levels that a rule may not have.
    #[must_use]
    pub fn faults(&self, definitions: &Definitions) -> Vec<String> {
        let mut faults = Vec::new();
        let mut keys: Option<BTreeSet<String>> = None;
        for (rule, level) in &self.0 {
            if let Some(entry) = catalogue::find(rule) {
                faults.extend(refused(rule, *level, entry.change));
                continue;
            }
            let keys = keys.get_or_insert_with(|| invariants(definitions));
            if rule == BEST_PRACTICE || keys.contains(rule) {
                continue;
            }
            let known = catalogue::all().iter().map(|entry| entry.id.as_str()).chain(keys.iter().map(String::as_str));
            let hint = suggest::nearest(rule, known).map_or_else(String::new, |near| format!(" Did you mean {near}?"));
            faults.push(format!("validation.rules: there is no rule or invariant {rule}.{hint} See kith rules."));
        }
        faults
    }
}

fn refused(rule: &str, level: RuleLevel, change: Change) -> Option<String> {
    match change {
        Change::Never => {
            Some(format!("validation.rules: {rule} keeps its level: what breaks it can be neither read nor stored."))
        }
        Change::Report if level == RuleLevel::Off => Some(format!(
            "validation.rules: {rule} cannot be off, since it says what a definition demands; information is the least."
        )),
        Change::Report | Change::Any => None,
    }
}

/// The keys of the invariants of all definitions.
fn invariants(definitions: &Definitions) -> BTreeSet<String> {
    let structures = definitions.canonicals("StructureDefinition");
    let structures = structures.filter_map(|(_, canonical)| definitions.structure(&canonical));
    let keys = structures.flat_map(|structure| {
        let constraints = structure.differential.iter().flat_map(|element| &element.constraints);
        constraints.map(|constraint| constraint.key.clone()).collect::<Vec<_>>()
    });
    keys.collect()
}
