//! The shape of the source tree: imports point one way, each library has its place, files and functions stay small.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules from top to bottom; a module may import its own level's name and what stands lower.
const LAYERS: &[&[&str]] = &[
    &["commands"],
    &["app"],
    &["web", "oauth", "operations", "jobs"],
    &["interactions"],
    &["access", "store", "validate", "patch", "referral", "conformance", "package"],
    &["search"],
    &["terminology"],
    &["fhirpath"],
    &["fhir"],
    &["telemetry"],
    &["problem", "clock", "config"],
];

/// `problem` shows issues, which are FHIR's; everything else goes down.
const EXCEPTIONS: &[(&str, &str)] = &[("problem", "fhir::issue"), ("config", "problem")];

/// Library, the folders that may name it.
const PLACES: &[(&str, &[&str])] =
    &[("sqlx", &["store"]), ("openssl", &["access", "store/audit"]), ("jsonwebtoken", &["access"]), ("fhirbolt", &[])];

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut open = vec![root.clone()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(&root).unwrap().to_owned(), text));
            }
        }
    }
    found
}

fn module(path: &Path) -> String {
    path.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn level(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

#[test]
fn imports_go_down() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let from = module(&path);
        if from == "lib" || from == "main" {
            continue;
        }
        let Some(own) = level(&from) else {
            wrong.push(format!("{}: module {from} has no level", path.display()));
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            let Some(at) = line.find("crate::") else { continue };
            if line.trim_start().starts_with("//") {
                continue;
            }
            let target = &line[at + "crate::".len()..];
            let to: String = target.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let excepted = EXCEPTIONS.iter().any(|(name, prefix)| *name == from && target.starts_with(prefix));
            if to != from && !excepted && level(&to).is_some_and(|other| other <= own) {
                wrong.push(format!("{}:{}: {from} imports {to}", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_library_has_its_place() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        for (library, places) in PLACES {
            let named = text.lines().any(|line| {
                !line.trim_start().starts_with("//")
                    && (line.contains(&format!("{library}::")) || line.contains(&format!("use {library}")))
            });
            if named && !places.iter().any(|place| path.starts_with(place)) {
                wrong.push(format!("{} names {library}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_small_and_say_what_they_are_for() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let lines = text.lines().count();
        if lines > 400 {
            wrong.push(format!("{}: {lines} lines", path.display()));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{}: does not open with what it is for", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
