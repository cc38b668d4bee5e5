//! Conditions on the parts that organisations have in a resource, and on objections of its patient: rows of table `party`, which
//! the write path keeps. What callers may see is made of these.

use super::builder::Sql;
use super::condition::At;
use crate::search::query::{Objection, Parties};

/// Writes that a row of `party` gives the resource at `at` to one of the organisation's names.
pub(super) fn probe(parties: &Parties, at: At<'_>, sql: &mut Sql) {
    let alias = sql.alias('p');
    sql.push(&format!("exists (select 1 from party {alias} where {alias}.resource_key = {} and ", at.key));
    row(parties, &alias, sql);
    sql.push(")");
}

/// Writes the condition on a row of `party`.
pub(super) fn row(parties: &Parties, alias: &str, sql: &mut Sql) {
    list(&format!("{alias}.organisation"), &parties.names, sql);
    sql.push(" and ");
    list(&format!("{alias}.role"), &parties.roles, sql);
}

/// Writes that the patient of the resource at `at` objects: the store keeps whom a version is about, and a Consent has its
/// objections under the patient's name. It may be the name of another Patient that is the same person: from name to name go those
/// Patients that have both, until there is no further one.
pub(super) fn objection(objection: &Objection, at: At<'_>, sql: &mut Sql) {
    let (resource, version, refusal) = (sql.alias('r'), sql.alias('v'), sql.alias('p'));
    let (person, name) = (sql.alias('n'), sql.alias('m'));
    sql.push(&format!("exists (select 1 from resource {resource} join resource_version {version}"));
    sql.push(&format!(" on {version}.resource_key = {resource}.key and {version}.version = {resource}.version"));
    sql.push(&format!(" where {resource}.key = {} and {version}.patient <> '' and exists (", at.key));
    sql.push(&format!("with recursive {person} (name) as (select {version}.patient"));
    sql.push(&format!(
        " union select b.organisation from {person} {name} join party a on a.organisation = {name}.name"
    ));
    sql.push(" and a.role = ").text(&objection.person);
    sql.push(" join party b on b.resource_key = a.resource_key and b.role = ").text(&objection.person);
    sql.push(&format!(") select 1 from {person} {name} join party {refusal} on {refusal}.organisation = {name}.name"));
    sql.push(" and ");
    list(&format!("{refusal}.role"), &objection.roles, sql);
    if !objection.exceptions.is_empty() {
        let exception = sql.alias('p');
        sql.push(&format!(" where not exists (select 1 from party {exception}"));
        sql.push(&format!(" where {exception}.organisation = {refusal}.organisation and "));
        list(&format!("{exception}.role"), &objection.exceptions, sql);
        sql.push(&format!(" and {exception}.resource_key = {refusal}.resource_key)"));
    }
    sql.push("))");
}

/// Writes that `column` is one of the values. The list is filled up to a power of two with its last value, so that few texts
/// are prepared.
fn list(column: &str, values: &[String], sql: &mut Sql) {
    let Some(last) = values.last() else {
        sql.push("1 = 0");
        return;
    };
    let places = values.len().next_power_of_two();
    sql.push(column).push(" in (");
    for (place, value) in values.iter().chain(std::iter::repeat_n(last, places - values.len())).enumerate() {
        sql.push(if place == 0 { "" } else { ", " }).text(value);
    }
    sql.push(")");
}
