//! One transaction as a job sees it. What it writes is gathered and written when a read needs it, or at the end of the batch.
//! Interactions get a `Tx` inside `Store::write`; only the writer makes one.

use std::sync::Arc;

use super::database::{Connection, on};
use super::index::{self, NewParameters};
use super::keys::Keys;
use super::pending::{KeyedRows, NewResource, Pending, ResourceRow};
use super::resources::{self, Stored, StoredRow};
use super::search::{self, Found};
use super::touched::Touched;
use super::{Shared, dialect, error, flush, touches};
use crate::clock::Micros;
use crate::problem::Problem;
use crate::search::sql::Statement;

pub(super) const UPDATE: &str = "update resource set version = $1, last_updated = $2, deleted = $3, indexed = indexed | $4, \
     generation = $5 where type = $6 and id = $7 and version = $8 returning key, indexed";

/// A database error inside the transaction: what the writer may do about it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fault {
    /// Running it again may succeed.
    pub(super) retryable: bool,
    /// The connection is of no use.
    pub(super) lost: bool,
}

impl Fault {
    /// True where another attempt makes sense.
    pub(super) const fn may_pass(self) -> bool {
        self.retryable || self.lost
    }
}

/// A running transaction.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something of its own about the running job or transaction"
)]
pub struct Tx {
    pub(super) connection: Connection,
    pub(super) shared: Arc<Shared>,
    pub(super) keys: Keys,
    pub(super) added: NewParameters,
    /// What finished jobs of this batch gathered.
    pub(super) batch: Pending,
    /// What the running job gathered.
    pub(super) job: Pending,
    /// `batch` was written inside the running job's savepoint.
    pub(super) batch_written: bool,
    /// Resources of which this transaction writes another version.
    pub(super) replaced: Vec<(String, String)>,
    /// What pages of searches in memory must know of it.
    pub(super) touched: Touched,
    /// A job was run, so there may be more in this transaction than audit rows.
    pub(super) changed: bool,
    /// A job has kept books, so this transaction has written something though nothing that is read or found as a resource.
    pub(super) kept_books: bool,
    /// The running job has a savepoint, because it wrote.
    pub(super) savepoint: bool,
    /// The running job holds locks on rows, which others may wait for.
    pub(super) exclusive: bool,
    /// An earlier job of this transaction has ended.
    pub(super) joined: bool,
    /// The running job has failed before: it holds what it changes before it looks at it.
    pub(super) careful: bool,
    /// The transaction leaves a job.
    pub(super) leaves_job: bool,
    /// A statement failed; the transaction cannot be committed.
    pub(super) fault: Option<Fault>,
}

impl Tx {
    /// The current version of a resource, also where it is a deletion.
    pub async fn read(&mut self, resource_type: &str, id: &str) -> Result<Option<Stored>, Problem> {
        if let Some(stored) = self.gathered(resource_type, id) {
            return Ok(Some(stored.clone()));
        }
        let row: Result<Option<StoredRow>, _> = on!(&mut self.connection, |c| {
            sqlx::query_as(resources::READ).bind(resource_type).bind(id).fetch_optional(&mut *c).await
        });
        Ok(self.check(row)?.map(Stored::from))
    }

    /// One version of a resource.
    pub async fn read_version(
        &mut self,
        resource_type: &str,
        id: &str,
        version: i64,
    ) -> Result<Option<Stored>, Problem> {
        self.flush().await?;
        let row: Result<Option<StoredRow>, _> = on!(&mut self.connection, |c| {
            let query = sqlx::query_as(resources::READ_VERSION).bind(resource_type).bind(id).bind(version);
            query.fetch_optional(&mut *c).await
        });
        Ok(self.check(row)?.map(Stored::from))
    }

    /// Stores the first version of a resource. Where the id is taken, this or the commit fails with `Kind::Conflict`.
    pub async fn create(&mut self, new: NewResource) -> Result<Stored, Problem> {
        if self.gathered(&new.resource_type, &new.id).is_some() {
            return Err(error::conflict());
        }
        let key = self.next_key().await?;
        let indexed = index::mask(&new.rows, new.parties.len());
        self.job.resources.push(ResourceRow {
            key,
            resource_type: new.resource_type.clone(),
            id: new.id.clone(),
            version: new.version,
            last_updated: new.last_updated,
            indexed,
            generation: new.rows.generation,
        });
        self.touched.add(&new.resource_type, &new.rows, None);
        self.gather(key, indexed, false, new).await
    }

    /// Stores a further version of a resource, which must be at `expected` now (else `Kind::Conflict`). Also brings a
    /// deleted resource back.
    pub async fn update(&mut self, new: NewResource, expected: i64) -> Result<Stored, Problem> {
        self.replace(new, expected, false).await
    }

    /// Stores a deletion as version `version` of a resource, which must be at `expected` now (else `Kind::Conflict`).
    pub async fn delete(
        &mut self,
        resource_type: &str,
        id: &str,
        version: i64,
        last_updated: Micros,
        expected: i64,
    ) -> Result<Stored, Problem> {
        let deletion = NewResource {
            resource_type: resource_type.to_owned(),
            id: id.to_owned(),
            version,
            last_updated,
            method: "DELETE",
            patient: String::new(),
            author: String::new(),
            body: bytes::Bytes::new(),
            rows: crate::search::index::IndexRows::default(),
            parties: Vec::new(),
        };
        self.replace(deletion, expected, true).await
    }

    /// As [`Tx::search`] for the statement of `criteria` on a resource type, all of which must hold. What is gathered is
    /// not written first where nothing of it can match: so that a look-up does not break up a batch.
    pub async fn search_by(
        &mut self,
        statement: &Statement,
        resource_type: &str,
        criteria: &[(String, String)],
    ) -> Result<Vec<Found>, Problem> {
        let batch_may = !self.batch_written && touches::may_match(&self.batch, resource_type, criteria);
        if batch_may || touches::may_match(&self.job, resource_type, criteria) {
            self.flush().await?;
        }
        self.run(statement).await
    }

    /// Runs a search; it sees what this transaction wrote.
    pub async fn search(&mut self, statement: &Statement) -> Result<Vec<Found>, Problem> {
        self.flush().await?;
        self.run(statement).await
    }

    async fn run(&mut self, statement: &Statement) -> Result<Vec<Found>, Problem> {
        search::affordable(statement)?;
        self.learn(statement).await?;
        let number = |resource_type: &str, code: &str| self.added.find(&self.shared.parameters, resource_type, code);
        let found = search::in_transaction(&mut self.connection, number, statement).await;
        self.check(found)
    }

    async fn learn(&mut self, statement: &Statement) -> Result<(), Problem> {
        let parameters = &self.shared.parameters;
        let known = |resource_type: &str, code: &str| self.added.find(parameters, resource_type, code);
        let learned = search::learn_in_transaction(&mut self.connection, parameters, known, statement).await;
        self.check(learned)
    }

    /// Runs a count statement; it sees what this transaction wrote.
    pub async fn count(&mut self, statement: &Statement) -> Result<i64, Problem> {
        search::affordable(statement)?;
        self.flush().await?;
        self.learn(statement).await?;
        let number = |resource_type: &str, code: &str| self.added.find(&self.shared.parameters, resource_type, code);
        let count = search::count_in_transaction(&mut self.connection, number, statement).await;
        self.check(count)
    }

    /// Keeps other transactions with the same `criteria` waiting until this one ends: between a conditional interaction's
    /// search and its write nothing may slip in. Only the first job of a transaction waits for a lock, while it holds none;
    /// a later one that does not get it at once is run again by itself. So no two transactions wait for each other.
    pub async fn lock(&mut self, criteria: &str) -> Result<(), Problem> {
        let number = lock_number(criteria);
        let Connection::Postgres(c) = &mut self.connection else { return Ok(()) };
        if !self.joined {
            let done = sqlx::query(dialect::ADVISORY_LOCK).bind(number).execute(&mut *c).await;
            return self.check(done.map(|_| ()));
        }
        let taken = sqlx::query_scalar(dialect::TRY_ADVISORY_LOCK).bind(number).fetch_one(&mut *c).await;
        if self.check(taken)? {
            return Ok(());
        }
        self.fault = Some(Fault { retryable: true, lost: false });
        Err(error::busy().because("another transaction holds the lock"))
    }

    /// Keeps others from changing these resources (type and id each) until the transaction ends. Ask before they are read. A
    /// transaction that changes one of them finds out when it writes that somebody else was faster, and is run again, and only
    /// then holds it first; one that changes several holds them at once, since locks taken one by one in different orders are
    /// how deadlocks come about.
    pub async fn hold(&mut self, resources: &[[&str; 2]]) -> Result<(), Problem> {
        let Connection::Postgres(c) = &mut self.connection else { return Ok(()) };
        if resources.len() < 2 && !(self.careful && resources.len() == 1) {
            return Ok(());
        }
        self.exclusive = true;
        let (types, ids): (Vec<&str>, Vec<&str>) = resources.iter().map(|[kind, id]| (*kind, *id)).unzip();
        let held = sqlx::query(dialect::HOLD_ROWS).bind(types).bind(ids).execute(&mut *c).await;
        self.check(held.map(|_| ()))
    }

    async fn replace(&mut self, new: NewResource, expected: i64, deleted: bool) -> Result<Stored, Problem> {
        if self.gathered(&new.resource_type, &new.id).is_some() {
            self.flush().await?;
        }
        self.begin_savepoint().await?;
        self.exclusive = true;
        self.replaced.push((new.resource_type.clone(), new.id.clone()));
        let indexed = index::mask(&new.rows, new.parties.len());
        let updated: Result<Option<(i64, i64)>, _> = on!(&mut self.connection, |c| {
            let query = sqlx::query_as(UPDATE).bind(new.version).bind(new.last_updated).bind(deleted).bind(indexed);
            let query = query.bind(new.rows.generation);
            let query = query.bind(new.resource_type.as_str()).bind(new.id.as_str()).bind(expected);
            query.fetch_optional(&mut *c).await
        });
        let Some((key, old)) = self.check(updated)? else { return Err(self.overtaken()) };
        self.job.cleared.push((key, old));
        self.touched.add(&new.resource_type, &new.rows, Some(key));
        self.gather(key, indexed, deleted, new).await
    }

    /// Somebody else has changed the resource since this transaction read it: run again, the job decides on what is there now.
    fn overtaken(&mut self) -> Problem {
        if self.connection.is_postgres() {
            self.fault = Some(Fault { retryable: true, lost: false });
        }
        error::conflict()
    }

    async fn gather(&mut self, key: i64, indexed: i64, deleted: bool, new: NewResource) -> Result<Stored, Problem> {
        let stored = Stored {
            key,
            sequence: self.next_key().await?,
            resource_type: new.resource_type.clone(),
            id: new.id,
            version: new.version,
            last_updated: new.last_updated,
            deleted,
            method: new.method.to_owned(),
            patient: new.patient,
            author: new.author,
            body: new.body,
        };
        if indexed != 0 {
            let (rows, parties) = (new.rows, new.parties);
            self.job.index.push(KeyedRows { key, resource_type: new.resource_type, rows, parties });
        }
        self.job.push_version(stored.clone());
        Ok(stored)
    }

    fn gathered(&self, resource_type: &str, id: &str) -> Option<&Stored> {
        let batch = || if self.batch_written { None } else { self.batch.current(resource_type, id) };
        self.job.current(resource_type, id).or_else(batch)
    }

    async fn next_key(&mut self) -> Result<i64, Problem> {
        let key = self.keys.next(&mut self.connection).await;
        self.check(key)
    }

    /// A job that fails alone must leave no row behind, and no row of another job may go with it.
    pub(super) async fn begin_savepoint(&mut self) -> Result<(), Problem> {
        if self.savepoint {
            return Ok(());
        }
        let begun = self.connection.execute("savepoint job").await;
        self.check(begun)?;
        self.savepoint = true;
        Ok(())
    }

    /// Writes what is gathered, so that a statement sees it. The rows of earlier jobs stay gathered as well: a roll-back of
    /// this job takes them from the database, not from the batch.
    pub(super) async fn flush(&mut self) -> Result<(), Problem> {
        if !self.batch_written && !self.batch.is_empty() {
            self.begin_savepoint().await?;
            let written = flush::write(&mut self.connection, &self.shared, &mut self.added, &self.batch).await;
            self.check(written)?;
            self.batch_written = true;
        }
        if !self.job.is_empty() {
            self.begin_savepoint().await?;
            let written = flush::write(&mut self.connection, &self.shared, &mut self.added, &self.job).await;
            self.check(written)?;
            self.job.clear_written();
        }
        Ok(())
    }

    /// Notes a database error, so that the writer knows the transaction is spoilt whatever the job makes of it.
    pub(super) fn check<T>(&mut self, outcome: Result<T, sqlx::Error>) -> Result<T, Problem> {
        outcome.map_err(|error| {
            let retryable = error::is_retryable(&error) || error::is_created_meanwhile(&error);
            let lost = error::is_connection_lost(&error);
            self.fault = Some(Fault { retryable, lost });
            error::problem(error)
        })
    }
}

/// The number that stands for lock criteria: their 64-bit FNV-1a hash, the same in every process. Two criteria of one number
/// wait for each other without need, which does no harm.
fn lock_number(criteria: &str) -> i64 {
    let hash = criteria
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash.cast_signed()
}
