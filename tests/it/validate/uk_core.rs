//! The 215 UK Core examples, compared with what HL7's own validator says of them: same verdict, same places. Each
//! disagreement is listed with its reason in `conformance/validator/uk-core-differences.txt`, which may only shrink.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kith::fhir::codec::{Limits, xml};
use kith::fhir::issue::Issue;
use kith::fhir::types::Types;
use kith::validate::Options;
use serde_json::Value;

use super::validator;
use crate::support::{files, shared_data};

/// File and expression of an error.
type Place = (String, String);

#[test]
fn the_examples_get_the_verdicts_of_hl7s_validator() {
    let Some(folder) = shared_data().map(|folder| folder.join("uk-core")) else { return };
    let expected: Value =
        serde_json::from_slice(&std::fs::read(folder.join("expected-outcomes.json")).unwrap()).unwrap();
    let mut differences: BTreeMap<Place, String> = BTreeMap::new();
    let examples = files(&folder.join("examples"), "xml");
    for file in &examples {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let theirs = errors_of(&expected[&name]["profile"]["issues"]);
        let issues = validate(file, expected[&name]["profile_url"].as_str());
        let ours: BTreeMap<String, &Issue> =
            issues.iter().filter(|issue| issue.is_error()).map(|issue| (plain(issue), issue)).collect();
        for (place, issue) in ours.iter().filter(|(place, _)| !theirs.contains(*place)) {
            differences.insert((name.clone(), place.clone()), format!("only Kith: {}: {}", issue.rule, issue.text));
        }
        for place in theirs.iter().filter(|place| !ours.contains_key(*place)) {
            differences.insert((name.clone(), place.clone()), "only HL7".to_owned());
        }
    }
    assert!(examples.len() >= 215, "{} examples", examples.len());
    let listed = listed();
    let unlisted: Vec<_> = differences.iter().filter(|(place, _)| !listed.contains(*place)).collect();
    let settled: Vec<_> = listed.iter().filter(|place| !differences.contains_key(*place)).collect();
    assert!(unlisted.is_empty() && settled.is_empty(), "not listed: {unlisted:#?}\nlisted and agreed: {settled:#?}");
}

fn validate(file: &Path, profile: Option<&str>) -> Vec<Issue> {
    let bytes = std::fs::read(file).unwrap();
    let (resource, mut issues) = match xml::parse_leniently(&bytes, &Limits::default(), Types::r4()) {
        Ok(read) => read,
        Err(problem) => return problem.issues().to_vec(),
    };
    let options = Options { profiles: profile.map(str::to_owned).into_iter().collect(), ..Options::default() };
    issues.extend(validator().validate(&resource, &options));
    issues
}

fn errors_of(issues: &Value) -> BTreeSet<String> {
    let errors =
        issues.as_array().unwrap().iter().filter(|issue| matches!(issue["severity"].as_str(), Some("error" | "fatal")));
    errors.filter_map(|issue| issue["expression"].as_str()).map(without_comments).collect()
}

fn plain(issue: &Issue) -> String {
    issue.expression.clone().unwrap_or_default()
}

/// HL7's validator writes type and id of inner resources into its expressions, as comments.
pub fn without_comments(expression: &str) -> String {
    let mut plain = String::new();
    for (at, part) in expression.split("/*").enumerate() {
        plain.push_str(if at == 0 { part } else { part.split_once("*/").map_or("", |(_, after)| after) });
    }
    plain
}

/// Lines `file: expression: reason`.
fn listed() -> BTreeSet<Place> {
    let text = include_str!("../../../conformance/validator/uk-core-differences.txt");
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut parts = line.splitn(3, ": ");
            let mut next =
                || parts.next().unwrap_or_else(|| panic!("not `file: expression: reason`: {line}")).to_owned();
            let place = (next(), next());
            assert!(!next().is_empty(), "no reason: {line}");
            place
        })
        .collect()
}
