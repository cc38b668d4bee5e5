//! What a lane does with a transaction: opens it, ends jobs in it, and tells the cache and whoever waits what became of it.

use std::sync::Arc;

use super::Shared;
use super::audit::AuditRecord;
use super::database::Connection;
use super::index::NewParameters;
use super::keys::Keys;
use super::pending::Pending;
use super::touched::Touched;
use super::tx::Tx;
use crate::problem::Problem;

impl Tx {
    /// A transaction that has not begun.
    pub(super) fn new(shared: Arc<Shared>, connection: Connection) -> Self {
        Self {
            connection,
            shared,
            keys: Keys::default(),
            added: NewParameters::default(),
            batch: Pending::default(),
            job: Pending::default(),
            batch_written: false,
            replaced: Vec::new(),
            touched: Touched::default(),
            changed: false,
            kept_books: false,
            savepoint: false,
            exclusive: false,
            joined: false,
            careful: false,
            leaves_job: false,
            fault: None,
        }
    }

    /// Ends the running job: keeps what it gathered, with its audit rows, or takes back what it wrote where it refused.
    pub(super) async fn end_job(&mut self, records: Option<Vec<AuditRecord>>) -> Result<(), Problem> {
        if self.fault.is_some() {
            return Err(Problem::internal("a statement of the transaction failed"));
        }
        self.joined = true;
        if self.savepoint {
            self.savepoint = false;
            if records.is_none() {
                let undone = self.connection.execute("rollback to savepoint job").await;
                self.check(undone)?;
                self.keys.rolled_back();
                self.added.forget();
            }
            let released = self.connection.execute("release savepoint job").await;
            self.check(released)?;
        }
        if let Some(records) = records {
            if std::mem::take(&mut self.batch_written) {
                self.batch.clear_written();
            }
            let mut job = std::mem::take(&mut self.job);
            job.audit = records;
            self.batch.absorb(job);
        } else {
            self.batch_written = false;
            self.job = Pending::default();
        }
        Ok(())
    }

    /// The transaction is about to commit.
    pub(super) fn announce(&self) {
        if let Some(cache) = &self.shared.cache
            && self.changed
        {
            cache.close();
        }
    }

    /// A statement outside the transaction was committed.
    pub(super) fn announce_committed(&self) {
        if let Some(cache) = &self.shared.cache {
            cache.committed(&[], true, None);
        }
    }

    /// The transaction was committed; `wrote` where it is certain to have written something.
    pub(super) fn committed(&mut self, wrote: bool) {
        let wrote = wrote || self.kept_books;
        self.keys.committed();
        self.added.publish(&self.shared.parameters);
        if let Some(cache) = &self.shared.cache {
            cache.committed(&self.replaced, wrote, self.changed.then_some(&self.touched));
        }
        if self.leaves_job {
            self.shared.job_left.notify_one();
        }
        self.reset();
    }

    /// The transaction was rolled back.
    pub(super) fn rolled_back(&mut self) {
        self.keys.rolled_back();
        self.added.forget();
        if let Some(cache) = &self.shared.cache {
            cache.uncertain();
        }
        self.reset();
    }

    fn reset(&mut self) {
        self.batch = Pending::default();
        self.job = Pending::default();
        self.batch_written = false;
        self.replaced.clear();
        self.touched.clear();
        self.changed = false;
        self.kept_books = false;
        self.savepoint = false;
        self.exclusive = false;
        self.joined = false;
        self.leaves_job = false;
        self.fault = None;
    }
}
