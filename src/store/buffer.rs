//! Audit rows that need not be on the disk before the answer: those of reads where the setting `audit.reads` is `buffered`, and
//! those of requests that were turned away because the writers had no room. They follow within 100 ms, or when there is room.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use super::audit::AuditRecord;
use super::writer::{Queue, Work};

const EVERY: Duration = Duration::from_millis(50);
/// Beyond this a read waits for its row as if reads were durable, so that the buffer cannot outgrow the disk.
const MOST: usize = 20_000;
/// Rows in one piece of work.
const PIECE: usize = 1000;

/// Rows that are not in the queue yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Buffer(Arc<Mutex<Vec<AuditRecord>>>);

impl Buffer {
    /// An empty buffer, and the task that empties it.
    pub(super) fn start(queue: &Arc<Queue>, tasks: &mut JoinSet<()>) -> Self {
        let buffer = Self::default();
        let (own, queue) = (buffer.clone(), Arc::clone(queue));
        tasks.spawn(async move {
            while queue.is_open() {
                tokio::time::sleep(EVERY).await;
                own.pass_on(&queue);
            }
        });
        buffer
    }

    /// Takes a record, or gives it back where the buffer is full.
    pub(super) fn push(&self, record: AuditRecord) -> Option<AuditRecord> {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.len() >= MOST {
            return Some(record);
        }
        rows.push(record);
        None
    }

    /// How many records wait.
    pub(super) fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Puts everything into the queue, however full that is; the writers finish the queue before they stop.
    pub(super) async fn flush(&self, queue: &Queue) {
        while !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty() && queue.is_open() {
            self.pass_on(queue);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn pass_on(&self, queue: &Queue) {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !rows.is_empty() {
            let piece = rows.len().min(PIECE);
            let rest = rows.split_off(piece);
            let work = Work::Audit(std::mem::replace(&mut *rows, rest), None);
            if let Err(work) = queue.try_push(work) {
                // The queue is full: keep the rows for the next round.
                if let Work::Audit(mut kept, _) = work {
                    kept.append(&mut rows);
                    *rows = kept;
                }
                return;
            }
        }
    }
}
