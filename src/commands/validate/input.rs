//! What `kith validate` reads: a file with one resource as JSON or XML, or NDJSON with one a line.

use std::io::Read;
use std::path::Path;

use serde_json::Value;

use crate::fhir::codec::positions::Positions;
use crate::fhir::codec::{Limits, json, xml};
use crate::fhir::issue::Issue;
use crate::fhir::types::Types;
use crate::problem::{Kind, Problem};

/// One resource as text.
#[derive(Debug)]
pub(super) struct Input {
    /// File name, and line for NDJSON.
    pub(super) name: String,
    /// Lines before it in the file.
    pub(super) lines_before: usize,
    bytes: Vec<u8>,
}

/// Where the elements of an input stand.
#[derive(Debug)]
pub(super) struct Lines {
    positions: Positions,
    before: usize,
}

impl Lines {
    /// The line of the element that an expression names.
    pub(super) fn of(&self, expression: &str) -> usize {
        self.positions.find(expression).line + self.before
    }
}

impl Input {
    /// Reads a file, or standard input for `-`.
    pub(super) fn read(file: &Path) -> Result<Vec<Self>, Problem> {
        let name = file.display().to_string();
        let read = if name == "-" {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
        } else {
            std::fs::read(file)
        };
        let bytes = read.map_err(|error| Problem::new(Kind::Invalid, format!("{name} cannot be read: {error}")))?;
        let is_ndjson = file.extension().is_some_and(|extension| extension == "ndjson" || extension == "jsonl");
        if !is_ndjson {
            return Ok(vec![Self { name, lines_before: 0, bytes }]);
        }
        let lines = bytes.split(|byte| *byte == b'\n').enumerate();
        let filled = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
        Ok(filled
            .map(|(at, line)| Self { name: format!("{name}:{}", at + 1), lines_before: at, bytes: line.to_vec() })
            .collect())
    }

    fn is_xml(&self) -> bool {
        let text = self.bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.bytes);
        text.trim_ascii_start().starts_with(b"<")
    }

    /// Parses and validates. A text that cannot be read has the parser's issues and no lines but those they name.
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
                let positions = if self.is_xml() { Positions::of_xml(&self.bytes) } else { Positions::of(&self.bytes) };
                (issues, Some(Lines { positions, before: self.lines_before }))
            }
        }
    }
}
