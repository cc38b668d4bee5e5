//! What a run of `kith validate` came to: resources, and issues by rule.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::fhir::issue::{Issue, Severity};
use crate::validate::catalogue;

use super::report::{count, counted};

/// Issues of one rule.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct OfRule {
    errors: usize,
    warnings: usize,
    information: usize,
}

/// What was validated so far.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) resources: usize,
    pub(super) invalid: usize,
    errors: usize,
    warnings: usize,
    pub(super) by_rule: BTreeMap<String, OfRule>,
}

impl Totals {
    /// Counts the issues of one resource.
    pub(super) fn add(&mut self, issues: &[Issue]) {
        let (errors, warnings) = count(issues);
        self.resources += 1;
        self.invalid += usize::from(errors > 0);
        self.errors += errors;
        self.warnings += warnings;
        for issue in issues {
            let of_rule = self.by_rule.entry(issue.rule.clone()).or_default();
            match issue.severity {
                Severity::Fatal | Severity::Error => of_rule.errors += 1,
                Severity::Warning => of_rule.warnings += 1,
                Severity::Information => of_rule.information += 1,
            }
        }
    }

    /// A table by rule, most errors first, then the sum.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        let mut rules: Vec<(&String, &OfRule)> = self.by_rule.iter().collect();
        rules.sort_by_key(|(_, of)| (usize::MAX - of.errors, usize::MAX - of.warnings, usize::MAX - of.information));
        let width = rules.iter().map(|(rule, _)| rule.len()).max().unwrap_or(0).max("rule".len());
        if !rules.is_empty() {
            let _ = writeln!(out, "\n{:width$}  {:>8}  {:>8}  {:>11}", "rule", "errors", "warnings", "information");
        }
        for (rule, of) in rules {
            let _ = writeln!(out, "{rule:width$}  {:>8}  {:>8}  {:>11}", of.errors, of.warnings, of.information);
        }
        if self.by_rule.keys().any(|rule| catalogue::find(rule).is_some()) {
            let _ = writeln!(
                out,
                "What a rule finds, with an example: kith rules RULE, or the page /rules#RULE of a server."
            );
        }
        let _ = writeln!(
            out,
            "{}: {} valid, {} invalid ({}, {})",
            counted(self.resources, "resource"),
            self.resources - self.invalid,
            self.invalid,
            counted(self.errors, "error"),
            counted(self.warnings, "warning")
        );
        out
    }
}
