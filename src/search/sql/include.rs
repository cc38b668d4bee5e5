//! What `_include` and `_revinclude` bring: given resources found so far, the keys of those that they refer to or that refer to
//! them. The interaction runs these, drops what it has already, and repeats those that iterate.

use super::builder::Sql;
use super::condition::{At, probe};
use super::statement::Statement;
use crate::search::query::{Condition, Include};

/// A resource from which an inclusion starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// Its key.
    pub key: i64,
    /// Its type.
    pub resource_type: String,
    /// Its id.
    pub id: String,
}

/// The most seeds of one statement: both databases bound the number of values.
pub const MOST_SEEDS: usize = 500;

/// The statement that finds what `include` brings for `seeds` (at most [`MOST_SEEDS`] are used), at most `limit` rows; none if
/// nothing can come of it. `restrictions` are what the caller may see of any type.
#[must_use]
pub fn include(include: &Include, seeds: &[Seed], restrictions: &[Condition], limit: u32) -> Option<Statement> {
    let fits = |seed: &&Seed| match (&include.target, include.reverse) {
        (_, false) => seed.resource_type == include.source,
        (Some(target), true) => seed.resource_type == *target,
        (None, true) => true,
    };
    let seeds: Vec<&Seed> = seeds.iter().filter(fits).take(MOST_SEEDS).collect();
    if seeds.is_empty() || include.codes.is_empty() {
        return None;
    }
    let mut sql = Sql::default();
    if include.reverse {
        reverse(include, &seeds, &mut sql);
    } else {
        forward(include, &seeds, &mut sql);
    }
    for restriction in restrictions {
        sql.push(" and ");
        probe(restriction, At { key: "r.key", resource: Some("r") }, &mut sql);
    }
    sql.push(" order by r.key limit ").integer(i64::from(limit));
    let (sql, binds) = sql.finish();
    Some(Statement { sql, binds, sort: Vec::new() })
}

fn forward(include: &Include, seeds: &[&Seed], sql: &mut Sql) {
    sql.push("select distinct r.key as key from index_reference i join resource r");
    sql.push(" on r.type = i.target_type and r.id = i.target_id where not r.deleted and ");
    parameters(include, sql);
    sql.push(" and i.resource_key in (");
    for (position, seed) in seeds.iter().enumerate() {
        sql.push(if position == 0 { "" } else { ", " }).integer(seed.key);
    }
    sql.push(")");
    if let Some(target) = &include.target {
        sql.push(" and i.target_type = ").text(target);
    }
}

fn reverse(include: &Include, seeds: &[&Seed], sql: &mut Sql) {
    sql.push("select distinct r.key as key from index_reference i join resource r");
    sql.push(" on r.key = i.resource_key where not r.deleted and ");
    parameters(include, sql);
    sql.push(" and ").any(seeds, |seed, sql| {
        sql.push("i.target_id = ").text(&seed.id).push(" and i.target_type = ").text(&seed.resource_type);
    });
}

fn parameters(include: &Include, sql: &mut Sql) {
    sql.push("i.parameter in (");
    for (position, code) in include.codes.iter().enumerate() {
        sql.push(if position == 0 { "" } else { ", " }).parameter(&include.source, code);
    }
    sql.push(")");
}
