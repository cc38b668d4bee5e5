//! Reads every resource below a path, within limits: a folder of files, a single file or Bundle, or a gzipped
//! tar archive.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;

use crate::fhir::codec;
use crate::fhir::definitions::package::Manifest;
use crate::fhir::types::Types;
use crate::problem::{Kind, Problem};

/// Bounds on what is read, so that a hostile archive cannot fill the memory.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Files in a folder or archive.
    pub files: usize,
    /// Bytes of one file, after decompression.
    pub file_bytes: u64,
    /// Bytes of everything together, after decompression.
    pub total_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { files: 50_000, file_bytes: 64 << 20, total_bytes: 512 << 20 }
    }
}

/// Reads `path`: a `.tgz` archive, a folder (with everything below it) or one file. Every resource goes to `visit` as soon as
/// it is read, the entries of Bundles one by one, so that no more than a file is in memory at a time. Returns what
/// `package.json` says, where there is one. Files that are not JSON or XML, and JSON files that are not resources, are
/// passed over; broken ones are an error that names the file.
pub fn read(path: &Path, limits: &Limits, visit: &mut dyn FnMut(Value)) -> Result<Manifest, Problem> {
    let mut reader = Reader {
        limits: *limits,
        files: 0,
        bytes: 0,
        manifest_depth: usize::MAX,
        manifest: Manifest::default(),
        visit,
    };
    if path.is_dir() {
        reader.folder(path)?;
    } else if is_archive(path) {
        reader.archive(path)?;
    } else if is_definitions(path) {
        reader.file(path, path)?;
    } else {
        let text = format!("{} is no folder, .tgz, .json or .xml file.", path.display());
        return Err(Problem::new(Kind::Invalid, text));
    }
    Ok(reader.manifest)
}

/// What the `package.json` of a package says, without reading its definitions; none where there is none.
pub fn manifest(path: &Path) -> Result<Option<Manifest>, Problem> {
    const NAME: &str = "package.json";
    if path.is_dir() {
        let file = [path.join(NAME), path.join("package").join(NAME)].into_iter().find(|file| file.is_file());
        let Some(file) = file else { return Ok(None) };
        let bytes = fs::read(&file).map_err(|cause| unreadable(&file, cause))?;
        return parse(&file, &bytes).map(|value| Some(Manifest::from_json(&value)));
    }
    if !is_archive(path) {
        return Ok(None);
    }
    let limits = Limits::default();
    let file = File::open(path).map_err(|cause| unreadable(path, cause))?;
    let mut archive = tar::Archive::new(GzDecoder::new(file).take(limits.total_bytes));
    for entry in archive.entries().map_err(|cause| unreadable(path, cause))?.take(limits.files) {
        let entry = entry.map_err(|cause| unreadable(path, cause))?;
        let name = entry.path().map_err(|cause| unreadable(path, cause))?.into_owned();
        if name.file_name().is_some_and(|file| file == NAME) && name.components().count() <= 2 {
            let mut bytes = Vec::new();
            entry.take(1 << 20).read_to_end(&mut bytes).map_err(|cause| unreadable(path, cause))?;
            return parse(&name, &bytes).map(|value| Some(Manifest::from_json(&value)));
        }
    }
    Ok(None)
}

fn is_archive(path: &Path) -> bool {
    let is_tar = || path.file_stem().is_some_and(|stem| has_extension(Path::new(stem), "tar"));
    has_extension(path, "tgz") || has_extension(path, "gz") && is_tar()
}

struct Reader<'a> {
    limits: Limits,
    files: usize,
    bytes: u64,
    manifest_depth: usize,
    manifest: Manifest,
    visit: &'a mut dyn FnMut(Value),
}

impl Reader<'_> {
    fn folder(&mut self, root: &Path) -> Result<(), Problem> {
        let mut paths = Vec::new();
        list(root, &mut paths, 0)?;
        paths.sort();
        for path in paths {
            let name = path.strip_prefix(root).unwrap_or(&path).to_path_buf();
            if is_wanted(&name) {
                self.file(&path, &name)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: &Path) -> Result<(), Problem> {
        let file = File::open(path).map_err(|cause| unreadable(path, cause))?;
        let bytes = self.take(file, name)?;
        self.content(name, &bytes)
    }

    fn archive(&mut self, path: &Path) -> Result<(), Problem> {
        let file = File::open(path).map_err(|cause| unreadable(path, cause))?;
        // The gzip stream itself is bounded too: skipped entries cost time and must end as well.
        let stream = GzDecoder::new(file).take(self.limits.total_bytes);
        let mut archive = tar::Archive::new(stream);
        for entry in archive.entries().map_err(|cause| unreadable(path, cause))? {
            let entry = entry.map_err(|cause| unreadable(path, cause))?;
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let name = entry.path().map_err(|cause| unreadable(path, cause))?.into_owned();
            refuse_traversal(path, &name)?;
            if is_wanted(&name) {
                let bytes = self.take(entry, &name)?;
                self.content(&name, &bytes)?;
            }
        }
        Ok(())
    }

    /// The bytes of one file, counted against the limits.
    fn take(&mut self, reader: impl Read, name: &Path) -> Result<Vec<u8>, Problem> {
        self.files += 1;
        let allowed = self.limits.file_bytes.min(self.limits.total_bytes.saturating_sub(self.bytes));
        let mut bytes = Vec::new();
        reader.take(allowed + 1).read_to_end(&mut bytes).map_err(|cause| unreadable(name, cause))?;
        let length = bytes.len() as u64;
        self.bytes += length;
        if length > allowed || self.files > self.limits.files {
            return Err(Problem::new(
                Kind::TooLarge,
                format!(
                    "The package is too large at {}: at most {} files, {} bytes a file and {} bytes in all are read.",
                    name.display(),
                    self.limits.files,
                    self.limits.file_bytes,
                    self.limits.total_bytes
                ),
            ));
        }
        Ok(bytes)
    }

    fn content(&mut self, name: &Path, bytes: &[u8]) -> Result<(), Problem> {
        let value = parse(name, bytes)?;
        if name.file_name().is_some_and(|file| file == "package.json") {
            let depth = name.components().count();
            if depth < self.manifest_depth {
                self.manifest_depth = depth;
                self.manifest = Manifest::from_json(&value);
            }
            return Ok(());
        }
        self.add(value);
        Ok(())
    }

    fn add(&mut self, mut value: Value) {
        match value.get("resourceType").and_then(Value::as_str) {
            Some("Bundle") => {
                let entries = value.get_mut("entry").and_then(Value::as_array_mut).map(std::mem::take);
                for mut entry in entries.unwrap_or_default() {
                    if let Some(resource) = entry.get_mut("resource") {
                        (self.visit)(resource.take());
                    }
                }
            }
            Some(_) => (self.visit)(value),
            None => {}
        }
    }
}

/// A file's content by its extension. XML is read leniently: definitions are published with elements out of order.
fn parse(name: &Path, bytes: &[u8]) -> Result<Value, Problem> {
    let limits = codec::Limits { bytes: usize::MAX, ..codec::Limits::default() };
    let parsed = if has_extension(name, "xml") {
        codec::xml::parse_leniently(bytes, &limits, Types::r4()).map(|(value, _)| value)
    } else {
        codec::json::parse(bytes, &limits)
    };
    parsed.map_err(|problem| {
        let texts: Vec<&str> = problem.issues().iter().map(|issue| issue.text.as_str()).collect();
        Problem::new(Kind::Invalid, format!("{}: {}", name.display(), texts.join(" ")))
    })
}

fn has_extension(name: &Path, wanted: &str) -> bool {
    name.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
}

/// Definitions are JSON or XML files; package indexes, examples, OpenAPI and tool files beside them are not.
fn is_wanted(name: &Path) -> bool {
    let hidden = name.file_name().is_some_and(|file| file.to_string_lossy().starts_with('.'));
    let aside = name.parent().is_some_and(|folder| {
        folder.components().any(|part| {
            matches!(part.as_os_str().to_str(), Some("example" | "examples" | "openapi" | "other" | "xml" | "testing"))
        })
    });
    is_definitions(name) && !hidden && !aside
}

fn is_definitions(name: &Path) -> bool {
    has_extension(name, "json") || has_extension(name, "xml")
}

fn list(folder: &Path, paths: &mut Vec<PathBuf>, depth: usize) -> Result<(), Problem> {
    const DEEPEST: usize = 16;
    for entry in fs::read_dir(folder).map_err(|cause| unreadable(folder, cause))? {
        let entry = entry.map_err(|cause| unreadable(folder, cause))?;
        let kind = entry.file_type().map_err(|cause| unreadable(folder, cause))?;
        if kind.is_dir() && depth < DEEPEST {
            list(&entry.path(), paths, depth + 1)?;
        } else if kind.is_file() {
            paths.push(entry.path());
        }
    }
    Ok(())
}

fn refuse_traversal(archive: &Path, name: &Path) -> Result<(), Problem> {
    if name.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Ok(());
    }
    let text = format!("{} holds a file whose name leads out of the archive: {}.", archive.display(), name.display());
    Err(Problem::new(Kind::Invalid, text))
}

fn unreadable(path: &Path, cause: std::io::Error) -> Problem {
    Problem::new(Kind::Invalid, format!("{} cannot be read: {cause}.", path.display())).because(cause)
}
