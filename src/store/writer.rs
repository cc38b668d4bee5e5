//! The queue of write jobs and what waits in it. `Store::write` and `Store::audit` put work in; lanes take it out in batches.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, PoisonError, RwLock};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::audit::AuditRecord;
use super::error;
use super::tx::Tx;
use crate::problem::Problem;

/// What a job's function returns: a value for the caller and the audit rows without which nothing is committed.
pub type JobFuture<'t, T> = BoxFuture<'t, Result<(T, Vec<AuditRecord>), Problem>>;

/// A job in the queue.
pub(super) trait Job: Send {
    /// Runs the job; may be called again after a roll-back. `None` where the job refused by itself.
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Option<Vec<AuditRecord>>>;

    /// False where nothing that it writes can be read or found as a resource.
    fn changes(&self) -> bool;

    /// Answers the caller; `failed` where the transaction was not committed.
    fn answer(self: Box<Self>, failed: Option<Problem>);
}

/// Something for a lane to do.
pub(super) enum Work {
    /// Run a job in a transaction.
    Job(Box<dyn Job>),
    /// Append audit rows, and say so once they are durable where somebody waits for it.
    Audit(Vec<AuditRecord>, Option<oneshot::Sender<Result<(), Problem>>>),
}

impl Work {
    /// Answers whoever waits.
    pub(super) fn answer(self, failed: Option<Problem>) {
        match self {
            Self::Job(job) => job.answer(failed),
            Self::Audit(_, Some(reply)) => {
                // The caller may have gone away; its rows are written all the same.
                let _ = reply.send(failed.map_or(Ok(()), Err));
            }
            Self::Audit(_, None) => {
                if let Some(problem) = failed {
                    tracing::error!(%problem, "buffered audit rows were lost");
                }
            }
        }
    }
}

/// The sending end of the queue.
#[derive(Debug)]
pub(super) struct Queue(RwLock<Option<mpsc::Sender<Work>>>);

/// The receiving end, shared by the lanes.
pub(super) type Waiting = Arc<Mutex<mpsc::Receiver<Work>>>;

impl Queue {
    /// A queue for at most `capacity` waiting jobs.
    pub(super) fn new(capacity: usize) -> (Self, Waiting) {
        let (sender, receiver) = mpsc::channel(capacity);
        (Self(RwLock::new(Some(sender))), Arc::new(Mutex::new(receiver)))
    }

    /// Puts work in; refuses it at once where the queue is full or closed.
    pub(super) fn push(&self, work: Work) -> Result<(), Problem> {
        self.try_push(work).map_err(|_| error::busy().because("the queue of write jobs is full or closed"))
    }

    /// Puts work in, or gives it back.
    pub(super) fn try_push(&self, work: Work) -> Result<(), Work> {
        let sender = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = sender.as_ref() else { return Err(work) };
        sender.try_send(work).map_err(|error| match error {
            TrySendError::Full(work) | TrySendError::Closed(work) => work,
        })
    }

    /// How much work waits.
    pub(super) fn waiting(&self) -> usize {
        let sender = self.0.read().unwrap_or_else(PoisonError::into_inner);
        sender.as_ref().map_or(0, |sender| sender.max_capacity() - sender.capacity())
    }

    /// False once [`Queue::close`] was called.
    pub(super) fn is_open(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Takes no more work; the lanes finish what is waiting and stop.
    pub(super) fn close(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Runs `job` in a transaction of its own or together with others, and waits for the commit.
pub(super) async fn write<T, F>(queue: &Queue, job: F) -> Result<T, Problem>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx) -> JobFuture<'t, T> + Send + Sync + 'static,
{
    run(queue, job, true).await
}

/// As [`write()`], for a job that writes what can neither be read nor found as a resource: what is kept in memory stays.
pub(super) async fn keep_books<T, F>(queue: &Queue, job: F) -> Result<T, Problem>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx) -> JobFuture<'t, T> + Send + Sync + 'static,
{
    run(queue, job, false).await
}

async fn run<T, F>(queue: &Queue, job: F, changes: bool) -> Result<T, Problem>
where
    T: Send + 'static,
    F: for<'t> Fn(&'t mut Tx) -> JobFuture<'t, T> + Send + Sync + 'static,
{
    let (reply, answer) = oneshot::channel();
    queue.push(Work::Job(Box::new(Closure { job, changes, outcome: None, reply })))?;
    answer.await.unwrap_or_else(|_| Err(error::busy().because("the writer stopped before it answered")))
}

/// Appends audit rows and waits until they are durable.
pub(super) async fn audit(queue: &Queue, records: Vec<AuditRecord>) -> Result<(), Problem> {
    let (reply, answer) = oneshot::channel();
    queue.push(Work::Audit(records, Some(reply)))?;
    answer.await.unwrap_or_else(|_| Err(error::busy().because("the writer stopped before it answered")))
}

struct Closure<T, F> {
    job: F,
    changes: bool,
    outcome: Option<Result<T, Problem>>,
    reply: oneshot::Sender<Result<T, Problem>>,
}

impl<T, F> Job for Closure<T, F>
where
    T: Send,
    F: for<'t> Fn(&'t mut Tx) -> JobFuture<'t, T> + Send + Sync,
{
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Option<Vec<AuditRecord>>> {
        Box::pin(async move {
            // A panic in one job must not take the writer, and every other request, with it.
            let outcome = AssertUnwindSafe((self.job)(tx)).catch_unwind().await;
            match outcome.unwrap_or_else(|_| Err(Problem::internal("a write job panicked"))) {
                Ok((value, records)) => {
                    self.outcome = Some(Ok(value));
                    Some(records)
                }
                Err(problem) => {
                    self.outcome = Some(Err(problem));
                    None
                }
            }
        })
    }

    fn changes(&self) -> bool {
        self.changes
    }

    fn answer(self: Box<Self>, failed: Option<Problem>) {
        let outcome = match (self.outcome, failed) {
            // The job's own refusal stands, whatever became of the others.
            (Some(Err(problem)), _) | (_, Some(problem)) => Err(problem),
            (Some(Ok(value)), None) => Ok(value),
            (None, None) => Err(Problem::internal("a write job was never run")),
        };
        // The caller may have gone away; the write stands all the same.
        let _ = self.reply.send(outcome);
    }
}
