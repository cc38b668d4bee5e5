//! Sort keys and positions in SQL: what is sorted by, and what comes after a given row, or before it.

use super::builder::Sql;
use super::statement::{Bind, SortColumn};
use crate::search::kinds::Table;
use crate::search::query::{Sort, SortBy};

/// An end of a page: the sort values and the key of its last row, after which the next page begins, or of its first row, before
/// which the previous page ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// Which of the statements of the search the row came from.
    pub stage: usize,
    /// The sort values; none for a missing one.
    pub values: Vec<Option<Bind>>,
    /// The key of the resource.
    pub key: i64,
    /// The page lies before the row. Its statements answer with the nearest row first.
    pub backwards: bool,
}

/// Which way the rows of a statement lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way<'a> {
    sorts: &'a [Sort],
    backwards: bool,
}

impl<'a> Way<'a> {
    /// The way of a search with this order to a page that begins or ends here.
    pub(super) fn new(sorts: &'a [Sort], position: Option<&Position>) -> Self {
        Self { sorts, backwards: position.is_some_and(|position| position.backwards) }
    }

    /// `asc` or `desc` for the values of a sort.
    fn direction(self, sort: &Sort) -> &'static str {
        if sort.descending == self.backwards { "asc" } else { "desc" }
    }

    /// The direction of the key, which decides between equal rows: that of the first sort, so that one index serves both ways.
    pub(super) fn key_direction(self) -> &'static str {
        if self.key_operator() == '<' { "desc" } else { "asc" }
    }

    /// The comparison of keys that lie further on this way.
    pub(super) fn key_operator(self) -> char {
        if (key_operator(self.sorts) == '<') == self.backwards { '>' } else { '<' }
    }

    /// Writes the order of rows with columns `sort_0`, … and `key`. Missing values are last, whatever the direction.
    pub(super) fn order(self, alias: &str, sql: &mut Sql) {
        let nulls = if self.backwards { "first" } else { "last" };
        for (index, sort) in self.sorts.iter().enumerate() {
            sql.push(&format!("{alias}.sort_{index} {} nulls {nulls}, ", self.direction(sort)));
        }
        sql.push(&format!("{alias}.key {}", self.key_direction()));
    }

    /// Writes that the row `alias` (with columns `sort_0`, … and `key`) lies further on this way than `position`.
    pub(super) fn beyond(self, position: &Position, alias: &str, sql: &mut Sql) {
        sql.push("(");
        for (index, (sort, value)) in self.sorts.iter().zip(&position.values).enumerate() {
            let operator = if self.direction(sort) == "desc" { '<' } else { '>' };
            match value {
                Some(value) => {
                    equal_before(position, index, alias, sql);
                    sql.push(&format!("({alias}.sort_{index} {operator} ")).bind(value.clone());
                    sql.push(&if self.backwards {
                        ") or ".into()
                    } else {
                        format!(" or {alias}.sort_{index} is null) or ")
                    });
                }
                None if self.backwards => {
                    equal_before(position, index, alias, sql);
                    sql.push(&format!("{alias}.sort_{index} is not null or "));
                }
                // Missing values come last: nothing but a later key comes after one.
                None => {}
            }
        }
        equal_before(position, self.sorts.len(), alias, sql);
        sql.push(&format!("{alias}.key {} ", self.key_operator())).integer(position.key).push(")");
    }
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
}

fn equal_before(position: &Position, count: usize, alias: &str, sql: &mut Sql) {
    for (index, value) in position.values.iter().take(count).enumerate() {
        match value {
            Some(value) => sql.push(&format!("{alias}.sort_{index} = ")).bind(value.clone()).push(" and "),
            None => sql.push(&format!("{alias}.sort_{index} is null and ")),
        };
    }
}

/// The comparison of keys that come later.
pub(super) fn key_operator(sorts: &[Sort]) -> char {
    if sorts.first().is_some_and(|sort| sort.descending) { '<' } else { '>' }
}
