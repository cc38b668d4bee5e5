//! The audit trail: written with every change and read, verified, and broken in several ways.

use std::sync::Arc;

use kith::clock::Clock;
use kith::config::AuditReads;
use kith::store::audit::AuditRecord;
use kith::store::audit::verify::{Report, Trust};
use kith::store::{Store, StoreSettings, verify_audit};

use super::samples::{create, record};
use crate::support::sql::execute;
use crate::support::{TestDatabase, both};

async fn verify(database: &TestDatabase) -> Report {
    verify_audit(&database.settings(), &Trust::default()).await.unwrap()
}

/// A closed database whose one chain has ten rows, the last of them signed.
async fn ten_rows(database: &TestDatabase) {
    let settings = StoreSettings { writers: 1, ..database.settings() };
    let store = Store::open(&settings, Arc::new(Clock::fixed(1_700_000_000_000_000))).await.unwrap();
    for number in 0..10 {
        create(&store, &format!("a{number}")).await.unwrap();
    }
    store.close().await;
    let report = verify(database).await;
    assert_eq!((report.rows, report.chains, report.checkpoints, report.unsigned), (10, 1, 1, 0));
    assert_eq!(report.breaks, []);
}

/// Asserts that exactly one chain is broken, at `sequence`, for a reason that says `reason`.
async fn assert_broken(database: &TestDatabase, sequence: i64, reason: &str) {
    let breaks = verify(database).await.breaks;
    assert_eq!(breaks.len(), 1, "{breaks:?}");
    assert_eq!(breaks[0].sequence, sequence, "{breaks:?}");
    assert!(breaks[0].reason.contains(reason), "{breaks:?}");
}

both! {
    async fn every_change_and_read_has_its_row(database) {
        let store = database.open().await;
        create(&store, "a").await.unwrap();
        store.audit(record("read", "a")).await.unwrap();
        let refused = AuditRecord { status: 422, problems: vec!["cardinality-min".to_owned()], ..record("create", "b") };
        store.audit(refused).await.unwrap();
        store.close().await;
        let report = verify(&database).await;
        assert_eq!(report.rows, 3);
        assert_eq!(report.unsigned, 0);
        assert_eq!(report.breaks, []);
    }

    async fn a_refused_job_has_no_row(database) {
        let store = database.open().await;
        create(&store, "a").await.unwrap();
        assert!(create(&store, "a").await.is_err());
        store.close().await;
        assert_eq!(verify(&database).await.rows, 1);
    }

    async fn buffered_rows_of_reads_arrive(database) {
        let settings = StoreSettings { audit_reads: AuditReads::Buffered, ..database.settings() };
        let store = database.open_with(&settings).await;
        for _ in 0..2500 {
            store.audit(record("read", "a")).await.unwrap();
        }
        store.close().await;
        let report = verify(&database).await;
        assert_eq!((report.rows, report.breaks.len()), (2500, 0));
    }

    async fn many_writers_make_intact_chains(database) {
        let settings = StoreSettings { checkpoint_rows: 7, ..database.settings() };
        let store = database.open_with(&settings).await;
        let all = futures_util::future::join_all((0..300).map(|number| {
            let store = store.clone();
            async move {
                create(&store, &format!("n{number}")).await.unwrap();
                store.audit(record("read", "n")).await.unwrap();
            }
        })).await;
        store.close().await;
        let report = verify(&database).await;
        assert_eq!((report.rows, report.unsigned), (2 * i64::try_from(all.len()).unwrap(), 0));
        assert!(report.checkpoints > 1);
        assert_eq!(report.breaks, []);
    }

    async fn refusals_that_the_writers_have_no_room_for_follow(database) {
        let settings = StoreSettings { queue: 1, ..database.settings() };
        let store = database.open_with(&settings).await;
        let refused = futures_util::future::join_all((0..200).map(|number| {
            let record = AuditRecord { status: 429, ..record("read", &format!("r{number}")) };
            store.audit(record)
        })).await;
        assert!(refused.iter().any(Result::is_err), "the queue was never full");
        store.close().await;
        let report = verify(&database).await;
        assert_eq!((report.rows, report.breaks.len()), (200, 0));
    }

    async fn odd_text_survives(database) {
        let store = database.open().await;
        let odd = AuditRecord { query: "name=\u{0}\u{1F600}'\"%00".to_owned(), ..record("search-type", "") };
        store.audit(odd).await.unwrap();
        store.close().await;
        assert_eq!(verify(&database).await.breaks, []);
    }

    async fn a_changed_row_is_found(database) {
        ten_rows(&database).await;
        assert_eq!(execute(&database, "update audit set user_id = 'somebody else' where sequence = 4").await, 1);
        assert_broken(&database, 4, "does not match").await;
    }

    async fn a_changed_hash_is_found(database) {
        ten_rows(&database).await;
        execute(&database, "update audit set hash = (select hash from audit where sequence = 2) where sequence = 5").await;
        assert_broken(&database, 5, "does not match").await;
    }

    async fn a_removed_row_is_found(database) {
        ten_rows(&database).await;
        assert_eq!(execute(&database, "delete from audit where sequence = 6").await, 1);
        assert_broken(&database, 6, "is missing").await;
    }

    async fn a_removed_row_whose_gap_was_closed_is_found(database) {
        ten_rows(&database).await;
        execute(&database, "delete from audit where sequence = 6").await;
        for sql in ["update audit set sequence = -sequence where sequence > 6", "update audit set sequence = -sequence - 1 where sequence < 0"] {
            execute(&database, sql).await;
        }
        assert_broken(&database, 6, "does not match").await;
    }

    async fn a_removed_first_row_is_found(database) {
        ten_rows(&database).await;
        execute(&database, "delete from audit where sequence = 1").await;
        assert_broken(&database, 1, "is missing").await;
    }

    async fn an_inserted_row_is_found(database) {
        ten_rows(&database).await;
        for sql in [
            "update audit set sequence = -sequence where sequence >= 4",
            "update audit set sequence = 1 - sequence where sequence < 0",
            "insert into audit select chain, 4, recorded, interaction, status, request_id, correlation_id, client, \
             organisation, user_id, user_role, purpose, resource_type, resource_id, version_before, version_after, \
             patients, query, address, problem, hash from audit where sequence = 3",
        ] {
            assert!(execute(&database, sql).await > 0);
        }
        assert_broken(&database, 4, "does not match").await;
    }

    async fn reordered_rows_are_found(database) {
        ten_rows(&database).await;
        for sql in [
            "update audit set sequence = -3 where sequence = 3",
            "update audit set sequence = 3 where sequence = 7",
            "update audit set sequence = 7 where sequence = -3",
        ] {
            assert_eq!(execute(&database, sql).await, 1);
        }
        assert_broken(&database, 3, "does not match").await;
    }

    async fn a_cut_off_end_is_found(database) {
        ten_rows(&database).await;
        assert_eq!(execute(&database, "delete from audit where sequence > 7").await, 3);
        assert_broken(&database, 10, "cut off").await;
    }

    async fn a_whole_chain_cut_off_is_found(database) {
        ten_rows(&database).await;
        assert_eq!(execute(&database, "delete from audit").await, 10);
        assert_broken(&database, 10, "cut off").await;
    }

    async fn an_end_cut_off_with_its_checkpoint_is_found_by_the_copy_outside(database) {
        let file = database.folder().join("checkpoints.jsonl");
        let settings = StoreSettings { writers: 1, audit_checkpoints: Some(file.clone()), ..database.settings() };
        let store = database.open_with(&settings).await;
        create(&store, "a").await.unwrap();
        create(&store, "b").await.unwrap();
        store.close().await;
        execute(&database, "delete from audit_checkpoint").await;
        execute(&database, "delete from audit where sequence = 2").await;
        assert_eq!(verify(&database).await.breaks, []);
        let lines = std::fs::read_to_string(file).unwrap();
        let checkpoints = lines.lines().map(|line| kith::store::audit::checkpoint::Checkpoint::from_line(line).unwrap());
        let trust = Trust { checkpoints: checkpoints.collect(), ..Trust::default() };
        let report = verify_audit(&database.settings(), &trust).await.unwrap();
        assert!(report.breaks[0].reason.contains("cut off"), "{report:?}");
    }

    async fn a_forged_checkpoint_is_found(database) {
        ten_rows(&database).await;
        execute(&database, "update audit_checkpoint set recorded = recorded + 1").await;
        assert_broken(&database, 10, "signature is wrong").await;
    }

    async fn a_checkpoint_of_another_key_is_not_trusted(database) {
        ten_rows(&database).await;
        let other = database.folder().join("other.pem");
        let _ = kith::store::audit::checkpoint::Signatory::open(&other, None).unwrap();
        let trust = Trust { keys: vec![kith::store::audit::checkpoint::read_public_key(&other).unwrap()], ..Trust::default() };
        let report = verify_audit(&database.settings(), &trust).await.unwrap();
        assert!(report.breaks[0].reason.contains("not trusted"), "{report:?}");
    }
}

#[test]
fn only_the_owner_reads_a_new_key() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("key.pem");
    let _ = kith::store::audit::checkpoint::Signatory::open(&path, None).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}
