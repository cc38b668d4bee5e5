//! What the store is given to execute: SQL text, values as plain data, and how to read the sort columns of the answer.

/// A value for a placeholder, or a sort value read from a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Bind {
    /// A text column.
    Text(String),
    /// A bigint column.
    Integer(i64),
    /// A double precision column.
    Real(f64),
    /// A boolean column.
    Bool(bool),
    /// Stands for the small integer that the store keeps for a search parameter (`parameter` columns of the index tables);
    /// matches no row while no resource has had a value for it.
    Parameter {
        /// Resource type, for example `Task`.
        resource_type: String,
        /// Code or pseudo-code as in the index rows, for example `status`.
        code: String,
    },
}

/// The type of a sort column in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortColumn {
    /// Read as text.
    Text,
    /// Read as bigint.
    Integer,
    /// Read as double precision.
    Real,
}

impl SortColumn {
    /// The name of the type in SQL.
    #[must_use]
    pub const fn sql_type(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "bigint",
            Self::Real => "double precision",
        }
    }
}

/// One `select` with `$1`, `$2` … in the order of `binds`.
///
/// The columns of the answer are `key bigint`, then one nullable column for each of `sort`, named `sort_0`, `sort_1` …
/// The store joins the resource by `key` (a primary key look-up for each row of a page) and keeps the order of the rows.
/// A count statement answers one row with one bigint column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Statement {
    /// The SQL text; the same for both databases.
    pub sql: String,
    /// Values for the placeholders.
    pub binds: Vec<Bind>,
    /// Types of the sort columns that follow `key`.
    pub sort: Vec<SortColumn>,
}
