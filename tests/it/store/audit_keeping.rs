//! The audit trail outside the database: exported as it goes on, verified from its files, and removed behind the export without
//! a gap in what can be verified.

use std::path::{Path, PathBuf};

use kith::store::audit::AuditRecord;
use kith::store::audit::export::{Positions, export};
use kith::store::audit::line::Line;
use kith::store::audit::verify::{Report, Trust, verify_files};
use kith::store::{Store, StoreSettings, verify_audit};

use super::samples::{create, record};
use crate::support::sql::execute as tamper;
use crate::support::{TestDatabase, both};

async fn verify(database: &TestDatabase, trust: &Trust) -> Report {
    verify_audit(&database.settings(), trust).await.unwrap()
}

/// Rows of one chain, with a checkpoint after every five.
async fn write(store: &Store, from: usize, to: usize) {
    for number in from..to {
        let about =
            AuditRecord { patients: vec![format!("Patient/p{number}")], ..record("read", &format!("a{number}")) };
        store.audit(about).await.unwrap();
    }
}

fn settings(database: &TestDatabase) -> StoreSettings {
    StoreSettings { writers: 1, checkpoint_rows: 5, ..database.settings() }
}

async fn exported(database: &TestDatabase, positions: &mut Positions, file: &Path) -> u64 {
    let mut text = String::new();
    let mut sink = |lines: &[Line]| {
        for line in lines {
            text.extend([line.text().as_str(), "\n"]);
        }
        Ok(())
    };
    let count = export(&database.settings(), positions, &mut sink).await.unwrap();
    std::fs::write(file, text).unwrap();
    count
}

fn files(folder: &Path) -> Vec<PathBuf> {
    crate::support::files(folder, "jsonl")
}

both! {
    async fn an_export_goes_on_where_the_last_one_ended(database) {
        let store = database.open_with(&settings(&database)).await;
        let mut positions = Positions::new();
        let (first, second) = (database.folder().join("1.jsonl"), database.folder().join("2.jsonl"));
        write(&store, 0, 7).await;
        assert_eq!(exported(&database, &mut positions, &first).await, 7);
        write(&store, 7, 12).await;
        store.close().await;
        assert_eq!(exported(&database, &mut positions, &second).await, 5);
        assert_eq!(exported(&database, &mut positions, &database.folder().join("3.jsonl")).await, 0);
        let whole = verify_files(&[first.clone(), second.clone()], &Trust::default()).unwrap();
        assert_eq!((whole.rows, whole.unsigned, whole.cut), (12, 0, 0));
        assert_eq!(whole.breaks, []);
        let part = verify_files(std::slice::from_ref(&second), &Trust::default()).unwrap();
        assert_eq!((part.rows, part.cut, part.breaks.len()), (5, 1, 0));
        // The same rows twice, as after a crash between file and database, are the same rows.
        let twice = verify_files(&[first.clone(), first.clone(), second.clone()], &Trust::default()).unwrap();
        assert_eq!((twice.rows, twice.breaks.len()), (12, 0));

        let text = std::fs::read_to_string(&second).unwrap();
        std::fs::write(&second, text.replacen("\"resource_id\":\"a9\"", "\"resource_id\":\"a8\"", 1)).unwrap();
        let broken = verify_files(&[first.clone(), second], &Trust::default()).unwrap();
        assert_eq!(broken.breaks[0].sequence, 10);
        let text: Vec<String> = std::fs::read_to_string(&first).unwrap().lines().map(str::to_owned).collect();
        let without: Vec<&str> = text.iter().filter(|line| !line.contains("\"a3\"")).map(String::as_str).collect();
        std::fs::write(&first, without.join("\n")).unwrap();
        assert_eq!(verify_files(&[first], &Trust::default()).unwrap().breaks[0].sequence, 4);
    }

    async fn a_running_store_exports_by_itself(database) {
        let folder = database.folder().join("worm");
        let settings = StoreSettings { audit_export: Some(folder.clone()), ..settings(&database) };
        for round in 0..2 {
            let store = database.open_with(&settings).await;
            write(&store, round * 8, round * 8 + 8).await;
            create(&store, &format!("c{round}")).await.unwrap();
            store.close().await;
        }
        let files = files(&folder);
        assert_eq!(files.len(), 2, "each process has files of its own");
        assert!(files[0].file_name().unwrap().to_str().unwrap().starts_with("audit-20"), "{files:?}");
        let report = verify_files(&files, &Trust::default()).unwrap();
        assert_eq!((report.rows, report.breaks.len()), (18, 0));
    }

    async fn what_follows_a_checkpoint_is_verified_alone(database) {
        let store = database.open_with(&settings(&database)).await;
        write(&store, 0, 12).await;
        store.close().await;
        let trust = Trust { since: Some(i64::MAX), ..Trust::default() };
        assert_eq!(tamper(&database, "update audit set user_id = 'x' where sequence = 3").await, 1);
        let report = verify(&database, &trust).await;
        assert_eq!((report.rows, report.breaks.len()), (0, 0), "everything was signed before");
        let all = Trust { since: Some(0), ..Trust::default() };
        let report = verify(&database, &all).await;
        assert_eq!((report.breaks[0].sequence, report.chains), (3, 1));
        tamper(&database, "update audit_checkpoint set recorded = 0 where sequence = 5").await;
        let forged = verify(&database, &all).await;
        assert_eq!(forged.breaks[0].sequence, 3, "a forged checkpoint is nothing to begin behind");
    }

    async fn old_rows_go_once_exported_and_the_rest_verifies(database) {
        // Nothing is exported by itself, so that nobody goes on from the seventh row meanwhile.
        let store = database.open_with(&settings(&database)).await;
        write(&store, 0, 13).await;
        tamper(&database, "update audit_chain set exported = 7").await;
        let found = |subject: &str| kith::store::AuditSearch {
            tests: vec![vec![kith::store::audit::find::Test::About(subject.to_owned())]],
            newest_first: true,
            after: None,
            limit: 9,
        };
        assert_eq!(store.audit_rows(&found("Patient/p1")).await.unwrap().len(), 1);
        assert_eq!(store.remove_old_audit(1).await.unwrap(), 0, "nothing is a day old");
        assert_eq!(store.remove_old_audit(0).await.unwrap(), 1, "only the first five are exported and signed");
        assert_eq!(store.audit_rows(&found("Patient/p1")).await.unwrap(), []);
        assert_eq!(store.audit_rows(&found("Patient/p6")).await.unwrap().len(), 1);
        store.close().await;
        let report = verify(&database, &Trust::default()).await;
        assert_eq!((report.rows, report.removed, report.unsigned), (9, 5, 0), "the removal is a row as well: {report:?}");
        assert_eq!(report.breaks, []);
        tamper(&database, "delete from audit where sequence = 6").await;
        assert_eq!(verify(&database, &Trust::default()).await.breaks[0].sequence, 6);
    }

    async fn a_forged_statement_of_removal_is_found(database) {
        let settings = settings(&database);
        let store = database.open_with(&settings).await;
        write(&store, 0, 13).await;
        store.close().await;
        tamper(&database, "insert into audit_checkpoint (chain, sequence, hash, recorded, key_id, signature) \
            select chain || ' removed', sequence, hash, recorded, key_id, signature from audit_checkpoint where sequence = 5").await;
        tamper(&database, "delete from audit_checkpoint where sequence = 5 and chain not like '% removed'").await;
        tamper(&database, "delete from audit where sequence <= 5").await;
        let report = verify(&database, &Trust::default()).await;
        assert!(report.breaks[0].reason.contains("signature is wrong"), "{report:?}");
    }
}
