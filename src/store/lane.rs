//! A writer lane: one connection that takes what waits in the queue, runs it in one transaction, commits once and answers
//! everyone. SQLite has one lane, since it has one writer and a durable commit costs a sync of the disk; PostgreSQL has
//! several, and what queues up while all of them commit shares the next transaction.
//!
//! A job that refuses takes back only its own writes (a savepoint, where it wrote at all). Where a statement or the commit
//! fails, everything is rolled back and each job is run again in a transaction of its own, so that only the guilty one fails.

use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use super::audit::chain::{self, Chain, Head};
use super::audit::checkpoint::{self, Checkpoint};
use super::audit::subjects;
use super::batch::{Next, next_batch};
use super::database::Connection;
use super::tx::{Fault, Tx};
use super::writer::{Waiting, Work};
use super::{dialect, error, flush, references};
use crate::clock::Micros;
use crate::problem::Problem;

/// How often a transaction that lost a race is run.
const ATTEMPTS: u32 = 6;

/// One writer.
#[derive(Debug)]
pub(super) struct Lane {
    tx: Tx,
    number: usize,
    chain: Chain,
    /// The connection broke; open another one before the next batch.
    lost: bool,
    /// Audit rows could not be appended to the chain.
    spoilt: bool,
    /// Size of the batch before, for gathering.
    size: usize,
}

/// Why a transaction did not commit.
struct Failure {
    problem: Problem,
    fault: Fault,
    /// It may have been committed all the same: running it again could do it twice.
    unknown: bool,
    /// Jobs, by their number, that must not be committed; without them the rest may.
    refused: Vec<(usize, Problem)>,
}

impl Lane {
    /// A lane on an open connection.
    pub(super) fn new(shared: Arc<Shared>, connection: Connection, number: usize) -> Self {
        let chain = Chain::new(chain_id(&shared, number), shared.clock.now());
        Self { tx: Tx::new(shared, connection), number, chain, lost: false, spoilt: false, size: 1 }
    }

    /// Works until the queue is closed and empty, then signs the end of the chain.
    pub(super) async fn run(mut self, waiting: Waiting) {
        let interval = self.tx.shared.checkpoint_interval;
        let alone = !self.tx.connection.is_postgres();
        let most = if alone { 256 } else { 32 };
        loop {
            let before = if alone { self.size } else { 0 };
            match next_batch(&waiting, most, before, interval).await {
                Next::Batch(batch) => {
                    self.size = batch.len();
                    self.process(batch).await;
                }
                Next::Idle => self.sign_now().await,
                Next::Closed => break,
            }
        }
        self.sign_now().await;
        self.end_chain().await;
        self.tx.connection.close().await;
    }

    async fn process(&mut self, mut batch: Vec<Work>) {
        while !batch.is_empty() {
            self.tx.careful = false;
            match self.transaction(&mut batch).await {
                Ok(done) => batch.drain(..done).for_each(|work| work.answer(None)),
                Err(failure) if failure.unknown => return answer_all(batch, &failure.problem),
                Err(failure) if !failure.refused.is_empty() => refuse(&mut batch, failure.refused),
                Err(failure) if batch.len() == 1 && !failure.fault.may_pass() => {
                    return answer_all(batch, &failure.problem);
                }
                Err(_) => {
                    for work in batch.drain(..) {
                        self.alone(work).await;
                    }
                }
            }
        }
    }

    /// Runs one piece of work in a transaction of its own, again where it lost a race.
    async fn alone(&mut self, work: Work) {
        let mut batch = vec![work];
        for attempt in 1..=ATTEMPTS {
            self.tx.careful = true;
            match self.transaction(&mut batch).await {
                Ok(_) => return batch.into_iter().for_each(|work| work.answer(None)),
                Err(failure) if !failure.refused.is_empty() => return refuse(&mut batch, failure.refused),
                Err(failure) if !failure.unknown && attempt < ATTEMPTS && failure.fault.may_pass() => {
                    // Different lanes wait differently long, so that they do not meet again.
                    let wait = u64::from(attempt) * 3 + (self.number as u64 * 7) % 11;
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                }
                Err(failure) => return answer_all(batch, &failure.problem),
            }
        }
    }

    /// Runs the work from the front of `batch` in one transaction and says how much of it is committed.
    async fn transaction(&mut self, batch: &mut [Work]) -> Result<usize, Failure> {
        self.connect().await?;
        let begun = self.tx.shared.clock.now();
        let patience = self.tx.shared.patience;
        let outcome = if self.tx.connection.is_postgres() {
            let filled = tokio::time::timeout(patience, self.fill_and_commit(batch)).await;
            filled.unwrap_or_else(|_| Err(silent()))
        } else {
            self.fill_and_commit(batch).await
        };
        if let Ok(done) = &outcome {
            self.tx.shared.metrics.commit(*done, self.tx.shared.clock.now() - begun);
        }
        if let Err(failure) = &outcome {
            self.roll_back(failure).await;
        }
        outcome
    }

    async fn fill_and_commit(&mut self, batch: &mut [Work]) -> Result<usize, Failure> {
        let prepared = self.tx.keys.prepare(&mut self.tx.connection).await;
        if self.check(prepared)? {
            // That was a commit of its own.
            self.tx.announce_committed();
        }
        let begun = self.tx.connection.execute(dialect::begin(&self.tx.connection)).await;
        self.check(begun)?;
        let mut done = 0;
        for work in batch {
            done += 1;
            match work {
                Work::Audit(records, _) => self.tx.batch.audit.extend_from_slice(records),
                Work::Job(job) => {
                    self.tx.changed |= job.changes();
                    self.tx.job.demands.number = done - 1;
                    let records = job.run(&mut self.tx).await;
                    self.tx.end_job(records).await.map_err(|problem| self.failure(problem))?;
                    if self.tx.exclusive && self.tx.connection.is_postgres() {
                        // Locks of two jobs held together, in whatever order, are how deadlocks come about.
                        break;
                    }
                }
            }
        }
        let written = flush::write(&mut self.tx.connection, &self.tx.shared, &mut self.tx.added, &self.tx.batch).await;
        self.check(written)?;
        let refused = references::refusals(&mut self.tx.connection, &self.tx.batch.demands).await;
        let refused = self.check(refused)?;
        if !refused.is_empty() {
            let failure = self.failure(Problem::internal("what some jobs demand does not hold"));
            return Err(Failure { refused, ..failure });
        }
        self.commit().await?;
        Ok(done)
    }

    /// Appends the audit rows and commits; there is no other commit.
    async fn commit(&mut self) -> Result<(), Failure> {
        let (rows, head) = self.chain.rows(std::mem::take(&mut self.tx.batch.audit));
        let inserted = chain::insert(&mut self.tx.connection, &rows).await;
        self.spoilt = inserted.is_err();
        self.check(inserted)?;
        if rows.first().is_some_and(|row| row.sequence == 1) {
            let registered = subjects::register(&mut self.tx.connection, &head.chain).await;
            self.check(registered)?;
        }
        let signed = self.sign(&head).await?;
        self.tx.announce();
        if let Err(error) = self.tx.connection.execute("commit").await {
            let unknown = error::is_connection_lost(&error);
            let failure = self.check(Err::<(), _>(error));
            return failure.map_err(|failure| Failure { unknown, ..failure });
        }
        self.tx.committed(!rows.is_empty());
        self.chain.advance(head);
        if let Some(checkpoint) = signed {
            self.chain.mark_signed(checkpoint.sequence, checkpoint.recorded);
            self.tx.shared.signatory.publish(&checkpoint);
        }
        Ok(())
    }

    async fn sign(&mut self, head: &Head) -> Result<Option<Checkpoint>, Failure> {
        let shared = Arc::clone(&self.tx.shared);
        let now = shared.clock.now();
        let interval = Micros::try_from(shared.checkpoint_interval.as_micros()).unwrap_or(Micros::MAX);
        if !self.chain.is_due(head, now, shared.checkpoint_rows, interval) {
            return Ok(None);
        }
        let checkpoint = shared.signatory.sign(head, now).map_err(|problem| self.failure(problem))?;
        let inserted = checkpoint::insert(&mut self.tx.connection, &checkpoint).await;
        self.check(inserted)?;
        Ok(Some(checkpoint))
    }

    /// Signs the end of the chain in a transaction of its own, where something is unsigned.
    async fn sign_now(&mut self) {
        if !self.chain.has_unsigned() {
            return;
        }
        let rows = std::mem::replace(&mut self.chain.force, true);
        if let Err(failure) = self.transaction(&mut []).await {
            tracing::error!(problem = %failure.problem, "an audit checkpoint could not be stored");
        }
        self.chain.force = rows;
    }

    /// Notes that the chain is complete. Where that fails, its end is looked for as that of a running one.
    async fn end_chain(&mut self) {
        let head = self.chain.head();
        if head.sequence > 0
            && !self.lost
            && let Err(error) = subjects::end(&mut self.tx.connection, &head.chain, head.sequence).await
        {
            tracing::debug!(%error, "the end of an audit chain could not be noted");
        }
    }

    async fn connect(&mut self) -> Result<(), Failure> {
        if !self.lost {
            return Ok(());
        }
        if let Some(cache) = &self.tx.shared.cache {
            cache.retire();
        }
        let opened = Connection::open(&self.tx.shared.options).await;
        self.tx.connection = opened.map_err(|problem| {
            let fault = Fault { retryable: false, lost: true };
            Failure { problem, fault, unknown: false, refused: Vec::new() }
        })?;
        self.lost = false;
        Ok(())
    }

    async fn roll_back(&mut self, failure: &Failure) {
        if failure.fault.lost {
            // Asking a connection that is gone could take for ever.
            self.lost = true;
        } else {
            let rolled_back = self.tx.connection.execute("rollback").await;
            self.lost = rolled_back.is_err_and(|error| error::is_connection_lost(&error));
        }
        self.tx.rolled_back();
        if failure.unknown || std::mem::take(&mut self.spoilt) {
            // Whether the chain's last rows are there is not known, or somebody else wrote into it: leave it as it is.
            self.chain = Chain::new(chain_id(&self.tx.shared, self.number), self.tx.shared.clock.now());
        }
    }

    fn check<T>(&mut self, outcome: Result<T, sqlx::Error>) -> Result<T, Failure> {
        let checked = self.tx.check(outcome);
        checked.map_err(|problem| self.failure(problem))
    }

    fn failure(&self, problem: Problem) -> Failure {
        Failure { problem, fault: self.tx.fault.unwrap_or_default(), unknown: false, refused: Vec::new() }
    }
}

/// A database that does not answer, as after a fail-over that broke no connection: what became of the transaction is not known.
fn silent() -> Failure {
    let problem = error::problem(sqlx::Error::PoolTimedOut);
    Failure { problem, fault: Fault { retryable: false, lost: true }, unknown: true, refused: Vec::new() }
}

fn chain_id(shared: &Shared, number: usize) -> String {
    let id = format!("{}/{number}", shared.clock.new_id());
    if let Ok(mut chains) = shared.chains.lock() {
        chains.push(id.clone());
    }
    id
}

/// Answers the jobs that must not be committed, and leaves the others.
fn refuse(batch: &mut Vec<Work>, mut refused: Vec<(usize, Problem)>) {
    refused.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
    for (number, problem) in refused {
        batch.remove(number).answer(Some(problem));
    }
}

fn answer_all(batch: Vec<Work>, problem: &Problem) {
    for work in batch {
        work.answer(Some(error::repeat(problem)));
    }
}
