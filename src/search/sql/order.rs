//! Sort keys and positions in SQL: what is sorted by, and what comes after a given row.

use super::builder::Sql;
use super::statement::{Bind, SortColumn};
use crate::search::kinds::Table;
use crate::search::query::{Sort, SortBy};

/// Where a page ended: the sort values and the key of its last row. The next page begins after it.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// Which of the statements of the search the row came from.
    pub stage: usize,
    /// The sort values; none for a missing one.
    pub values: Vec<Option<Bind>>,
    /// The key of the resource.
    pub key: i64,
}

impl Table {
    /// The column that sorting goes by, its type, and the columns that tell rows of one value apart.
    pub(super) const fn sort_columns(self) -> (&'static str, SortColumn, &'static [&'static str]) {
        match self {
            Self::Token => ("code", SortColumn::Text, &["system"]),
            Self::String => ("folded", SortColumn::Text, &["ordinal"]),
            Self::Date => ("low", SortColumn::Integer, &["high"]),
            Self::Number => ("low", SortColumn::Real, &["high"]),
            Self::Quantity => ("low", SortColumn::Real, &["high", "code", "system"]),
            Self::Reference => ("target_id", SortColumn::Text, &["target_type"]),
            Self::Uri => ("value", SortColumn::Text, &[]),
            // Parsing refuses to sort by these.
            Self::Component => ("code", SortColumn::Text, &["ordinal", "place"]),
            Self::Place => ("x", SortColumn::Real, &["y", "z"]),
            Self::Text => ("words", SortColumn::Text, &[]),
        }
    }
}

impl Sort {
    /// The type of the sort column.
    pub(super) const fn column(&self) -> SortColumn {
        match &self.by {
            SortBy::Id => SortColumn::Text,
            SortBy::LastUpdated => SortColumn::Integer,
            SortBy::Rows { table, .. } => table.sort_columns().1,
        }
    }

    /// Writes the sort value of the resource in row `alias` of `resource`.
    pub(super) fn value(&self, resource_type: &str, alias: &str, sql: &mut Sql) {
        match &self.by {
            SortBy::Id => {
                sql.push(&format!("{alias}.id"));
            }
            SortBy::LastUpdated => {
                sql.push(&format!("{alias}.last_updated"));
            }
            SortBy::Rows { table, code } => {
                let row = sql.alias('o');
                let (column, ..) = table.sort_columns();
                let choose = if self.descending { "max" } else { "min" };
                sql.push(&format!("(select {choose}({row}.{column}) from {} {row}", table.name()));
                sql.push(&format!(" where {row}.resource_key = {alias}.key and {row}.parameter = "));
                sql.parameter(resource_type, code).push(")");
            }
        }
    }

    /// `asc` or `desc`.
    pub(super) const fn direction(&self) -> &'static str {
        if self.descending { "desc" } else { "asc" }
    }
}

/// Writes that the row `alias` (with columns `sort_0`, … and `key`) comes after `position`; keys ascend unless the first sort
/// descends.
pub(super) fn after(position: &Position, sorts: &[Sort], alias: &str, sql: &mut Sql) {
    sql.push("(");
    for (index, (sort, value)) in sorts.iter().zip(&position.values).enumerate() {
        // Missing values come last: nothing but a later key comes after one.
        let Some(value) = value else { continue };
        equal_before(position, index, alias, sql);
        let operator = if sort.descending { '<' } else { '>' };
        sql.push(&format!("({alias}.sort_{index} {operator} ")).bind(value.clone());
        sql.push(&format!(" or {alias}.sort_{index} is null) or "));
    }
    equal_before(position, sorts.len(), alias, sql);
    sql.push(&format!("{alias}.key {} ", key_operator(sorts))).integer(position.key).push(")");
}

fn equal_before(position: &Position, count: usize, alias: &str, sql: &mut Sql) {
    for (index, value) in position.values.iter().take(count).enumerate() {
        match value {
            Some(value) => sql.push(&format!("{alias}.sort_{index} = ")).bind(value.clone()).push(" and "),
            None => sql.push(&format!("{alias}.sort_{index} is null and ")),
        };
    }
}

/// The direction of the key, which decides between equal rows: that of the first sort, so that one index serves both ways.
pub(super) fn key_direction(sorts: &[Sort]) -> &'static str {
    sorts.first().map_or("asc", Sort::direction)
}

/// The comparison of keys that come later.
pub(super) fn key_operator(sorts: &[Sort]) -> char {
    if sorts.first().is_some_and(|sort| sort.descending) { '<' } else { '>' }
}
