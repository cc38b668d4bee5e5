//! `kith backup` and `kith restore`: made while a server writes, taken back by either database, refused where not good.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};

use kith::store::audit::verify::Trust;
use kith::store::verify_audit;
use serde_json::{Value, json};

use crate::support::http::TestServer;
use crate::support::{TestDatabase, both, over_http};

fn kith(database: &TestDatabase, command: &str, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kith"))
        .args([command, "--database", &database.url, "--audit-key"])
        .arg(database.settings().audit_key_file())
        .args(more)
        .current_dir(database.folder())
        .output()
        .unwrap()
}

fn says(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The same kind of database as this one, empty.
fn another(database: &TestDatabase) -> TestDatabase {
    if database.is_postgres() { TestDatabase::postgres().unwrap() } else { TestDatabase::sqlite() }
}

fn referral() -> Value {
    serde_json::from_str(include_str!("../../../fixtures/valid/Bundle-direct-referral.json")).unwrap()
}

fn make(database: &TestDatabase) -> PathBuf {
    let file = database.folder().join("a.backup.gz");
    let output = kith(database, "backup", &[file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    file
}

fn lines(file: &Path) -> Vec<String> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(std::fs::File::open(file).unwrap()).read_to_string(&mut text).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn write_lines(file: &Path, lines: &[String]) {
    let mut out = flate2::write::GzEncoder::new(std::fs::File::create(file).unwrap(), flate2::Compression::fast());
    out.write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
    out.finish().unwrap();
}

/// What a restored server must answer as the first one did.
fn answers(server: &TestServer) -> Vec<Value> {
    let paths = [
        "Patient?_sort=_id",
        "Task?status=requested",
        "ServiceRequest?_has:Task:focus:status=requested",
        "_history?_count=1000",
    ];
    paths
        .iter()
        .map(|path| {
            let mut bundle = server.get(path).expect(200).json();
            let entries = bundle["entry"].as_array_mut().unwrap();
            assert!(!entries.is_empty(), "{path}");
            Value::from(entries.iter_mut().map(|entry| entry["resource"].take()).collect::<Vec<_>>())
        })
        .collect()
}

fn either_database_takes_a_backup_of_either(database: &TestDatabase) {
    let before = {
        let server = TestServer::start(database);
        server.post("", &referral()).expect(200);
        let patient = server
            .post("Patient", &json!({ "resourceType": "Patient", "name": [{ "family": "Müller \u{1f600}" }] }))
            .expect(201)
            .json();
        server.delete(&format!("Patient/{}", patient["id"].as_str().unwrap())).expect(204);
        answers(&server)
    };
    let file = make(database);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let targets = [Some(TestDatabase::sqlite()), TestDatabase::postgres()];
    for target in targets.iter().flatten() {
        let output = kith(target, "restore", &[file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(says(&output).contains("intact"), "{output:?}");
        let server = TestServer::start(target);
        assert_eq!(answers(&server), before);
        // Numbers go on behind those that were restored.
        server.post("Patient", &json!({ "resourceType": "Patient", "maritalStatus": { "text": "x" } })).expect(201);
        drop(server);
        let again = make(target);
        let rows = |file: &Path, table: &str| {
            let end = lines(file).into_iter().find(|line| line.starts_with(&format!("{{\"end\":\"{table}\""))).unwrap();
            serde_json::from_str::<Value>(&end).unwrap()["rows"].as_u64().unwrap()
        };
        assert_eq!(rows(&again, "resource_version"), rows(&file, "resource_version") + 1);
    }
}

over_http!(
    either_database_takes_a_backup_of_either,
    a_backup_shows_one_moment,
    only_an_empty_database_at_rest_is_taken
);

fn a_backup_shows_one_moment(database: &TestDatabase) {
    let server = TestServer::start(database);
    let stop = AtomicBool::new(false);
    let file = std::thread::scope(|scope| {
        for writer in 0..3 {
            let (server, stop) = (&server, &stop);
            scope.spawn(move || {
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) && number > 20 {
                        break;
                    }
                    let id = format!("w{writer}-{}", number % 10);
                    let patient =
                        json!({ "resourceType": "Patient", "id": id, "name": [{ "family": format!("F{number}") }] });
                    server.put(&format!("Patient/{id}"), &patient);
                }
            });
        }
        let mut newest = PathBuf::new();
        for round in 0..3 {
            newest = database.folder().join(format!("{round}.gz"));
            let output = kith(database, "backup", &[newest.to_str().unwrap()]);
            assert_eq!(output.status.code(), Some(0), "{output:?}");
        }
        stop.store(true, Ordering::Relaxed);
        newest
    });
    drop(server);
    let target = another(database);
    assert_eq!(kith(&target, "restore", &[file.to_str().unwrap()]).status.code(), Some(0));
    let server = TestServer::start(&target);
    let found = server.get("Patient?_count=100").expect(200).json();
    for entry in found["entry"].as_array().unwrap() {
        let (id, version) =
            (entry["resource"]["id"].as_str().unwrap(), entry["resource"]["meta"]["versionId"].as_str().unwrap());
        let history = server.get(&format!("Patient/{id}/_history?_count=1000")).expect(200).json();
        assert_eq!(history["total"].to_string(), version, "{id}: every version up to the current one is there");
        let family = entry["resource"]["name"][0]["family"].as_str().unwrap();
        let by_name = server.get(&format!("Patient?family:exact={family}&_id={id}")).expect(200).json();
        assert_eq!(by_name["total"], 1, "{id}: the index is that of the version");
    }
}

fn only_an_empty_database_at_rest_is_taken(database: &TestDatabase) {
    let server = TestServer::start(database);
    server.post("", &referral()).expect(200);
    let file = make(database);
    server
        .put("Patient/later", &json!({ "resourceType": "Patient", "id": "later", "maritalStatus": { "text": "x" } }))
        .expect(201);
    let output = kith(database, "restore", &[file.to_str().unwrap(), "--overwrite"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(says(&output).contains("stop every kith"), "{output:?}");
    drop(server);
    let output = kith(database, "restore", &[file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(says(&output).contains("--overwrite"), "{output:?}");
    {
        let server = TestServer::start(database);
        server.get("Patient/later").expect(200);
    }
    let output = kith(database, "restore", &[file.to_str().unwrap(), "--overwrite"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let server = TestServer::start(database);
    server.get("Patient/later").expect(404);
    server.get("Task?status=requested").expect(200);
}

both! {
    async fn what_is_not_good_is_refused(database) {
        {
            let store = database.open().await;
            for id in ["a", "b", "c"] {
                crate::store::samples::create(&store, id).await.unwrap();
            }
            store.close().await;
        }
        let file = make(&database);
        let (bytes, text) = (std::fs::read(&file).unwrap(), lines(&file));
        let target = another(&database);
        let bad = database.folder().join("bad.gz");
        let refused = |reason: &str| {
            let output = kith(&target, "restore", &[bad.to_str().unwrap(), "--overwrite"]);
            assert_eq!(output.status.code(), Some(1), "{reason}: {output:?}");
            assert!(says(&output).contains(reason), "{reason}: {output:?}");
        };
        std::fs::write(&bad, &bytes[..bytes.len() / 2]).unwrap();
        refused("damaged");
        for place in [bytes.len() / 3, bytes.len() / 2, bytes.len() - 20] {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            std::fs::write(&bad, changed).unwrap();
            refused("damaged");
        }
        std::fs::write(&bad, "{}\n").unwrap();
        refused("damaged");
        // A line left out, doubled or changed, the checksums as they were.
        let row = text.iter().position(|line| line.contains("t{\\\"resourceType\\\":\\\"Task\\\"")).unwrap();
        for change in 0..3 {
            let mut changed = text.clone();
            match change {
                0 => drop(changed.remove(row)),
                1 => changed.insert(row, text[row].clone()),
                _ => changed[row] = changed[row].replace("\\\"a\\\"", "\\\"z\\\"").replace("\\\"b\\\"", "\\\"z\\\""),
            }
            write_lines(&bad, &changed);
            refused("damaged");
        }
        write_lines(&bad, &text[..text.len() - 1]);
        refused("cut off");
        let opened = kith(&target, "backup", &["x.gz"]);
        assert_eq!(opened.status.code(), Some(2), "nothing was written into the database: {opened:?}");
    }

    async fn a_forged_audit_trail_is_refused_whatever_the_checksums_say(database) {
        {
            let store = database.open().await;
            crate::store::samples::create(&store, "a").await.unwrap();
            store.close().await;
        }
        crate::support::sql::execute(&database, "update audit set client = 'somebody else' where sequence = 1").await;
        // The backup is as it should be; what it is a backup of is not.
        let file = database.folder().join("forged.gz");
        let output = kith(&database, "backup", &[file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let target = another(&database);
        let output = kith(&target, "restore", &[file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(says(&output).contains("audit trail in the backup is broken"), "{output:?}");
    }

    async fn backups_are_named_audited_and_never_replaced(database) {
        database.open().await.close().await;
        let folder = database.folder().join("backups");
        std::fs::create_dir(&folder).unwrap();
        assert_eq!(kith(&database, "backup", &[folder.to_str().unwrap()]).status.code(), Some(0));
        let files = crate::support::files(&folder, "gz");
        assert_eq!(files.len(), 1);
        let output = kith(&database, "backup", &[files[0].to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let output = kith(&database, "restore", &[files[0].to_str().unwrap(), "--verify"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let report = verify_audit(&database.settings(), &Trust::default()).await.unwrap();
        assert_eq!((report.rows, report.breaks.len()), (1, 0), "the backup has an audit row");
        let nowhere = kith(&database, "backup", &["/no/such/folder/file"]);
        assert_eq!(nowhere.status.code(), Some(2), "{nowhere:?}");
    }
}
