//! Stored resources as the store hands them out, and every statement that reads them.

use bytes::Bytes;

use super::database::{Database, on};
use crate::clock::Micros;
use crate::problem::Problem;

/// One version of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Key of the resource, the same for all its versions.
    pub key: i64,
    /// Place of this version in the order of all versions; with `last_updated` the cursor of a history.
    pub sequence: i64,
    /// Resource type.
    pub resource_type: String,
    /// Logical id.
    pub id: String,
    /// Version, from 1.
    pub version: i64,
    /// `meta.lastUpdated`.
    pub last_updated: Micros,
    /// True where this version is a deletion; `body` is then empty.
    pub deleted: bool,
    /// HTTP method that made the version: `POST`, `PUT`, `PATCH`, `DELETE`.
    pub method: String,
    /// The patient that the version is about, as `Patient/id`; empty where it is about none.
    pub patient: String,
    /// The organisation that made the version; empty where it is not known.
    pub author: String,
    /// The whole resource as JSON, `meta` included, as it is sent.
    pub body: Bytes,
}

#[derive(Debug, sqlx::FromRow)]
pub(super) struct StoredRow {
    key: i64,
    sequence: i64,
    r#type: String,
    id: String,
    version: i64,
    last_updated: i64,
    deleted: bool,
    method: String,
    patient: String,
    author: String,
    body: Vec<u8>,
}

impl From<StoredRow> for Stored {
    fn from(row: StoredRow) -> Self {
        Self {
            key: row.key,
            sequence: row.sequence,
            resource_type: row.r#type,
            id: row.id,
            version: row.version,
            last_updated: row.last_updated,
            deleted: row.deleted,
            method: row.method,
            patient: row.patient,
            author: row.author,
            body: row.body.into(),
        }
    }
}

/// The columns of a [`StoredRow`], of `resource_version v`.
macro_rules! version_columns {
    () => {
        "v.resource_key as key, v.sequence, v.type, v.id, v.version, v.last_updated, v.deleted, v.method, v.patient, \
         v.author, v.body"
    };
}
pub(super) use version_columns;

pub(super) const READ: &str = concat!(
    "select ",
    version_columns!(),
    " from resource r join resource_version v on v.resource_key = r.key and v.version = r.version \
     where r.type = $1 and r.id = $2"
);
pub(super) const READ_VERSION: &str = concat!(
    "select ",
    version_columns!(),
    " from resource r join resource_version v on v.resource_key = r.key and v.version = $3 \
     where r.type = $1 and r.id = $2"
);
pub(super) const COUNT_TYPE: &str = "select count(*) from resource where type = $1 and not deleted";
pub(super) const COUNTS: &str = "select type, count(*) from resource where not deleted group by type order by type";
/// Walks the index from type to type instead of reading all of it.
pub(super) const TYPES: &str = "with recursive found (type) as (select min(type) from resource union all \
     select (select min(r.type) from resource r where r.type > found.type) from found where found.type is not null) \
     select type from found where type is not null order by type";

/// Runs a read on the pool; again where the pooled connection turned out to be dead, as all are after a restart of the server.
macro_rules! retrying {
    ($read:expr) => {{
        let mut attempts = 0;
        loop {
            match $read {
                Err(error) if attempts < 20 && $crate::store::error::is_connection_lost(&error) => attempts += 1,
                outcome => break outcome.map_err($crate::store::error::problem),
            }
        }
    }};
}
pub(super) use retrying;

/// The current version, also where it is a deletion.
pub(super) async fn read(database: &Database, resource_type: &str, id: &str) -> Result<Option<Stored>, Problem> {
    let row: Option<StoredRow> = retrying!(on!(database, |pool| {
        sqlx::query_as(READ).bind(resource_type).bind(id).fetch_optional(pool).await
    }))?;
    Ok(row.map(Stored::from))
}

/// One version.
pub(super) async fn read_version(
    database: &Database,
    resource_type: &str,
    id: &str,
    version: i64,
) -> Result<Option<Stored>, Problem> {
    let row: Option<StoredRow> = retrying!(on!(database, |pool| {
        sqlx::query_as(READ_VERSION).bind(resource_type).bind(id).bind(version).fetch_optional(pool).await
    }))?;
    Ok(row.map(Stored::from))
}

/// How many resources of a type are there, deleted ones not counted.
pub(super) async fn count(database: &Database, resource_type: &str) -> Result<i64, Problem> {
    retrying!(on!(database, |pool| sqlx::query_scalar(COUNT_TYPE).bind(resource_type).fetch_one(pool).await))
}

/// How many resources of each type are there.
pub(super) async fn counts(database: &Database) -> Result<Vec<(String, i64)>, Problem> {
    retrying!(on!(database, |pool| sqlx::query_as(COUNTS).fetch_all(pool).await))
}

/// The resource types of which there has ever been a resource, sorted.
pub(super) async fn types(database: &Database) -> Result<Vec<String>, Problem> {
    retrying!(on!(database, |pool| sqlx::query_scalar(TYPES).fetch_all(pool).await))
}
