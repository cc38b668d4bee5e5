//! Conditions as SQL, in two forms: a probe asks of one resource whether the condition holds, a set selects the keys of all
//! resources for which it does. The statement starts from the set of its best condition and probes the rest.

use super::builder::Sql;
use super::{canonical, party};
use crate::search::kinds::Table;
use crate::search::query::{Condition, Link, Rows};

/// Where a probe looks: the SQL of the resource's key, and the alias of its `resource` row if the statement has one.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) key: &'a str,
    pub(super) resource: Option<&'a str>,
}

/// Writes a condition that is true for the resource at `at` (of type `resource_type`) if `condition` holds.
pub(super) fn probe(condition: &Condition, at: At<'_>, sql: &mut Sql) {
    match condition {
        Condition::Rows(rows) => probe_rows(rows, at, sql),
        Condition::Id(_) | Condition::LastUpdated(_) | Condition::NotAfter(_) => {
            if let Some(alias) = at.resource {
                return column(condition, alias, sql);
            }
            let alias = sql.alias('r');
            sql.push(&format!("exists (select 1 from resource {alias} where {alias}.key = {} and ", at.key));
            column(condition, &alias, sql);
            sql.push(")");
        }
        Condition::Chain(link, inner) if link.by_url => canonical::probe_chain(link, inner, at, sql),
        Condition::Chain(link, inner) => probe_chain(link, inner, at, sql),
        Condition::Has(link, inner) if link.by_url => canonical::probe_has(link, inner, at, sql),
        Condition::Has(link, inner) => probe_has(link, inner, at, sql),
        Condition::All(all) if all.is_empty() => {
            sql.push("(1 = 1)");
        }
        Condition::All(all) => {
            sql.all(all, |each, sql| probe(each, at, sql));
        }
        Condition::Any(any) if any.is_empty() => {
            sql.push("(1 = 0)");
        }
        Condition::Any(any) => {
            sql.any(any, |each, sql| probe(each, at, sql));
        }
        Condition::Not(inner) => {
            sql.push("not ");
            let bracketed = !matches!(**inner, Condition::Any(_) | Condition::All(_));
            sql.push(if bracketed { "(" } else { "" });
            probe(inner, at, sql);
            sql.push(if bracketed { ")" } else { "" });
        }
        Condition::Party(parties) => party::probe(parties, at, sql),
        Condition::Objection(objection) => party::objection(objection, at, sql),
    }
}

/// Conditions on columns of the resource itself.
fn column(condition: &Condition, alias: &str, sql: &mut Sql) {
    match condition {
        Condition::Id(ids) => {
            sql.any(ids, |id, sql| {
                sql.push(&format!("{alias}.id = ")).text(id);
            });
        }
        Condition::LastUpdated(spans) => {
            let instant = format!("{alias}.last_updated");
            // A change is an instant: its interval ends one microsecond after it begins.
            let after = format!("({alias}.last_updated + 1)");
            sql.any(spans, |span, sql| span.condition(&instant, &after, sql));
        }
        Condition::NotAfter(instant) => {
            sql.push(&format!("{alias}.last_updated <= ")).integer(*instant);
        }
        _ => {}
    }
}

/// Ends a probe. PostgreSQL would turn it into a join with all rows that the condition finds, which costs the more the more there
/// are; what is limited it leaves as it is, and asks of one resource at a time.
const PROBE_END: &str = " limit 1 offset 0)";

fn probe_rows(rows: &Rows, at: At<'_>, sql: &mut Sql) {
    let alias = sql.alias('i');
    let table = rows.table.name();
    sql.push(&format!("exists (select 1 from {table} {alias} where {alias}.resource_key = {} and ", at.key));
    row(rows, &alias, sql);
    sql.push(PROBE_END);
}

/// The condition on a row of an index table.
pub(super) fn row(rows: &Rows, alias: &str, sql: &mut Sql) {
    sql.push(&format!("{alias}.parameter = ")).parameter(&rows.resource_type, &rows.code);
    if !rows.any.is_empty() {
        sql.push(" and ").any(&rows.any, |criterion, sql| criterion.condition(alias, sql));
    }
}

fn probe_chain(link: &Link, inner: &Condition, at: At<'_>, sql: &mut Sql) {
    let (reference, target) = (sql.alias('i'), sql.alias('r'));
    sql.push(&format!("exists (select 1 from index_reference {reference} join resource {target}"));
    sql.push(&format!(" on {target}.type = {reference}.target_type and {target}.id = {reference}.target_id"));
    sql.push(&format!(" where {reference}.resource_key = {} and {reference}.parameter = ", at.key));
    sql.parameter(&link.source, &link.code);
    sql.push(&format!(" and {target}.type = ")).text(&link.target);
    sql.push(&format!(" and not {target}.deleted and "));
    probe(inner, At { key: &format!("{target}.key"), resource: Some(&target) }, sql);
    sql.push(PROBE_END);
}

fn probe_has(link: &Link, inner: &Condition, at: At<'_>, sql: &mut Sql) {
    let (reference, target) = (sql.alias('i'), sql.alias('r'));
    sql.push(&format!("exists (select 1 from resource {target} join index_reference {reference}"));
    sql.push(&format!(" on {reference}.target_type = {target}.type and {reference}.target_id = {target}.id"));
    sql.push(&format!(" where {target}.key = {} and {reference}.parameter = ", at.key));
    sql.parameter(&link.source, &link.code).push(" and ");
    probe(inner, At { key: &format!("{reference}.resource_key"), resource: None }, sql);
    sql.push(PROBE_END);
}

/// True if the condition can be written as a set of keys found by an index.
pub(super) fn has_set(condition: &Condition) -> bool {
    match condition {
        Condition::Rows(rows) => !rows.any.is_empty() && rows.table != Table::Text,
        Condition::Id(_) | Condition::Party(_) => true,
        Condition::Chain(_, inner) | Condition::Has(_, inner) => has_set(inner),
        Condition::All(all) => all.iter().any(has_set),
        Condition::Any(any) => !any.is_empty() && any.iter().all(has_set),
        Condition::Not(_) | Condition::LastUpdated(_) | Condition::NotAfter(_) | Condition::Objection(_) => false,
    }
}

/// The most selective condition that has a set, by position.
pub(super) fn best(conditions: &[Condition]) -> Option<usize> {
    let candidates = conditions.iter().enumerate().filter(|(_, condition)| has_set(condition));
    candidates.min_by_key(|(_, condition)| condition.weight()).map(|(position, _)| position)
}

/// Writes a `select` of the keys of all resources of `resource_type` for which `condition` holds; see [`has_set`].
pub(super) fn set(condition: &Condition, resource_type: &str, sql: &mut Sql) {
    let alias = sql.alias('s');
    match condition {
        Condition::Rows(rows) => {
            sql.push(&format!("select {alias}.resource_key from {} {alias} where ", rows.table.name()));
            row(rows, &alias, sql);
        }
        Condition::Party(parties) => {
            sql.push(&format!("select {alias}.resource_key from party {alias} where "));
            party::row(parties, &alias, sql);
        }
        Condition::Chain(link, inner) if link.by_url => canonical::set_chain(link, inner, sql),
        Condition::Chain(link, inner) => set_chain(link, inner, sql),
        Condition::Has(link, inner) if link.by_url => canonical::set_has(link, inner, sql),
        Condition::Has(link, inner) => set_has(link, inner, sql),
        Condition::Any(any) => {
            for (position, each) in any.iter().enumerate() {
                sql.push(if position == 0 { "" } else { " union " });
                set(each, resource_type, sql);
            }
        }
        Condition::All(all) => set_all(all, resource_type, sql),
        other => {
            sql.push(&format!("select {alias}.key from resource {alias} where {alias}.type = ")).text(resource_type);
            sql.push(" and ");
            probe(other, At { key: &format!("{alias}.key"), resource: Some(&alias) }, sql);
        }
    }
}

/// Starts from the best of several conditions and probes the others.
fn set_all(all: &[Condition], resource_type: &str, sql: &mut Sql) {
    let alias = sql.alias('s');
    sql.push(&format!("select {alias}.key from resource {alias} where "));
    all_of(all, best(all), resource_type, &alias, sql);
}

/// Writes that the resource in row `alias` is a living one of `resource_type` for which all conditions hold, starting from the
/// set of the condition at `start`.
pub(super) fn all_of(all: &[Condition], start: Option<usize>, resource_type: &str, alias: &str, sql: &mut Sql) {
    match start.and_then(|start| all.get(start)) {
        Some(condition) => in_set(condition, resource_type, alias, sql),
        None => {
            sql.push(&format!("{alias}.type = ")).text(resource_type);
        }
    }
    sql.push(&format!(" and not {alias}.deleted"));
    for (_, each) in all.iter().enumerate().filter(|(position, _)| Some(*position) != start) {
        sql.push(" and ");
        probe(each, At { key: &format!("{alias}.key"), resource: Some(alias) }, sql);
    }
}

/// Writes that the resource in row `alias` is in the set of `condition`. The type is not asked for where the set implies it, and
/// else in a way that no index answers: a database that knows little of the data would take that index before the set.
pub(super) fn in_set(condition: &Condition, resource_type: &str, alias: &str, sql: &mut Sql) {
    sql.push(&format!("{alias}.key in ("));
    set(condition, resource_type, sql);
    sql.push(")");
    if !implies_type(condition) {
        sql.push(&format!(" and ({alias}.type || '') = ")).text(resource_type);
    }
}

fn implies_type(condition: &Condition) -> bool {
    match condition {
        Condition::Rows(_) | Condition::Id(_) | Condition::Chain(..) | Condition::Has(..) | Condition::All(_) => true,
        Condition::Any(any) => any.iter().all(implies_type),
        Condition::Not(_)
        | Condition::LastUpdated(_)
        | Condition::NotAfter(_)
        | Condition::Party(_)
        | Condition::Objection(_) => false,
    }
}

fn set_chain(link: &Link, inner: &Condition, sql: &mut Sql) {
    let (reference, target) = (sql.alias('i'), sql.alias('r'));
    sql.push(&format!("select {reference}.resource_key from resource {target} join index_reference {reference}"));
    sql.push(&format!(" on {reference}.target_id = {target}.id and {reference}.target_type = {target}.type"));
    sql.push(&format!(" and {reference}.parameter = ")).parameter(&link.source, &link.code);
    sql.push(&format!(" where not {target}.deleted and "));
    in_set(inner, &link.target, &target, sql);
}

fn set_has(link: &Link, inner: &Condition, sql: &mut Sql) {
    let (reference, target) = (sql.alias('i'), sql.alias('r'));
    sql.push(&format!("select {target}.key from index_reference {reference} join resource {target}"));
    sql.push(&format!(" on {target}.type = {reference}.target_type and {target}.id = {reference}.target_id"));
    sql.push(&format!(" where {reference}.parameter = ")).parameter(&link.source, &link.code);
    sql.push(&format!(" and {reference}.target_type = ")).text(&link.target);
    sql.push(&format!(" and {reference}.resource_key in ("));
    set(inner, &link.source, sql);
    sql.push(")");
}
