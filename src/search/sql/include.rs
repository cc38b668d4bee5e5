//! What `_include` and `_revinclude` bring: given resources found so far, those that they refer to or that refer to them. One
//! statement for all inclusions of one round; the interaction repeats the round for those that iterate.

use super::builder::Sql;
use super::canonical::Join;
use super::condition::{At, probe};
use super::statement::Statement;
use crate::search::query::{Condition, Follow, Include, Restrictions};

/// The resources of one round.
#[derive(Debug, Clone, Copy)]
pub struct Round<'a> {
    /// Keys of the resources from which the inclusions start.
    pub seeds: &'a [i64],
    /// Keys of the resources that need not come again.
    pub known: &'a [i64],
    /// What the caller may see.
    pub restrictions: &'a Restrictions,
    /// The most rows.
    pub limit: u32,
}

/// The most resources that are looked up by type and id at once: both databases bound the number of values.
const MOST_WANTED: usize = 5000;

/// The statement that finds what `includes` bring; none if nothing can come of it.
#[must_use]
pub fn include(includes: &[&Include], round: &Round<'_>) -> Option<Statement> {
    if includes.is_empty() || round.seeds.is_empty() {
        return None;
    }
    let mut sql = Sql::default();
    sql.push("with seed (key) as (");
    keys(round.seeds, &mut sql);
    sql.push("), known (key) as (");
    keys(round.known, &mut sql);
    sql.push(") select distinct r.key as key from (");
    for (index, include) in includes.iter().enumerate() {
        sql.push(if index == 0 { "" } else { " union " });
        literal(include, &mut sql);
        let by_url = include.follow.iter().flat_map(|follow| follow.by_url.iter().map(move |target| (follow, target)));
        for (follow, target) in by_url {
            sql.push(" union ");
            canonical(include.reverse, follow, target, &mut sql);
        }
    }
    sql.push(
        ") q cross join resource r where r.key = q.key and not r.deleted and r.key not in (select key from known)",
    );
    visible(round.restrictions, |_| true, &mut sql);
    sql.push(" order by r.key").limit(i64::from(round.limit));
    let (sql, binds) = sql.finish();
    Some(Statement { sql, binds, sort: Vec::new() })
}

/// The statement that finds the living resources with these types and ids, in the order of their keys; none for an empty list.
#[must_use]
pub fn identities(wanted: &[(String, String)], restrictions: &Restrictions, limit: u32) -> Option<Statement> {
    if wanted.is_empty() {
        return None;
    }
    let mut sql = Sql::default();
    sql.push("with wanted (type, id) as (values ");
    for (position, (resource_type, id)) in wanted.iter().take(MOST_WANTED).enumerate() {
        sql.push(if position == 0 { "(" } else { ", (" }).text(resource_type).push(", ").text(id).push(")");
    }
    sql.push(") select r.key as key from wanted w cross join resource r");
    sql.push(" where r.type = w.type and r.id = w.id and not r.deleted");
    visible(restrictions, |name| wanted.iter().any(|(resource_type, _)| resource_type == name), &mut sql);
    sql.push(" order by r.key").limit(i64::from(limit));
    let (sql, binds) = sql.finish();
    Some(Statement { sql, binds, sort: Vec::new() })
}

fn keys(keys: &[i64], sql: &mut Sql) {
    // An empty list of values cannot be written; no resource has a negative key.
    let keys = if keys.is_empty() { &[-1] } else { keys };
    sql.push("values ");
    for (position, key) in keys.iter().enumerate() {
        sql.push(if position == 0 { "(" } else { ", (" }).integer(*key).push(")");
    }
}

/// References by type and id. Databases join in the order written: from the few seeds along indexes.
fn literal(include: &Include, sql: &mut Sql) {
    let (i, t) = (sql.alias('i'), sql.alias('t'));
    if include.reverse {
        sql.push(&format!(
            "select {i}.resource_key as key from seed s cross join resource {t} cross join index_reference {i}"
        ));
        sql.push(&format!(" where {t}.key = s.key and {i}.target_id = {t}.id and {i}.target_type = {t}.type"));
    } else {
        sql.push(&format!("select {t}.key as key from seed s cross join index_reference {i} cross join resource {t}"));
        sql.push(&format!(" where {i}.resource_key = s.key and {t}.type = {i}.target_type and {t}.id = {i}.target_id"));
    }
    if let Some(follow) = &include.follow {
        parameters(follow, &i, sql);
    }
    if let Some(target) = &include.target {
        sql.push(&format!(" and {i}.target_type = ")).text(target);
    }
}

/// References by canonical url to resources of one type.
fn canonical(reverse: bool, follow: &Follow, target: &str, sql: &mut Sql) {
    let join = Join::new(sql);
    let Join { reference, url, .. } = &join;
    if reverse {
        sql.push(&format!("select {reference}.resource_key as key from seed s"));
        join.to_references("s.key", target, sql);
        sql.push(" where 1 = 1");
    } else {
        sql.push(&format!("select {url}.resource_key as key from seed s join index_reference {reference}"));
        sql.push(&format!(" on {reference}.resource_key = s.key"));
        join.to_targets(target, sql);
        sql.push(" where ");
        join.names(sql);
    }
    parameters(follow, reference, sql);
}

fn parameters(follow: &Follow, alias: &str, sql: &mut Sql) {
    sql.push(&format!(" and {alias}.parameter in ("));
    for (position, code) in follow.codes.iter().enumerate() {
        sql.push(if position == 0 { "" } else { ", " }).parameter(&follow.source, code);
    }
    sql.push(")");
}

/// Restrictions on what comes, each on its type; of types that cannot come nothing is asked.
fn visible(restrictions: &Restrictions, comes: impl Fn(&str) -> bool, sql: &mut Sql) {
    if !restrictions.is_closed() {
        let asked = restrictions.iter().filter(|(name, conditions)| !conditions.is_empty() && comes(name));
        for (resource_type, conditions) in asked {
            sql.push(" and (r.type <> ").text(resource_type).push(" or ");
            sql.all(conditions, |condition, sql| probe(condition, At { key: "r.key", resource: Some("r") }, sql));
            sql.push(")");
        }
        return;
    }
    sql.push(" and (1 = 0");
    for (types, conditions) in alike(restrictions, comes) {
        sql.push(" or (r.type in (");
        for (place, name) in types.iter().enumerate() {
            sql.push(if place == 0 { "" } else { ", " }).text(name);
        }
        sql.push(")");
        for condition in conditions {
            sql.push(" and ");
            probe(condition, At { key: "r.key", resource: Some("r") }, sql);
        }
        sql.push(")");
    }
    sql.push(")");
}

/// The types of which the same is asked, together: written once, the statement stays short.
fn alike(restrictions: &Restrictions, comes: impl Fn(&str) -> bool) -> Vec<(Vec<&str>, &[Condition])> {
    let mut found: Vec<(Statement, Vec<&str>, &[Condition])> = Vec::new();
    for (resource_type, conditions) in restrictions.iter().filter(|(name, _)| comes(name)) {
        let mut sql = Sql::default();
        sql.all(conditions, |condition, sql| probe(condition, At { key: "r.key", resource: Some("r") }, sql));
        let (sql, binds) = sql.finish();
        let written = Statement { sql, binds, sort: Vec::new() };
        match found.iter_mut().find(|(known, ..)| *known == written) {
            Some((_, types, _)) => types.push(resource_type),
            None => found.push((written, vec![resource_type], conditions)),
        }
    }
    found.into_iter().map(|(_, types, conditions)| (types, conditions)).collect()
}
