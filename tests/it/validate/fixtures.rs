//! The sample resources: each valid one has no errors; each invalid one breaks exactly the rule that
//! `fixtures/invalid/expected.tsv` names, at the place it names, and no other.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use kith::fhir::codec::{Limits, json};
use kith::fhir::issue::Issue;
use kith::validate::Options;

use super::referral_validator;
use crate::support::files;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn validate(file: &Path) -> Vec<Issue> {
    let resource = json::parse(&std::fs::read(file).unwrap(), &Limits::default())
        .unwrap_or_else(|problem| panic!("{}: {problem}", file.display()));
    referral_validator().validate(&resource, &Options::default())
}

fn show(issue: &Issue) -> String {
    let place = issue.expression.as_deref().unwrap_or_default();
    format!("{} {} at {place}: {}", issue.severity.code(), issue.rule, issue.text)
}

#[test]
fn valid_resources_have_no_errors() {
    let mut wrong = Vec::new();
    for file in files(&folder("valid"), "json") {
        let errors = validate(&file).into_iter().filter(Issue::is_error);
        wrong.extend(errors.map(|issue| format!("{}: {}", file.display(), show(&issue))));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn invalid_resources_break_the_one_rule_they_are_there_for() {
    let table = std::fs::read_to_string(folder("invalid").join("expected.tsv")).unwrap();
    let mut listed = BTreeSet::new();
    let mut wrong = Vec::new();
    for line in table.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [file, rule, severity, expression] = columns[..] else { panic!("four columns expected: {line}") };
        listed.insert(file.to_owned());
        let issues = validate(&folder("invalid").join(file));
        let is_expected = |issue: &&Issue| {
            issue.rule == rule && issue.severity.code() == severity && issue.expression.as_deref() == Some(expression)
        };
        let others = issues.iter().filter(|issue| issue.is_error() && !is_expected(issue));
        wrong.extend(others.map(|issue| format!("{file}: also {}", show(issue))));
        if !issues.iter().any(|issue| is_expected(&issue)) {
            wrong.push(format!("{file}: no {severity} {rule} at {expression}"));
        }
    }
    let found: BTreeSet<String> = files(&folder("invalid"), "json")
        .iter()
        .map(|file| file.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(found, listed, "files and lines of expected.tsv");
    assert!(listed.len() >= 120);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What people read: to be looked at whenever it changes.
#[test]
fn texts_of_issues() {
    let mut texts = String::new();
    for file in files(&folder("invalid"), "json") {
        let _ = writeln!(texts, "{}", file.file_name().unwrap().to_string_lossy());
        for issue in validate(&file).iter().filter(|issue| issue.rule != "dom-6") {
            let _ = writeln!(texts, "  {}\n    {}", show(issue), issue.specification().unwrap_or_default());
        }
    }
    insta::assert_snapshot!("issue-texts", texts);
}
