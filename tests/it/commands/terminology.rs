//! `kith terminology`: a release from a folder, a .zip and a .tgz; what is loaded, replaced, removed; servers take it up.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use kith::commands::terminology::{ListArgs, LoadArgs, RemoveArgs, TerminologyCommand, carry_out};
use kith::config::{self, Flags};
use serde_json::Value;

use crate::support::http::TestServer;
use crate::support::{TestDatabase, over_http, sql};
use crate::terminology::snomed::{VERSION, release};

const WALK: &str = "109999999109";
const ACTIVITY: &str = "99999999108";

fn run(database: &TestDatabase, command: &TerminologyCommand) -> Result<String, String> {
    let key = database.folder().join("audit-key.pem").display().to_string();
    let pairs = [("database", database.url.as_str()), ("sqlite.synchronous", "normal"), ("audit.key", key.as_str())];
    let settings = config::load(&Flags::of(&pairs), |_| None).unwrap();
    carry_out(command, &settings).map_err(|problem| problem.issues().iter().map(|issue| issue.text.clone()).collect())
}

pub fn load(database: &TestDatabase, path: &Path) -> Result<String, String> {
    let flags = Flags::of(&[]);
    run(database, &TerminologyCommand::Load(LoadArgs { path: path.to_owned(), module: 0, date: 0, flags }))
}

fn list(database: &TestDatabase, json: bool) -> String {
    run(database, &TerminologyCommand::List(ListArgs { json, flags: Flags::of(&[]) })).unwrap()
}

fn remove(database: &TestDatabase, version: &str) -> Result<String, String> {
    let version = version.to_owned();
    run(database, &TerminologyCommand::Remove(RemoveArgs { version, flags: Flags::of(&[]) }))
}

/// The files of the release with their names in it.
fn files(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push((path.strip_prefix(release()).unwrap().to_owned(), std::fs::read(&path).unwrap()));
        }
    }
}

fn a_release_is_loaded_listed_and_removed(database: &TestDatabase) {
    assert!(list(database, false).contains("No terminology is loaded"));
    assert!(load(database, &release()).unwrap().contains("28 concepts"));
    let listed = list(database, false);
    assert!(listed.contains(VERSION) && listed.contains("1 reference sets"), "{listed}");
    // Once more replaces it.
    load(database, &release()).unwrap();
    let line: Value = serde_json::from_str(&list(database, true)).unwrap();
    assert_eq!((&line["version"], &line["system"]), (&VERSION.into(), &"http://snomed.info/sct".into()));
    assert!(remove(database, "http://snomed.info/sct/1").unwrap_err().contains("kith terminology list"));
    remove(database, VERSION).unwrap();
    assert!(list(database, true).is_empty());
    let count = |sql: &'static str| -> i64 {
        tokio::runtime::Runtime::new().unwrap().block_on(sql::rows::<(i64,)>(database, sql))[0].0
    };
    assert_eq!(count("select count(*) from terminology_piece"), 0);
    assert_eq!(count("select count(*) from audit where interaction = 'terminology-load' and status = 200"), 2);
    assert_eq!(count("select count(*) from audit where interaction = 'terminology-remove' and status = 200"), 1);
}

fn archives_are_read_without_unpacking(database: &TestDatabase) {
    let mut found = Vec::new();
    files(&release(), &mut found);
    let zip = database.folder().join("release.zip");
    let mut writer = zip::ZipWriter::new(std::fs::File::create(&zip).unwrap());
    let tgz = database.folder().join("release.tgz");
    let mut archive = tar::Builder::new(GzEncoder::new(std::fs::File::create(&tgz).unwrap(), Compression::fast()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, content) in &found {
        writer.start_file(format!("Release/{}", name.display()), options).unwrap();
        writer.write_all(content).unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, Path::new("Release").join(name), content.as_slice()).unwrap();
    }
    writer.start_file("Release/Full/sct2_Concept_Full_INT_20260101.txt", options).unwrap();
    writer.write_all(b"not read").unwrap();
    writer.finish().unwrap();
    archive.into_inner().unwrap().finish().unwrap();
    for path in [zip, tgz] {
        assert!(load(database, &path).unwrap().contains("28 concepts"), "{}", path.display());
        assert!(list(database, false).contains(VERSION));
        remove(database, VERSION).unwrap();
    }
}

fn a_broken_release_changes_nothing(database: &TestDatabase) {
    load(database, &release()).unwrap();
    let empty = database.folder().join("empty");
    std::fs::create_dir(&empty).unwrap();
    assert!(load(database, &empty).unwrap_err().contains("no snapshot"));
    std::fs::write(empty.join("sct2_Concept_Snapshot_X_20260101.txt"), "id\teffectiveTime\n1\t2\n").unwrap();
    let refused = load(database, &empty).unwrap_err();
    assert!(refused.contains("sct2_Concept_Snapshot_X_20260101.txt: line 2 is no row"), "{refused}");
    assert!(load(database, &database.folder().join("missing.zip")).unwrap_err().contains("cannot be read"));
    assert!(load(database, &release().join("README")).unwrap_err().contains("is no folder"));
    assert!(list(database, false).contains(VERSION));
}

fn servers_take_up_what_is_loaded(database: &TestDatabase) {
    let running = TestServer::start_with(database, &[("jobs.poll", "10")]);
    let path = format!("CodeSystem/$lookup?system=http://snomed.info/sct&code={WALK}");
    let refused = running.get(&path).expect(422);
    assert!(refused.text.contains("kith terminology load"), "{}", refused.text);
    load(database, &release()).unwrap();
    let until = |status: u16| while running.get(&path).status != status {};
    until(200);
    let capabilities = running.get("metadata?mode=terminology").json();
    let systems = capabilities["codeSystem"].as_array().unwrap();
    let snomed = systems.iter().find(|system| system["uri"] == "http://snomed.info/sct").unwrap();
    assert_eq!(snomed["version"][0]["code"], VERSION);
    // A server that starts afterwards has it from the beginning.
    TestServer::start(database).get(&path).expect(200);
    remove(database, VERSION).unwrap();
    until(422);
}

fn one_that_was_stored_otherwise_is_left_out(database: &TestDatabase) {
    load(database, &release()).unwrap();
    let change = "update terminology_edition set layout = '{}'";
    tokio::runtime::Runtime::new().unwrap().block_on(sql::execute(database, change));
    let server = TestServer::start(database);
    server.get(&format!("CodeSystem/$lookup?system=http://snomed.info/sct&code={WALK}")).expect(422);
    server
        .get(&format!("CodeSystem/$subsumes?system=http://snomed.info/sct&codeA={ACTIVITY}&codeB={WALK}"))
        .expect(422);
}

over_http!(
    a_release_is_loaded_listed_and_removed,
    archives_are_read_without_unpacking,
    a_broken_release_changes_nothing,
    servers_take_up_what_is_loaded,
    one_that_was_stored_otherwise_is_left_out,
);
