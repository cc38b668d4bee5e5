//! Does the jobs: claims what is due, runs each step by step, tries again later what failed. `kith serve` starts one in every
//! process; `kith reindex` and tests drive it by [`run_due`].
//!
//! A job that this process leaves is taken up at once; what others leave, and what falls due, is looked for every
//! `jobs.poll` milliseconds.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::{Job, Step, backoff};
use crate::clock::Micros;
use crate::interactions::live;
use crate::interactions::server::Server;
use crate::problem::{Kind, Problem};
use crate::store::{Claim, JobFuture, Tx};

/// For how long the end of a job is told to who asks.
const KEPT: Micros = 86_400_000_000;

/// How often ended jobs are forgotten.
const CLEANING: Micros = 3_600_000_000;

/// A running runner.
#[derive(Debug)]
pub struct Runner {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Runner {
    /// Starts on the current tokio runtime, for these kinds of jobs.
    #[must_use]
    pub fn start(server: Arc<Server>, jobs: &'static [&'static dyn Job]) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(Loop::new(server, jobs, stopped).run());
        Self { stop, task }
    }

    /// Takes nothing more up, finishes the steps that run, puts their jobs back and returns.
    pub async fn stop(self) {
        // The receiver is gone only where the loop has ended already.
        let _ = self.stop.send(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the job runner ended badly");
        }
    }
}

/// Does all jobs that are due now and what they leave, until nothing is due; says how many were claimed.
pub async fn run_due(server: &Arc<Server>, jobs: &[&dyn Job]) -> Result<usize, Problem> {
    let (_stop, stopped) = watch::channel(false);
    let mut count = 0;
    loop {
        let before = count;
        for job in jobs {
            for claim in claim(server, *job, 1).await? {
                count += 1;
                carry_out(server, *job, claim, &stopped).await;
            }
        }
        if count == before {
            return Ok(count);
        }
    }
}

/// The state of the loop.
struct Loop {
    server: Arc<Server>,
    jobs: &'static [&'static dyn Job],
    stopped: watch::Receiver<bool>,
    /// Places for each kind of job, in the order of `jobs`.
    places: Vec<Arc<Semaphore>>,
    running: JoinSet<()>,
    cleaned: Micros,
    /// The state of stored definitions for which jobs were prepared.
    prepared: Option<i64>,
}

impl Loop {
    fn new(server: Arc<Server>, jobs: &'static [&'static dyn Job], stopped: watch::Receiver<bool>) -> Self {
        let places = jobs.iter().map(|job| Arc::new(Semaphore::new(job.at_once()))).collect();
        Self { server, jobs, stopped, places, running: JoinSet::new(), cleaned: 0, prepared: None }
    }

    async fn run(mut self) {
        while !*self.stopped.borrow() {
            let wait = match self.round().await {
                Ok(wait) => wait,
                Err(problem) => {
                    tracing::warn!(%problem, "jobs could not be looked for");
                    self.poll()
                }
            };
            tokio::select! {
                _ = self.stopped.changed() => {}
                () = self.server.store.job_left() => {}
                Some(_) = self.running.join_next() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        while self.running.join_next().await.is_some() {}
    }

    /// Learns of definitions that others have changed, and has jobs left where one is needed for them.
    async fn prepare(&mut self) -> Result<(), Problem> {
        live::refresh(&self.server).await?;
        let server = self.server.latest();
        if self.prepared != Some(server.definitions_count) {
            for job in self.jobs {
                job.prepare(&server).await?;
            }
            self.prepared = Some(server.definitions_count);
        }
        Ok(())
    }

    /// Starts what is due; says how long to wait.
    async fn round(&mut self) -> Result<Duration, Problem> {
        self.prepare().await?;
        let now = self.server.clock.now();
        if now - self.cleaned > CLEANING {
            self.cleaned = now;
            let forget = self
                .server
                .store
                .write(move |tx| Box::pin(async move { Ok((tx.purge_jobs(now - KEPT).await?, Vec::new())) }));
            forget.await?;
        }
        let mut wait = self.poll();
        for (job, places) in self.jobs.iter().zip(&self.places) {
            let Some(due) = self.server.store.next_job(job.kind()).await? else { continue };
            let now = self.server.clock.now();
            if due > now {
                wait = wait.min(Duration::from_micros(u64::try_from(due - now).unwrap_or(0)));
                continue;
            }
            for claim in claim(&self.server, *job, places.available_permits()).await? {
                let (server, stopped) = (Arc::clone(&self.server), self.stopped.clone());
                let place = Arc::clone(places).try_acquire_owned();
                let job = *job;
                self.running.spawn(async move {
                    let _place = place;
                    carry_out(&server, job, claim, &stopped).await;
                });
            }
        }
        Ok(wait)
    }

    fn poll(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.server.settings.jobs_poll).unwrap_or(u64::MAX))
    }
}

async fn claim(server: &Server, job: &dyn Job, most: usize) -> Result<Vec<Claim>, Problem> {
    if most == 0 || server.store.next_job(job.kind()).await?.is_none_or(|due| due > server.clock.now()) {
        return Ok(Vec::new());
    }
    server.store.claim_jobs(job.kind(), most, lease_end(server, job)).await
}

fn lease_end(server: &Server, job: &dyn Job) -> Micros {
    server.clock.now() + Micros::try_from(job.lease().as_micros()).unwrap_or(Micros::MAX / 2)
}

/// Runs a claimed job step by step to its end, its next failure, or the stop of the runner.
async fn carry_out(server: &Arc<Server>, job: &dyn Job, mut claim: Claim, stopped: &watch::Receiver<bool>) {
    loop {
        let outcome = match one_step(server, job, &claim).await {
            Ok(Step::Ended) => return,
            Ok(Step::Held(payload)) => {
                claim.payload = payload;
                claim.failures = 0;
                if !*stopped.borrow() {
                    continue;
                }
                put_back(server, &claim).await
            }
            Err(problem) => failed(server, job, &claim, &problem).await,
        };
        if let Err(problem) = outcome {
            tracing::warn!(kind = job.kind(), %problem, "a job could not be put back; its lease will end");
        }
        return;
    }
}

/// One step, with its lease prolonged while it runs.
async fn one_step(server: &Arc<Server>, job: &dyn Job, claim: &Claim) -> Result<Step, Problem> {
    let step = AssertUnwindSafe(job.step(server, claim)).catch_unwind();
    tokio::pin!(step);
    loop {
        tokio::select! {
            outcome = &mut step => return outcome.unwrap_or_else(|_| Err(Problem::internal("a job panicked"))),
            () = tokio::time::sleep(job.lease() / 3) => {
                let until = lease_end(server, job);
                let renewed = change(server, claim, move |tx, claim| {
                    Box::pin(async move { Ok((tx.renew_job(claim, until).await?, Vec::new())) })
                });
                // A step whose claim is lost comes to nothing by itself: whatever it writes asks for the claim.
                if let Err(problem) = renewed.await {
                    tracing::warn!(kind = job.kind(), %problem, "a lease could not be prolonged");
                }
            }
        }
    }
}

async fn put_back(server: &Arc<Server>, claim: &Claim) -> Result<(), Problem> {
    let now = server.clock.now();
    change(server, claim, move |tx, claim| {
        Box::pin(async move { Ok((tx.postpone_job(claim, &claim.payload, now).await?, Vec::new())) })
    })
    .await
}

async fn failed(server: &Arc<Server>, job: &dyn Job, claim: &Claim, problem: &Problem) -> Result<(), Problem> {
    if problem.kind == Kind::Conflict {
        tracing::info!(kind = job.kind(), "a job was cancelled or taken over");
    } else {
        tracing::error!(kind = job.kind(), %problem, "a job failed");
    }
    let reason = problem.issues().first().map(|issue| issue.text.clone()).unwrap_or_default();
    let failures = claim.failures + 1;
    let (given_up, due) = (failures >= job.most_failures(), server.clock.now() + backoff::wait(failures));
    change(server, claim, move |tx, claim| {
        let reason = reason.clone();
        Box::pin(async move {
            if given_up {
                tx.finish_job(claim, &claim.payload, "failed", &reason).await?;
            } else {
                tx.fail_job(claim, &reason, due).await?;
            }
            Ok(((), Vec::new()))
        })
    })
    .await
}

/// Changes the row of a job in a transaction of its own.
async fn change<F>(server: &Arc<Server>, claim: &Claim, work: F) -> Result<(), Problem>
where
    F: for<'t> Fn(&'t mut Tx, &'t Claim) -> JobFuture<'t, ()> + Send + Sync + 'static,
{
    let claim = Arc::new(claim.clone());
    let work = Arc::new(work);
    server
        .store
        .write(move |tx| {
            let (claim, work) = (Arc::clone(&claim), Arc::clone(&work));
            Box::pin(async move { work(tx, &claim).await })
        })
        .await
}
