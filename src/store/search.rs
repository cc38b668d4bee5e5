//! Executes what `search::sql` wrote and joins the bodies. The text is data here: it comes from our own generator, and
//! every value in it is bound.

use std::fmt::Write as _;
use std::sync::Arc;

use sqlx::{AssertSqlSafe, Row as _, SqlitePool};

use super::cache::Cache;
use super::database::{Connection, Database, on};
use super::index::{FIND_PARAMETER, Parameters};
use super::resources::{Stored, retrying, version_columns};
use super::{answers, error, matches};
use crate::problem::Problem;
use crate::search::sql::{Bind, Dependence, SortColumn, Statement};

/// One match: the resource and the values it was sorted by, which the next page continues from.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The current version.
    pub stored: Arc<Stored>,
    /// Sort values in the order of `Statement::sort`; none where the resource lacks one.
    pub sort: Vec<Option<Bind>>,
}

impl Found {
    /// The resource alone.
    #[must_use]
    pub fn into_stored(self) -> Stored {
        Arc::unwrap_or_clone(self.stored)
    }
}

/// Binds the values of a statement. A parameter without a number has no rows: no number is negative.
macro_rules! bind_all {
    ($query:expr, $binds:expr, $parameters:expr) => {{
        let mut query = $query;
        for bind in $binds {
            query = match bind {
                Bind::Text(value) => query.bind($crate::store::index::without_nul(value)),
                Bind::Integer(value) => query.bind(*value),
                Bind::Real(value) => query.bind(*value),
                Bind::Bool(value) => query.bind(*value),
                Bind::Parameter { resource_type, code } => query.bind($parameters(resource_type, code).unwrap_or(-1)),
            };
        }
        query
    }};
}

pub(super) use bind_all;

/// Reads the rows of either database.
macro_rules! found {
    ($rows:expr, $statement:expr) => {
        $rows
            .into_iter()
            .map(|row| {
                let mut sort = Vec::with_capacity($statement.sort.len());
                for (place, column) in $statement.sort.iter().enumerate() {
                    sort.push(match column {
                        SortColumn::Text => row.try_get::<Option<String>, _>(place)?.map(Bind::Text),
                        SortColumn::Integer => row.try_get::<Option<i64>, _>(place)?.map(Bind::Integer),
                        SortColumn::Real => row.try_get::<Option<f64>, _>(place)?.map(Bind::Real),
                    });
                }
                let stored = Stored {
                    key: row.try_get("key")?,
                    sequence: row.try_get("sequence")?,
                    resource_type: row.try_get("type")?,
                    id: row.try_get("id")?,
                    version: row.try_get("version")?,
                    last_updated: row.try_get("last_updated")?,
                    deleted: row.try_get("deleted")?,
                    method: row.try_get("method")?,
                    patient: row.try_get("patient")?,
                    author: row.try_get("author")?,
                    body: row.try_get::<Vec<u8>, _>("body")?.into(),
                };
                Ok(Found { stored: Arc::new(stored), sort })
            })
            .collect::<Result<Vec<Found>, sqlx::Error>>()
    };
}

/// The page's rows with their resources, in the page's order.
fn with_resources(statement: &Statement) -> String {
    let mut text = String::with_capacity(statement.sql.len() + 400);
    text.push_str("select ");
    for place in 0..statement.sort.len() {
        // Writing to a String cannot fail.
        let _ = write!(text, "page.sort_{place}, ");
    }
    text.push_str(concat!(version_columns!(), " from (select matches.*, row_number() over () as position from ("));
    text.push_str(&statement.sql);
    text.push_str(
        ") matches) page join resource r on r.key = page.key \
         join resource_version v on v.resource_key = r.key and v.version = r.version order by page.position",
    );
    text
}

/// Looks numbers up that this process does not know: another process on the database may have given them since.
pub(super) async fn learn(database: &Database, parameters: &Parameters, statement: &Statement) -> Result<(), Problem> {
    for bind in &statement.binds {
        let Bind::Parameter { resource_type, code } = bind else { continue };
        if parameters.get(resource_type, code).is_some() {
            continue;
        }
        let found: Option<i64> = retrying!(on!(database, |pool| {
            let query = sqlx::query_scalar(FIND_PARAMETER).bind(resource_type.as_str()).bind(code.as_str());
            query.fetch_optional(pool).await
        }))?;
        parameters.add(found.map(|number| (resource_type.clone(), code.clone(), number)));
    }
    Ok(())
}

/// Runs a search on the pool.
pub(super) async fn search(
    database: &Database,
    cache: Option<&Cache>,
    parameters: &Parameters,
    statement: &Statement,
    dependence: &Dependence,
) -> Result<Arc<[Found]>, Problem> {
    affordable(statement)?;
    learn(database, parameters, statement).await?;
    if let (Database::Sqlite(pool), Some(cache)) = (database, cache) {
        return remembered(pool, cache, parameters, statement, dependence).await;
    }
    rows(database, parameters, statement).await.map(Arc::from)
}

/// Answers from memory, or runs the search and remembers what it found.
async fn remembered(
    pool: &SqlitePool,
    cache: &Cache,
    parameters: &Parameters,
    statement: &Statement,
    dependence: &Dependence,
) -> Result<Arc<[Found]>, Problem> {
    let (name, state) = (answers::name(statement), cache.current());
    if let Some(found) = state.and_then(|_| cache.answer(&name)) {
        return Ok(found);
    }
    let found = if matches::can_be_text(statement) {
        matches::search(pool, cache, parameters, statement).await?
    } else {
        rows(&Database::Sqlite(pool.clone()), parameters, statement).await?
    };
    let found = Arc::from(found);
    if let Some(state) = state {
        cache.offer_answer(state, name, &found, dependence);
    }
    Ok(found)
}

/// One row for each match, with its body.
async fn rows(database: &Database, parameters: &Parameters, statement: &Statement) -> Result<Vec<Found>, Problem> {
    let text = with_resources(statement);
    let number = |resource_type: &str, code: &str| parameters.get(resource_type, code);
    retrying!(on!(database, |pool| {
        let query = bind_all!(sqlx::query(AssertSqlSafe(text.as_str())), &statement.binds, number);
        match query.fetch_all(pool).await {
            Ok(rows) => found!(rows, statement),
            Err(error) => Err(error),
        }
    }))
}

/// Runs a count on the pool.
pub(super) async fn count(database: &Database, parameters: &Parameters, statement: &Statement) -> Result<i64, Problem> {
    affordable(statement)?;
    learn(database, parameters, statement).await?;
    let text = statement.sql.as_str();
    let number = |resource_type: &str, code: &str| parameters.get(resource_type, code);
    retrying!(on!(database, |pool| {
        bind_all!(sqlx::query_scalar(AssertSqlSafe(text)), &statement.binds, number).fetch_one(pool).await
    }))
}

/// Most values of one statement; both databases take some more.
const MOST_BINDS: usize = 30_000;

/// 400 for a statement that no database would take: alternatives multiply where a chain leads over several types.
pub(super) fn affordable(statement: &Statement) -> Result<(), Problem> {
    if statement.binds.len() > MOST_BINDS { Err(error::too_costly()) } else { Ok(()) }
}

/// As [`learn`] in a transaction, where `known` tells what this process and the transaction know already: what somebody else
/// stored a moment ago must be found, or two writes could both believe that nothing matches.
pub(super) async fn learn_in_transaction(
    connection: &mut Connection,
    parameters: &Parameters,
    known: impl Fn(&str, &str) -> Option<i64>,
    statement: &Statement,
) -> Result<(), sqlx::Error> {
    for bind in &statement.binds {
        let Bind::Parameter { resource_type, code } = bind else { continue };
        if known(resource_type, code).is_some() {
            continue;
        }
        let found: Option<i64> = on!(connection, |c| {
            let query = sqlx::query_scalar(FIND_PARAMETER).bind(resource_type.as_str()).bind(code.as_str());
            query.fetch_optional(&mut *c).await
        })?;
        parameters.add(found.map(|number| (resource_type.clone(), code.clone(), number)));
    }
    Ok(())
}

/// Runs a search in a transaction.
pub(super) async fn in_transaction(
    connection: &mut Connection,
    number: impl Fn(&str, &str) -> Option<i64>,
    statement: &Statement,
) -> Result<Vec<Found>, sqlx::Error> {
    let text = with_resources(statement);
    on!(connection, |c| {
        let query = bind_all!(sqlx::query(AssertSqlSafe(text)), &statement.binds, number);
        found!(query.fetch_all(&mut *c).await?, statement)
    })
}

/// Runs a count in a transaction.
pub(super) async fn count_in_transaction(
    connection: &mut Connection,
    number: impl Fn(&str, &str) -> Option<i64>,
    statement: &Statement,
) -> Result<i64, sqlx::Error> {
    let text = statement.sql.as_str();
    on!(connection, |c| {
        bind_all!(sqlx::query_scalar(AssertSqlSafe(text)), &statement.binds, number).fetch_one(&mut *c).await
    })
}
