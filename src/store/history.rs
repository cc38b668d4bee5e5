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
    /// Only versions that were not yet replaced at this instant (`_at`).
    pub current_after: Option<Micros>,
    /// `last_updated` and `sequence` of the last version of the page before.
    pub after: Option<(Micros, i64)>,
    /// Most versions.
    pub count: i64,
}

/// One version in a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The version.
    pub stored: Stored,
    /// True where the resource came into being, or back, by it: there was nothing before, or a deletion.
    pub created: bool,
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct PastRow {
    #[sqlx(flatten)]
    stored: StoredRow,
    created: bool,
}

impl From<PastRow> for Past {
    fn from(row: PastRow) -> Self {
        Self { stored: row.stored.into(), created: row.created }
    }
}

/// The columns of a [`PastRow`]; what came before a version is looked up by the identity of versions.
macro_rules! past_columns {
    () => {
        concat!(
            version_columns!(),
            ", not exists (select 1 from resource_version p where p.resource_key = v.resource_key \
             and p.version = v.version - 1 and not p.deleted) as created"
        )
    };
}

pub(super) use past_columns;

/// The condition that a version was not yet replaced at the instant bound as the parameter named; none asks for nothing.
macro_rules! current_after {
    ($parameter:literal) => {
        concat!(
            "(cast(",
            $parameter,
            " as bigint) is null or not exists (select 1 from resource_version n where n.resource_key = v.resource_key \
             and n.version = v.version + 1 and n.last_updated <= ",
            $parameter,
            "))"
        )
    };
}

pub(super) const INSTANCE: &str = concat!(
    "select ",
    past_columns!(),
    " from resource_version v where v.resource_key = (select key from resource where type = $1 and id = $2) \
     and v.last_updated >= $3 and v.last_updated <= $4 and ",
    current_after!("$5"),
    " and (v.last_updated, v.sequence) < ($6, $7) order by v.last_updated desc, v.sequence desc limit $8"
);
pub(super) const TYPE: &str = concat!(
    "select ",
    past_columns!(),
    " from resource_version v where v.type = $1 and v.last_updated >= $2 and v.last_updated <= $3 and ",
    current_after!("$4"),
    " and (v.last_updated, v.sequence) < ($5, $6) order by v.last_updated desc, v.sequence desc limit $7"
);
pub(super) const SYSTEM: &str = concat!(
    "select ",
    past_columns!(),
    " from resource_version v where v.last_updated >= $1 and v.last_updated <= $2 and ",
    current_after!("$3"),
    " and (v.last_updated, v.sequence) < ($4, $5) order by v.last_updated desc, v.sequence desc limit $6"
);
pub(super) const COUNT_INSTANCE: &str = concat!(
    "select count(*) from resource_version v where v.resource_key = (select key from resource where type = $1 and id = $2) \
     and v.last_updated >= $3 and v.last_updated <= $4 and ",
    current_after!("$5")
);
pub(super) const COUNT_TYPE: &str = concat!(
    "select count(*) from resource_version v where v.type = $1 and v.last_updated >= $2 and v.last_updated <= $3 and ",
    current_after!("$4")
);
pub(super) const COUNT_SYSTEM: &str = concat!(
    "select count(*) from resource_version v where v.last_updated >= $1 and v.last_updated <= $2 and ",
    current_after!("$3")
);

/// One page, newest first.
pub(super) async fn page(database: &Database, of: HistoryOf<'_>, page: &HistoryPage) -> Result<Vec<Past>, Problem> {
    let since = page.since.unwrap_or(Micros::MIN);
    let until = page.until.unwrap_or(Micros::MAX);
    let (updated, sequence) = page.after.unwrap_or((Micros::MAX, i64::MAX));
    let rows: Vec<PastRow> = retrying!(on!(database, |pool| {
        let query = match of {
            HistoryOf::Instance { resource_type, id } => sqlx::query_as(INSTANCE).bind(resource_type).bind(id),
            HistoryOf::Type(resource_type) => sqlx::query_as(TYPE).bind(resource_type),
            HistoryOf::System => sqlx::query_as(SYSTEM),
        };
        let query = query.bind(since).bind(until).bind(page.current_after);
        query.bind(updated).bind(sequence).bind(page.count).fetch_all(pool).await
    }))?;
    Ok(rows.into_iter().map(Past::from).collect())
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
        query.bind(since).bind(until).bind(page.current_after).fetch_one(pool).await
    }))
}
