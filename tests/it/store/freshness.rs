//! Reads are never older than what was acknowledged before they began, whoever wrote it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use kith::search::sql::{Bind, SortColumn, Statement};
use kith::store::{Store, Stored};

use super::samples::{create, task, update};
use crate::support::both;

const RESOURCES: usize = 4;

/// All living Tasks.
async fn search(store: &Store) -> Vec<Stored> {
    let statement = Statement {
        sql: "select r.key as key, r.id as sort_0, r.last_updated as sort_1, \
              cast(null as text) as sort_2, cast(null as bigint) as sort_3 from resource r where r.type = $1 \
              and not r.deleted order by r.id limit $2 + 0"
            .to_owned(),
        binds: vec![Bind::Text("Task".to_owned()), Bind::Integer(100)],
        sort: vec![SortColumn::Text, SortColumn::Integer, SortColumn::Text, SortColumn::Integer],
    };
    let found = store.search(&statement).await.unwrap();
    let found = found.into_iter().map(|found| {
        let Stored { id, last_updated, .. } = &*found.stored;
        assert_eq!(found.sort, [Some(Bind::Text(id.clone())), Some(Bind::Integer(*last_updated)), None, None]);
        Stored::clone(&found.stored)
    });
    found.collect()
}

/// Searches over and over until the writers are done; how many searches there were.
async fn searcher(store: Store, acknowledged: Arc<[AtomicI64; RESOURCES]>, done: Arc<AtomicBool>) -> usize {
    let mut searches = 0;
    while !done.load(Ordering::SeqCst) {
        let least: Vec<i64> = acknowledged.iter().map(|version| version.load(Ordering::SeqCst)).collect();
        let found = search(&store).await;
        assert_eq!(found.len(), RESOURCES);
        for (stored, least) in found.iter().zip(least) {
            assert!(stored.version >= least, "version {} was found, {least} had been acknowledged", stored.version);
            assert_eq!(stored.body, task(&stored.id, stored.version).body);
        }
        searches += 1;
        tokio::task::yield_now().await;
    }
    searches
}

/// Reads over and over until the writers are done; how many reads there were.
async fn reader(store: Store, acknowledged: Arc<[AtomicI64; RESOURCES]>, done: Arc<AtomicBool>) -> usize {
    let mut reads = 0;
    while !done.load(Ordering::SeqCst) {
        for (number, version) in acknowledged.iter().enumerate() {
            let least = version.load(Ordering::SeqCst);
            let stored = store.read("Task", &format!("t{number}")).await.unwrap().unwrap();
            assert!(stored.version >= least, "version {} was read, {least} had been acknowledged", stored.version);
            assert_eq!(stored.body, task(&stored.id, stored.version).body);
            reads += 1;
        }
        tokio::task::yield_now().await;
    }
    reads
}

both! {
    async fn no_read_is_stale(database) {
        let stores = [database.open().await, database.open().await];
        for number in 0..RESOURCES {
            create(&stores[0], &format!("t{number}")).await.unwrap();
        }
        let acknowledged = Arc::new([const { AtomicI64::new(1) }; RESOURCES]);
        let done = Arc::new(AtomicBool::new(false));
        let mut readers: Vec<_> = (0..4)
            .map(|number| tokio::spawn(reader(stores[number % 2].clone(), Arc::clone(&acknowledged), Arc::clone(&done))))
            .collect();
        for store in &stores {
            readers.push(tokio::spawn(searcher(store.clone(), Arc::clone(&acknowledged), Arc::clone(&done))));
        }
        let writers = (0..RESOURCES).map(|number| {
            let (stores, acknowledged) = (stores.clone(), Arc::clone(&acknowledged));
            tokio::spawn(async move {
                for version in 2..60 {
                    // Both processes write the same resource in turn.
                    let store = &stores[usize::try_from(version).unwrap() % 2];
                    update(store, &format!("t{number}"), version).await.unwrap();
                    acknowledged[number].store(version, Ordering::SeqCst);
                }
            })
        });
        for written in futures_util::future::join_all(writers).await {
            written.unwrap();
        }
        done.store(true, Ordering::SeqCst);
        for reads in futures_util::future::join_all(readers).await {
            assert!(reads.unwrap() > 0);
        }
        for store in &stores {
            store.close().await;
        }
    }

    async fn what_another_program_writes_is_read(database) {
        let store = database.open().await;
        create(&store, "t").await.unwrap();
        for round in 0..3 {
            assert!(!store.read("Task", "t").await.unwrap().unwrap().body.is_empty());
            let author = format!("update resource_version set author = 'a{round}'");
            crate::support::sql::execute(&database, Box::leak(author.into_boxed_str())).await;
            assert_eq!(store.read("Task", "t").await.unwrap().unwrap().author, format!("a{round}"));
            create(&store, &format!("other{round}")).await.unwrap();
            assert_eq!(store.read("Task", "t").await.unwrap().unwrap().author, format!("a{round}"));
        }
        store.close().await;
    }

    async fn a_refused_change_leaves_the_current_version(database) {
        let store = database.open().await;
        create(&store, "t").await.unwrap();
        for _ in 0..3 {
            assert_eq!(store.read("Task", "t").await.unwrap().unwrap().version, 1);
            assert!(update(&store, "t", 7).await.is_err());
        }
        update(&store, "t", 2).await.unwrap();
        assert_eq!(store.read("Task", "t").await.unwrap().unwrap().version, 2);
        store.close().await;
    }

    async fn no_search_is_stale(database) {
        let stores = [database.open().await, database.open().await];
        let versions = async |store: &Store| -> Vec<(String, i64)> {
            search(store).await.into_iter().map(|stored| (stored.id, stored.version)).collect()
        };
        for number in 0..6 {
            for store in &stores {
                // Twice: what was found is remembered.
                for _ in 0..2 {
                    assert_eq!(versions(store).await.len(), number);
                }
            }
            let (id, own) = (format!("t{number}"), &stores[number % 2]);
            create(own, &id).await.unwrap();
            assert!(update(own, &id, 9).await.is_err());
            assert_eq!(versions(own).await.last(), Some(&(id.clone(), 1)));
            update(own, &id, 2).await.unwrap();
            assert_eq!(versions(own).await.last(), Some(&(id.clone(), 2)));
            assert_eq!(versions(&stores[(number + 1) % 2]).await.last(), Some(&(id, 2)));
        }
        crate::support::sql::execute(&database, "update resource_version set author = 'other'").await;
        for store in &stores {
            assert!(search(store).await.iter().all(|stored| stored.author == "other"));
            store.close().await;
        }
    }
}
