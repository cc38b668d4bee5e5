//! What tests share: where the public reference data lies.

use std::path::{Path, PathBuf};

/// The folder of reference data: `KITH_SHARED_DATA`, else `shared/data` beside the repository or further up. None, with a
/// printed line, where it is absent; the test then has nothing to compare with.
pub fn shared_data() -> Option<PathBuf> {
    let named = std::env::var_os("KITH_SHARED_DATA").map(PathBuf::from);
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().skip(1).map(|folder| folder.join("shared/data"));
    let found = named.into_iter().chain(above).find(|folder| folder.is_dir());
    if found.is_none() {
        eprintln!("SKIPPED: no reference data; set KITH_SHARED_DATA to its folder");
    }
    found
}

/// The files of a folder with the given extension, sorted.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == extension));
    files.sort();
    files
}
