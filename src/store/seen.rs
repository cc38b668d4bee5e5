//! History and labels of the resources whose keys a statement selects: those that one caller sees. The histories of all that
//! there is are in `history`, their labels in `labels`.

use sqlx::AssertSqlSafe;

use super::database::{Database, on};
use super::history::{HistoryPage, Past, PastRow, past_columns};
use super::index::Parameters;
use super::labels::Labels;
use super::resources::{retrying, version_columns};
use super::search::{affordable, bind_all, count, learn};
use super::{Store, dialect};
use crate::problem::Problem;
use crate::search::sql::builder::Sql;
use crate::search::sql::{Bind, Statement};

/// Which versions of the resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of them.
    All,
    /// Only those that may carry a security label: whether they do is for the caller to see.
    Labelled,
}

impl Store {
    /// A page of the history of the resources whose keys `keys` selects, newest version first.
    pub async fn seen_history(&self, keys: &Statement, part: Part, page: &HistoryPage) -> Result<Vec<Past>, Problem> {
        let (database, parameters) = (&self.0.database, &self.0.shared.parameters);
        let mut sql = Sql::default();
        sql.push(concat!("select ", past_columns!(), " from resource_version v where "));
        versions(keys, page, &mut sql);
        if part == Part::Labelled {
            sql.push(" and ").push(dialect::has_security(database));
        }
        if let Some((updated, sequence)) = page.after {
            sql.push(" and (v.last_updated, v.sequence) < (").integer(updated).push(", ").integer(sequence).push(")");
        }
        sql.push(" order by v.last_updated desc, v.sequence desc").limit(page.count);
        let statement = prepared(database, parameters, sql).await?;
        let number = |resource_type: &str, code: &str| parameters.get(resource_type, code);
        let rows: Vec<PastRow> = retrying!(on!(database, |pool| {
            let query = sqlx::query_as(AssertSqlSafe(statement.sql.as_str()));
            bind_all!(query, &statement.binds, number).fetch_all(pool).await
        }))?;
        Ok(rows.into_iter().map(Past::from).collect())
    }

    /// How many versions all pages of such a history have.
    pub async fn seen_history_count(&self, keys: &Statement, page: &HistoryPage) -> Result<i64, Problem> {
        let mut sql = Sql::default();
        sql.push("select count(*) from resource_version v where ");
        versions(keys, page, &mut sql);
        let (sql, binds) = sql.finish();
        count(&self.0.database, &self.0.shared.parameters, &Statement { sql, binds, sort: Vec::new() }).await
    }

    /// The labels in use by the resources whose keys `keys` selects.
    pub async fn seen_labels(&self, keys: &Statement) -> Result<Labels, Problem> {
        Ok(Labels {
            profiles: self
                .seen_values(keys, "index_uri", "_profile")
                .await?
                .into_iter()
                .map(|(value, _)| value)
                .collect(),
            security: self.seen_values(keys, "index_token", "_security").await?,
            tags: self.seen_values(keys, "index_token", "_tag").await?,
        })
    }

    /// The different values of a parameter that every type has.
    async fn seen_values(&self, keys: &Statement, table: &str, code: &str) -> Result<Vec<(String, String)>, Problem> {
        let (database, parameters) = (&self.0.database, &self.0.shared.parameters);
        let columns = if table == "index_uri" { "t.value, ''" } else { "t.system, t.code" };
        let mut sql = Sql::default();
        sql.push(&format!("select distinct {columns} from {table} t join search_parameter p on p.id = t.parameter"));
        sql.push(" where p.code = ").text(code).push(" and t.resource_key in (").append(keys);
        sql.push(") order by 1, 2").limit(super::labels::MOST);
        let statement = prepared(database, parameters, sql).await?;
        let number = |resource_type: &str, code: &str| parameters.get(resource_type, code);
        retrying!(on!(database, |pool| {
            let query = sqlx::query_as(AssertSqlSafe(statement.sql.as_str()));
            bind_all!(query, &statement.binds, number).fetch_all(pool).await
        }))
    }
}

/// The conditions on a version `v`.
fn versions(keys: &Statement, page: &HistoryPage, sql: &mut Sql) {
    sql.push("v.resource_key in (").append(keys).push(")");
    if let Some(since) = page.since {
        sql.push(" and v.last_updated >= ").integer(since);
    }
    if let Some(until) = page.until {
        sql.push(" and v.last_updated <= ").integer(until);
    }
    if let Some(instant) = page.current_after {
        sql.push(" and not exists (select 1 from resource_version n where n.resource_key = v.resource_key");
        sql.push(" and n.version = v.version + 1 and n.last_updated <= ").integer(instant).push(")");
    }
}

/// The statement, once the numbers of its search parameters are known.
async fn prepared(database: &Database, parameters: &Parameters, sql: Sql) -> Result<Statement, Problem> {
    let (sql, binds) = sql.finish();
    let statement = Statement { sql, binds, sort: Vec::new() };
    affordable(&statement)?;
    learn(database, parameters, &statement).await?;
    Ok(statement)
}
