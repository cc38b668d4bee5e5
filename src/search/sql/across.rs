//! One search over several resource types: the statements of each type are joined into one, so that a page, a total or an
//! estimate costs one statement whatever the number of types. Called by the search interaction for system searches,
//! compartments and `$everything`, and for searches on one type, where the statements stay as they are.

use super::builder::Sql;
use super::order::Way;
use super::page::{self, Page, Stage};
use super::statement::Statement;
use super::{count as count_of_type, estimate as estimate_of_type};
use crate::search::query::Query;

/// The statements of a page. `pages` has a page for each resource type, with the same order, position and limit; all of them
/// must ask for an order where there are several.
#[must_use]
pub fn stages(pages: &[Page<'_>]) -> Vec<Stage> {
    let [first, _, ..] = pages else {
        return pages.first().map(page::stages).unwrap_or_default();
    };
    // The rows of all types are merged, so all types must go the same way.
    let few = first.after.is_none() && pages.iter().any(|page| page.few || page::leaves_few(page));
    let of_types: Vec<Vec<Stage>> = pages.iter().map(|page| page::stages(&Page { few, ..*page })).collect();
    let numbers = of_types.first().into_iter().flatten().map(|stage| stage.number);
    let merged = numbers.map(|number| {
        let parts = of_types.iter().flatten().filter(|stage| stage.number == number);
        let parts: Vec<&Statement> = parts.map(|stage| &stage.statement).collect();
        Stage { number, statement: merge(&parts, Way::new(&first.query.sort, first.after), first.limit) }
    });
    merged.collect()
}

/// Brings the ordered rows of several statements into one order.
fn merge(parts: &[&Statement], way: Way<'_>, limit: u32) -> Statement {
    let mut sql = Sql::default();
    sql.push("select q.* from (");
    for (index, part) in parts.iter().enumerate() {
        sql.push(if index == 0 { "select * from (" } else { " union all select * from (" });
        sql.append(part).push(&format!(") t{index}"));
    }
    sql.push(") q order by ");
    way.order("q", &mut sql);
    sql.limit(i64::from(limit));
    let sort = parts.first().map(|part| part.sort.clone()).unwrap_or_default();
    let (sql, binds) = sql.finish();
    Statement { sql, binds, sort }
}

/// The number of matches of all types.
#[must_use]
pub fn count(queries: &[Query]) -> Statement {
    sum(queries.iter().map(count_of_type).collect())
}

/// An estimate as [`super::estimate`] makes it, of all types; none where no type needs one.
#[must_use]
pub fn estimate(queries: &[Query]) -> Option<Statement> {
    let parts: Vec<Statement> = queries.iter().filter_map(estimate_of_type).collect();
    (!parts.is_empty()).then(|| sum(parts))
}

fn sum(mut parts: Vec<Statement>) -> Statement {
    if parts.len() == 1 {
        return parts.remove(0);
    }
    let mut sql = Sql::default();
    sql.push("select 0");
    for part in &parts {
        sql.push(" + (").append(part).push(")");
    }
    let (sql, binds) = sql.finish();
    Statement { sql, binds, sort: Vec::new() }
}
