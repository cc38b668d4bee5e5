//! The sample resources are valid against R4, UK Core and Kith's profiles, and carry only numbers made for tests.

use std::path::Path;
use std::sync::Arc;

use kith::fhir::definitions::Definitions;
use kith::fhir::issue::Issue;
use kith::validate::{Options, Settings, Validator};
use serde_json::Value;

use crate::support::files;

fn samples() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/valid");
    let read = |path: &Path| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
    };
    files(&folder, "json").iter().map(|path| read(path)).collect()
}

#[test]
fn every_sample_is_valid() {
    let validator = Validator::new(Arc::clone(&Definitions::embedded()), Settings::default()).unwrap();
    let mut wrong = Vec::new();
    for (name, sample) in samples() {
        let issues = validator.validate(&sample, &Options::default());
        wrong.extend(issues.iter().filter(|issue| issue.is_error()).map(|issue: &Issue| format!("{name}: {issue:?}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_sample_is_named_after_what_it_is() {
    for (name, sample) in samples() {
        let own = format!("{}-{}", sample["resourceType"].as_str().unwrap(), sample["id"].as_str().unwrap());
        assert_eq!(name, own);
    }
}

#[test]
fn nhs_numbers_are_from_the_range_for_tests() {
    for (name, sample) in samples() {
        let text = sample.to_string();
        for part in text.split(r#""system":"https://fhir.nhs.uk/Id/nhs-number","value":""#).skip(1) {
            assert!(part.starts_with('9'), "{name}");
        }
    }
}
