//! The number of matches, for `_total`, `_summary=count` and `_count=0`.

use super::builder::Sql;
use super::condition::{At, best, probe, row, set};
use super::statement::Statement;
use crate::search::query::{Condition, Query};

/// A statement with one row and one bigint column: how many resources match and may be seen.
#[must_use]
pub fn count(query: &Query, restrictions: &[Condition]) -> Statement {
    let conditions: Vec<&Condition> = query.conditions.iter().chain(restrictions).collect();
    let mut sql = Sql::default();
    if let [Condition::Rows(rows)] = conditions.as_slice()
        && !rows.any.is_empty()
    {
        sql.push(&format!("select count(distinct d.resource_key) from {} d where ", rows.table.name()));
        row(rows, "d", &mut sql);
    } else {
        all(query, &conditions, &mut sql);
    }
    let (sql, binds) = sql.finish();
    Statement { sql, binds, sort: Vec::new() }
}

fn all(query: &Query, conditions: &[&Condition], sql: &mut Sql) {
    let owned: Vec<Condition> = conditions.iter().map(|condition| (*condition).clone()).collect();
    let best = best(&owned);
    sql.push("select count(*) from resource r where r.type = ").text(&query.resource_type).push(" and not r.deleted");
    for (position, condition) in owned.iter().enumerate() {
        if Some(position) == best {
            sql.push(" and r.key in (");
            set(condition, &query.resource_type, sql);
            sql.push(")");
        } else {
            sql.push(" and ");
            probe(condition, At { key: "r.key", resource: Some("r") }, sql);
        }
    }
}
