//! Which resources were indexed by which set of search parameters, and how they are indexed anew: for the re-index job and
//! for the live definitions.

use super::Store;
use super::database::on;
use super::index;
use super::pending::{KeyedRows, Party};
use super::resources::{Stored, StoredRow, retrying, version_columns};
use super::tx::Tx;
use crate::problem::Problem;
use crate::search::index::IndexRows;

pub(super) const OTHERS: &str = concat!(
    "select ",
    version_columns!(),
    " from resource r join resource_version v on v.resource_key = r.key and v.version = r.version \
     where r.type = $1 and r.id > $2 and r.generation <> $3 and not r.deleted order by r.id limit $4"
);
pub(super) const COUNT_OTHERS: &str =
    "select count(*) from resource where type = $1 and generation <> $2 and not deleted";
pub(super) const REPLACE: &str = "update resource set indexed = indexed | $1, generation = $2 \
     where key = $3 and version = $4 returning indexed";
pub(super) const MARKS: &str = "select type, code, generation from indexed_parameter order by type, code";
pub(super) const UNMARK: &str = "delete from indexed_parameter where type = $1";
pub(super) const UNMARK_CODE: &str = "delete from indexed_parameter where code = $1 and code <> ''";
pub(super) const MARK: &str = "insert into indexed_parameter (type, code, generation) values ($1, $2, $3)";
pub(super) const DEFINITIONS: &str = "select next from counter where name = 'definitions'";
pub(super) const DEFINITIONS_CHANGED: &str =
    "update counter set next = next + 1 where name = 'definitions' returning next";
pub(super) const CURRENT: &str = concat!(
    "select ",
    version_columns!(),
    " from resource r join resource_version v on v.resource_key = r.key and v.version = r.version \
     where r.type = $1 and not r.deleted order by r.id limit $2"
);

/// All rows of one resource but the version itself.
#[derive(Debug, Clone)]
pub struct Rows {
    /// What is searchable about it.
    pub index: IndexRows,
    /// Who takes part in it.
    pub parties: Vec<Party>,
}

impl Tx {
    /// Replaces the index rows and the parties of resources, each where it is still at the version they were made from (whoever
    /// changed it has indexed it). Who created a resource stays. Says how many were replaced.
    pub async fn reindex(&mut self, all: &[(Stored, Rows)]) -> Result<usize, Problem> {
        self.replace_rows(all, 0).await
    }

    /// The same; rows go also from the tables that `cleared` names, whatever the resources are said to have.
    pub(super) async fn replace_rows(&mut self, all: &[(Stored, Rows)], cleared: i64) -> Result<usize, Problem> {
        self.begin_change().await?;
        let mut replaced = 0;
        for (stored, rows) in all {
            let Rows { index: rows, parties } = rows;
            let mask = index::mask(rows, parties.len());
            let updated: Result<Option<i64>, _> = on!(&mut self.connection, |c| {
                let query = sqlx::query_scalar(REPLACE).bind(mask).bind(rows.generation);
                query.bind(stored.key).bind(stored.version).fetch_optional(&mut *c).await
            });
            let Some(indexed) = self.check(updated)? else { continue };
            replaced += 1;
            self.job.cleared.push((stored.key, indexed | cleared));
            self.touched.add(&stored.resource_type, rows, Some(stored.key));
            if mask != 0 {
                let (key, resource_type) = (stored.key, stored.resource_type.clone());
                self.job.index.push(KeyedRows { key, resource_type, rows: rows.clone(), parties: parties.clone() });
            }
        }
        // A later job of this batch may change one of them: it must find these rows written, not gathered.
        self.flush().await?;
        Ok(replaced)
    }

    /// Notes that all resources of a type are indexed: by the set `generation`, and by these parameters (code, generation).
    pub async fn mark_indexed(
        &mut self,
        resource_type: &str,
        generation: i64,
        parameters: &[(String, i64)],
    ) -> Result<(), Problem> {
        self.begin_change().await?;
        let whole = [(String::new(), generation)];
        let outcome = on!(&mut self.connection, |c| {
            let mut outcome = sqlx::query(UNMARK).bind(resource_type).execute(&mut *c).await.map(|_| ());
            for (code, generation) in whole.iter().chain(parameters) {
                if outcome.is_ok() {
                    let mark = sqlx::query(MARK).bind(resource_type).bind(code.as_str()).bind(*generation);
                    outcome = mark.execute(&mut *c).await.map(|_| ());
                }
            }
            outcome
        });
        self.check(outcome)
    }

    /// Notes that nothing is indexed by the parameters of this code any more.
    pub async fn unmark_indexed(&mut self, code: &str) -> Result<(), Problem> {
        self.begin_change().await?;
        let outcome =
            on!(&mut self.connection, |c| sqlx::query(UNMARK_CODE).bind(code).execute(&mut *c).await.map(|_| ()));
        self.check(outcome)
    }

    /// Counts a change of stored definitions, so that every process notices; the new count.
    pub async fn definitions_changed(&mut self) -> Result<i64, Problem> {
        self.begin_change().await?;
        let count = on!(&mut self.connection, |c| sqlx::query_scalar(DEFINITIONS_CHANGED).fetch_one(&mut *c).await);
        self.check(count)
    }

    /// How often stored definitions were changed.
    pub async fn definitions_count(&mut self) -> Result<i64, Problem> {
        let count = on!(&mut self.connection, |c| sqlx::query_scalar(DEFINITIONS).fetch_one(&mut *c).await);
        self.check(count)
    }

    /// The current resources of a type, `most` at most, in the order of their ids.
    pub async fn current(&mut self, resource_type: &str, most: i64) -> Result<Vec<Stored>, Problem> {
        self.flush().await?;
        let rows: Result<Vec<StoredRow>, _> = on!(&mut self.connection, |c| {
            sqlx::query_as(CURRENT).bind(resource_type).bind(most).fetch_all(&mut *c).await
        });
        Ok(self.check(rows)?.into_iter().map(Stored::from).collect())
    }
}

impl Store {
    /// True where other processes may write to the same database at any time (PostgreSQL).
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.0.database.is_postgres()
    }

    /// Resources of a type behind the id `after`, in the order of ids, that were not indexed by the set `generation`.
    pub async fn indexed_otherwise(
        &self,
        resource_type: &str,
        after: &str,
        generation: i64,
        most: i64,
    ) -> Result<Vec<Stored>, Problem> {
        let rows: Vec<StoredRow> = retrying!(on!(&self.0.database, |pool| {
            let query = sqlx::query_as(OTHERS).bind(resource_type).bind(after).bind(generation).bind(most);
            query.fetch_all(pool).await
        }))?;
        Ok(rows.into_iter().map(Stored::from).collect())
    }

    /// How many resources of a type were not indexed by the set `generation`.
    pub async fn count_indexed_otherwise(&self, resource_type: &str, generation: i64) -> Result<i64, Problem> {
        retrying!(on!(&self.0.database, |pool| {
            sqlx::query_scalar(COUNT_OTHERS).bind(resource_type).bind(generation).fetch_one(pool).await
        }))
    }

    /// What is indexed for all resources: type, parameter code (empty for the whole set of the type), generation.
    pub async fn indexed(&self) -> Result<Vec<(String, String, i64)>, Problem> {
        retrying!(on!(&self.0.database, |pool| sqlx::query_as(MARKS).fetch_all(pool).await))
    }

    /// How often stored definitions were changed.
    pub async fn definitions_count(&self) -> Result<i64, Problem> {
        retrying!(on!(&self.0.database, |pool| sqlx::query_scalar(DEFINITIONS).fetch_one(pool).await))
    }

    /// The current resources of a type, `most` at most, in the order of their ids.
    pub async fn current(&self, resource_type: &str, most: i64) -> Result<Vec<Stored>, Problem> {
        let rows: Vec<StoredRow> = retrying!(on!(&self.0.database, |pool| {
            sqlx::query_as(CURRENT).bind(resource_type).bind(most).fetch_all(pool).await
        }))?;
        Ok(rows.into_iter().map(Stored::from).collect())
    }
}
