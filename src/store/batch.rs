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

/// Waits at most `idle` for work and takes what is there, at most `most`. A lane without siblings waits a moment longer: it
/// has just answered a batch of `before` (0 for no such wait), while others queued up, so about as many clients as both
/// together are busy. Where three quarters of them are there it goes on. Without that they would fall into two halves that
/// take turns, and each half would pay for statements, pages and a commit of its own.
pub(super) async fn next_batch(waiting: &Waiting, most: usize, before: usize, idle: Duration) -> Next {
    let mut batch = Vec::new();
    let first = async {
        let mut queue = waiting.lock().await;
        let busy = before + queue.len();
        queue.recv_many(&mut batch, most).await;
        (queue, busy)
    };
    let Ok((mut queue, busy)) = tokio::time::timeout(idle, first).await else { return Next::Idle };
    if batch.is_empty() {
        return Next::Closed;
    }
    let hoped = if before == 0 { 0 } else { (busy * 3 / 4).min(most) };
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
