//! Decides which waiting work shares the next transaction. Called by the lanes.

use std::time::Duration;

use tokio::time::Instant;

use super::writer::{Waiting, Work};

/// After a batch of many the same clients come back within a moment of each other; a batch that began with the first of them
/// alone would make all others wait for its sync of the disk.
const GATHER: Duration = Duration::from_micros(1500);

/// What the queue had.
pub(super) enum Next {
    /// Work, at least one piece.
    Batch(Vec<Work>),
    /// Nothing for a while.
    Idle,
    /// Nothing, and there will be no more.
    Closed,
}

/// Waits at most `idle` for work and takes what is there, at most `most`. A lane without siblings waits a moment longer for
/// half as many jobs as the batch before had (`before`; 0 for no such wait).
pub(super) async fn next_batch(waiting: &Waiting, most: usize, before: usize, idle: Duration) -> Next {
    let mut batch = Vec::new();
    let first = async {
        let mut queue = waiting.lock().await;
        queue.recv_many(&mut batch, most).await;
        queue
    };
    let Ok(mut queue) = tokio::time::timeout(idle, first).await else { return Next::Idle };
    if batch.is_empty() {
        return Next::Closed;
    }
    let hoped = (before / 2).min(most);
    let deadline = Instant::now() + GATHER;
    while batch.len() < hoped {
        let room = most - batch.len();
        match tokio::time::timeout_at(deadline, queue.recv_many(&mut batch, room)).await {
            Ok(count) if count > 0 => {}
            _ => break,
        }
    }
    Next::Batch(batch)
}
