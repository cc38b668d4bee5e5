//! The number of matches, for `_total`, `_summary=count` and `_count=0`.

use super::builder::Sql;
use super::condition::{all_of, best, row};
use super::statement::Statement;
use crate::search::query::{Condition, Query};

/// A statement with one row and one bigint column: how many resources match.
#[must_use]
pub fn count(query: &Query) -> Statement {
    let conditions = query.conditions.as_slice();
    let mut sql = Sql::default();
    if let [Condition::Rows(rows)] = conditions
        && !rows.any.is_empty()
    {
        sql.push(&format!("select count(distinct d.resource_key) from {} d where ", rows.table.name()));
        row(rows, "d", &mut sql);
    } else {
        sql.push("select count(*) from resource r where ");
        all_of(conditions, best(conditions), &query.resource_type, "r", &mut sql);
    }
    let (sql, binds) = sql.finish();
    Statement { sql, binds, sort: Vec::new() }
}
