//! Levels of rules by configuration, and the catalogue of rules: complete, and every example breaks its rule.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use kith::config::RuleLevel;
use kith::fhir::definitions::Definitions;
use kith::validate::catalogue::{self, Change};
use kith::validate::levels::Levels;
use kith::validate::{Options, Settings, Validator};
use serde_json::{Value, json};

use crate::support::files;

fn with_levels(levels: &[(&str, RuleLevel)]) -> Validator {
    let levels = Levels::new(levels.iter().map(|(rule, level)| ((*rule).to_owned(), *level)));
    Validator::new(Definitions::embedded(), Settings { levels, ..Settings::default() }).unwrap()
}

fn severities(validator: &Validator, resource: &Value) -> Vec<(String, &'static str)> {
    let issues = validator.validate(resource, &Options::default());
    issues.into_iter().map(|issue| (issue.rule, issue.severity.code())).collect()
}

#[test]
fn a_rule_has_the_level_that_is_configured() {
    let patient = json!({
        "resourceType": "Patient", "meta": { "profile": ["https://nobody.example/unknown"] },
        "identifier": [{ "system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9434765918" }],
        "maritalStatus": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "M", "display": "Not married at all",
        }] },
    });
    let found = severities(&with_levels(&[]), &patient);
    for (rule, severity) in [
        ("dom-6", "warning"),
        ("profile-unknown", "warning"),
        ("nhs-number-check-digit", "warning"),
        ("display-mismatch", "error"),
    ] {
        assert!(found.contains(&(rule.to_owned(), severity)), "{rule} {severity}: {found:?}");
    }
    let validator = with_levels(&[
        ("best-practice", RuleLevel::Off),
        ("profile-unknown", RuleLevel::Error),
        ("nhs-number-check-digit", RuleLevel::Information),
        ("display-mismatch", RuleLevel::Warning),
    ]);
    validator.check_levels().unwrap();
    let found = severities(&validator, &patient);
    for (rule, severity) in
        [("profile-unknown", "error"), ("nhs-number-check-digit", "information"), ("display-mismatch", "warning")]
    {
        assert!(found.contains(&(rule.to_owned(), severity)), "{rule} {severity}: {found:?}");
    }
    assert!(found.iter().all(|(rule, _)| rule != "dom-6"), "{found:?}");
    let own = with_levels(&[("best-practice", RuleLevel::Off), ("dom-6", RuleLevel::Error)]);
    assert!(severities(&own, &patient).contains(&("dom-6".to_owned(), "error")));
}

#[test]
fn wrong_ids_and_levels_are_reported_with_the_nearest_id() {
    let validator = with_levels(&[
        ("nhs-number-chek-digit", RuleLevel::Warning),
        ("dom6", RuleLevel::Off),
        ("json-kind", RuleLevel::Warning),
        ("cardinality-min", RuleLevel::Off),
        ("pat-1", RuleLevel::Off),
        ("unknown-element", RuleLevel::Warning),
    ]);
    let problem = validator.check_levels().unwrap_err().to_string();
    assert!(problem.contains("Did you mean nhs-number-check-digit?"), "{problem}");
    assert!(problem.contains("Did you mean dom-6?"), "{problem}");
    assert!(problem.contains("json-kind keeps its level"), "{problem}");
    assert!(problem.contains("cardinality-min cannot be off"), "{problem}");
    assert!(!problem.contains("pat-1") && !problem.contains("unknown-element"), "{problem}");
}

#[test]
fn every_example_breaks_its_rule() {
    let mut wrong = Vec::new();
    let all = kith::app::rules::shown(catalogue::all()).unwrap();
    let needy: Vec<&str> =
        all.iter().filter(|shown| shown.entry.example.needs.is_some()).map(|shown| &*shown.entry.id).collect();
    assert_eq!(needy, ["code-inactive"], "rules whose examples need what is not shipped; their own tests raise them");
    for shown in all.into_iter().filter(|shown| shown.entry.example.needs.is_none()) {
        let found = shown.issue.map(|issue| issue.severity.code());
        let expected = if shown.entry.severity == "off" { "error" } else { &shown.entry.severity };
        if found != Some(expected) {
            wrong.push(format!("{}: {found:?} instead of {expected}", shown.entry.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every text in the validator's sources that looks like a rule id is one, but for these.
const NO_RULES: [&str; 8] =
    ["open-choice", "not-present", "subject-list", "is-a", "is-not-a", "child-of", "descendent-of", "not-in"];

#[test]
fn every_rule_of_the_sources_is_in_the_catalogue() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/validate");
    let pattern = regex::Regex::new(r#""([a-z]+(?:-[a-z0-9]+)+)""#).unwrap();
    let folders = ["rules", "rules/bundle", "rules/questionnaire", "run", "compile"];
    let mut missing = BTreeSet::new();
    for file in folders.iter().flat_map(|folder| files(&source.join(folder), "rs")) {
        let text = fs::read_to_string(&file).unwrap();
        for found in pattern.captures_iter(&text).map(|found| found[1].to_owned()) {
            if catalogue::find(&found).is_none() && !NO_RULES.contains(&found.as_str()) {
                missing.insert(found);
            }
        }
    }
    assert!(missing.is_empty(), "rules without an entry in src/validate/catalogue/rules.json: {missing:?}");
}

#[test]
fn the_catalogue_is_sound() {
    let mut ids = BTreeSet::new();
    for entry in catalogue::all() {
        assert!(ids.insert(&entry.id), "{} twice", entry.id);
        assert!(entry.finds.ends_with('.'), "{}", entry.id);
        assert!(entry.specification.starts_with("https://"), "{}", entry.id);
        let milder = !matches!(entry.severity.as_str(), "error" | "fatal");
        assert!(!milder || entry.change == Change::Any, "{}: what is no error may be off", entry.id);
    }
    assert!(ids.len() >= 70);
}

#[test]
fn the_entries_of_a_bundle_divided_among_threads_bring_the_same_issues() {
    let entry = |number: usize| {
        json!({
            "fullUrl": format!("https://kith.example/fhir/Patient/{number}"),
            "resource": { "resourceType": "Patient", "id": (number % 50).to_string(), "birthdate": "x", "gender": "y",
                "generalPractitioner": [{ "reference": format!("Patient/{}", number + 1) }] },
        })
    };
    let entries: Vec<Value> = (0..150).map(entry).collect();
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": entries });
    let validate = |parallel| super::validator().validate(&bundle, &Options { parallel, ..Options::default() });
    let (one, many) = (validate(false), validate(true));
    assert!(one.len() > 500, "{}", one.len());
    assert!(one == many, "the issues or their order differ");
}
