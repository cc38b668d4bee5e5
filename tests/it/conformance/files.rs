//! The journey files of the repository.

use std::path::{Path, PathBuf};

use kith::conformance::Journey;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/journeys")
}

/// All journeys, by name.
pub fn journeys() -> Vec<Journey> {
    let read = |name: &str| std::fs::read_to_string(folder().join(name)).map_err(|error| format!("{name}: {error}"));
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| {
            let journey = Journey::parse(&std::fs::read_to_string(path).unwrap(), read).unwrap();
            assert_eq!(path.file_stem().unwrap(), &*journey.journey);
            journey
        })
        .collect()
}

#[test]
fn there_are_seven_and_each_has_something_refused() {
    let journeys = journeys();
    assert_eq!(journeys.len(), 7);
    for journey in &journeys {
        let refused =
            journey.steps.iter().filter(|step| step.expect.status.iter().all(|status| *status >= 400)).count();
        assert!(refused >= 2, "{}", journey.journey);
        assert!(journey.steps.iter().all(|step| !step.actor.is_empty() && !step.expect.status.is_empty()));
    }
}

#[test]
fn every_expression_compiles() {
    for journey in journeys() {
        for expression in journey.steps.iter().flat_map(|step| &step.expect.fhirpath) {
            let compiled = kith::fhirpath::Expression::compile(expression);
            assert!(compiled.is_ok(), "{}: {expression}: {compiled:?}", journey.journey);
        }
    }
}

#[test]
fn the_binary_carries_them_all() {
    let names = |journeys: Vec<Journey>| journeys.into_iter().map(|journey| journey.journey).collect::<Vec<_>>();
    assert_eq!(names(kith::conformance::journeys().unwrap()), names(journeys()));
}
