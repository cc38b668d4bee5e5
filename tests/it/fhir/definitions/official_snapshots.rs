//! Our snapshots against the official ones of the R4 core package. `KITH_R4_CORE` names its folder or
//! archive.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use kith::fhir::definitions::{Definitions, ElementDefinition, Max};
use kith::package::{self, Limits};
use serde_json::Value;

/// Published snapshots that we do not reproduce, and why. The list may only shrink.
const DIFFERENT: &[(&str, &str)] = &[
    ("Event", "a pattern published without a base: its backbone has no id and extension"),
    ("MetadataResource", "a logical model derived from a resource type, published with ele-1 on its root"),
    ("clinicaldocument", "its extension slice is published without the upper bound of the extension it names"),
    ("elementdefinition-de", "two extension slices are published with the children of their profiles spelled out"),
    (
        "provenance-relevant-history",
        "published with the binding of another slice, and a content reference into a slice",
    ),
];

/// The StructureDefinitions of the official package, in the order of their file names.
fn official() -> Option<Vec<Value>> {
    let path = PathBuf::from(std::env::var_os("KITH_R4_CORE")?);
    let mut found = Vec::new();
    package::read(&path, &Limits::default(), &mut |resource| {
        if resource["resourceType"] == "StructureDefinition" {
            found.push(resource);
        }
    })
    .unwrap();
    Some(found)
}

/// What is compared of an element, as text.
fn facts(element: &ElementDefinition) -> Vec<(&'static str, String)> {
    let types: BTreeSet<String> = element
        .types
        .iter()
        .map(|kind| format!("{} {:?} {:?}", code(element, &kind.code), kind.profiles, kind.target_profiles))
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
        ("slicing", slicing(element)),
    ]
}

/// The package calls the logical id of a resource a string; it is an id.
fn code<'a>(element: &ElementDefinition, code: &'a str) -> &'a str {
    if element.name() == "id" && code == "id" { "string" } else { code }
}

/// Extensions are always sliced by url, whether a snapshot says so or not.
fn slicing(element: &ElementDefinition) -> String {
    if element.name() == "extension" || element.name() == "modifierExtension" {
        return String::new();
    }
    format!("{:?}", element.slicing)
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
        eprintln!("skipped: KITH_R4_CORE does not name the official core package (folder or .tgz)");
        return;
    };
    let definitions = Definitions::embedded();
    let (mut agree, mut total, mut report, mut unexpected) = (0, 0, Vec::new(), Vec::new());
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
        let id = structure["id"].as_str().unwrap();
        let is_expected = found.is_empty() != DIFFERENT.iter().any(|(known, _)| *known == id);
        agree += usize::from(found.is_empty());
        report.extend(found.into_iter().map(|line| format!("{id} {line}")));
        if !is_expected {
            unexpected.push(id.to_owned());
        }
    }
    eprintln!("{agree} of {total} snapshots agree");
    assert!(unexpected.is_empty(), "{unexpected:?}\n{}", report.join("\n"));
    assert_eq!((agree, total), (647, 652));
}
