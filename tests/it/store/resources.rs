//! Creating, reading, changing, deleting; history and counts; conflicts.

use kith::problem::Kind;
use kith::store::{HistoryOf, HistoryPage};

use super::samples::{create, record, task, update};
use crate::support::both;

const ALL: HistoryPage = HistoryPage { since: None, until: None, current_after: None, after: None, count: 100 };

both! {
    async fn what_is_created_is_read(database) {
        let store = database.open().await;
        let created = create(&store, "a").await.unwrap();
        assert_eq!(store.read("Task", "a").await.unwrap(), Some(created.clone()));
        assert_eq!(store.read_version("Task", "a", 1).await.unwrap(), Some(created));
        assert_eq!(store.read("Task", "b").await.unwrap(), None);
        assert_eq!(store.read("Patient", "a").await.unwrap(), None);
        assert_eq!(store.counts().await.unwrap(), [("Task".to_owned(), 1)]);
    }

    async fn it_is_there_after_opening_again(database) {
        let store = database.open().await;
        create(&store, "a").await.unwrap();
        store.close().await;
        let store = database.open().await;
        assert!(store.read("Task", "a").await.unwrap().is_some());
        create(&store, "b").await.unwrap();
        assert_eq!(store.count_type("Task").await.unwrap(), 2);
    }

    async fn a_taken_id_is_a_conflict(database) {
        let store = database.open().await;
        create(&store, "a").await.unwrap();
        let problem = create(&store, "a").await.unwrap_err();
        assert_eq!(problem.kind, Kind::Conflict);
        assert_eq!(store.count_type("Task").await.unwrap(), 1);
    }

    async fn a_stale_version_is_a_conflict(database) {
        let store = database.open().await;
        create(&store, "a").await.unwrap();
        update(&store, "a", 2).await.unwrap();
        assert_eq!(update(&store, "a", 2).await.unwrap_err().kind, Kind::Conflict);
        assert_eq!(update(&store, "b", 2).await.unwrap_err().kind, Kind::Conflict);
        assert_eq!(store.read("Task", "a").await.unwrap().unwrap().version, 2);
    }

    async fn history_has_every_version_newest_first(database) {
        let store = database.open().await;
        create(&store, "a").await.unwrap();
        update(&store, "a", 2).await.unwrap();
        let deletion = store.write(|tx| Box::pin(async move {
            Ok((tx.delete("Task", "a", 3, 1_700_000_000_000_003, 2).await?, vec![record("delete", "a")]))
        })).await.unwrap();
        assert!(deletion.deleted);
        assert!(store.read("Task", "a").await.unwrap().unwrap().deleted);
        assert_eq!(store.count_type("Task").await.unwrap(), 0);
        update(&store, "a", 4).await.unwrap();
        let of = HistoryOf::Instance { resource_type: "Task", id: "a" };
        let versions = store.history(of, &ALL).await.unwrap();
        assert_eq!(versions.iter().map(|past| past.stored.version).collect::<Vec<_>>(), [4, 3, 2, 1]);
        assert_eq!(versions.iter().map(|past| past.created).collect::<Vec<_>>(), [true, false, false, true]);
        assert_eq!(store.history_count(of, &ALL).await.unwrap(), 4);
        assert_eq!(store.history(HistoryOf::Type("Task"), &ALL).await.unwrap(), versions);
        assert_eq!(store.history(HistoryOf::System, &ALL).await.unwrap(), versions);
        let first = HistoryPage { count: 2, ..ALL };
        let page = store.history(of, &first).await.unwrap();
        let after = page.last().map(|past| (past.stored.last_updated, past.stored.sequence));
        let next = store.history(of, &HistoryPage { after, ..first }).await.unwrap();
        assert_eq!(next, versions[2..]);
        let since = HistoryPage { since: Some(versions[1].stored.last_updated), ..ALL };
        assert_eq!(store.history(HistoryOf::System, &since).await.unwrap().len(), 2);
        let replaced = versions[1].stored.last_updated;
        let current = HistoryPage { until: Some(replaced), current_after: Some(replaced), ..ALL };
        assert_eq!(store.history(HistoryOf::Type("Task"), &current).await.unwrap(), versions[1..2]);
        assert_eq!(store.history_count(HistoryOf::System, &current).await.unwrap(), 1);
    }

    async fn a_refused_job_leaves_nothing_and_spoils_nothing(database) {
        let store = database.open().await;
        create(&store, "kept").await.unwrap();
        let refused = store.write::<(), _>(|tx| Box::pin(async move {
            tx.create(task("gone", 1)).await?;
            tx.update(task("kept", 2), 1).await?;
            assert_eq!(tx.read("Task", "kept").await?.unwrap().version, 2);
            Err(kith::problem::Problem::new(Kind::BusinessRule, "no"))
        }));
        let others = futures_util::future::join_all((0..40).map(|number| {
            let store = store.clone();
            async move { create(&store, &format!("n{number}")).await }
        }));
        let (refused, others) = tokio::join!(refused, others);
        assert_eq!(refused.unwrap_err().kind, Kind::BusinessRule);
        assert!(others.iter().all(Result::is_ok));
        assert_eq!(store.read("Task", "gone").await.unwrap(), None);
        assert_eq!(store.read("Task", "kept").await.unwrap().unwrap().version, 1);
        assert_eq!(store.count_type("Task").await.unwrap(), 41);
    }

    async fn a_panicking_job_takes_nobody_with_it(database) {
        let store = database.open().await;
        let panics = store.write::<(), _>(|_| Box::pin(async { panic!("on purpose") }));
        let (panicked, created) = tokio::join!(panics, create(&store, "a"));
        assert_eq!(panicked.unwrap_err().kind, Kind::Internal);
        created.unwrap();
    }

    async fn one_of_many_racing_updates_wins(database) {
        let store = database.open().await;
        create(&store, "a").await.unwrap();
        let all = futures_util::future::join_all((0..50).map(|_| update(&store, "a", 2))).await;
        assert_eq!(all.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        assert!(all.iter().filter_map(|outcome| outcome.as_ref().err()).all(|problem| problem.kind == Kind::Conflict));
    }

    async fn one_of_many_racing_creates_with_one_id_wins(database) {
        let store = database.open().await;
        let all = futures_util::future::join_all((0..30).map(|_| create(&store, "a"))).await;
        assert_eq!(all.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        assert_eq!(store.count_type("Task").await.unwrap(), 1);
    }

    async fn a_full_queue_refuses(database) {
        let settings = kith::store::StoreSettings { queue: 1, ..database.settings() };
        let store = database.open_with(&settings).await;
        let all = futures_util::future::join_all((0..200).map(|number| {
            let store = store.clone();
            async move { create(&store, &format!("n{number}")).await }
        })).await;
        let refused = all.iter().filter_map(|outcome| outcome.as_ref().err());
        assert!(refused.clone().count() > 0);
        assert!(refused.into_iter().all(|problem| problem.kind == Kind::Unavailable));
        let stored = all.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(store.count_type("Task").await.unwrap(), i64::try_from(stored).unwrap());
    }

    async fn odd_and_long_values_are_indexed(database) {
        let store = database.open().await;
        let mut new = task("odd", 1);
        new.rows.tokens[0].code = "\u{0}x".repeat(2000);
        new.rows.strings[0].folded = "é".repeat(3000);
        new.rows.strings[0].exact = "É\u{0}".repeat(3000);
        new.rows.references[0].target_id = "https://other.example/".repeat(300);
        let rows = new.rows.clone();
        new.rows.tokens.extend(rows.tokens);
        new.rows.references.extend(rows.references);
        store.write(move |tx| {
            let new = new.clone();
            Box::pin(async move { Ok((tx.create(new).await?, vec![record("create", "odd")])) })
        }).await.unwrap();
        assert_eq!(store.count_type("Task").await.unwrap(), 1);
    }
}
