//! Several processes on one database, lost connections, locks, jobs for later.

use kith::problem::Kind;
use kith::store::audit::verify::Trust;
use kith::store::{NewJob, verify_audit};

use super::samples::{create, record, task, update};
use crate::support::both;

both! {
    async fn two_stores_share_a_database(database) {
        let stores = [database.open().await, database.open().await];
        create(&stores[0], "raced").await.unwrap();
        let all = futures_util::future::join_all((0..60).map(|number| {
            let store = stores[number % 2].clone();
            async move {
                create(&store, &format!("n{number}")).await.unwrap();
                update(&store, "raced", 2).await
            }
        })).await;
        assert_eq!(all.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        assert!(all.iter().filter_map(|outcome| outcome.as_ref().err()).all(|problem| problem.kind == Kind::Conflict));
        for store in &stores {
            assert_eq!(store.count_type("Task").await.unwrap(), 61);
            store.close().await;
        }
        let report = verify_audit(&database.settings(), &Trust::default()).await.unwrap();
        assert_eq!((report.rows, report.breaks.len()), (62, 0));
    }

    async fn a_lock_keeps_conditional_creates_apart(database) {
        let stores = [database.open().await, database.open().await];
        let all = futures_util::future::join_all((0..40).map(|number| {
            let store = stores[number % 2].clone();
            async move {
                store.write(|tx| Box::pin(async move {
                    tx.lock("Task?identifier=one").await?;
                    if let Some(found) = tx.read("Task", "one").await? {
                        return Ok(((found, false), vec![record("create", "one")]));
                    }
                    Ok(((tx.create(task("one", 1)).await?, true), vec![record("create", "one")]))
                })).await.unwrap()
            }
        })).await;
        assert_eq!(all.iter().filter(|(_, created)| *created).count(), 1);
    }

    async fn a_job_is_left_with_its_change_or_not_at_all(database) {
        let store = database.open().await;
        for (id, refuse) in [("a", false), ("b", true)] {
            let written = store.write(move |tx| Box::pin(async move {
                tx.create(task(id, 1)).await?;
                tx.enqueue(NewJob::new("notify", format!("{{\"id\":\"{id}\"}}")));
                if refuse {
                    return Err(kith::problem::Problem::new(Kind::BusinessRule, "no"));
                }
                Ok(((), vec![record("create", id)]))
            })).await;
            assert_eq!(written.is_err(), refuse);
        }
        store.close().await;
        assert_eq!(crate::support::sql::execute(&database, "delete from job").await, 1);
    }
}

/// A restart of PostgreSQL, or a fail-over, ends every connection.
#[tokio::test]
async fn lost_connections_are_replaced() {
    let Some(database) = crate::support::TestDatabase::postgres() else { return };
    let store = database.open().await;
    create(&store, "before").await.unwrap();
    let _ = futures_util::future::join_all((0..20).map(|_| store.read("Task", "before"))).await;
    crate::support::sql::execute(
        &database,
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    )
    .await;
    let all = futures_util::future::join_all((0..20).map(|_| store.read("Task", "before"))).await;
    assert!(all.into_iter().all(|found| found.unwrap().is_some()));
    let all = futures_util::future::join_all((0..20).map(|number| {
        let store = store.clone();
        async move { create(&store, &format!("n{number}")).await }
    }))
    .await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    store.close().await;
    let report = verify_audit(&database.settings(), &Trust::default()).await.unwrap();
    assert_eq!((report.rows, report.breaks.len()), (21, 0));
}
