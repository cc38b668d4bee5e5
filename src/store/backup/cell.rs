//! One value of one row, of any table: how it is read from either database, written into either, and stands in a backup.

use serde_json::{Number, Value};

use super::tables::{ColumnKind, Table};
use crate::store::audit::checkpoint::{hex, unhex};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::store) enum Cell {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text.
    Text(String),
    /// True or false.
    Boolean(bool),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Cell {
    /// As it stands in a backup. Bytes that are text, as resources are, stay legible.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Integer(value) => Value::Number((*value).into()),
            Self::Real(value) => Number::from_f64(*value).map_or_else(|| value.to_string().into(), Value::Number),
            Self::Text(value) => value.as_str().into(),
            Self::Boolean(value) => (*value).into(),
            Self::Bytes(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => format!("t{text}").into(),
                Err(_) => format!("x{}", hex(bytes)).into(),
            },
        }
    }

    /// From a backup; none where it is no value of this kind.
    pub(super) fn from_json(kind: ColumnKind, value: Value) -> Option<Self> {
        match (kind, value) {
            (_, Value::Null) => Some(Self::Null),
            (ColumnKind::Integer, Value::Number(number)) => number.as_i64().map(Self::Integer),
            (ColumnKind::Real, Value::Number(number)) => number.as_f64().map(Self::Real),
            (ColumnKind::Real, Value::String(text)) => text.parse().ok().map(Self::Real),
            (ColumnKind::Text, Value::String(text)) => Some(Self::Text(text)),
            (ColumnKind::Boolean, Value::Bool(value)) => Some(Self::Boolean(value)),
            (ColumnKind::Bytes, Value::String(text)) => match text.split_at_checked(1)? {
                ("t", rest) => Some(Self::Bytes(rest.as_bytes().to_vec())),
                ("x", digits) => unhex(digits).map(Self::Bytes),
                _ => None,
            },
            _ => None,
        }
    }

    /// The text, or nothing.
    pub(in crate::store) fn into_text(self) -> Option<String> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The whole number, or nothing.
    pub(in crate::store) const fn as_integer(&self) -> Option<i64> {
        if let Self::Integer(value) = self { Some(*value) } else { None }
    }

    /// The bytes, or nothing.
    pub(in crate::store) fn into_bytes(self) -> Option<Vec<u8>> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }
}

/// The values of a row of either database: `cells!(row, table)` answers `Result<Vec<Cell>, sqlx::Error>`.
macro_rules! cells {
    ($row:expr, $table:expr) => {{
        use sqlx::Row as _;
        use $crate::store::backup::cell::Cell;
        use $crate::store::backup::tables::ColumnKind;
        let mut cells = Vec::with_capacity($table.columns.len());
        let mut outcome = Ok(());
        for (place, (_, kind)) in $table.columns.iter().enumerate() {
            let cell = match kind {
                ColumnKind::Integer => $row.try_get::<Option<i64>, _>(place).map(|value| value.map(Cell::Integer)),
                ColumnKind::Real => $row.try_get::<Option<f64>, _>(place).map(|value| value.map(Cell::Real)),
                ColumnKind::Text => $row.try_get::<Option<String>, _>(place).map(|value| value.map(Cell::Text)),
                ColumnKind::Boolean => $row.try_get::<Option<bool>, _>(place).map(|value| value.map(Cell::Boolean)),
                ColumnKind::Bytes => $row.try_get::<Option<Vec<u8>>, _>(place).map(|value| value.map(Cell::Bytes)),
            };
            match cell {
                Ok(cell) => cells.push(cell.unwrap_or(Cell::Null)),
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        outcome.map(|()| cells)
    }};
}
pub(in crate::store) use cells;

/// Binds a row to an insert, whose columns the table tells: a missing value has a type too.
macro_rules! bind_cells {
    ($query:expr, $table:expr, $row:expr) => {{
        use $crate::store::backup::tables::ColumnKind;
        let mut query = $query;
        for ((_, kind), cell) in $table.columns.iter().zip($row) {
            query = match (kind, cell) {
                (_, Cell::Integer(value)) => query.bind(*value),
                (_, Cell::Real(value)) => query.bind(*value),
                (_, Cell::Text(value)) => query.bind(value.as_str()),
                (_, Cell::Boolean(value)) => query.bind(*value),
                (_, Cell::Bytes(value)) => query.bind(value.as_slice()),
                (ColumnKind::Integer, Cell::Null) => query.bind(None::<i64>),
                (ColumnKind::Real, Cell::Null) => query.bind(None::<f64>),
                (ColumnKind::Text, Cell::Null) => query.bind(None::<String>),
                (ColumnKind::Boolean, Cell::Null) => query.bind(None::<bool>),
                (ColumnKind::Bytes, Cell::Null) => query.bind(None::<Vec<u8>>),
            };
        }
        query
    }};
}
pub(super) use bind_cells;

/// An insert statement for so many rows of a table.
pub(super) fn insert_text(table: &Table, rows: usize) -> String {
    use std::fmt::Write as _;
    let mut text = format!("insert into {} ({}) values ", table.name, table.column_list());
    let width = table.columns.len();
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 1..=width {
            // Writing to a String cannot fail.
            let _ = write!(text, "{}${}", if column == 1 { "" } else { ", " }, row * width + column);
        }
        text.push(')');
    }
    text
}
