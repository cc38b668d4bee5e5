//! `kith load`: every kind of file, Bundles of every type, refusals that are named, order that does not matter.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use kith::commands::load::{BundleHandling, Format, LoadArguments, Report, load};
use kith::config::{self, Flags};
use serde_json::{Value, json};

use crate::support::{TestDatabase, over_http, shared_data};

/// Loads these paths into the database of the test.
fn loaded(
    database: &TestDatabase,
    paths: &[&Path],
    settings: &[(&'static str, &str)],
    bundles: BundleHandling,
) -> Report {
    let key = database.folder().join("audit-key.pem").display().to_string();
    let mut pairs =
        vec![("database", database.url.as_str()), ("sqlite.synchronous", "normal"), ("audit.key", key.as_str())];
    pairs.extend_from_slice(settings);
    let flags = Flags::of(&pairs);
    let arguments = LoadArguments {
        paths: paths.iter().map(|path| path.to_path_buf()).collect(),
        format: Format::Text,
        bundles,
        at_once: 16,
        import: false,
        flags: Flags::of(&[]),
    };
    load(&arguments, config::load(&flags, |_| None).unwrap()).unwrap()
}

fn unpacked(database: &TestDatabase, paths: &[&Path]) -> Report {
    loaded(database, paths, &[], BundleHandling::Unpack)
}

fn patient(id: &str) -> Value {
    json!({"resourceType": "Patient", "id": id, "name": [{"family": "Appleby"}]})
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    path
}

fn compressed(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn every_kind_of_file_is_read(database: &TestDatabase) {
    let folder = database.folder().join("in");
    write(&folder, "a.json", patient("a").to_string());
    write(&folder, "b.xml", "\u{FEFF}<Patient xmlns=\"http://hl7.org/fhir\"><id value=\"b\"/></Patient>");
    write(&folder, "deep/er/c.ndjson", format!("{}\n\n{}\n", patient("c1"), patient("c2")));
    write(&folder, "d.jsonl.gz", compressed(format!("{}\n", patient("d")).as_bytes()));
    write(&folder, "e.json.gz", compressed(patient("e").to_string().as_bytes()));
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in [
        ("package/package.json", "{\"name\": \"x\"}".to_owned()),
        ("package/.index.json", "{}".to_owned()),
        ("package/Patient-f.json", patient("f").to_string()),
        ("package/readme.md", "text".to_owned()),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, content.as_bytes()).unwrap();
    }
    write(&folder, "f.tgz", compressed(&archive.into_inner().unwrap()));
    write(&folder, "notes.txt", "passed over");
    write(&folder, ".hidden.json", "passed over");
    let report = unpacked(database, &[&folder]);
    assert!(report.refused.is_empty(), "{}", report.to_text());
    assert_eq!((report.created, report.updated, report.types["Patient"]), (7, 0, 7));
    let again = unpacked(database, &[&folder]);
    assert_eq!((again.created, again.stored()), (0, 7), "{}", again.to_text());
}

fn bundles_are_carried_out_unpacked_or_kept(database: &TestDatabase) {
    let folder = database.folder().join("in");
    let urn = |number: u8| format!("urn:uuid:00000000-0000-4000-8000-00000000000{number}");
    let observation = json!({"resourceType": "Observation", "status": "final", "code": {"text": "c"},
        "subject": {"reference": urn(1)}});
    let linked = json!({"resourceType": "Bundle", "type": "collection", "entry": [
        {"fullUrl": urn(2), "resource": observation},
        {"fullUrl": urn(1), "resource": patient("linked")}]});
    write(&folder, "linked.json", linked.to_string());
    let outcome = json!({"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "processing"}]});
    let plain = json!({"resourceType": "Bundle", "id": "plain", "type": "searchset", "entry": [
        {"resource": patient("one")}, {"resource": patient("two")},
        {"resource": outcome, "search": {"mode": "outcome"}}]});
    write(&folder, "plain.json", plain.to_string());
    let batch = json!({"resourceType": "Bundle", "type": "batch", "entry": [
        {"resource": patient("three"), "request": {"method": "PUT", "url": "Patient/three"}},
        {"resource": patient("four"), "request": {"method": "PUT", "url": "Patient/other"}}]});
    write(&folder, "batch.json", batch.to_string());
    let reading = json!({"resourceType": "Bundle", "id": "reading", "type": "batch", "entry": [
        {"request": {"method": "GET", "url": "Patient/one"}}]});
    write(&folder, "reading.json", reading.to_string());
    let report = unpacked(database, &[&folder]);
    assert_eq!(report.refused.len(), 1, "{}", report.to_text());
    assert!(report.refused[0].source.ends_with("batch.json, entry 2"), "{}", report.refused[0].source);
    let counts: Vec<(&str, usize)> = report.types.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(counts, [("Bundle", 1), ("Observation", 1), ("Patient", 4)]);
    let kept = loaded(database, &[&folder.join("plain.json")], &[], BundleHandling::Keep);
    assert_eq!((kept.created, kept.stored()), (1, 1), "{}", kept.to_text());
}

fn what_is_refused_is_named(database: &TestDatabase) {
    let folder = database.folder().join("in");
    write(&folder, "a.json", "{\n  \"resourceType\": \"Patient\",\n}");
    write(&folder, "b.json", "{\"a\": 1}");
    write(
        &folder,
        "c.xml",
        "<Patient xmlns=\"http://hl7.org/fhir\"><id value=\"c\"/><gender value=\"male\"/><active value=\"true\"/></Patient>",
    );
    write(&folder, "d.ndjson", format!("{}\n{{\n{}\n", patient("d1"), json!({"resourceType": "Pationt", "id": "d3"})));
    write(&folder, "e.json.gz", "this is not compressed");
    let report = unpacked(database, &[&folder]);
    assert_eq!(report.stored(), 1, "{}", report.to_text());
    let text = report.to_text();
    for expected in [
        "a.json (400)\n  json-syntax: line 3, column 1: this is not JSON: expected a name in quotes.",
        "b.json (400)\n  invalid: this is not a FHIR resource",
        "c.xml Patient/c (422)\n  xml-order Patient.active: line 1, column 75",
        "d.ndjson:2 (400)\n  json-syntax: line 1, column 2",
        "d.ndjson:3 (400)\n  invalid: \"Pationt\" is not a resource type of FHIR R4. Did you mean Patient?",
        "e.json.gz (400)\n  invalid: the file cannot be read",
    ] {
        assert!(text.contains(expected), "{expected}\n---\n{text}");
    }
    let json = report.to_json();
    assert_eq!((json["stored"].as_u64(), json["refused"].as_array().unwrap().len()), (Some(1), 6));
    assert_eq!(json["refusedByRule"]["json-syntax"], 2);
    let lenient = loaded(database, &[&folder.join("c.xml")], &[("validation.mode", "report")], BundleHandling::Unpack);
    assert_eq!((lenient.stored(), lenient.warnings["xml-order"]), (1, 1), "{}", lenient.to_text());
}

/// What is loaded is audited as what it is, with the patient it is about.
fn what_is_loaded_is_audited(database: &TestDatabase) {
    let folder = database.folder().join("in");
    let file = write(&folder, "a.json", patient("a").to_string());
    let flags = |database: &TestDatabase| {
        let key = database.folder().join("audit-key.pem").display().to_string();
        let pairs =
            [("database", database.url.as_str()), ("sqlite.synchronous", "normal"), ("audit.key", key.as_str())];
        config::load(&Flags::of(&pairs), |_| None).unwrap()
    };
    for import in [true, false] {
        let arguments = LoadArguments {
            paths: vec![file.clone()],
            format: Format::Text,
            bundles: BundleHandling::Unpack,
            at_once: 1,
            import,
            flags: Flags::of(&[]),
        };
        std::fs::write(&file, json!({"resourceType": "Patient", "id": "a", "active": import}).to_string()).unwrap();
        load(&arguments, flags(database)).unwrap();
    }
    let sql =
        "select interaction, resource_type, resource_id, version_after, patients, address from audit order by recorded";
    let rows: Vec<(String, String, String, i64, String, String)> =
        crate::oauth::world::run(crate::support::sql::rows(database, sql));
    let row = |interaction: &str, version| {
        let text = |text: &str| text.to_owned();
        (text(interaction), text("Patient"), text("a"), version, text("[\"Patient/a\"]"), rows[0].5.clone())
    };
    assert_eq!(rows, [row("import", 1), row("update", 2)]);
}

/// All 215 are stored where validation only reports, but for the AuditEvent, which only the server makes.
fn all_uk_core_examples_load(database: &TestDatabase) {
    let Some(data) = shared_data() else { return };
    let examples = data.join("uk-core/examples");
    let report = loaded(database, &[&examples], &[("validation.mode", "report")], BundleHandling::Keep);
    let refused = |report: &Report| report.refused.iter().map(|refusal| refusal.status).collect::<Vec<_>>();
    assert_eq!(refused(&report), [405], "{}", report.to_text());
    // 213 files are one resource each, one is a batch of five creations.
    assert_eq!(report.stored(), 218, "{}", report.to_text());
    let report = loaded(database, &[&examples], &[("validation.mode", "report")], BundleHandling::Unpack);
    assert_eq!(refused(&report), [405], "{}", report.to_text());
}

over_http!(
    every_kind_of_file_is_read,
    bundles_are_carried_out_unpacked_or_kept,
    what_is_refused_is_named,
    all_uk_core_examples_load,
    what_is_loaded_is_audited,
);

#[test]
fn paths_that_are_not_there_are_named() {
    let database = TestDatabase::sqlite();
    let arguments = LoadArguments {
        paths: vec![database.folder().join("nowhere")],
        format: Format::Text,
        bundles: BundleHandling::Unpack,
        at_once: 1,
        import: false,
        flags: Flags::of(&[]),
    };
    let settings = config::load(&Flags::of(&[("database", database.url.as_str())]), |_| None).unwrap();
    let problem = load(&arguments, settings).unwrap_err();
    assert!(problem.issues()[0].text.ends_with("nowhere is neither a file nor a folder"));
    let paths = vec![database.folder().to_owned()];
    let settings = config::load(&Flags::of(&[("database", database.url.as_str())]), |_| None).unwrap();
    assert!(load(&LoadArguments { paths, ..arguments }, settings).is_err());
}
