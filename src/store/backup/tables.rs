//! The tables of Kith in a database, with their columns, as the database itself describes them: a table that a later
//! migration adds is in every backup without a line here.

use std::collections::{BTreeMap, BTreeSet};

use crate::problem::Problem;
use crate::store::database::{Connection, on};
use crate::store::{error, migrate};

pub(in crate::store) const COLUMNS_SQLITE: &str = "select m.name, c.name, c.type from sqlite_master m join pragma_table_info(m.name) c \
     where m.type = 'table' order by m.name, c.cid";
pub(in crate::store) const COLUMNS_POSTGRES: &str = "select table_name::text, column_name::text, data_type::text \
     from information_schema.columns where table_schema = current_schema() order by table_name, ordinal_position";

/// The columns that PostgreSQL numbers by itself.
pub(in crate::store) const NUMBERED_POSTGRES: &str = "select table_name::text, column_name::text from information_schema.columns \
     where table_schema = current_schema() and is_identity = 'YES' order by table_name, column_name";

/// The table in which migrations are noted: a restored database makes its own.
const NOTES: &str = "schema_migration";

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum ColumnKind {
    /// A whole number of 64 bits.
    Integer,
    /// A floating-point number of 64 bits.
    Real,
    /// Text.
    Text,
    /// True or false.
    Boolean,
    /// Bytes.
    Bytes,
}

impl ColumnKind {
    const NAMES: [(Self, &'static str); 5] = [
        (Self::Integer, "integer"),
        (Self::Real, "real"),
        (Self::Text, "text"),
        (Self::Boolean, "boolean"),
        (Self::Bytes, "bytes"),
    ];

    /// The name in a backup.
    pub(in crate::store) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// From the name in a backup.
    pub(in crate::store) fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }

    fn of_column(declared: &str) -> Option<Self> {
        match declared.to_ascii_lowercase().as_str() {
            "bigint" | "integer" => Some(Self::Integer),
            "double precision" => Some(Self::Real),
            "text" => Some(Self::Text),
            "boolean" => Some(Self::Boolean),
            "blob" | "bytea" => Some(Self::Bytes),
            _ => None,
        }
    }
}

/// A table and its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Table {
    /// Its name.
    pub(in crate::store) name: String,
    /// Names and kinds of its columns.
    pub(in crate::store) columns: Vec<(String, ColumnKind)>,
}

impl Table {
    /// The names of the columns, as a list in a statement.
    pub(in crate::store) fn column_list(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| name.as_str()).collect();
        names.join(", ")
    }

    /// All rows; those of the audit trail in the order of its chains, so that they can be verified as they come.
    pub(super) fn select(&self) -> String {
        let order = if self.name == "audit" { " order by chain, sequence" } else { "" };
        format!("select {} from {}{order}", self.column_list(), self.name)
    }

    /// The place of a column.
    pub(in crate::store) fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|(name, _)| name == column)
    }
}

/// Kith's tables, what signs the audit trail before the trail itself.
pub(in crate::store) async fn tables(connection: &mut Connection) -> Result<Vec<Table>, Problem> {
    let sql = if connection.is_postgres() { COLUMNS_POSTGRES } else { COLUMNS_SQLITE };
    let found: Vec<(String, String, String)> =
        on!(connection, |c| sqlx::query_as(sql).fetch_all(&mut *c).await).map_err(error::problem)?;
    let known = known();
    let mut columns: BTreeMap<String, Vec<(String, ColumnKind)>> = BTreeMap::new();
    for (table, column, declared) in found {
        if !known.contains(&table) {
            continue;
        }
        let kind = ColumnKind::of_column(&declared)
            .ok_or_else(|| Problem::internal(format!("column {table}.{column} has the unknown type {declared}")))?;
        columns.entry(table).or_default().push((column, kind));
    }
    let mut tables: Vec<Table> = columns.into_iter().map(|(name, columns)| Table { name, columns }).collect();
    tables.sort_by_key(|table| table.name == "audit");
    Ok(tables)
}

/// The names of all tables that any migration makes.
fn known() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for text in migrate::texts() {
        let mut words = text.split_whitespace().peekable();
        while let Some(word) = words.next() {
            let follows = if ["table", "to"].contains(&word) { words.peek() } else { None };
            if let Some(name) = follows {
                names.insert(name.trim_end_matches(';').to_owned());
            }
        }
    }
    names.remove(NOTES);
    names
}

/// Sets the counters from which PostgreSQL numbers rows behind the rows that are there.
pub(super) async fn set_counters(connection: &mut Connection) -> Result<(), Problem> {
    let Connection::Postgres(c) = connection else { return Ok(()) };
    let columns: Vec<(String, String)> =
        sqlx::query_as(NUMBERED_POSTGRES).fetch_all(&mut *c).await.map_err(error::problem)?;
    for (table, column) in columns {
        // Moves the counter past the rows that are there; SQLite looks at the rows themselves.
        let text = format!(
            "select setval(pg_get_serial_sequence('{table}', '{column}'), \
             (select coalesce(max({column}), 0) + 1 from {table}), false)"
        );
        sqlx::query(sqlx::AssertSqlSafe(text)).execute(&mut *c).await.map_err(error::problem)?;
    }
    Ok(())
}
