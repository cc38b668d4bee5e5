//! The reports of `kith validate`: text for people, one OperationOutcome a line for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::fhir::issue::{Issue, Severity, operation_outcome};

use super::input::{Input, Lines};

/// Extensions by which HL7's own validator says where in which file an issue stands.
const EXTENSION: &str = "http://hl7.org/fhir/StructureDefinition/operationoutcome-";

/// Errors and warnings of a list.
pub(super) fn count(issues: &[Issue]) -> (usize, usize) {
    let errors = issues.iter().filter(|issue| issue.is_error()).count();
    let warnings = issues.iter().filter(|issue| issue.severity == Severity::Warning).count();
    (errors, warnings)
}

/// `1 error`, `2 errors`.
pub(super) fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// The verdict on one resource, then its issues, worst first.
pub(super) fn text(input: &Input, issues: &[Issue], lines: Option<&Lines>, colour: bool) -> String {
    let (errors, warnings) = count(issues);
    let paint = |code: &str, text: &str| if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
    let verdict = if errors == 0 { paint("32;1", "valid") } else { paint("31;1", "invalid") };
    let mut out =
        format!("{}: {verdict} ({}, {})\n", input.name(), counted(errors, "error"), counted(warnings, "warning"));
    let mut sorted: Vec<&Issue> = issues.iter().collect();
    sorted.sort_by_key(|issue| issue.severity);
    for issue in sorted {
        let severity = match issue.severity {
            Severity::Fatal | Severity::Error => paint("31", "error"),
            Severity::Warning => paint("33", "warning"),
            Severity::Information => paint("36", "information"),
        };
        let place = issue.expression.as_deref().map_or_else(String::new, |expression| {
            let line = lines.map_or_else(String::new, |lines| format!("line {}, ", lines.of(expression).line));
            format!(" {line}{expression}")
        });
        let rule = if issue.rule.is_empty() { String::new() } else { format!(" [{}]", issue.rule) };
        let _ = writeln!(out, "  {severity}{place}{rule}\n    {}", issue.text);
        if let (Some(profile), false) = (&issue.profile, issue.severity == Severity::Information) {
            let element = issue.element.as_deref().unwrap_or_default();
            let page = issue.specification().filter(|page| page != profile);
            let page = page.map_or_else(String::new, |page| format!(", see {page}"));
            let _ = writeln!(out, "    {}", paint("2", &format!("asked by {profile} {element}{page}")));
        }
    }
    out
}

/// An OperationOutcome on one line, with the file and the line and column of each issue.
pub(super) fn json(input: &Input, issues: &[Issue], lines: Option<&Lines>) -> String {
    let mut outcome = operation_outcome(issues);
    outcome["extension"] = json!([{ "url": format!("{EXTENSION}file"), "valueString": input.name() }]);
    let list = outcome.get_mut("issue").and_then(Value::as_array_mut);
    for (shown, issue) in list.into_iter().flatten().zip(issues) {
        let Some((lines, expression)) = lines.zip(issue.expression.as_deref()) else { continue };
        let place = lines.of(expression);
        let mut extensions = vec![
            json!({ "url": format!("{EXTENSION}issue-line"), "valueInteger": place.line }),
            json!({ "url": format!("{EXTENSION}issue-col"), "valueInteger": place.column }),
        ];
        extensions.extend(shown["extension"].as_array().into_iter().flatten().cloned());
        shown["extension"] = Value::Array(extensions);
    }
    format!("{outcome}\n")
}
