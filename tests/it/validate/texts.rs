//! The texts of issues: a snapshot of all that the invalid sample resources raise, and what no text may show.

use std::path::Path;

use kith::fhir::codec::{Limits, json};
use kith::fhir::issue::Issue;
use kith::validate::Options;
use serde_json::Value;

use super::referral_validator;
use crate::support::files;

/// Each invalid resource with its issues, good advice aside.
fn raised() -> Vec<(String, Value, Vec<Issue>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/invalid");
    let validate = |file: std::path::PathBuf| {
        let resource = json::parse(&std::fs::read(&file).unwrap(), &Limits::default()).unwrap();
        let mut issues = referral_validator().validate(&resource, &Options::default());
        issues.retain(|issue| issue.rule != "dom-6");
        (file.file_name().unwrap().to_string_lossy().into_owned(), resource, issues)
    };
    files(&folder, "json").into_iter().map(validate).collect()
}

#[test]
fn the_texts_of_all_invalid_resources() {
    let show = |issue: &Issue| {
        let place = issue.expression.as_deref().unwrap_or("nowhere");
        format!("  {} {} at {place}\n    {}\n", issue.severity.code(), issue.rule, issue.text)
    };
    let texts: String = raised()
        .iter()
        .map(|(file, _, issues)| format!("{file}\n{}", issues.iter().map(show).collect::<String>()))
        .collect();
    insta::assert_snapshot!("texts", texts);
}

/// Members whose values are about a person.
const PERSONAL: [&str; 9] =
    ["family", "given", "line", "city", "postalCode", "birthDate", "div", "valueString", "deceasedDateTime"];

fn personal<'a>(value: &'a Value, is_personal: bool, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) if is_personal && text.len() > 2 => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| personal(item, is_personal, found)),
        Value::Object(members) => {
            let is_number = value.get("system").is_some() && value.get("value").is_some();
            for (name, member) in members {
                personal(member, PERSONAL.contains(&name.as_str()) || (is_number && name == "value"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn no_text_shows_what_is_about_a_person() {
    for (file, resource, issues) in raised() {
        let mut values = Vec::new();
        personal(&resource, false, &mut values);
        for issue in issues {
            let shown = values.iter().find(|value| issue.text.contains(**value));
            assert!(shown.is_none(), "{file}: {} shows {shown:?}: {}", issue.rule, issue.text);
        }
    }
}
