//! Decides which waiting work shares the next transaction. Called by the lanes.

use std::time::Duration;

use tokio::time::Instant;

use super::writer::{Waiting, Work};

/// After a batch of many the same clients come back within a moment of each other; a batch that began with the first of them
/// alone would make all others wait for its sync of the disk.
const GATHER: Duration = Duration::from_micros(1500);

/// Waits for work and takes what is there, at most `most`. After a large batch (`before`) it waits a moment for as many.
/// Empty once the queue is closed and drained.
pub(super) async fn next_batch(waiting: &Waiting, most: usize, before: usize) -> Vec<Work> {
    let mut queue = waiting.lock().await;
    let mut batch = Vec::new();
    if queue.recv_many(&mut batch, most).await == 0 {
        return batch;
    }
    let hoped = (before / 2).min(most);
    if batch.len() < hoped {
        let deadline = Instant::now() + GATHER;
        while batch.len() < hoped {
            let room = most - batch.len();
            match tokio::time::timeout_at(deadline, queue.recv_many(&mut batch, room)).await {
                Ok(count) if count > 0 => {}
                _ => break,
            }
        }
    }
    batch
}
