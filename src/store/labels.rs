//! Which profiles, tags and security labels current resources have, from their index rows
//! (<https://hl7.org/fhir/R4/resource-operation-meta.html>).

use super::database::{Database, on};
use super::resources::retrying;
use crate::problem::Problem;

/// Labels of each kind that are answered.
pub(super) const MOST: i64 = 1000;

/// The different labels in use, sorted, at most 1,000 of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// Canonical urls of profiles.
    pub profiles: Vec<String>,
    /// Security labels: system, which may be empty, and code.
    pub security: Vec<(String, String)>,
    /// Tags, likewise.
    pub tags: Vec<(String, String)>,
}

/// The end of every text; an empty type stands for all types.
macro_rules! of_type {
    ($columns:literal) => {
        concat!(" and ($2 = '' or p.type = $2) order by ", $columns, " limit 1000")
    };
}

pub(super) const TOKENS: &str = concat!(
    "select distinct t.system, t.code from search_parameter p join index_token t on t.parameter = p.id where p.code = $1",
    of_type!("t.system, t.code")
);
pub(super) const URIS: &str = concat!(
    "select distinct t.value from search_parameter p join index_uri t on t.parameter = p.id where p.code = $1",
    of_type!("t.value")
);

/// The labels of one type, or of all.
pub(super) async fn labels(database: &Database, resource_type: Option<&str>) -> Result<Labels, Problem> {
    let of = resource_type.unwrap_or_default();
    Ok(Labels {
        profiles: retrying!(on!(database, |pool| {
            sqlx::query_scalar(URIS).bind("_profile").bind(of).fetch_all(pool).await
        }))?,
        security: tokens(database, "_security", of).await?,
        tags: tokens(database, "_tag", of).await?,
    })
}

async fn tokens(database: &Database, code: &str, of: &str) -> Result<Vec<(String, String)>, Problem> {
    retrying!(on!(database, |pool| sqlx::query_as(TOKENS).bind(code).bind(of).fetch_all(pool).await))
}
