//! Faults of the disk beneath a SQLite file: full, read-only, a damaged page, an end of the log that never reached it.

use std::io::Read as _;
use std::process::Command;

use serde_json::json;

use super::client::{Told, agrees, verify, write};
use crate::support::TestDatabase;
use crate::support::http::{TestServer, send};
use crate::support::process::{Process, command};

/// The path of a SQLite database.
fn file(database: &TestDatabase) -> std::path::PathBuf {
    database.folder().join("kith.db")
}

/// A limit on the size of files is met as a full disk is: writing fails, and goes on once there is room again.
#[tokio::test]
async fn a_full_disk_is_503_until_there_is_room() {
    let database = TestDatabase::sqlite();
    // Blocks of 512 bytes; the signal that comes with the limit would kill the process.
    let script = "trap '' XFSZ; ulimit -S -f 6000; exec \"$@\"";
    let serve = command(&database, &["serve", "--listen", "127.0.0.1:0", "--workers", "2"]);
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(serve.get_program()).args(serve.get_args()).current_dir(database.folder());
    let server = Process::spawn(&mut shell);
    let told = Told::default();
    std::thread::scope(|scope| {
        for client in 0..4 {
            let (told, server) = (&told, &server);
            scope.spawn(move || write(told, &format!("c{client}"), || server.base.clone()));
        }
        told.wait_until(|told| told.status(503) > 20);
        let read = send("GET", &format!("{}/metadata", server.base), &[], None);
        assert!([200, 503].contains(&read.status), "{}", read.text);
        assert!(!read.text.contains("disk I/O"), "{}", read.text);
        server.limit_files("unlimited");
        told.wait_for_more(100);
        told.stop();
    });
    server.kill();
    verify(&database, &told).await;
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_refused_at_start() {
    let database = TestDatabase::sqlite();
    database.open().await.close().await;
    let url = format!("{}?mode=ro", database.url);
    let output = Command::new(env!("CARGO_BIN_EXE_kith"))
        .args(["serve", "--listen", "127.0.0.1:0", "--database", &url])
        .current_dir(database.folder())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot run"), "{output:?}");
    agrees(&database).await;
}

fn fill(server: &TestServer, patients: usize) {
    for number in 0..patients {
        let patient = json!({ "resourceType": "Patient", "id": format!("p{number}"), "name": [{ "family": format!("Family{number}") }],
            "address": [{ "text": "x".repeat(500) }] });
        server.put(&format!("Patient/p{number}"), &patient).expect(201);
    }
}

#[tokio::test]
async fn a_damaged_page_is_found_named_and_mended_from_the_backup() {
    let database = TestDatabase::sqlite();
    std::thread::scope(|scope| scope.spawn(|| fill(&TestServer::start(&database), 200)).join().unwrap());
    let backup = database.folder().join("good.gz");
    assert!(command(&database, &["backup"]).arg(&backup).status().unwrap().success());
    let mut whole = std::fs::read(file(&database)).unwrap();
    // Pages that hold texts of Patients, so that the server starts and most of it works.
    let holding = |page: &&mut [u8]| page.windows(100).any(|part| part == [b'x'; 100]);
    let damaged = whole.chunks_mut(4096).filter(holding).step_by(3).map(|page| page.fill(0xa5)).count();
    assert!(damaged > 5, "{damaged}");
    std::fs::write(file(&database), whole).unwrap();
    let server = Process::start(&database, &["--sqlite-cache", "0"]);
    let mut failures = 0;
    for number in 0..200 {
        for path in [format!("Patient/p{number}"), format!("Patient?family=Family{number}")] {
            let answer = send("GET", &format!("{}/{path}", server.base), &[], None);
            failures += usize::from(answer.status >= 500);
            for leak in ["malformed", "sqlite", "kith.db", "select "] {
                assert!(!answer.text.to_lowercase().contains(leak), "{}", answer.text);
            }
        }
    }
    assert!(failures > 0);
    assert_eq!(send("GET", &server.base.replace("/fhir", "/health/live"), &[], None).status, 200);
    server.kill();
    let output = command(&database, &["check"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("page: "), "{output:?}");
    for name in ["kith.db", "kith.db-wal", "kith.db-shm"] {
        let _ = std::fs::rename(database.folder().join(name), database.folder().join(format!("damaged-{name}")));
    }
    let output = command(&database, &["restore"]).arg(&backup).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    agrees(&database).await;
}

/// Power loss: what was synced is there, and of what was written after that any part may be. With `synchronous=full` a commit is
/// acknowledged when its end of the log is synced; here the log is cut and spoilt at many places, and each time what is left
/// is the state after some commit, whole.
#[tokio::test]
async fn any_beginning_of_the_log_is_a_whole_database() {
    let database = TestDatabase::sqlite();
    let server = Process::start(&database, &[]);
    let told = Told::default();
    std::thread::scope(|scope| {
        for client in 0..4 {
            let (told, server) = (&told, &server);
            scope.spawn(move || write(told, &format!("c{client}"), || server.base.clone()));
        }
        told.wait_for_more(150);
        told.stop();
    });
    server.kill();
    let (mut main, mut log) = (Vec::new(), Vec::new());
    std::fs::File::open(file(&database)).unwrap().read_to_end(&mut main).unwrap();
    std::fs::File::open(database.folder().join("kith.db-wal")).unwrap().read_to_end(&mut log).unwrap();
    assert!(log.len() > 500_000, "{}", log.len());
    for cut in 1..=6 {
        let length = log.len() * cut / 6 - cut * 1000;
        let copy = TestDatabase::sqlite();
        std::fs::write(file(&copy), &main).unwrap();
        let mut rest = log[..length].to_vec();
        // A sector that never reached the disk, among those that were written last.
        let from = length - 512;
        rest[from..].fill(0);
        std::fs::write(copy.folder().join("kith.db-wal"), &rest).unwrap();
        std::fs::copy(database.settings().audit_key_file(), copy.settings().audit_key_file()).unwrap();
        agrees(&copy).await;
    }
    verify(&database, &told).await;
}
