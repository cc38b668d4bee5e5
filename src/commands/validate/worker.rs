//! Validates texts on every core and hands the results over in the order in which the texts stand.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::fhir::issue::Issue;
use crate::problem::Problem;

use super::input::{Input, Inputs};

/// Texts that are in memory at the same time, for each thread.
const TEXTS: usize = 64;

/// Bytes of texts that are in memory at the same time; a larger one comes alone.
const BYTES: usize = 64 * 1024 * 1024;

/// What became of one text.
pub(super) struct Done {
    /// Bytes of the text.
    pub(super) size: usize,
    /// What was found.
    pub(super) issues: Vec<Issue>,
    /// Its part of the report.
    pub(super) report: String,
}

/// Runs `work` on every input, on `threads` threads, and gives what it returns to `take` in order. Err: an input could not
/// be read, or `take` failed.
pub(super) fn run(
    mut inputs: Inputs,
    threads: usize,
    work: impl Fn(&Input) -> Done + Sync,
    mut take: impl FnMut(Done) -> Result<(), Problem>,
) -> Result<(), Problem> {
    loop {
        let (batch, failure) = read(&mut inputs, threads * TEXTS);
        for done in validated(&batch, threads, &work) {
            take(done)?;
        }
        match failure {
            Some(problem) => return Err(problem),
            None if batch.is_empty() => return Ok(()),
            None => {}
        }
    }
}

/// The next inputs, and why no more could be read.
fn read(inputs: &mut Inputs, most: usize) -> (Vec<Input>, Option<Problem>) {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    while batch.len() < most && bytes < BYTES {
        match inputs.next() {
            None => break,
            Some(Err(problem)) => return (batch, Some(problem)),
            Some(Ok(input)) => {
                bytes += input.size();
                batch.push(input);
            }
        }
    }
    (batch, None)
}

fn validated(batch: &[Input], threads: usize, work: &(impl Fn(&Input) -> Done + Sync)) -> Vec<Done> {
    let threads = threads.min(batch.len());
    if threads <= 1 {
        return batch.iter().map(work).collect();
    }
    let slots: Vec<OnceLock<Done>> = batch.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    let worker = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let (Some(input), Some(slot)) = (batch.get(at), slots.get(at)) else { return };
            let _ = slot.set(work(input));
        }
    };
    // A panic of a worker goes on in the thread that called.
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(worker))));
    slots.into_iter().filter_map(OnceLock::into_inner).collect()
}
