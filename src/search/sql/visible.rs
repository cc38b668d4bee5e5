//! The keys of all resources that a caller sees, of one type or of several: what histories and labels in use are restricted to.

use super::builder::Sql;
use super::condition::{all_of, best};
use super::statement::Statement;
use crate::search::query::{Condition, Restrictions};

/// A statement with one column, `key`: the living resources of these types that may be seen, in no order; of a type from which
/// nothing is kept back, the deleted ones too.
#[must_use]
pub fn visible_keys(types: &[String], restrictions: &Restrictions) -> Statement {
    let never = |name: &String| matches!(restrictions.on(name), [Condition::Any(none)] if none.is_empty());
    let mut sql = Sql::default();
    for (place, name) in types.iter().filter(|name| !never(name)).enumerate() {
        sql.push(if place == 0 { "" } else { " union all " });
        sql.push("select r.key as key from resource r where ");
        let conditions = restrictions.on(name);
        if conditions.is_empty() && !restrictions.is_closed() {
            sql.push("r.type = ").text(name);
            continue;
        }
        all_of(conditions, best(conditions), name, "r", &mut sql);
    }
    if types.iter().all(never) {
        sql.push("select r.key as key from resource r where 1 = 0");
    }
    let (sql, binds) = sql.finish();
    Statement { sql, binds, sort: Vec::new() }
}
