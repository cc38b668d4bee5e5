//! The report of `kith validate` as SARIF 2.1.0 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>), which
//! code hosts show beside the files. Results are written as they come; the rules that they name stand at the end.

use std::fmt::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::fhir::issue::{Issue, Severity};
use crate::validate::catalogue;

use super::input::{Input, Lines};

/// Where the schema of the format lies.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json";

/// What a path keeps as it is in a uri.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What stands before the first result.
pub(super) fn head() -> String {
    format!(r#"{{"$schema":"{SCHEMA}","version":"2.1.0","runs":[{{"columnKind":"unicodeCodePoints","results":["#)
}

/// The results of one resource, separated and ended by commas but for the very last, which the writer sees to.
pub(super) fn results(input: &Input, issues: &[Issue], lines: Option<&Lines>) -> String {
    let mut out = String::new();
    for issue in issues {
        let _ = writeln!(out, "{},", result(input, issue, lines));
    }
    out
}

/// What stands after the last result: the tool, with the rules that were broken.
pub(super) fn tail<'r>(rules: impl Iterator<Item = &'r str>) -> String {
    let rules: Vec<Value> = rules.filter(|rule| !rule.is_empty()).map(descriptor).collect();
    let tool = json!({ "driver": { "name": "kith", "version": env!("CARGO_PKG_VERSION"), "rules": rules } });
    format!("],\"tool\":{tool}}}]}}\n")
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Fatal | Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Information => "note",
    }
}

fn result(input: &Input, issue: &Issue, lines: Option<&Lines>) -> Value {
    let place = lines.zip(issue.expression.as_deref()).map(|(lines, expression)| lines.of(expression));
    let mut physical = json!({ "artifactLocation": { "uri": uri(&input.file) } });
    if let Some(place) = place.filter(|place| place.line > 0) {
        physical["region"] = json!({ "startLine": place.line, "startColumn": place.column.max(1) });
    }
    let mut location = json!({ "physicalLocation": physical });
    if let Some(expression) = &issue.expression {
        location["logicalLocations"] = json!([{ "fullyQualifiedName": expression, "kind": "element" }]);
    }
    let mut result = json!({
        "level": level(issue.severity), "message": { "text": issue.text }, "locations": [location],
    });
    if !issue.rule.is_empty() {
        result["ruleId"] = json!(issue.rule);
    }
    if let Some(profile) = &issue.profile {
        result["properties"] =
            json!({ "profile": profile, "element": issue.element, "specification": issue.specification() });
    }
    result
}

fn uri(file: &str) -> String {
    if file == "-" { "stdin".to_owned() } else { utf8_percent_encode(file, PATH).to_string() }
}

/// What the tool says of a rule. What is not in the catalogue is an invariant of a definition.
fn descriptor(rule: &str) -> Value {
    match catalogue::find(rule) {
        None => json!({ "id": rule, "shortDescription": { "text": "An invariant of a definition." } }),
        Some(entry) => {
            let level = match entry.severity.as_str() {
                "warning" => "warning",
                "information" => "note",
                _ => "error",
            };
            json!({
                "id": rule, "shortDescription": { "text": entry.finds }, "helpUri": entry.specification,
                "help": { "text": format!("kith rules {rule} shows an example.") },
                "defaultConfiguration": { "level": level },
            })
        }
    }
}
