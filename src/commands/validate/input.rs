//! What `kith validate` reads: files and folders of resources as JSON or XML, NDJSON with one resource a line, standard
//! input. Texts are read one after the other, so that a large NDJSON file need not fit into memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use serde_json::Value;

use crate::fhir::codec::positions::Positions;
use crate::fhir::codec::{Limits, Place, json, xml};
use crate::fhir::issue::Issue;
use crate::fhir::types::Types;
use crate::problem::{Kind, Problem};

/// Largest text that is held in memory.
const LARGEST: u64 = 512 * 1024 * 1024;

/// The endings of files that are taken from folders.
const ENDINGS: [&str; 4] = ["json", "xml", "ndjson", "jsonl"];

/// One resource as text.
#[derive(Debug)]
pub(super) struct Input {
    /// The file, `-` for standard input.
    pub(super) file: String,
    /// Its line, for NDJSON.
    line: Option<usize>,
    bytes: Vec<u8>,
}

/// Where the elements of an input stand.
#[derive(Debug)]
pub(super) struct Lines {
    positions: Positions,
    before: usize,
}

impl Lines {
    /// Line and column of the element that an expression names.
    pub(super) fn of(&self, expression: &str) -> Place {
        let place = self.positions.find(expression);
        Place { line: place.line + self.before, ..place }
    }
}

impl Input {
    /// File name, and line for NDJSON.
    pub(super) fn name(&self) -> String {
        self.line.map_or_else(|| self.file.clone(), |line| format!("{}:{line}", self.file))
    }

    /// Bytes of the text.
    pub(super) const fn size(&self) -> usize {
        self.bytes.len()
    }

    fn is_xml(&self) -> bool {
        let text = self.bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.bytes);
        text.trim_ascii_start().starts_with(b"<")
    }

    /// Parses and validates. A text that cannot be read has the parser's issues and no places but those they name.
    pub(super) fn validate(&self, validate: impl FnOnce(&Value) -> Vec<Issue>) -> (Vec<Issue>, Option<Lines>) {
        let limits = Limits::default();
        let parsed = if self.is_xml() {
            xml::parse_leniently(&self.bytes, &limits, Types::r4())
        } else {
            json::parse(&self.bytes, &limits).map(|resource| (resource, Vec::new()))
        };
        match parsed {
            Err(problem) => (problem.issues().to_vec(), None),
            Ok((resource, mut issues)) => {
                issues.extend(validate(&resource));
                if issues.is_empty() {
                    return (issues, None);
                }
                let positions = if self.is_xml() { Positions::of_xml(&self.bytes) } else { Positions::of(&self.bytes) };
                (issues, Some(Lines { positions, before: self.line.map_or(0, |line| line - 1) }))
            }
        }
    }
}

/// The files that the paths name, in order; folders are walked, what begins with a full stop is passed over.
pub(super) fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Problem> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            walk(path, &mut files)?;
            if files.len() == before {
                let text = format!("{} has no .json, .xml, .ndjson or .jsonl files", path.display());
                return Err(Problem::new(Kind::Invalid, text));
            }
        } else if path.is_file() || path.as_os_str() == "-" {
            files.push(path.clone());
        } else {
            let text = format!("{} cannot be read: it is neither a file nor a folder", path.display());
            return Err(Problem::new(Kind::Invalid, text));
        }
    }
    Ok(files)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Problem> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(|error| unreadable(folder, &error))?.path());
    }
    paths.sort();
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        if name.starts_with('.') || name == "package.json" {
            continue;
        }
        // A link to a folder could lead back here.
        if path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
            walk(&path, files)?;
        } else if name.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending)) && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(Kind::Invalid, format!("{} cannot be read: {error}", path.display()))
}

/// The texts of files, one after the other.
pub(super) struct Inputs {
    files: std::vec::IntoIter<PathBuf>,
    lines: Option<LineReader>,
}

/// An NDJSON text that is being read.
struct LineReader {
    file: PathBuf,
    reader: Box<dyn BufRead>,
    line: usize,
}

impl Inputs {
    /// The texts of these files.
    pub(super) fn new(files: Vec<PathBuf>) -> Self {
        Self { files: files.into_iter(), lines: None }
    }

    fn open(&mut self, file: PathBuf) -> Result<Option<Input>, Problem> {
        let name = file.display().to_string();
        if file.extension().is_some_and(|extension| extension == "ndjson" || extension == "jsonl") {
            let opened = File::open(&file).map_err(|error| unreadable(&file, &error))?;
            self.lines = Some(LineReader { file, reader: Box::new(BufReader::new(opened)), line: 0 });
            return Ok(None);
        }
        let is_standard_input = name == "-";
        let mut bytes = Vec::new();
        let read = if is_standard_input {
            std::io::stdin().lock().take(LARGEST).read_to_end(&mut bytes)
        } else {
            File::open(&file).and_then(|opened| opened.take(LARGEST).read_to_end(&mut bytes))
        };
        read.map_err(|error| unreadable(&file, &error))?;
        if is_standard_input && is_resource_a_line(&bytes) {
            self.lines = Some(LineReader { file, reader: Box::new(Cursor::new(bytes)), line: 0 });
            return Ok(None);
        }
        Ok(Some(Input { file: name, line: None, bytes }))
    }
}

impl LineReader {
    fn next(&mut self) -> Option<Result<Input, Problem>> {
        loop {
            let mut bytes = Vec::new();
            self.line += 1;
            match self.reader.by_ref().take(LARGEST).read_until(b'\n', &mut bytes) {
                Err(error) => return Some(Err(unreadable(&self.file, &error))),
                Ok(0) => return None,
                Ok(_) if bytes.trim_ascii().is_empty() => {}
                Ok(_) => {
                    let file = self.file.display().to_string();
                    return Some(Ok(Input { file, line: Some(self.line), bytes }));
                }
            }
        }
    }
}

/// True where the first line is a whole JSON value and more lines follow.
fn is_resource_a_line(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let first = lines.next().is_some_and(|line| serde_json::from_slice::<IgnoredAny>(line).is_ok());
    first && lines.next().is_some()
}

impl Iterator for Inputs {
    type Item = Result<Input, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(lines) = &mut self.lines {
                match lines.next() {
                    Some(input) => return Some(input),
                    None => self.lines = None,
                }
            }
            let file = self.files.next()?;
            match self.open(file) {
                Err(problem) => return Some(Err(problem)),
                Ok(Some(input)) => return Some(Ok(input)),
                Ok(None) => {}
            }
        }
    }
}
