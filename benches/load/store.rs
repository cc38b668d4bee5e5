//! The store by itself, without HTTP: creates and audited reads at several widths, against bare SQL.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kith::clock::Clock;
use kith::config::AuditReads;
use kith::store::{Store, StoreSettings};

use crate::table::Table;
use crate::{Plan, bare, sample};

/// Runs `action` over and over in `width` tasks until the time is up.
pub async fn wide<F, A>(width: usize, seconds: Duration, action: A) -> (usize, Duration)
where
    A: Fn() -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send,
{
    let action = Arc::new(action);
    let begin = Instant::now();
    let tasks: Vec<_> = (0..width)
        .map(|_| {
            let action = Arc::clone(&action);
            tokio::spawn(async move {
                let mut count = 0;
                while begin.elapsed() < seconds {
                    action().await;
                    count += 1;
                }
                count
            })
        })
        .collect();
    let mut count = 0;
    for task in tasks {
        count += task.await.unwrap();
    }
    (count, begin.elapsed())
}

pub async fn run(table: &mut Table, plan: &Plan, url: &impl Fn(&str) -> String) {
    println!("store, {:.0?} each:", plan.seconds);
    let settings = StoreSettings::new(url("store.db"));
    let folder = tempfile::TempDir::new().unwrap();
    let settings = StoreSettings { audit_key: Some(folder.path().join("key.pem")), ..settings };
    let store = Store::open(&settings, Arc::new(Clock::System)).await.unwrap();
    table.watch(std::process::id());
    let mut connection = bare::connect(&settings.url).await;
    let (count, took) = bare::batches(&mut connection, 1, plan.seconds).await;
    let one = table.add("bare SQL, one resource per commit (one)", count, took);
    table.one(one);
    let mut equal = Vec::new();
    if settings.url.starts_with("sqlite:") {
        for batch in [32, 128] {
            let (count, took) = bare::batches(&mut connection, batch, plan.seconds).await;
            equal.push(table.add(&format!("bare SQL, {batch} resources per commit"), count, took));
        }
    } else {
        for clients in [32, 128] {
            let (count, took) = bare::clients(&settings.url, clients, plan.seconds).await;
            equal.push(table.add(&format!("bare SQL, one resource per commit, {clients} clients"), count, took));
        }
    }
    drop(connection);
    for (width, equal) in [(1, None), (32, equal.first()), (128, equal.get(1))] {
        let (count, took) = creates(&store, width, plan.seconds).await;
        let other = equal.map(|rate| ("bare SQL", *rate));
        table.add_against(&format!("store, creates, {width} tasks"), count, took, other);
    }
    reads(table, "durable", &store, plan.seconds).await;
    store.close().await;
    let settings = StoreSettings { audit_reads: AuditReads::Buffered, ..settings };
    let store = Store::open(&settings, Arc::new(Clock::System)).await.unwrap();
    reads(table, "buffered", &store, plan.seconds).await;
    store.close().await;
}

async fn creates(store: &Store, width: usize, seconds: Duration) -> (usize, Duration) {
    let store = store.clone();
    wide(width, seconds, move || {
        let store = store.clone();
        async move {
            let (id, now) = (Clock::System.new_id(), Clock::System.now());
            let (record, new) = (sample::record("create", &id, now), sample::new_resource(id, now));
            store
                .write(move |tx| {
                    let (new, record) = (new.clone(), record.clone());
                    Box::pin(async move { Ok((tx.create(new).await?, vec![record])) })
                })
                .await
                .unwrap();
        }
    })
    .await
}

async fn reads(table: &mut Table, name: &str, store: &Store, seconds: Duration) {
    let (id, now) = (Clock::System.new_id(), Clock::System.now());
    let new = sample::new_resource(id.clone(), now);
    store
        .write(move |tx| {
            let new = new.clone();
            Box::pin(async move { Ok((tx.create(new).await?, vec![sample::record("create", "x", now)])) })
        })
        .await
        .unwrap();
    for width in [1, 32, 128] {
        let (store, id) = (store.clone(), id.clone());
        let (count, took) = wide(width, seconds, move || {
            let (store, id) = (store.clone(), id.clone());
            async move {
                let stored = store.read("ServiceRequest", &id).await.unwrap().unwrap();
                assert!(!stored.body.is_empty());
                store.audit(sample::record("read", &id, stored.last_updated)).await.unwrap();
            }
        })
        .await;
        table.add(&format!("store, reads with {name} audit, {width} tasks"), count, took);
    }
}
