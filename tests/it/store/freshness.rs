//! Reads are never older than what was acknowledged before they began, whoever wrote it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use kith::store::Store;

use super::samples::{create, task, update};
use crate::support::both;

const RESOURCES: usize = 4;

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
        let readers: Vec<_> = (0..4)
            .map(|number| tokio::spawn(reader(stores[number % 2].clone(), Arc::clone(&acknowledged), Arc::clone(&done))))
            .collect();
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
            crate::store::audit::tamper(&database, Box::leak(author.into_boxed_str())).await;
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
}
