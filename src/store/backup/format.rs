//! The file of a backup: gzip around lines of JSON, so that it can be looked into with `zcat`. First a line that says what it
//! is; for each table a line with its columns, a line (an array) for each row and a line with their number and SHA-256; last
//! the manifest with the digest of everything before it. A file that was cut off has no manifest, one that was changed
//! another digest.

use std::io::{BufRead, BufReader, Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::cell::Cell;
use super::tables::{ColumnKind, Table};
use crate::problem::{Kind, Problem};
use crate::store::audit::digest::Digest;

/// The version of the format.
const FORMAT: i64 = 1;

/// No line of a backup is longer, or it is none.
const LONGEST_LINE: u64 = 2 << 30;

/// What stands at the head of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Version of the schema that the rows are of.
    pub schema: i64,
    /// When it was made, as a FHIR instant.
    pub made: String,
    /// `sqlite` or `postgresql`.
    pub database: String,
    /// Version of kith that made it.
    pub by: String,
}

/// One table in the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The table.
    pub table: String,
    /// How many rows.
    pub rows: u64,
    /// SHA-256 of its lines.
    pub sha256: String,
}

/// Writes a backup.
pub(super) struct Writer<W: Write> {
    out: GzEncoder<W>,
    whole: Digest,
    part: Digest,
    rows: u64,
    parts: Vec<Part>,
}

impl<W: Write> Writer<W> {
    /// Begins with the head.
    pub(super) fn new(out: W, head: &Head) -> std::io::Result<Self> {
        let mut writer = Self {
            out: GzEncoder::new(out, Compression::fast()),
            whole: Digest::default(),
            part: Digest::default(),
            rows: 0,
            parts: Vec::new(),
        };
        writer.line(&json!({
            "kith": "backup", "format": FORMAT, "schema": head.schema, "made": head.made, "database": head.database, "by": head.by,
        }))?;
        Ok(writer)
    }

    fn line(&mut self, value: &Value) -> std::io::Result<()> {
        let mut line = value.to_string().into_bytes();
        line.push(b'\n');
        self.whole.update(&line);
        self.part.update(&line);
        self.out.write_all(&line)
    }

    /// Begins a table.
    pub(super) fn table(&mut self, table: &Table) -> std::io::Result<()> {
        self.part = Digest::default();
        self.rows = 0;
        let columns: Vec<Value> = table.columns.iter().map(|(name, kind)| json!([name, kind.name()])).collect();
        self.line(&json!({ "table": table.name, "columns": columns }))
    }

    /// Writes a row.
    pub(super) fn row(&mut self, cells: &[Cell]) -> std::io::Result<()> {
        self.rows += 1;
        let values = cells.iter().map(Cell::to_json).collect();
        self.line(&Value::Array(values))
    }

    /// Ends a table.
    pub(super) fn end(&mut self, table: &Table) -> std::io::Result<()> {
        let part = Part { table: table.name.clone(), rows: self.rows, sha256: std::mem::take(&mut self.part).finish() };
        self.line(&json!({ "end": part.table, "rows": part.rows, "sha256": part.sha256 }))?;
        self.parts.push(part);
        Ok(())
    }

    /// Ends the backup.
    pub(super) fn finish(mut self) -> std::io::Result<(W, Vec<Part>)> {
        let parts: Vec<Value> = self
            .parts
            .iter()
            .map(|part| json!({ "table": part.table, "rows": part.rows, "sha256": part.sha256 }))
            .collect();
        let whole = self.whole.clone().finish();
        self.line(&json!({ "manifest": parts, "sha256": whole }))?;
        Ok((self.out.finish()?, self.parts))
    }
}

/// A piece of a backup.
#[derive(Debug)]
pub(super) enum Piece {
    /// A table begins.
    Table(Table),
    /// A row of it.
    Row(Vec<Cell>),
    /// It ends.
    End,
}

/// Reads a backup and checks its digests on the way.
pub(super) struct Reader<R: Read> {
    lines: BufReader<MultiGzDecoder<R>>,
    number: u64,
    whole: Digest,
    part: Digest,
    rows: u64,
    table: Option<Table>,
    parts: Vec<Part>,
}

impl<R: Read> Reader<R> {
    /// Reads the head.
    pub(super) fn new(source: R) -> Result<(Self, Head), Problem> {
        let mut reader = Self {
            lines: BufReader::with_capacity(1 << 16, MultiGzDecoder::new(source)),
            number: 0,
            whole: Digest::default(),
            part: Digest::default(),
            rows: 0,
            table: None,
            parts: Vec::new(),
        };
        let (value, _) = reader.line()?;
        if value["kith"] != "backup" {
            return Err(Problem::new(Kind::Invalid, "The file is not a backup of kith."));
        }
        if value["format"].as_i64() != Some(FORMAT) {
            return Err(Problem::new(Kind::Invalid, "The backup was made by a newer kith. Use that version."));
        }
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let schema = value["schema"].as_i64().ok_or_else(|| reader.damaged("its head says no schema"))?;
        Ok((reader, Head { schema, made: text("made"), database: text("database"), by: text("by") }))
    }

    /// The next piece; none behind the manifest, which then was found right.
    pub(super) fn next(&mut self) -> Result<Option<Piece>, Problem> {
        let before = self.part.clone();
        let whole = self.whole.clone();
        let (value, bytes) = self.line()?;
        match (value, self.table.take()) {
            (Value::Array(values), Some(table)) => {
                let row = self.row(&table, values)?;
                self.table = Some(table);
                Ok(Some(Piece::Row(row)))
            }
            (value, Some(table)) if value["end"] == table.name.as_str() => {
                let part = Part { table: table.name, rows: self.rows, sha256: before.finish() };
                if value["rows"].as_u64() != Some(part.rows) || value["sha256"] != part.sha256.as_str() {
                    return Err(self.damaged("the rows before it are not those that were written"));
                }
                self.parts.push(part);
                Ok(Some(Piece::End))
            }
            (value, None) if value["manifest"].is_array() => self.manifest(&value, whole).map(|()| None),
            (value, None) => {
                self.part = Digest::default();
                self.part.update(&bytes);
                self.rows = 0;
                let table = table(&value).ok_or_else(|| self.damaged("it is no piece of a backup"))?;
                self.table = Some(table.clone());
                Ok(Some(Piece::Table(table)))
            }
            _ => Err(self.damaged("it is no piece of a backup")),
        }
    }

    /// The tables that were read.
    pub(super) fn into_parts(self) -> Vec<Part> {
        self.parts
    }

    fn row(&mut self, table: &Table, values: Vec<Value>) -> Result<Vec<Cell>, Problem> {
        self.rows += 1;
        if values.len() != table.columns.len() {
            return Err(self.damaged("the row has not as many values as the table has columns"));
        }
        let cells = table.columns.iter().zip(values).map(|((_, kind), value)| Cell::from_json(*kind, value));
        cells.collect::<Option<Vec<Cell>>>().ok_or_else(|| self.damaged("a value is not of the kind of its column"))
    }

    fn manifest(&mut self, value: &Value, whole: Digest) -> Result<(), Problem> {
        let listed = value["manifest"].as_array().map_or(&[][..], Vec::as_slice);
        let same = |(listed, part): (&Value, &Part)| {
            listed["table"] == part.table.as_str()
                && listed["rows"].as_u64() == Some(part.rows)
                && listed["sha256"] == part.sha256.as_str()
        };
        let complete = listed.len() == self.parts.len() && listed.iter().zip(&self.parts).all(same);
        if !complete || value["sha256"] != whole.finish() {
            return Err(self.damaged("the manifest is not that of what stands before it"));
        }
        let mut rest = [0; 1];
        match self.lines.read(&mut rest) {
            Ok(0) => Ok(()),
            _ => Err(self.damaged("something stands behind the manifest")),
        }
    }

    fn line(&mut self) -> Result<(Value, Vec<u8>), Problem> {
        self.number += 1;
        let mut bytes = Vec::new();
        let read = (&mut self.lines).take(LONGEST_LINE).read_until(b'\n', &mut bytes);
        if let Err(error) = read {
            return Err(self.damaged("it cannot be read").because(error));
        }
        if bytes.last() != Some(&b'\n') {
            return Err(self.damaged("the file was cut off"));
        }
        self.whole.update(&bytes);
        self.part.update(&bytes);
        let value = serde_json::from_slice(&bytes).map_err(|_| self.damaged("it is not JSON"))?;
        Ok((value, bytes))
    }

    fn damaged(&self, reason: &str) -> Problem {
        Problem::new(Kind::Invalid, format!("The backup is damaged at line {}: {reason}.", self.number))
    }
}

/// The names in a backup become part of statements: they must be names.
fn table(value: &Value) -> Option<Table> {
    let name = plain_name(&value["table"])?;
    let column = |column: &Value| Some((plain_name(&column[0])?, ColumnKind::parse(column[1].as_str()?)?));
    let columns = value["columns"].as_array()?.iter().map(column).collect::<Option<Vec<_>>>()?;
    Some(Table { name, columns })
}

fn plain_name(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    (plain && !text.is_empty()).then(|| text.to_owned())
}
