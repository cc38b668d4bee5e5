//! Makes index rows and parties anew where [`super::check`] found others than there should be.

use std::sync::Arc;

use super::index::AUTHORS;
use crate::problem::Problem;
use crate::store::database::on;
use crate::store::pending::Party;
use crate::store::resources::Stored;
use crate::store::tx::Tx;
use crate::store::{AuditRecord, Rows, Store, index};

pub(in crate::store) const CLEAR_MASK: &str = "update resource set indexed = indexed & $1 where key = $2";
pub(in crate::store) const IS_LIVING: &str = "select count(*) from resource where key = $1 and not deleted";
pub(in crate::store) const FORGET_AUTHORS: &str = "delete from party where resource_key = $1 and role = 'author'";
pub(in crate::store) const FORGET_LOST_AUTHORS: &str = "delete from party where resource_key = $1 and role = 'author' \
     and not exists (select 1 from resource r where r.key = party.resource_key)";

impl Store {
    /// Makes the rows of resources anew, whatever rows they had, and removes those of `orphans`. A resource that was changed
    /// meanwhile is left alone: whoever changed it has indexed it. Says how many were indexed.
    pub async fn rebuild_index(
        &self,
        resources: Vec<(Stored, Rows)>,
        orphans: Vec<i64>,
        record: AuditRecord,
    ) -> Result<usize, Problem> {
        let work = Arc::new((resources, orphans, record));
        self.write(move |tx| {
            let work = Arc::clone(&work);
            Box::pin(async move {
                tx.clear_orphans(&work.1).await?;
                let rebuilt = tx.rebuild(&work.0).await?;
                Ok((rebuilt, vec![work.2.clone()]))
            })
        })
        .await
    }
}

impl Tx {
    /// As [`Tx::reindex`], whatever tables the resources are said to have rows in; who created them is read from their versions.
    async fn rebuild(&mut self, all: &[(Stored, Rows)]) -> Result<usize, Problem> {
        self.begin_change().await?;
        let mut whole = all.to_vec();
        for (stored, rows) in &mut whole {
            let authors: Result<Vec<(i64, String)>, _> = on!(&mut self.connection, |c| {
                sqlx::query_as(AUTHORS).bind(stored.key).bind(stored.key).fetch_all(&mut *c).await
            });
            rows.parties.extend(self.check(authors)?.iter().map(|(_, author)| Party::author(author)));
            let forgotten = on!(&mut self.connection, |c| {
                sqlx::query(FORGET_AUTHORS).bind(stored.key).execute(&mut *c).await.map(|_| ())
            });
            self.check(forgotten)?;
        }
        self.replace_rows(&whole, index::EVERY).await
    }

    /// Removes all rows of what is not there, or not any more; who created what was deleted stays.
    async fn clear_orphans(&mut self, keys: &[i64]) -> Result<(), Problem> {
        self.begin_change().await?;
        for key in keys {
            let living: Result<i64, _> =
                on!(&mut self.connection, |c| sqlx::query_scalar(IS_LIVING).bind(*key).fetch_one(&mut *c).await);
            // It has come back meanwhile.
            if self.check(living)? > 0 {
                continue;
            }
            let cleared = index::clear(&mut self.connection, &[(*key, index::EVERY)]).await;
            self.check(cleared)?;
            let kept = on!(&mut self.connection, |c| {
                let lost = sqlx::query(FORGET_LOST_AUTHORS).bind(*key).execute(&mut *c).await;
                match lost {
                    Ok(_) => sqlx::query(CLEAR_MASK).bind(!index::EVERY).bind(*key).execute(&mut *c).await.map(|_| ()),
                    Err(error) => Err(error),
                }
            });
            self.check(kept)?;
        }
        Ok(())
    }
}
