//! Our implementation guide: every definition is well named, listed, and refers to what exists.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use kith::fhir::definitions::Definitions;
use kith::referral::applies::PROFILES;
use kith::referral::lifecycle::State;
use serde_json::Value;

const BASE: &str = "https://kith.example/fhir";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/kith")
}

/// `Type/id` and content of every definition.
fn definitions() -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for folder in std::fs::read_dir(root()).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
        for file in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
            let value: Value = serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap();
            let name = format!("{}/{}", value["resourceType"].as_str().unwrap(), value["id"].as_str().unwrap());
            assert!(file.path().ends_with(format!("{name}.json")), "{name}");
            found.insert(name, value);
        }
    }
    found
}

#[test]
fn every_definition_has_its_canonical_and_stands_in_the_guide() {
    let all = definitions();
    let listed: Vec<&str> = all["ImplementationGuide/kith"]["definition"]["resource"]
        .as_array()
        .unwrap()
        .iter()
        .map(|resource| resource["reference"]["reference"].as_str().unwrap())
        .collect();
    for (name, definition) in &all {
        if let Some(url) = definition["url"].as_str() {
            assert_eq!(url, format!("{BASE}/{name}"));
            assert_eq!(definition["version"], "0.1.0", "{name}");
        }
        assert!(name == "ImplementationGuide/kith" || listed.contains(&name.as_str()), "{name} is not listed");
    }
    assert_eq!(listed.len() + 1, all.len());
}

#[test]
fn every_reference_to_our_own_definitions_is_met() {
    let all = definitions();
    for (name, definition) in &all {
        let text = definition.to_string();
        for part in text.split(BASE).skip(1) {
            let end = part.find(|c: char| !(c.is_ascii_alphanumeric() || "-/".contains(c))).unwrap_or(part.len());
            let target = part[..end].trim_start_matches('/');
            let known = target.is_empty() || target.starts_with("Id/") || all.contains_key(target);
            assert!(known, "{name} refers to {target}");
        }
    }
    for (_, _, profile) in PROFILES {
        assert!(all.contains_key(profile.strip_prefix("https://kith.example/fhir/").unwrap()), "{profile}");
    }
}

#[test]
fn keys_of_invariants_are_unique_and_codes_too() {
    let mut keys = Vec::new();
    for (name, definition) in &definitions() {
        for element in definition["differential"]["element"].as_array().into_iter().flatten() {
            for constraint in element["constraint"].as_array().into_iter().flatten() {
                keys.push(constraint["key"].as_str().unwrap().to_owned());
            }
        }
        let mut codes: Vec<&str> =
            definition["concept"].as_array().into_iter().flatten().map(|c| c["code"].as_str().unwrap()).collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all, "{name}");
    }
    let all = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), all);
    assert!(all >= 15);
}

#[test]
fn the_status_value_set_and_the_lifecycle_agree() {
    let all = definitions();
    let mut codes: Vec<&str> = all["ValueSet/kith-task-status"]["compose"]["include"][0]["concept"]
        .as_array()
        .unwrap()
        .iter()
        .map(|concept| concept["code"].as_str().unwrap())
        .collect();
    let mut states: Vec<&str> = State::ALL.iter().map(|state| state.code()).collect();
    codes.sort_unstable();
    states.sort_unstable();
    assert_eq!(codes, states);
}

#[test]
fn every_profile_compiles_onto_uk_core() {
    let embedded = Definitions::embedded();
    for (name, definition) in definitions().iter().filter(|(name, _)| name.starts_with("StructureDefinition/")) {
        let snapshot = embedded.snapshot(definition["url"].as_str().unwrap()).unwrap_or_else(|p| panic!("{name}: {p}"));
        for element in definition["differential"]["element"].as_array().unwrap() {
            let id = element["id"].as_str().unwrap();
            assert!(snapshot.element(id).is_some(), "{name}: {id} is not in the snapshot");
        }
    }
    let task = embedded.snapshot("https://kith.example/fhir/StructureDefinition/kith-triage-task").unwrap();
    let owner = task.element("Task.owner").unwrap();
    assert_eq!(
        (owner.min, owner.must_support),
        (Some(1), Some(true)),
        "inherited through KithReferralTask and UK Core"
    );
    assert!(task.element("Task").unwrap().constraints.iter().any(|constraint| constraint.key == "kith-task-1"));
    assert!(task.element("Task.code.coding:workflow.code").unwrap().fixed.is_some());
}

#[test]
fn terms_and_search_parameters_are_embedded() {
    let embedded = Definitions::embedded();
    for name in
        ["kith-business-status", "kith-status-reason", "kith-capacity-status", "kith-task-parameter", "kith-measure"]
    {
        assert!(embedded.code_system(&format!("{BASE}/CodeSystem/{name}")).is_some(), "{name}");
        assert!(embedded.value_set(&format!("{BASE}/ValueSet/{name}")).is_some(), "{name}");
    }
    let capacity = embedded.search_parameters("HealthcareService");
    assert!(capacity.iter().any(|parameter| parameter.code == "capacity"));
    assert!(embedded.other("Questionnaire", &format!("{BASE}/Questionnaire/kith-referral-form")).is_some());
}
