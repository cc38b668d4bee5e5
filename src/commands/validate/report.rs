//! The report of `kith validate` for people.

use std::io::{self, Write};

use crate::fhir::issue::{Issue, Severity};

use super::count;
use super::input::Lines;

/// What was validated so far.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) resources: usize,
    pub(super) invalid: usize,
    errors: usize,
    warnings: usize,
}

impl Totals {
    pub(super) fn add(&mut self, issues: &[Issue]) {
        let (errors, warnings) = count(issues);
        self.resources += 1;
        self.invalid += usize::from(errors > 0);
        self.errors += errors;
        self.warnings += warnings;
    }

    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let valid = self.resources - self.invalid;
        writeln!(
            out,
            "{}: {valid} valid, {} invalid ({}, {})",
            counted(self.resources, "resource"),
            self.invalid,
            counted(self.errors, "error"),
            counted(self.warnings, "warning")
        )
    }
}

/// `1 error`, `2 errors`.
fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// The verdict on one resource, then its issues, worst first.
pub(super) fn write(
    out: &mut impl Write,
    name: &str,
    issues: &[Issue],
    lines: Option<&Lines>,
    colour: bool,
) -> io::Result<()> {
    let (errors, warnings) = count(issues);
    let paint = |code: &str, text: &str| if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
    let verdict = if errors == 0 { paint("32;1", "valid") } else { paint("31;1", "invalid") };
    writeln!(out, "{name}: {verdict} ({}, {})", counted(errors, "error"), counted(warnings, "warning"))?;
    let mut sorted: Vec<&Issue> = issues.iter().collect();
    sorted.sort_by_key(|issue| issue.severity);
    for issue in sorted {
        let severity = match issue.severity {
            Severity::Fatal | Severity::Error => paint("31", "error"),
            Severity::Warning => paint("33", "warning"),
            Severity::Information => paint("36", "information"),
        };
        let place = issue.expression.as_deref().map_or_else(String::new, |expression| {
            let line = lines.map_or_else(String::new, |lines| format!("line {}, ", lines.of(expression)));
            format!(" {line}{expression}")
        });
        let rule = if issue.rule.is_empty() { String::new() } else { format!(" [{}]", issue.rule) };
        writeln!(out, "  {severity}{place}{rule}")?;
        writeln!(out, "    {}", issue.text)?;
        if let (Some(profile), false) = (&issue.profile, issue.severity == Severity::Information) {
            let element = issue.element.as_deref().unwrap_or_default();
            writeln!(out, "    {}", paint("2", &format!("asked by {profile} {element}")))?;
        }
    }
    Ok(())
}
