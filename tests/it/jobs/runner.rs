//! The runner: claims, leases, failures, restarts, two processes. Time is the test's: nothing here waits for a clock but
//! the runner itself.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use futures_util::future::BoxFuture;
use kith::config::{Flags, load};
use kith::interactions::server::Server;
use kith::jobs::{Job, Runner, Step, record, run_due};
use kith::problem::{Kind, Problem};
use kith::store::{Claim, NewJob};

use crate::support::{TestDatabase, both};

/// Counts to the number in its payload (`3/10`), one a step. Before the step `fail-at` it fails once.
struct Count;

/// Steps taken of each job, by the name in its payload.
static STEPS: LazyLock<Mutex<HashMap<String, Vec<u32>>>> = LazyLock::new(Mutex::default);

fn steps(name: &str) -> Vec<u32> {
    STEPS.lock().unwrap().get(name).cloned().unwrap_or_default()
}

impl Job for Count {
    fn kind(&self) -> &'static str {
        "count"
    }

    fn most_failures(&self) -> i64 {
        3
    }

    fn step<'a>(&'a self, server: &'a Arc<Server>, claim: &'a Claim) -> BoxFuture<'a, Result<Step, Problem>> {
        Box::pin(async move {
            let parts: Vec<&str> = claim.payload.split('/').collect();
            let [name, at, end] = parts[..] else { return Err(Problem::new(Kind::Invalid, "no such payload")) };
            let (at, end): (u32, u32) = (at.parse().unwrap(), end.parse().unwrap());
            assert_ne!(name, "panics", "as asked");
            let next = format!("{name}/{}/{end}", at + 1);
            let held = (at + 1 < end).then(|| next.clone());
            let work = (claim.clone(), held.clone(), record(server, "count"));
            let until = server.clock.now() + 60_000_000;
            server
                .store
                .write(move |tx| {
                    let (claim, held, record) = work.clone();
                    Box::pin(async move {
                        match held {
                            Some(payload) => tx.hold_job(&claim, &payload, until).await?,
                            None => tx.finish_job(&claim, "counted", "done", "").await?,
                        }
                        Ok(((), vec![record]))
                    })
                })
                .await?;
            STEPS.lock().unwrap().entry(name.to_owned()).or_default().push(at);
            Ok(held.map_or(Step::Ended, Step::Held))
        })
    }
}

const JOBS: &[&dyn Job] = &[&Count];

async fn server(database: &TestDatabase) -> Arc<Server> {
    let key = database.folder().join("audit-key.pem").display().to_string();
    let flags = [("database", database.url.as_str()), ("sqlite.synchronous", "normal"), ("audit.key", key.as_str())];
    kith::app::build(load(&Flags::of(&flags), |_| None).unwrap()).await.unwrap()
}

async fn leave(server: &Server, payload: &str, address: &str) {
    let job = NewJob { address: address.to_owned(), ..NewJob::new("count", payload) };
    server
        .store
        .write(move |tx| {
            let job = job.clone();
            Box::pin(async move {
                tx.enqueue(job);
                Ok(((), Vec::new()))
            })
        })
        .await
        .unwrap();
}

both! {
    async fn a_job_is_done_step_by_step_and_its_end_is_told(database) {
        let name = database.folder().display().to_string().replace('/', "-");
        let server = server(&database).await;
        leave(&server, &format!("{name}/0/3"), "told").await;
        leave(&server, &format!("{name}/10/12"), "").await;
        assert_eq!(run_due(&server, JOBS).await.unwrap(), 2);
        assert_eq!(steps(&name), [0, 1, 2, 10, 11]);
        let state = server.store.job("told").await.unwrap().unwrap();
        assert_eq!((state.outcome.as_str(), state.payload.as_str()), ("done", "counted"));
        assert!(state.created > 0 && state.finished >= state.created);
        assert_eq!(run_due(&server, JOBS).await.unwrap(), 0, "what is done is not done again");
        server.store.close().await;
        let report = kith::store::verify_audit(&database.settings(), &kith::store::audit::verify::Trust::default()).await;
        assert_eq!(report.unwrap().rows, 5, "each step is audited");
    }

    async fn a_failure_puts_the_job_back_for_longer_each_time_until_it_is_given_up(database) {
        let server = server(&database).await;
        leave(&server, "panics/0/1", "fails").await;
        let mut waits = Vec::new();
        for _ in 0..3 {
            let before = server.clock.now();
            assert_eq!(run_due(&server, JOBS).await.unwrap(), 1);
            if let Some(due) = server.store.next_job("count").await.unwrap() {
                waits.push((due - before) / 1_000_000);
                // What would be due later is made due now.
                crate::support::sql::execute(&database, "update job set due = 0").await;
            }
        }
        assert_eq!(waits, [1, 2]);
        let state = server.store.job("fails").await.unwrap().unwrap();
        assert_eq!(state.outcome, "failed");
        assert!(!state.last_error.is_empty());
        assert_eq!(run_due(&server, JOBS).await.unwrap(), 0);
        server.store.close().await;
    }

    async fn a_claim_excludes_others_until_its_lease_ends_and_is_worth_nothing_then(database) {
        let (one, two) = (server(&database).await, server(&database).await);
        leave(&one, "leased/0/1", "lease").await;
        let now = one.clock.now();
        let first = one.store.claim_jobs("count", 4, now + 60_000_000).await.unwrap();
        assert_eq!(first.len(), 1);
        assert_eq!(two.store.claim_jobs("count", 4, now + 60_000_000).await.unwrap(), []);
        crate::support::sql::execute(&database, "update job set locked_until = 1").await;
        let second = two.store.claim_jobs("count", 4, now + 60_000_000).await.unwrap();
        assert_eq!(second.len(), 1);
        let late = Count.step(&one, &first[0]).await;
        assert_eq!(late.unwrap_err().kind, Kind::Conflict, "a lost claim changes nothing");
        assert_eq!(Count.step(&two, &second[0]).await.unwrap(), Step::Ended);
        one.store.close().await;
        two.store.close().await;
    }

    async fn what_is_cancelled_goes_no_further(database) {
        let server = server(&database).await;
        leave(&server, "cancelled/0/9", "cancel").await;
        let claims = server.store.claim_jobs("count", 1, server.clock.now() + 60_000_000).await.unwrap();
        let cancelled = server.store.write(|tx| Box::pin(async move { Ok((tx.cancel_job("cancel").await?, Vec::new())) }));
        assert!(cancelled.await.unwrap());
        assert_eq!(Count.step(&server, &claims[0]).await.unwrap_err().kind, Kind::Conflict);
        assert_eq!(server.store.job("cancel").await.unwrap().unwrap().outcome, "cancelled");
        assert_eq!(run_due(&server, JOBS).await.unwrap(), 0);
        server.store.close().await;
    }

    async fn a_job_of_a_kind_is_left_once(database) {
        let (one, two) = (server(&database).await, server(&database).await);
        let all = (0..20).map(|number| {
            let store = if number % 2 == 0 { one.store.clone() } else { two.store.clone() };
            async move {
                store.write(|tx| Box::pin(async move {
                    tx.enqueue_once(NewJob::new("count", "once/0/1")).await?;
                    Ok(((), Vec::new()))
                })).await.unwrap();
            }
        });
        futures_util::future::join_all(all).await;
        assert_eq!(one.store.claim_jobs("count", 9, one.clock.now() + 60_000_000).await.unwrap().len(), 1);
        one.store.close().await;
        two.store.close().await;
    }

    async fn two_runners_share_the_work_and_each_job_is_done_once(database) {
        let name = format!("shared{}", database.folder().display().to_string().replace('/', "-"));
        let (one, two) = (server(&database).await, server(&database).await);
        for number in 0..12 {
            leave(&one, &format!("{name}/{}/{}", number * 10, number * 10 + 3), &format!("j{number}")).await;
        }
        let runners = [Runner::start(Arc::clone(&one), JOBS), Runner::start(Arc::clone(&two), JOBS)];
        for number in 0..12 {
            while one.store.job(&format!("j{number}")).await.unwrap().unwrap().finished == 0 {
                tokio::task::yield_now().await;
            }
        }
        for runner in runners {
            runner.stop().await;
        }
        let mut done = steps(&name);
        done.sort_unstable();
        let expected: Vec<u32> = (0..12).flat_map(|number| number * 10..number * 10 + 3).collect();
        assert_eq!(done, expected);
        one.store.close().await;
        two.store.close().await;
    }

    async fn a_stopped_runner_puts_its_job_back_where_it_is(database) {
        let name = format!("stopped{}", database.folder().display().to_string().replace('/', "-"));
        let server = server(&database).await;
        let runner = Runner::start(Arc::clone(&server), JOBS);
        leave(&server, &format!("{name}/0/100000"), "long").await;
        while steps(&name).len() < 3 {
            tokio::task::yield_now().await;
        }
        runner.stop().await;
        let claims = server.store.claim_jobs("count", 1, server.clock.now() + 60_000_000).await.unwrap();
        let done = steps(&name).len();
        assert_eq!(claims[0].payload, format!("{name}/{done}/100000"), "free at once, at the step it had reached");
        server.store.close().await;
    }
}
