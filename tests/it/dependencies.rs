//! The licence and source policy of `deny.toml`, checked with what cargo itself knows, so that it holds where `cargo deny`
//! is not installed.

use std::process::Command;

use serde_json::Value;

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--offline",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn policy() -> toml::Table {
    include_str!("../../deny.toml").parse().unwrap()
}

/// SPDX expressions as crates use them: alternatives by OR (or `/`), all parts of an AND must be allowed.
fn allowed(expression: &str, licences: &[&str]) -> bool {
    let expression = expression.replace(['(', ')'], "").replace('/', " OR ");
    expression.split(" AND ").all(|part| part.split(" OR ").any(|name| licences.contains(&name.trim())))
}

#[test]
fn every_dependency_has_an_allowed_licence_and_source() {
    let policy = policy();
    let licences: Vec<&str> =
        policy["licenses"]["allow"].as_array().unwrap().iter().filter_map(toml::Value::as_str).collect();
    let mut wrong = Vec::new();
    for package in metadata()["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let Some(source) = package["source"].as_str() else { continue };
        let licence = package["license"].as_str().unwrap_or("none");
        if !allowed(licence, &licences) {
            wrong.push(format!("{name}: licence {licence}"));
        }
        if !source.starts_with("registry+") {
            wrong.push(format!("{name}: does not come from a registry"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
