//! The table of jobs: work that was committed with a change and is done afterwards. `jobs::runner` claims what is due, job
//! kinds move their own job on inside the transaction of their work, operations ask how far one is.
//!
//! A claim is a lease. It carries the number of the attempt, and every later statement asks for that number: whoever lost
//! its lease, or works on what was cancelled, changes nothing.

use super::database::on;
use super::pending::NewJob;
use super::resources::retrying;
use super::tx::Tx;
use super::{Store, dialect};
use crate::clock::Micros;
use crate::problem::{Kind, Problem};

macro_rules! claim {
    ($lock:expr) => {
        concat!(
            "update job set attempts = attempts + 1, locked_until = $1 where id = (select id from job where kind = $2 \
             and finished = 0 and due <= $3 and locked_until <= $3 order by due, id limit 1",
            $lock,
            ") returning id, kind, payload, attempts, failures, address, created"
        )
    };
}

pub(super) const CLAIM: &str = claim!("");
pub(super) const CLAIM_SKIPPING: &str = claim!(dialect::skip_locked!());
pub(super) const NEXT_DUE: &str =
    "select coalesce(min(due), -1) from job where finished = 0 and locked_until <= $1 and kind = $2";
pub(super) const ANY_WAITING: &str = "select count(*) from job where kind = $1 and finished = 0 and address = ''";
pub(super) const RENEW: &str = "update job set locked_until = $1 where id = $2 and attempts = $3 and finished = 0";
pub(super) const HOLD: &str = "update job set payload = $1, locked_until = $2, failures = 0, last_error = '' \
     where id = $3 and attempts = $4 and finished = 0";
pub(super) const POSTPONE: &str = "update job set payload = $1, due = $2, locked_until = 0, failures = 0, last_error = '' \
     where id = $3 and attempts = $4 and finished = 0";
pub(super) const FAIL: &str = "update job set failures = failures + 1, last_error = $1, due = $2, locked_until = 0 \
     where id = $3 and attempts = $4 and finished = 0";
pub(super) const FINISH: &str = "update job set payload = $1, finished = $2, outcome = $3, last_error = $4, locked_until = 0 \
     where id = $5 and attempts = $6 and finished = 0";
pub(super) const REMOVE: &str = "delete from job where id = $1 and attempts = $2 and finished = 0";
pub(super) const FIND: &str =
    "select kind, payload, created, finished, outcome, last_error from job where address = $1";
pub(super) const CANCEL: &str =
    "update job set finished = $1, outcome = 'cancelled', locked_until = 0 where address = $2 and finished = 0";
pub(super) const PURGE: &str = "delete from job where finished > 0 and finished < $1";

/// A job that this process may work on until its lease ends.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Claim {
    /// The job.
    pub id: i64,
    /// Which kind of job.
    pub kind: String,
    /// What it needs and how far it is, as JSON text.
    pub payload: String,
    /// The number of the claim; no two claims of one job have the same.
    pub attempts: i64,
    /// Failures since it last got on.
    pub failures: i64,
    /// Under which its progress is asked for; empty where nobody asks.
    pub address: String,
    /// When it was left.
    pub created: Micros,
}

/// How far a job is that somebody waits for.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct JobState {
    /// Which kind of job.
    pub kind: String,
    /// What it needs and how far it is, as JSON text.
    pub payload: String,
    /// When it was left.
    pub created: Micros,
    /// When it ended; 0 while it has not.
    pub finished: Micros,
    /// How it ended: `done`, `failed` or `cancelled`; empty while it has not.
    pub outcome: String,
    /// What went wrong last, in words that may be shown.
    pub last_error: String,
}

/// Somebody else has taken the job over, or it was cancelled.
fn lost() -> Problem {
    Problem::new(Kind::Conflict, "The job is no longer this process's: its lease has ended or it was cancelled.")
}

impl Tx {
    /// Leaves a job for later; it is there if and only if this transaction commits.
    pub fn enqueue(&mut self, job: NewJob) {
        self.leaves_job = true;
        self.job.jobs.push(job);
    }

    /// As [`Tx::enqueue`], unless a job of that kind that nobody asks for by address waits or runs already.
    pub async fn enqueue_once(&mut self, job: NewJob) -> Result<(), Problem> {
        self.lock_jobs(&job.kind).await?;
        let same = |other: &NewJob| other.kind == job.kind && other.address.is_empty();
        if self.job.jobs.iter().any(same) || (!self.batch_written && self.batch.jobs.iter().any(same)) {
            return Ok(());
        }
        let waiting: Result<i64, _> = on!(&mut self.connection, |c| {
            sqlx::query_scalar(ANY_WAITING).bind(job.kind.as_str()).fetch_one(&mut *c).await
        });
        if self.check(waiting)? == 0 {
            self.enqueue(job);
        }
        Ok(())
    }

    /// Keeps others from leaving a job of a kind by [`Tx::enqueue_once`] until this transaction ends.
    pub async fn lock_jobs(&mut self, kind: &str) -> Result<(), Problem> {
        self.lock(&format!("job {kind}")).await
    }

    /// Claims at most `most` due jobs of a kind until `until`.
    pub async fn claim_jobs(&mut self, kind: &str, most: usize, until: Micros) -> Result<Vec<Claim>, Problem> {
        self.begin_change().await?;
        let mut claims = Vec::new();
        while claims.len() < most {
            let now = self.shared.clock.now();
            let sql = if self.connection.is_postgres() { CLAIM_SKIPPING } else { CLAIM };
            let claimed: Result<Option<Claim>, _> = on!(&mut self.connection, |c| {
                sqlx::query_as(sql).bind(until).bind(kind).bind(now).fetch_optional(&mut *c).await
            });
            match self.check(claimed)? {
                Some(claim) => claims.push(claim),
                None => break,
            }
        }
        Ok(claims)
    }

    /// Notes how far a job is and prolongs its lease, in the transaction of the work. `Kind::Conflict` where the claim is lost.
    pub async fn hold_job(&mut self, claim: &Claim, payload: &str, until: Micros) -> Result<(), Problem> {
        self.begin_change().await?;
        let done = on!(&mut self.connection, |c| {
            let query = sqlx::query(HOLD).bind(payload).bind(until).bind(claim.id).bind(claim.attempts);
            query.execute(&mut *c).await.map(|done| done.rows_affected())
        });
        self.one_job(done)
    }

    /// Puts a job back until `due`. `Kind::Conflict` where the claim is lost.
    pub async fn postpone_job(&mut self, claim: &Claim, payload: &str, due: Micros) -> Result<(), Problem> {
        self.begin_change().await?;
        let done = on!(&mut self.connection, |c| {
            let query = sqlx::query(POSTPONE).bind(payload).bind(due).bind(claim.id).bind(claim.attempts);
            query.execute(&mut *c).await.map(|done| done.rows_affected())
        });
        self.one_job(done)
    }

    /// Puts a job back until `due` after a failure. `Kind::Conflict` where the claim is lost.
    pub async fn fail_job(&mut self, claim: &Claim, reason: &str, due: Micros) -> Result<(), Problem> {
        self.begin_change().await?;
        let done = on!(&mut self.connection, |c| {
            let query = sqlx::query(FAIL).bind(reason).bind(due).bind(claim.id).bind(claim.attempts);
            query.execute(&mut *c).await.map(|done| done.rows_affected())
        });
        self.one_job(done)
    }

    /// Ends a job: its row stays for a while where it has an address, and goes at once otherwise. `Kind::Conflict` where the
    /// claim is lost.
    pub async fn finish_job(
        &mut self,
        claim: &Claim,
        payload: &str,
        outcome: &str,
        reason: &str,
    ) -> Result<(), Problem> {
        self.begin_change().await?;
        let now = self.shared.clock.now();
        let done = on!(&mut self.connection, |c| {
            let query = if claim.address.is_empty() {
                sqlx::query(REMOVE)
            } else {
                sqlx::query(FINISH).bind(payload).bind(now).bind(outcome).bind(reason)
            };
            query.bind(claim.id).bind(claim.attempts).execute(&mut *c).await.map(|done| done.rows_affected())
        });
        self.one_job(done)
    }

    /// Prolongs the lease of a job. `Kind::Conflict` where the claim is lost.
    pub async fn renew_job(&mut self, claim: &Claim, until: Micros) -> Result<(), Problem> {
        self.begin_change().await?;
        let done = on!(&mut self.connection, |c| {
            let query = sqlx::query(RENEW).bind(until).bind(claim.id).bind(claim.attempts);
            query.execute(&mut *c).await.map(|done| done.rows_affected())
        });
        self.one_job(done)
    }

    /// Cancels a job by its address; false where it has ended or there is none.
    pub async fn cancel_job(&mut self, address: &str) -> Result<bool, Problem> {
        self.begin_change().await?;
        let now = self.shared.clock.now();
        let done = on!(&mut self.connection, |c| {
            sqlx::query(CANCEL).bind(now).bind(address).execute(&mut *c).await.map(|done| done.rows_affected())
        });
        Ok(self.check(done)? > 0)
    }

    /// Forgets jobs that ended before `before`; says how many.
    pub async fn purge_jobs(&mut self, before: Micros) -> Result<u64, Problem> {
        self.begin_change().await?;
        let done = on!(&mut self.connection, |c| {
            sqlx::query(PURGE).bind(before).execute(&mut *c).await.map(|done| done.rows_affected())
        });
        self.check(done)
    }

    /// Before a row of a job changes: a refusal must take it back, and others may wait for the row.
    pub(super) async fn begin_change(&mut self) -> Result<(), Problem> {
        self.begin_savepoint().await?;
        self.exclusive = true;
        Ok(())
    }

    fn one_job(&mut self, done: Result<u64, sqlx::Error>) -> Result<(), Problem> {
        if self.check(done)? == 1 { Ok(()) } else { Err(lost()) }
    }
}

impl Store {
    /// Waits until a transaction of this process has left a job.
    pub async fn job_left(&self) {
        self.0.shared.job_left.notified().await;
    }

    /// When the next job of a kind that nobody works on is due; none where none waits.
    pub async fn next_job(&self, kind: &str) -> Result<Option<Micros>, Problem> {
        let now = self.0.shared.clock.now();
        let due: i64 = retrying!(on!(&self.0.database, |pool| {
            sqlx::query_scalar(NEXT_DUE).bind(now).bind(kind).fetch_one(pool).await
        }))?;
        Ok((due >= 0).then_some(due))
    }

    /// How far the job with this address is; none where there is none, or no longer.
    pub async fn job(&self, address: &str) -> Result<Option<JobState>, Problem> {
        if address.is_empty() {
            return Ok(None);
        }
        retrying!(on!(&self.0.database, |pool| sqlx::query_as(FIND).bind(address).fetch_optional(pool).await))
    }

    /// Claims at most `most` due jobs of a kind until `until`.
    pub async fn claim_jobs(&self, kind: &'static str, most: usize, until: Micros) -> Result<Vec<Claim>, Problem> {
        self.write(move |tx| Box::pin(async move { Ok((tx.claim_jobs(kind, most, until).await?, Vec::new())) })).await
    }
}
