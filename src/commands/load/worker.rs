//! Carries the writes out: files are read on a thread of their own, many writes are under way at once so that their commits
//! are joined, and what was refused for something that is not there yet is tried again.

use std::path::PathBuf;
use std::sync::Arc;

use indicatif::ProgressBar;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};

use super::report::Report;
use super::source::{self, Found, Item, Reading};
use crate::access::Caller;
use crate::interactions;
use crate::interactions::format::Wanted;
use crate::interactions::reply::Reply;
use crate::interactions::request::{Headers, Request};
use crate::interactions::server::Server;

/// Parsed resources that wait for their write.
const WAITING: usize = 256;

/// Loads all files and reports.
pub async fn run(
    server: &Arc<Server>,
    files: Vec<PathBuf>,
    reading: Reading,
    caller: &Caller,
    at_once: usize,
    bar: &ProgressBar,
) -> Report {
    let started = server.clock.now();
    let mut report = Report::default();
    let mut again = pass(server, caller, readers(files, reading, bar.clone()), at_once, bar, &mut report).await;
    while !again.is_empty() {
        let (sender, receiver) = mpsc::channel(WAITING);
        let before = again.len();
        let items: Vec<Item> = again.drain(..).map(|(item, _)| item).collect();
        tokio::spawn(async move {
            for item in items {
                if sender.send(Ok(item)).await.is_err() {
                    break;
                }
            }
        });
        again = pass(server, caller, receiver, at_once, bar, &mut report).await;
        if again.len() == before {
            break;
        }
    }
    for (item, reply) in again {
        report.add(&item, &reply);
    }
    report.refused.sort_by(|one, other| one.source.cmp(&other.source));
    report.microseconds = server.clock.now() - started;
    report
}

/// Reads the files on a thread of their own.
fn readers(files: Vec<PathBuf>, reading: Reading, bar: ProgressBar) -> mpsc::Receiver<Found> {
    let (sender, receiver) = mpsc::channel(WAITING);
    std::thread::spawn(move || {
        for file in files {
            source::read(&file, reading, &mut |found| sender.blocking_send(found).is_ok());
            bar.inc(file.metadata().map_or(0, |metadata| metadata.len()));
        }
    });
    receiver
}

/// Carries out everything that comes; returns what may succeed at another attempt, with the refusal.
async fn pass(
    server: &Arc<Server>,
    caller: &Caller,
    mut found: mpsc::Receiver<Found>,
    at_once: usize,
    bar: &ProgressBar,
    report: &mut Report,
) -> Vec<(Item, Reply)> {
    let mut under_way: JoinSet<(Item, Reply)> = JoinSet::new();
    let mut again = Vec::new();
    loop {
        let room = under_way.len() < at_once;
        tokio::select! {
            biased;
            Some(done) = under_way.join_next() => {
                settle(done, &mut again, report);
                bar.set_message(format!("{} stored, {} refused", report.stored(), report.refused.len()));
            }
            next = found.recv(), if room => match next {
                Some(Ok(item)) => drop(under_way.spawn(carry_out(Arc::clone(server), caller.clone(), item))),
                Some(Err(unreadable)) => report.unreadable(unreadable),
                None if under_way.is_empty() => return again,
                None => finish(&mut under_way, &mut again, report).await,
            },
        }
    }
}

/// Waits for what is under way once nothing more comes.
async fn finish(under_way: &mut JoinSet<(Item, Reply)>, again: &mut Vec<(Item, Reply)>, report: &mut Report) {
    while let Some(done) = under_way.join_next().await {
        settle(done, again, report);
    }
}

/// Sorts a finished write into the report or among those to be tried again. A task ends without an answer only if it
/// panicked; the panic has been logged, and the resource counts as lost.
fn settle(done: Result<(Item, Reply), JoinError>, again: &mut Vec<(Item, Reply)>, report: &mut Report) {
    match done {
        Ok((item, reply)) if may_succeed_later(&reply) => again.push((item, reply)),
        Ok((item, reply)) => report.add(&item, &reply),
        Err(_) => report.lost += 1,
    }
}

async fn carry_out(server: Arc<Server>, caller: Caller, item: Item) -> (Item, Reply) {
    let request = Request {
        method: item.method,
        path: item.path.clone(),
        query: Vec::new(),
        headers: Headers::default(),
        body: item.body.clone(),
        wanted: Wanted::default(),
        caller,
        request_id: server.clock.new_id(),
        correlation_id: None,
    };
    let reply = interactions::handle(&server, &request).await;
    (item, reply)
}

/// True for refusals that another resource of the same load may lift: the rules of the referral look at what is stored.
fn may_succeed_later(reply: &Reply) -> bool {
    let codes = super::report::issue_codes(reply);
    matches!(reply.status, 404 | 409 | 412 | 422)
        && codes.iter().any(|code| matches!(code.as_str(), "business-rule" | "not-found" | "conflict"))
}
