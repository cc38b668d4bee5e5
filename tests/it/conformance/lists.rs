//! The list of faults and abuses: each entry is complete, and each test that it names is there.

use std::path::Path;

/// A file of tests and the functions in it; folders have the name of their `mod.rs` or of a file beside them.
fn source(module: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let path = module.replace("::", "/");
    let read = |file: String| std::fs::read_to_string(root.join(file)).ok();
    read(format!("{path}.rs")).or_else(|| read(format!("{path}/mod.rs")))
}

fn is_there(test: &str) -> bool {
    if source(test).is_some() {
        return true;
    }
    let Some((module, name)) = test.rsplit_once("::") else { return false };
    let functions = [format!("fn {name}("), format!("fn {name}<")];
    source(module).is_some_and(|text| functions.iter().any(|function| text.contains(function)))
}

#[test]
fn every_fault_names_a_test_that_is_there() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/faults/faults.toml");
    let list: toml::Table = std::fs::read_to_string(file).unwrap().parse().unwrap();
    assert_eq!(list.keys().collect::<Vec<_>>(), ["abuse", "fault"]);
    for (kind, least) in [("fault", 14), ("abuse", 13)] {
        let entries = list[kind].as_array().unwrap();
        assert!(entries.len() >= least, "{} of {kind}", entries.len());
        for entry in entries {
            let text = |key: &str| entry.get(key).and_then(toml::Value::as_str).unwrap_or_default();
            assert!(!text("name").is_empty() && !text("happens").is_empty(), "{entry}");
            for test in text("test").split(',').map(str::trim) {
                assert!(is_there(test), "{}: there is no test {test}", text("name"));
            }
        }
    }
}
