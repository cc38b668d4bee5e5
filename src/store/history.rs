//! History of one resource, of a type, of the whole system, newest first, page by page
//! (<https://hl7.org/fhir/R4/http.html#history>).

use super::database::{Database, on};
use super::resources::{Stored, StoredRow, retrying, version_columns};
use crate::clock::Micros;
use crate::problem::Problem;

/// Whose history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryOf<'a> {
    /// One resource.
    Instance {
        /// Resource type.
        resource_type: &'a str,
        /// Logical id.
        id: &'a str,
    },
    /// All resources of a type.
    Type(&'a str),
    /// Everything.
    System,
}

/// Which part of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryPage {
    /// Only versions made at or after this instant (`_since`).
    pub since: Option<Micros>,
    /// Only versions made at or before this instant.
    pub until: Option<Micros>,
    /// `last_updated` and `sequence` of the last version of the page before.
    pub after: Option<(Micros, i64)>,
    /// Most versions.
    pub count: i64,
}

pub(super) const INSTANCE: &str = concat!(
    "select ",
    version_columns!(),
    " from resource_version v where v.resource_key = (select key from resource where type = $1 and id = $2) \
     and v.last_updated >= $3 and v.last_updated <= $4 and (v.last_updated, v.sequence) < ($5, $6) \
     order by v.last_updated desc, v.sequence desc limit $7"
);
pub(super) const TYPE: &str = concat!(
    "select ",
    version_columns!(),
    " from resource_version v where v.type = $1 \
     and v.last_updated >= $2 and v.last_updated <= $3 and (v.last_updated, v.sequence) < ($4, $5) \
     order by v.last_updated desc, v.sequence desc limit $6"
);
pub(super) const SYSTEM: &str = concat!(
    "select ",
    version_columns!(),
    " from resource_version v \
     where v.last_updated >= $1 and v.last_updated <= $2 and (v.last_updated, v.sequence) < ($3, $4) \
     order by v.last_updated desc, v.sequence desc limit $5"
);
pub(super) const COUNT_INSTANCE: &str = "select count(*) from resource_version v where v.resource_key = (select key from resource where type = $1 and id = $2) \
     and v.last_updated >= $3 and v.last_updated <= $4";
pub(super) const COUNT_TYPE: &str =
    "select count(*) from resource_version v where v.type = $1 and v.last_updated >= $2 and v.last_updated <= $3";
pub(super) const COUNT_SYSTEM: &str =
    "select count(*) from resource_version v where v.last_updated >= $1 and v.last_updated <= $2";

/// One page, newest first.
pub(super) async fn page(database: &Database, of: HistoryOf<'_>, page: &HistoryPage) -> Result<Vec<Stored>, Problem> {
    let since = page.since.unwrap_or(Micros::MIN);
    let until = page.until.unwrap_or(Micros::MAX);
    let (updated, sequence) = page.after.unwrap_or((Micros::MAX, i64::MAX));
    let rows: Vec<StoredRow> = retrying!(on!(database, |pool| {
        let query = match of {
            HistoryOf::Instance { resource_type, id } => sqlx::query_as(INSTANCE).bind(resource_type).bind(id),
            HistoryOf::Type(resource_type) => sqlx::query_as(TYPE).bind(resource_type),
            HistoryOf::System => sqlx::query_as(SYSTEM),
        };
        query.bind(since).bind(until).bind(updated).bind(sequence).bind(page.count).fetch_all(pool).await
    }))?;
    Ok(rows.into_iter().map(Stored::from).collect())
}

/// How many versions there are in all pages.
pub(super) async fn count(database: &Database, of: HistoryOf<'_>, page: &HistoryPage) -> Result<i64, Problem> {
    let since = page.since.unwrap_or(Micros::MIN);
    let until = page.until.unwrap_or(Micros::MAX);
    retrying!(on!(database, |pool| {
        let query = match of {
            HistoryOf::Instance { resource_type, id } => {
                sqlx::query_scalar(COUNT_INSTANCE).bind(resource_type).bind(id)
            }
            HistoryOf::Type(resource_type) => sqlx::query_scalar(COUNT_TYPE).bind(resource_type),
            HistoryOf::System => sqlx::query_scalar(COUNT_SYSTEM),
        };
        query.bind(since).bind(until).fetch_one(pool).await
    }))
}
