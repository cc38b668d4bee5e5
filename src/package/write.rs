//! Writes the facts of a package into a folder, always the same way, so that importing again changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::fhir::definitions::import::{compact_line, pretty};
use crate::fhir::definitions::package::Manifest;
use crate::problem::{Kind, Problem};

/// How definitions are spread over files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One file a resource type, one definition a line: for packages with thousands of definitions.
    Lines,
    /// One file a definition, in a folder a resource type: for packages that people read and compare.
    Files,
}

/// Writes `definitions` (facts) below `folder`, sorted by url. Existing files of the same name are replaced. Of several
/// definitions with one url the first is written; the number of those passed over is returned.
pub fn write(folder: &Path, manifest: &Manifest, definitions: &[Value], layout: Layout) -> Result<usize, Problem> {
    let mut by_type: BTreeMap<&str, BTreeMap<&str, &Value>> = BTreeMap::new();
    for definition in definitions.iter().rev() {
        let kind = definition.get("resourceType").and_then(Value::as_str).unwrap_or_default();
        let url = definition.get("url").and_then(Value::as_str).unwrap_or_default();
        by_type.entry(kind).or_default().insert(url, definition);
    }
    let written: usize = by_type.values().map(BTreeMap::len).sum();
    put(&folder.join("package.json"), &pretty(&manifest.to_json()))?;
    for (kind, sorted) in by_type {
        match layout {
            Layout::Lines => {
                let lines: String = sorted.values().map(|definition| compact_line(definition) + "\n").collect();
                put(&folder.join(format!("{kind}.jsonl")), &lines)?;
            }
            Layout::Files => write_files(&folder.join(kind), &sorted)?,
        }
    }
    Ok(definitions.len() - written)
}

fn write_files(folder: &Path, sorted: &BTreeMap<&str, &Value>) -> Result<(), Problem> {
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for (url, definition) in sorted {
        let tail = url.rsplit(['/', ':']).next().unwrap_or(url);
        let name: String =
            tail.chars().map(|c| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '-' }).collect();
        if let Some(other) = names.insert(name.clone(), url) {
            return Err(Problem::new(Kind::Conflict, format!("{url} and {other} would share the file {name}.json.")));
        }
        put(&folder.join(name + ".json"), &pretty(definition))?;
    }
    Ok(())
}

fn put(path: &Path, text: &str) -> Result<(), Problem> {
    let failed = |cause: std::io::Error| {
        Problem::new(Kind::Invalid, format!("{} cannot be written: {cause}.", path.display())).because(cause)
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}
