//! Lists the files below `profiles/` and `conformance/http/` in generated tables of `include_str!`, so that every package
//! folder and every conformance case is embedded in the binary and a new file needs no code. `fhir::definitions::embedded` and
//! `conformance::embedded` include the tables.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    table("profiles", &["json", "jsonl"], "profiles.rs")?;
    table("conformance/http", &["toml"], "conformance.rs")
}

fn table(folder: &str, extensions: &[&str], name: &str) -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join(folder);
    println!("cargo:rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, extensions, &mut files)?;
    files.sort();
    let mut table = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(&root)?.to_string_lossy().replace('\\', "/");
        writeln!(table, "({name:?}, include_str!({:?})),", file.display().to_string())?;
    }
    table.push_str("]\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join(name), table)?;
    Ok(())
}

fn collect(folder: &Path, extensions: &[&str], files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    if !folder.is_dir() {
        return Ok(());
    }
    println!("cargo:rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let known =
            |path: &Path| path.extension().is_some_and(|found| extensions.iter().any(|extension| found == *extension));
        if path.is_dir() {
            collect(&path, extensions, files)?;
        } else if known(&path) {
            files.push(path);
        }
    }
    Ok(())
}
