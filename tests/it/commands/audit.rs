//! `kith audit verify`: what it says and how it exits.

use std::process::{Command, Output};

use crate::support::{TestDatabase, both};

fn verify(database: &TestDatabase, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kith"))
        .args(["audit", "verify", "--database", &database.url])
        .args(more)
        .current_dir(database.folder())
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

both! {
    async fn the_verdict_is_told_and_is_the_exit_code(database) {
        let store = database.open().await;
        for _ in 0..3 {
            store.audit(kith::store::AuditRecord { status: 200, ..Default::default() }).await.unwrap();
        }
        store.close().await;
        let output = verify(&database, &[]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(text(&output).contains("Intact"), "{output:?}");
        let key = database.settings().audit_key_file();
        let output = verify(&database, &["--key", key.to_str().unwrap(), "--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&text(&output)).unwrap();
        assert_eq!((&report["verdict"], report["rows"].as_i64(), &report["keys"]), (&"intact".into(), Some(3), &"file".into()));

        crate::support::sql::execute(&database, "update audit set client = 'x' where sequence = 1").await;
        let output = verify(&database, &[]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(text(&output).contains("BROKEN: chain") && text(&output).contains("row 1"), "{output:?}");
        let output = verify(&database, &["--format", "json"]);
        let report: serde_json::Value = serde_json::from_str(&text(&output)).unwrap();
        assert_eq!((&report["verdict"], report["breaks"][0]["sequence"].as_i64()), (&"broken".into(), Some(1)));
    }

    async fn an_export_is_resumed_and_verified_from_its_files(database) {
        let store = database.open().await;
        store.audit(kith::store::AuditRecord { status: 200, ..Default::default() }).await.unwrap();
        let export = |out: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_kith"));
            command.args(["audit", "export", "--database", &database.url, "--out", out, "--position", "position.json"]);
            command.current_dir(database.folder()).output().unwrap()
        };
        assert_eq!(export("one.jsonl").status.code(), Some(0));
        assert_eq!(export("one.jsonl").status.code(), Some(2), "what is there is never overwritten");
        store.audit(kith::store::AuditRecord { status: 200, ..Default::default() }).await.unwrap();
        store.close().await;
        assert_eq!(export("two.jsonl").status.code(), Some(0));
        let output = verify(&database, &["--format", "json", "--file", "one.jsonl", "two.jsonl"]);
        let report: serde_json::Value = serde_json::from_str(&text(&output)).unwrap();
        assert_eq!((output.status.code(), report["rows"].as_i64(), &report["verdict"]), (Some(0), Some(2), &"intact".into()));
        std::fs::write(database.folder().join("two.jsonl"), "nothing\n").unwrap();
        assert_eq!(verify(&database, &["--file", "two.jsonl"]).status.code(), Some(2));
        let since = verify(&database, &["--since", "2020-01-01"]);
        assert!(text(&since).contains("2 rows"), "{since:?}");
        assert_eq!(verify(&database, &["--since", "yesterday"]).status.code(), Some(2));
    }

    async fn what_cannot_run_says_why(database) {
        let output = verify(&database, &["--key", "no-such-file.pem"]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("no-such-file.pem"), "{output:?}");
    }
}

#[test]
fn a_database_that_is_not_there_is_not_made() {
    let database = TestDatabase::sqlite();
    let output = verify(&database, &[]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(!database.folder().join("kith.db").exists());
}
