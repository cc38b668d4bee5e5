//! References that are canonical urls, in chains, `_has` and inclusions: the target is found by its `url`, and by its `version`
//! where the reference names one. The forms of conditions are those of [`super::condition`].

use super::builder::Sql;
use super::condition::{At, in_set, probe, set};
use crate::search::query::{Condition, Link};

/// Aliases of the rows that lead from a reference to its target or back.
pub(super) struct Join {
    /// The reference.
    pub(super) reference: String,
    /// The url of the target.
    pub(super) url: String,
    version: String,
}

impl Join {
    pub(super) fn new(sql: &mut Sql) -> Self {
        Self { reference: sql.alias('i'), url: sql.alias('u'), version: sql.alias('v') }
    }

    /// Writes the join from the resource with this key, of `target_type`, to the references that name it.
    pub(super) fn to_references(&self, target_key: &str, target_type: &str, sql: &mut Sql) {
        let Self { reference, url, .. } = self;
        sql.push(&format!(" join index_uri {url} on {url}.resource_key = {target_key} and {url}.parameter = "));
        sql.parameter(target_type, "url");
        self.version(target_type, sql);
        sql.push(&format!(" join index_reference {reference} on "));
        self.names(sql);
    }

    /// Writes the join from references to the urls of targets of `target_type`; [`Join::names`] must hold in addition.
    pub(super) fn to_targets(&self, target_type: &str, sql: &mut Sql) {
        let url = &self.url;
        sql.push(&format!(" join index_uri {url} on {url}.parameter = ")).parameter(target_type, "url");
        self.version(target_type, sql);
    }

    /// Joins the version, which a target need not have, to its url.
    fn version(&self, target_type: &str, sql: &mut Sql) {
        sql.push(&format!(" left join index_token {0} on {0}.resource_key = {1}.resource_key", self.version, self.url));
        sql.push(&format!(" and {}.parameter = ", self.version)).parameter(target_type, "version");
    }

    /// Writes that the reference names the target: without a version, or with the target's.
    pub(super) fn names(&self, sql: &mut Sql) {
        let Self { reference, url, version } = self;
        sql.push(&format!(
            "{reference}.target_id in ({url}.value, {url}.value || '|' || coalesce({version}.code, ''))"
        ));
        sql.push(&format!(" and {reference}.target_type = ''"));
    }
}

/// As `probe` for a chain.
pub(super) fn probe_chain(link: &Link, inner: &Condition, at: At<'_>, sql: &mut Sql) {
    let (join, target) = (Join::new(sql), sql.alias('r'));
    let Join { reference, url, .. } = &join;
    sql.push(&format!("exists (select 1 from index_reference {reference}"));
    join.to_targets(&link.target, sql);
    sql.push(&format!(" join resource {target} on {target}.key = {url}.resource_key"));
    sql.push(&format!(" where {reference}.resource_key = {} and {reference}.parameter = ", at.key));
    sql.parameter(&link.source, &link.code).push(" and ");
    join.names(sql);
    sql.push(&format!(" and not {target}.deleted and "));
    probe(inner, At { key: &format!("{target}.key"), resource: Some(&target) }, sql);
    sql.push(")");
}

/// As `probe` for a reverse chain.
pub(super) fn probe_has(link: &Link, inner: &Condition, at: At<'_>, sql: &mut Sql) {
    let (join, target) = (Join::new(sql), sql.alias('r'));
    let reference = &join.reference;
    sql.push(&format!("exists (select 1 from resource {target}"));
    join.to_references(&format!("{target}.key"), &link.target, sql);
    sql.push(&format!(" where {target}.key = {} and {reference}.parameter = ", at.key));
    sql.parameter(&link.source, &link.code).push(" and ");
    probe(inner, At { key: &format!("{reference}.resource_key"), resource: None }, sql);
    sql.push(")");
}

/// As `set` for a chain.
pub(super) fn set_chain(link: &Link, inner: &Condition, sql: &mut Sql) {
    let (join, target) = (Join::new(sql), sql.alias('r'));
    let reference = &join.reference;
    sql.push(&format!("select {reference}.resource_key from resource {target}"));
    join.to_references(&format!("{target}.key"), &link.target, sql);
    sql.push(&format!(" where {reference}.parameter = ")).parameter(&link.source, &link.code);
    sql.push(&format!(" and not {target}.deleted and "));
    in_set(inner, &link.target, &target, sql);
}

/// As `set` for a reverse chain.
pub(super) fn set_has(link: &Link, inner: &Condition, sql: &mut Sql) {
    let join = Join::new(sql);
    let Join { reference, url, .. } = &join;
    sql.push(&format!("select {url}.resource_key from index_reference {reference}"));
    join.to_targets(&link.target, sql);
    sql.push(&format!(" where {reference}.parameter = ")).parameter(&link.source, &link.code).push(" and ");
    join.names(sql);
    sql.push(&format!(" and {reference}.resource_key in ("));
    set(inner, &link.source, sql);
    sql.push(")");
}
