//! Our snapshots against the official ones of the R4 core package. `KITH_R4_CORE` names the folder of its JSON files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use kith::fhir::definitions::{Definitions, ElementDefinition, Max};
use serde_json::Value;

fn official() -> Option<Vec<Value>> {
    let folder = PathBuf::from(std::env::var_os("KITH_R4_CORE")?);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.file_name().unwrap().to_string_lossy().starts_with("StructureDefinition-"));
    paths.sort();
    Some(paths.iter().map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).collect())
}

/// What is compared of an element, as text.
fn facts(element: &ElementDefinition) -> Vec<(&'static str, String)> {
    let types: BTreeSet<String> = element
        .types
        .iter()
        .map(|kind| format!("{} {:?} {:?}", kind.code, kind.profiles, kind.target_profiles))
        .collect();
    let keys: BTreeSet<&str> = element.constraints.iter().map(|constraint| constraint.key.as_str()).collect();
    vec![
        ("path", element.path.clone()),
        ("slice", format!("{:?}", element.slice_name)),
        ("min", format!("{}", element.min.unwrap_or(0))),
        ("max", format!("{:?}", element.max.unwrap_or(Max::Unbounded))),
        ("types", format!("{types:?}")),
        ("content", format!("{:?}", element.content_reference)),
        ("binding", format!("{:?}", element.binding)),
        ("fixed", format!("{:?}", element.fixed)),
        ("pattern", format!("{:?}", element.pattern)),
        ("constraints", format!("{keys:?}")),
        ("modifier", format!("{}", element.is_modifier.unwrap_or(false))),
        ("slicing", format!("{:?}", element.slicing)),
    ]
}

fn differences(ours: &[ElementDefinition], official: &[ElementDefinition]) -> Vec<String> {
    let by_id = |elements: &[ElementDefinition]| -> BTreeMap<String, Vec<(&'static str, String)>> {
        elements.iter().map(|element| (element.id.clone(), facts(element))).collect()
    };
    let (left, right) = (by_id(ours), by_id(official));
    let mut found = Vec::new();
    for id in left.keys().chain(right.keys()).collect::<BTreeSet<_>>() {
        match (left.get(id), right.get(id)) {
            (Some(left), Some(right)) => {
                let changed = left.iter().zip(right).filter(|(a, b)| a != b);
                found.extend(changed.map(|(a, b)| format!("{id} {}: ours {} official {}", a.0, a.1, b.1)));
            }
            (Some(_), None) => found.push(format!("{id}: only ours")),
            _ => found.push(format!("{id}: only official")),
        }
    }
    found
}

#[test]
fn snapshots_agree_with_the_official_ones() {
    let Some(official) = official() else {
        eprintln!("skipped: KITH_R4_CORE does not name a folder with the official core package");
        return;
    };
    let definitions = Definitions::embedded();
    let (mut agree, mut total, mut report) = (0, 0, Vec::new());
    for structure in &official {
        let url = structure["url"].as_str().unwrap();
        let Some(elements) = structure["snapshot"]["element"].as_array() else { continue };
        let Some(_) = definitions.structure(url) else { continue };
        total += 1;
        let theirs: Vec<ElementDefinition> = elements.iter().filter_map(ElementDefinition::from_json).collect();
        let found = match definitions.snapshot(url) {
            Ok(snapshot) => differences(&snapshot.elements, &theirs),
            Err(problem) => vec![problem.to_string()],
        };
        if found.is_empty() {
            agree += 1;
        }
        report.extend(found.into_iter().map(|line| format!("{} {line}", structure["id"].as_str().unwrap())));
    }
    eprintln!("{agree} of {total} snapshots agree");
    if let Some(path) = std::env::var_os("KITH_SNAPSHOT_REPORT") {
        std::fs::write(path, report.join("\n")).unwrap();
    }
    assert_eq!((agree, total), (0, 0));
}
