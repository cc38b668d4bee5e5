//! Multi-row inserts: few statement texts, each prepared once, however many rows a batch has. Used when a transaction
//! flushes what it gathered.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

pub use super::dialect::Placeholders;
use super::dialect::{self, MOST_ROWS};

/// An insert statement for one table, for any number of rows.
#[derive(Debug)]
pub struct Insert {
    table: &'static str,
    columns: &'static [&'static str],
    /// Further columns, with the constant that each row has in them.
    constants: &'static [(&'static str, &'static str)],
    /// What follows the values, for example `on conflict do nothing`.
    ending: &'static str,
    numbered: OnceLock<Vec<OnceLock<Arc<str>>>>,
    plain: OnceLock<Vec<OnceLock<Arc<str>>>>,
}

impl Insert {
    /// An insert into `table`.
    pub(super) const fn new(table: &'static str, columns: &'static [&'static str], ending: &'static str) -> Self {
        Self { table, columns, constants: &[], ending, numbered: OnceLock::new(), plain: OnceLock::new() }
    }

    /// The same with columns that hold a constant, written as SQL, in every row: nothing is bound for them.
    pub(super) const fn with_constants(mut self, constants: &'static [(&'static str, &'static str)]) -> Self {
        self.constants = constants;
        self
    }

    /// The statement for `rows` rows (1 to 256), with the placeholders that the database takes best.
    pub fn text(&self, rows: usize, placeholders: Placeholders) -> Arc<str> {
        let texts = match placeholders {
            Placeholders::Numbered => &self.numbered,
            Placeholders::Plain => &self.plain,
        };
        let texts = texts.get_or_init(|| (0..=MOST_ROWS).map(|_| OnceLock::new()).collect());
        match texts.get(rows) {
            Some(text) => Arc::clone(text.get_or_init(|| self.build(rows, placeholders))),
            None => self.build(rows, placeholders),
        }
    }

    fn build(&self, rows: usize, placeholders: Placeholders) -> Arc<str> {
        let insert = dialect::insert(placeholders);
        let mut text = format!("{insert} into {} ({}", self.table, self.columns.join(", "));
        self.constants.iter().for_each(|(column, _)| text.extend([", ", column]));
        text.push_str(") values ");
        let width = self.columns.len();
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ", (" });
            for column in 1..=width {
                text.push_str(if column == 1 { "" } else { ", " });
                // Writing to a String cannot fail.
                let _ = match placeholders {
                    Placeholders::Numbered => write!(text, "${}", row * width + column),
                    Placeholders::Plain => text.write_char('?'),
                };
            }
            self.constants.iter().for_each(|(_, constant)| text.extend([", ", constant]));
            text.push(')');
        }
        text.push_str(self.ending);
        text.into()
    }

    /// The table that is written.
    pub const fn table(&self) -> &'static str {
        self.table
    }
}

/// How many of `left` rows the next statement takes; `exact` is the longest run that is not split.
pub(super) fn next_chunk(left: usize, exact: usize) -> usize {
    if left <= exact {
        return left;
    }
    let left = left.min(MOST_ROWS);
    1 << left.ilog2()
}

/// Inserts every row: `insert_rows!(connection, &INSERT, rows, |row| [row.a, row.b])`. Answers `Result<(), sqlx::Error>`.
macro_rules! insert_rows {
    ($connection:expr, $insert:expr, $rows:expr, |$row:ident| [$($value:expr),* $(,)?]) => {{
        let exact = $crate::store::dialect::exact_rows($connection);
        let placeholders = $crate::store::dialect::placeholders($connection);
        let mut left = $rows;
        let mut outcome = Ok(());
        while !left.is_empty() && outcome.is_ok() {
            let (chunk, rest) = left.split_at($crate::store::insert::next_chunk(left.len(), exact));
            left = rest;
            let text = $insert.text(chunk.len(), placeholders);
            outcome = $crate::store::database::on!(&mut *$connection, |c| {
                let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
                for $row in chunk {
                    $( query = query.bind($value); )*
                }
                query.execute(&mut *c).await.map(|_| ())
            });
        }
        outcome
    }};
}
pub(super) use insert_rows;
