//! What the server does by itself, after the change that caused it: one file per kind of job and one line in [`ALL`]. Jobs
//! lie in the database (`store::jobs`), so that none is lost with a process; [`Runner`] does them in every serving process.

mod backoff;
pub mod reindex;
mod runner;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

pub use self::runner::{Runner, run_due};
use crate::interactions::server::Server;
use crate::problem::Problem;
use crate::store::{AuditRecord, Claim};

/// Every kind of job.
pub const ALL: &[&dyn Job] = &[&reindex::Reindex];

/// What a step has made of its job, in the transaction of its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It has got on, is still claimed and now holds this payload: go on with it.
    Held(String),
    /// It is finished or put back.
    Ended,
}

/// A kind of job. A step may be run more than once, also by two processes where a lease has ended: whatever it does must
/// come to the same, which moving the job on in the transaction of the work (`Tx::hold_job`, `Tx::finish_job`) gives.
pub trait Job: Send + Sync {
    /// The name in the table of jobs.
    fn kind(&self) -> &'static str;

    /// How many of them one process works on at the same time.
    fn at_once(&self) -> usize {
        1
    }

    /// For how long a claim holds. It is prolonged while a step runs; a process that is gone blocks a job no longer than this.
    fn lease(&self) -> Duration {
        Duration::from_secs(30)
    }

    /// After how many failures in a row the job is given up.
    fn most_failures(&self) -> i64 {
        i64::MAX
    }

    /// Called at start and whenever stored definitions have changed: leaves a job where one is needed.
    fn prepare<'a>(&'a self, server: &'a Arc<Server>) -> BoxFuture<'a, Result<(), Problem>> {
        let _ = server;
        Box::pin(async { Ok(()) })
    }

    /// Does one bounded piece of the work. Where it fails, the job is tried again later.
    fn step<'a>(&'a self, server: &'a Arc<Server>, claim: &'a Claim) -> BoxFuture<'a, Result<Step, Problem>>;
}

/// The audit record of an access that is the server's own.
#[must_use]
pub fn record(server: &Server, interaction: &str) -> AuditRecord {
    AuditRecord {
        recorded: server.clock.now(),
        interaction: interaction.to_owned(),
        status: 200,
        request_id: server.clock.new_id(),
        client: "kith".to_owned(),
        address: "local".to_owned(),
        ..AuditRecord::default()
    }
}
