//! HL7's public validator test cases for R4, with the outcome of HL7's own validator: same verdict, and each place where it
//! reports an error is one where we do. What does not agree yet is listed with its reason in
//! `conformance/validator/expected-failures.txt`, which may only shrink.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use kith::config::RuleLevel;
use kith::fhir::codec::{Limits, json, xml};
use kith::fhir::definitions::Definitions;
use kith::fhir::definitions::package::{Manifest, Package};
use kith::fhir::issue::Issue;
use kith::fhir::types::Types;
use kith::validate::levels::Levels;
use kith::validate::{Options, Settings, Validator};
use serde_json::Value;

use super::uk_core::without_comments;
use crate::support::shared_data;

/// How far a case agrees, in the words of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Agreement {
    /// Same verdict, every place.
    Full,
    /// Same verdict; a place is missing.
    Verdict,
    /// Another verdict.
    None,
    /// The case needs what this server does not have and nobody can give it.
    NotApplicable,
}

/// What one case came to.
#[derive(Debug)]
struct Outcome {
    agreement: Agreement,
    places: usize,
    found: usize,
    text: String,
}

#[test]
fn the_verdicts_and_places_of_hl7s_cases_are_ours() {
    let Some(folder) = shared_data().map(|folder| folder.join("fhir-test-cases")) else { return };
    let list: Value = serde_json::from_slice(&std::fs::read(folder.join("cases.json")).unwrap()).unwrap();
    let cases = list["cases"].as_array().unwrap();
    let outcomes = run_all(&folder, cases);
    let mut listed = listed();
    let mut wrong = Vec::new();
    let mut excluded = BTreeSet::new();
    for (name, outcome) in &outcomes {
        let expected = listed.remove(name).unwrap_or(Agreement::Full);
        if expected == Agreement::NotApplicable && outcome.agreement != Agreement::Full {
            excluded.insert(name);
        } else if expected != outcome.agreement {
            wrong.push(format!("{name}: {:?}, listed as {expected:?}\n{}", outcome.agreement, outcome.text));
        }
    }
    wrong.extend(listed.keys().map(|name| format!("{name}: listed, and there is no such case")));
    report("all", outcomes.values());
    report("applicable", outcomes.iter().filter(|(name, _)| !excluded.contains(name)).map(|(_, outcome)| outcome));
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

fn report<'o>(which: &str, outcomes: impl Iterator<Item = &'o Outcome>) {
    let outcomes: Vec<&Outcome> = outcomes.collect();
    let verdicts = outcomes.iter().filter(|outcome| outcome.agreement != Agreement::None).count();
    let places: usize = outcomes.iter().map(|outcome| outcome.places).sum();
    let found: usize = outcomes.iter().map(|outcome| outcome.found).sum();
    eprintln!("HL7's cases, {which}: {verdicts} of {} verdicts, {found} of {places} places of errors", outcomes.len());
}

/// Runs all cases on all cores. The second of two cases with one name has a `+` at the end of its own.
fn run_all(folder: &Path, cases: &[Value]) -> BTreeMap<String, Outcome> {
    let mut names: Vec<String> = Vec::with_capacity(cases.len());
    for case in cases {
        let name = case["name"].as_str().unwrap().to_owned();
        names.push(if names.contains(&name) { name + "+" } else { name });
    }
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(BTreeMap::new());
    let work = || {
        while let Some((case, name)) = cases.iter().zip(&names).nth(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = run(folder, case);
            outcomes.lock().unwrap().insert(name.clone(), outcome);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
    outcomes.into_inner().unwrap()
}

fn run(folder: &Path, case: &Value) -> Outcome {
    let issues = validate(folder, case);
    let is_valid = !issues.iter().any(Issue::is_error);
    // What cannot be read has no expression; HL7's validator writes the format instead.
    let place = |issue: &Issue| issue.expression.clone().unwrap_or_else(|| "(xml)".to_owned());
    let ours: BTreeSet<String> = issues.iter().filter(|issue| issue.is_error()).map(place).collect();
    let theirs = places(folder, case);
    let is_found = |(_, meant): &(&String, &BTreeSet<String>)| meant.is_subset(&ours);
    let found = theirs.iter().filter(is_found).count();
    let agreement = match (is_valid == case["expected"]["valid"].as_bool().unwrap(), found == theirs.len()) {
        (false, _) => Agreement::None,
        (true, false) => Agreement::Verdict,
        (true, true) => Agreement::Full,
    };
    let mut text = String::new();
    for issue in issues.iter().filter(|issue| issue.is_error()) {
        writeln!(text, "    ours: {:?} {}: {}", issue.expression, issue.rule, issue.text).unwrap();
    }
    for issue in case["expected_issues"].as_array().unwrap().iter().filter(|issue| is_error(issue)) {
        writeln!(text, "    HL7: {} {}", issue["expression"], issue["text"]).unwrap();
    }
    for (place, _) in theirs.iter().filter(|place| !is_found(place)) {
        writeln!(text, "    missing: {place}").unwrap();
    }
    Outcome { agreement, places: theirs.len(), found, text }
}

fn validate(folder: &Path, case: &Value) -> Vec<Issue> {
    static BASE: OnceLock<Validator> = OnceLock::new();
    let settings = || settings(&case["options"]);
    let file = |name: &Value| folder.join(name.as_str().unwrap());
    let mut package = Package::new(Manifest::default(), &[]);
    let mut profiles = Vec::new();
    let supporting = case["supporting"].as_array().unwrap().iter().map(file);
    for path in supporting {
        if let Ok((resource, _)) = read(&path) {
            package.add(&resource);
        }
    }
    if case["profile"].is_string() {
        let (resource, _) = read(&file(&case["profile"])).unwrap();
        package.add(&resource);
        profiles.push(resource["url"].as_str().unwrap().to_owned());
    }
    let (resource, mut issues) = match read(&file(&case["file"])) {
        Ok(read) => read,
        Err(issues) => return issues,
    };
    let options = Options { profiles, apply_by_type: false, ..Options::default() };
    let own;
    let validator = if package.is_empty() && settings().levels.chosen().count() == 1 {
        BASE.get_or_init(|| Validator::new(Definitions::embedded(), settings()).unwrap())
    } else {
        match Definitions::embedded().with_packages(vec![package]) {
            Ok(definitions) => own = Validator::new(definitions.into(), settings()).unwrap(),
            Err(problem) => return problem.issues().to_vec(),
        }
        &own
    };
    issues.extend(validator.validate(&resource, &options));
    issues
}

/// The cases ran where extensions that nobody defines are refused, some with further rules.
fn settings(options: &Value) -> Settings {
    let mut errors = vec!["extension-unknown"];
    errors.extend((options["examples"] == false).then_some("example-url"));
    errors.extend((options["no-experimental-content"] == true).then_some("experimental-content"));
    let levels = Levels::new(errors.into_iter().map(|rule| (rule.to_owned(), RuleLevel::Error)));
    Settings { levels, ..Settings::default() }
}

fn read(path: &PathBuf) -> Result<(Value, Vec<Issue>), Vec<Issue>> {
    let bytes = std::fs::read(path).unwrap();
    let read = if path.extension().is_some_and(|extension| extension == "xml") {
        xml::parse_leniently(&bytes, &Limits::default(), Types::r4())
    } else {
        json::parse(&bytes, &Limits::default()).map(|value| (value, Vec::new()))
    };
    read.map_err(|problem| problem.issues().to_vec())
}

fn is_error(issue: &Value) -> bool {
    matches!(issue["severity"].as_str(), Some("error" | "fatal")) && issue["server"] != true
}

/// Where HL7's validator reports errors without asking a terminology server, as it writes the place, with the places that
/// it means.
fn places(folder: &Path, case: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for issue in case["expected_issues"].as_array().unwrap().iter().filter(|issue| is_error(issue)) {
        let Some(expression) = issue["expression"].as_str() else { continue };
        let expression = plain(&without_comments(expression));
        let meant = meant(folder, case, &expression, issue["text"].as_str().unwrap_or_default());
        places.entry(expression).or_default().insert(meant);
    }
    places
}

/// The place that is meant. HL7's validator counts from one in what it says of the references within a document, and has
/// `entry[0]` in what it says of any entry's full url; there the text names the url.
fn meant(folder: &Path, case: &Value, expression: &str, text: &str) -> String {
    let counts_from_one = text.contains("isn't reachable by traversing links")
        || ["(Composition.", "(Section"].iter().any(|name| text.contains(" in the bundle ") && text.contains(name));
    if counts_from_one {
        return expression
            .split('[')
            .enumerate()
            .map(|(at, part)| if at == 0 { part.to_owned() } else { one_less(part) })
            .collect();
    }
    if expression == "Bundle.entry[0]" && text.starts_with("The fullUrl") {
        let url = text.split('\'').nth(1).unwrap();
        let (bundle, _) = read(&folder.join(case["file"].as_str().unwrap())).unwrap();
        let entries = bundle["entry"].as_array().unwrap();
        let index = entries.iter().position(|entry| entry["fullUrl"] == url);
        return index.map_or_else(|| expression.to_owned(), |index| format!("Bundle.entry[{index}]"));
    }
    expression.to_owned()
}

/// `2].rest` as `[1].rest`.
fn one_less(part: &str) -> String {
    let (index, rest) = part.split_once(']').unwrap();
    format!("[{}]{rest}", index.parse::<usize>().unwrap() - 1)
}

/// HL7's validator adds the url of an extension to its expression.
fn plain(expression: &str) -> String {
    // While it reads XML it writes XPath.
    let expression = expression.strip_prefix("/f:").unwrap_or(expression);
    let mut plain = String::new();
    for (at, part) in expression.split("[url='").enumerate() {
        plain.push_str(if at == 0 { part } else { part.split_once("']").map_or("", |(_, after)| after) });
    }
    plain
}

/// Lines `name: verdict|places|not-applicable: reason`.
fn listed() -> BTreeMap<String, Agreement> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/validator/expected-failures.txt");
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let parts: Vec<&str> = line.splitn(3, ": ").collect();
            let [name, what, reason] = parts[..] else {
                panic!("not `name: verdict|places|not-applicable: reason`: {line}")
            };
            assert!(!reason.is_empty(), "no reason: {line}");
            let agreement = match what {
                "verdict" => Agreement::None,
                "places" => Agreement::Verdict,
                "not-applicable" => Agreement::NotApplicable,
                other => panic!("{other} is neither verdict, places nor not-applicable"),
            };
            (name.to_owned(), agreement)
        })
        .collect()
}
