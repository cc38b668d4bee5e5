//! Files to resources: folders walked, archives opened, Bundles taken apart. What cannot be read becomes a refusal.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use actix_web::web::Bytes;
use clap::ValueEnum;
use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::bundle;
use crate::fhir::codec::{Limits, json, xml};
use crate::fhir::issue::Issue;
use crate::fhir::types::Types;
use crate::interactions::format::BodyFormat;
use crate::interactions::request::{Body, Method};
use crate::problem::{Kind, Problem};

/// Largest file, archive member or line that is held in memory.
const LARGEST: usize = 512 * 1024 * 1024;

/// What happens to Bundles that are collections or search results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BundleHandling {
    /// Their resources are stored.
    Unpack,
    /// They are stored as they are.
    Keep,
}

/// How files are read.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// Deepest nesting.
    pub depth: usize,
    /// XML with elements unknown or out of order is taken, with a warning.
    pub leniently: bool,
    /// What happens to Bundles.
    pub bundles: BundleHandling,
}

/// One write that a file asks for.
#[derive(Debug)]
pub struct Item {
    /// File, with line or entry, for the report.
    pub source: String,
    /// PUT with an id, POST without one or to the base.
    pub method: Method,
    /// Path below the base.
    pub path: Vec<String>,
    /// What is written.
    pub body: Body,
    /// What was noticed while reading.
    pub warnings: Vec<Issue>,
}

/// A text that holds no resource that could be asked to be stored.
#[derive(Debug)]
pub struct Unreadable {
    /// File, with line.
    pub source: String,
    /// Why.
    pub problem: Problem,
}

/// What a file yields.
pub type Found = Result<Item, Unreadable>;

/// The files that the paths name, in order. Folders are walked; in them only files with known endings are taken and
/// what begins with a full stop is passed over.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Problem> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            walk(path, &mut files)?;
        } else if path.is_file() {
            files.push(path.clone());
        } else {
            return Err(Problem::new(Kind::Invalid, format!("{} is neither a file nor a folder", path.display())));
        }
    }
    if files.is_empty() {
        return Err(Problem::new(Kind::Invalid, "there are no .json, .xml, .ndjson, .gz or .tgz files here"));
    }
    Ok(files)
}

/// Bytes of all files.
pub fn size(files: &[PathBuf]) -> u64 {
    files.iter().filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Problem> {
    let unreadable =
        |error: std::io::Error| Problem::new(Kind::Invalid, format!("{} cannot be read: {error}", folder.display()));
    let mut entries: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        entries.push(entry.map_err(unreadable)?.path());
    }
    entries.sort();
    for path in entries {
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        if name.starts_with('.') || name == "package.json" {
            continue;
        }
        // A link to a folder could lead back here.
        let is_folder = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        if is_folder {
            walk(&path, files)?;
        } else if content(&name).0.is_some() {
            files.push(path);
        }
    }
    Ok(())
}

/// What the name of a file says of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// A .tgz archive.
    Archive,
    /// A resource a line.
    Lines,
    /// One resource.
    Whole,
}

impl Content {
    /// What a lower-case name without `.gz` says; none where the ending is not known.
    fn of(name: &str) -> Option<Self> {
        let ends = |endings: [&str; 2]| endings.iter().any(|ending| name.ends_with(ending));
        match () {
            () if ends([".tgz", ".tar"]) => Some(Self::Archive),
            () if ends([".ndjson", ".jsonl"]) => Some(Self::Lines),
            () if ends([".json", ".xml"]) => Some(Self::Whole),
            () => None,
        }
    }
}

/// What the name says of the content, and whether that is compressed.
fn content(name: &str) -> (Option<Content>, bool) {
    let name = name.to_lowercase();
    match (name.strip_suffix(".gz"), name.strip_suffix(".tgz")) {
        (Some(inner), _) => (Content::of(inner), true),
        (None, archive) => (Content::of(&name), archive.is_some()),
    }
}

/// Reads one file and gives what it yields to `give`, until `give` says that nobody listens any more.
pub fn read(path: &Path, reading: Reading, give: &mut dyn FnMut(Found) -> bool) {
    let name = path.display().to_string();
    let result = open(path, &name, reading, give);
    if let Err(error) = result {
        let problem = Problem::new(Kind::Invalid, format!("the file cannot be read: {error}"));
        give(Err(Unreadable { source: name, problem }));
    }
}

fn open(path: &Path, name: &str, reading: Reading, give: &mut dyn FnMut(Found) -> bool) -> std::io::Result<()> {
    let (content, compressed) = content(name);
    let file = File::open(path)?;
    let plain: Box<dyn Read> = if compressed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    match content {
        Some(Content::Archive) => archive(plain, name, reading, give),
        Some(Content::Lines) => lines(plain, name, reading, give),
        // A file that was named is read whatever its ending is.
        Some(Content::Whole) | None => whole(plain, name, reading, give).map(|_| ()),
    }
}

/// The members of a .tgz archive; what describes a package is passed over.
fn archive(bytes: impl Read, name: &str, reading: Reading, give: &mut dyn FnMut(Found) -> bool) -> std::io::Result<()> {
    let mut archive = tar::Archive::new(bytes);
    for entry in archive.entries()? {
        let entry = entry?;
        let path = entry.path()?.display().to_string();
        let file_name = path.rsplit('/').next().unwrap_or_default();
        let describes = file_name == "package.json" || file_name.starts_with('.');
        let content = Content::of(&file_name.to_lowercase()).filter(|content| *content != Content::Archive);
        let Some(content) = content.filter(|_| !describes && entry.header().entry_type().is_file()) else { continue };
        let source = format!("{name}:{path}");
        if content == Content::Lines {
            lines(entry, &source, reading, give)?;
        } else if !whole(entry, &source, reading, give)? {
            return Ok(());
        }
    }
    Ok(())
}

/// One resource a line.
fn lines(bytes: impl Read, name: &str, reading: Reading, give: &mut dyn FnMut(Found) -> bool) -> std::io::Result<()> {
    let mut reader = BufReader::new(bytes);
    for number in 1_usize.. {
        let mut line = Vec::new();
        let mut bounded = reader.by_ref().take(LARGEST as u64 + 1);
        if bounded.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let too_large = line.len() > LARGEST;
        if !items(line.trim_ascii(), &format!("{name}:{number}"), reading, give) || too_large {
            break;
        }
    }
    Ok(())
}

/// One resource.
fn whole(bytes: impl Read, name: &str, reading: Reading, give: &mut dyn FnMut(Found) -> bool) -> std::io::Result<bool> {
    let mut content = Vec::new();
    bytes.take(LARGEST as u64 + 1).read_to_end(&mut content)?;
    Ok(items(&content, name, reading, give))
}

/// Parses a text and gives the writes that it asks for.
fn items(bytes: &[u8], source: &str, reading: Reading, give: &mut dyn FnMut(Found) -> bool) -> bool {
    match parse(bytes, reading) {
        Err(problem) => give(Err(Unreadable { source: source.to_owned(), problem })),
        Ok((value, issues)) if !issues.is_empty() && !reading.leniently => give(as_it_stands(bytes, source, &value)),
        Ok((value, issues)) => bundle::items(value, source, issues, reading.bundles).into_iter().all(give),
    }
}

/// The resource, and what was noticed: XML is told from JSON by its first character.
fn parse(bytes: &[u8], reading: Reading) -> Result<(Value, Vec<Issue>), Problem> {
    let limits = Limits { depth: reading.depth, bytes: LARGEST };
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    if text.starts_with(b"<") {
        return xml::parse_leniently(bytes, &limits, Types::r4());
    }
    Ok((json::parse(bytes, &limits)?, Vec::new()))
}

/// XML with faults: the text itself goes to the server, which refuses it and audits the refusal.
fn as_it_stands(bytes: &[u8], source: &str, value: &Value) -> Found {
    let mut item = bundle::item(value.clone(), source.to_owned(), Vec::new())?;
    item.body = Body::Bytes(Bytes::copy_from_slice(bytes), BodyFormat::Xml);
    Ok(item)
}
