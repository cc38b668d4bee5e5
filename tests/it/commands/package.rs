//! `kith package`: packages are added with what they need, listed, checked, removed; running servers take them up.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::http::TestServer;
use crate::support::{TestDatabase, over_http, shared_data};

over_http!(
    a_package_is_added_with_what_it_needs_and_removed,
    versions_stand_side_by_side,
    a_package_that_needs_a_missing_one_is_refused,
    a_running_server_takes_packages_up_and_lets_them_go,
    what_does_not_compile_is_reported,
    a_folder_without_a_manifest_is_named_by_the_caller,
);

fn run(database: &TestDatabase, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_kith"))
        .arg("package")
        .args(arguments)
        .args(["--database", &database.url])
        .env("KITH_AUDIT_KEY", database.settings().audit_key_file())
        .current_dir(database.folder())
        .output()
        .unwrap();
    (output.status.code().unwrap(), said(&output))
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap() + &String::from_utf8(output.stderr.clone()).unwrap()
}

fn url(name: &str) -> String {
    format!("http://test.example/StructureDefinition/{name}")
}

fn profile(name: &str, version: &str, element: &str) -> Value {
    let id = format!("Patient.{element}");
    json!({
        "resourceType": "StructureDefinition", "url": url(name), "version": version, "name": "P", "status": "active",
        "kind": "resource", "abstract": false, "type": "Patient", "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "differential": { "element": [{ "id": id, "path": id, "min": 1 }] },
    })
}

/// A package archive in the folder of the test.
fn package(folder: &Path, name: &str, version: &str, needs: &Value, definitions: &[Value]) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    let path = folder.join(format!("{name}-{version}.tgz"));
    let manifest = json!({ "name": name, "version": version, "fhirVersions": ["4.0.1"], "dependencies": needs });
    let mut builder = tar::Builder::new(GzEncoder::new(std::fs::File::create(&path).unwrap(), Compression::fast()));
    let mut add = |name: &str, value: &Value| {
        let bytes = value.to_string().into_bytes();
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append_data(&mut header, name, bytes.as_slice()).unwrap();
    };
    add("package/package.json", &manifest);
    for (at, definition) in definitions.iter().enumerate() {
        add(&format!("package/definition-{at}.json"), definition);
    }
    builder.into_inner().unwrap().finish().unwrap();
    path
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn a_package_is_added_with_what_it_needs_and_removed(database: &TestDatabase) {
    let shelf = database.folder().join("shelf");
    package(&shelf, "test.base", "1.0.3", &json!({ "hl7.fhir.r4.core": "4.0.1" }), &[profile("base", "1.0.3", "name")]);
    let mut derived = profile("derived", "2.0.0", "contact");
    derived["baseDefinition"] = json!(url("base"));
    let needs = json!({ "test.base": "1.0.x" });
    let top = package(database.folder(), "test.top", "2.0.0", &needs, &[derived]);
    let (code, said) = run(database, &["add", text(&top), "--from", text(&shelf)]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("test.base#1.0.3 is added") && said.contains("test.top#2.0.0 is added"), "{said}");
    let (_, said) = run(database, &["list", "--json"]);
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = lines.iter().map(|line| line["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"hl7.fhir.r4.core") && names.ends_with(&["test.base", "test.top"]), "{names:?}");
    assert_eq!(run(database, &["check"]).0, 0);
    let (code, said) = run(database, &["add", text(&top)]);
    assert!(code == 0 && said.contains("installed already"), "{said}");
    let server = TestServer::start(database);
    let person = json!({ "resourceType": "Patient", "meta": { "profile": [url("derived")] } });
    let answer = server.post("Patient", &person).expect(422).text;
    assert!(answer.contains("Patient.name") && answer.contains("Patient.contact"), "{answer}");
    drop(server);
    let (code, said) = run(database, &["remove", "test.base"]);
    assert!(code == 2 && said.contains("test.top#2.0.0"), "{said}");
    assert_eq!(run(database, &["remove", "test.top#2.0.0"]).0, 0);
    assert_eq!(run(database, &["remove", "test.base"]).0, 0);
    assert_eq!(run(database, &["remove", "test.base"]).0, 2);
    TestServer::start(database).post("Patient", &person).expect(201);
    let audit = Command::new(env!("CARGO_BIN_EXE_kith"))
        .args(["audit", "verify", "--database", &database.url, "--format", "json"])
        .current_dir(database.folder())
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&audit.stdout).unwrap();
    assert_eq!((&report["verdict"], report["rows"].as_i64()), (&json!("intact"), Some(6)), "each change is audited");
}

fn versions_stand_side_by_side(database: &TestDatabase) {
    for (version, element) in [("1.9.0", "name"), ("1.10.0", "contact"), ("2.0.0-draft", "photo")] {
        let mut definition = profile("strict", version, element);
        if version.ends_with("draft") {
            definition["status"] = json!("draft");
        }
        let file = package(database.folder(), "test.strict", version, &json!({}), &[definition]);
        let (code, said) = run(database, &["add", text(&file)]);
        assert_eq!(code, 0, "{said}");
    }
    let (code, said) = run(database, &["remove", "test.strict"]);
    assert!(code == 2 && said.contains("Several versions"), "{said}");
    let server = TestServer::start(database);
    for (canonical, element) in
        [("", "contact"), ("|1.9.0", "name"), ("|1.10", "contact"), ("|2.0.0-draft", "photo"), ("|1", "contact")]
    {
        let profile = format!("{}{canonical}", url("strict"));
        let person = json!({ "resourceType": "Patient", "meta": { "profile": [profile] } });
        let answer = server.post("Patient", &person).expect(422).text;
        assert!(answer.contains(&format!("Patient.{element}")), "{canonical}: {answer}");
    }
}

fn a_package_that_needs_a_missing_one_is_refused(database: &TestDatabase) {
    let needs = json!({ "test.none": "1.0.0", "test.nowhere": "3.1.4", "hl7.fhir.r4.core": "4.0.1" });
    let file = package(database.folder(), "test.needy", "1.0.0", &needs, &[profile("needy", "1.0.0", "name")]);
    let (code, said) = run(database, &["add", text(&file)]);
    assert!(code == 2 && said.contains("test.none#1.0.0") && said.contains("test.nowhere#3.1.4"), "{said}");
    assert!(!run(database, &["list"]).1.contains("test.needy"));
    let (code, said) = run(database, &["add", text(&file), "--allow-missing"]);
    assert!(code == 0 && said.contains("Missing: test.none#1.0.0"), "{said}");
    // Another version stands in, and that is said.
    let other = package(database.folder(), "test.none", "1.1.0", &json!({}), &[profile("none", "1.1.0", "name")]);
    let needs = json!({ "test.none": "1.0.0" });
    let second = package(database.folder(), "test.second", "1.0.0", &needs, &[profile("second", "1.0.0", "name")]);
    let (code, said) = run(database, &["add", text(&second), "--from", text(&other)]);
    assert!(code == 0 && said.contains("version 1.1.0 stands in"), "{said}");
    let for_r5 = json!({ "name": "test.five", "version": "1", "fhirVersions": ["5.0.0"] });
    let folder = database.folder().join("five");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("package.json"), for_r5.to_string()).unwrap();
    std::fs::write(folder.join("a.json"), profile("five", "1", "name").to_string()).unwrap();
    let (code, said) = run(database, &["add", text(&folder)]);
    assert!(code == 2 && said.contains("5.0.0"), "{said}");
}

fn a_running_server_takes_packages_up_and_lets_them_go(database: &TestDatabase) {
    let servers = [(); 2].map(|()| TestServer::start_with(database, &[("jobs.poll", "40")]));
    let parameter = json!({
        "resourceType": "SearchParameter", "url": "http://test.example/SearchParameter/nickname", "name": "nickname",
        "status": "active", "description": "x", "code": "nickname", "base": ["Patient"], "type": "string",
        "expression": "Patient.name.where(use = 'nickname').given",
    });
    servers[0]
        .put(
            "Patient/flo",
            &json!({ "resourceType": "Patient", "id": "flo", "name": [{ "use": "nickname", "given": ["Flo"] }] }),
        )
        .expect(201);
    let definitions = [profile("strict", "1", "contact"), parameter];
    let file = package(database.folder(), "test.strict", "1.0.0", &json!({}), &definitions);
    let (code, said) = run(database, &["add", text(&file)]);
    assert_eq!(code, 0, "{said}");
    let person = json!({ "resourceType": "Patient", "meta": { "profile": [url("strict")] } });
    for server in &servers {
        while server.post("Patient/$validate", &person).text.contains("not loaded") {
            std::thread::yield_now();
        }
        server.post("Patient", &person).expect(422);
        let strict = [("Prefer", "handling=strict")];
        while server.send("GET", "Patient?nickname=flo", &strict, None).status != 200 {
            std::thread::yield_now();
        }
        assert_eq!(server.get("Patient?nickname=flo").json()["entry"][0]["resource"]["id"], "flo");
    }
    assert_eq!(run(database, &["remove", "test.strict"]).0, 0);
    for server in &servers {
        while server.post("Patient", &person).status == 422 {
            std::thread::yield_now();
        }
    }
}

fn what_does_not_compile_is_reported(database: &TestDatabase) {
    let mut broken = profile("broken", "1", "name");
    broken["differential"]["element"][0]["constraint"] =
        json!([{ "key": "x-1", "severity": "error", "human": "x", "expression": "given.exists(" }]);
    let mut homeless = profile("homeless", "1", "name");
    homeless["baseDefinition"] = json!("http://test.example/none");
    let definitions = [broken, homeless, profile("fine", "1", "name"), profile("lost", "1", "nam")];
    let file = package(database.folder(), "test.broken", "1.0.0", &json!({ "test.gone": "1" }), &definitions);
    let (code, said) = run(database, &["check", text(&file)]);
    assert_eq!(code, 1, "{said}");
    for words in [
        "StructureDefinition/broken|1",
        "x-1",
        "http://test.example/none",
        "lost|1",
        "no such element",
        "Missing: test.gone#1",
        "3 cannot be used",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("fine|1"), "{said}");
    let (code, said) = run(database, &["add", text(&file), "--allow-missing"]);
    assert!(code == 0 && said.contains("3 definitions cannot be used"), "{said}");
    assert_eq!(run(database, &["check"]).0, 1);
    // The server works by the others.
    let server = TestServer::start(database);
    let person = json!({ "resourceType": "Patient", "meta": { "profile": [url("fine")] } });
    server.post("Patient", &person).expect(422);
}

fn a_folder_without_a_manifest_is_named_by_the_caller(database: &TestDatabase) {
    let folder = database.folder().join("plain");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("a.json"), profile("plain", "1", "name").to_string()).unwrap();
    let (code, said) = run(database, &["add", text(&folder)]);
    assert!(code == 2 && said.contains("--name"), "{said}");
    let (code, said) = run(database, &["add", text(&folder), "--name", "test.plain", "--package-version", "1"]);
    assert!(code == 0 && said.contains("test.plain#1 is added: 1 definitions"), "{said}");
}

#[test]
fn published_packages_and_uk_core_compile() {
    let database = TestDatabase::sqlite();
    if let Some(folder) = std::env::var_os("KITH_PACKAGES") {
        let wanted = ["hl7.fhir.uv.sdc-", "hl7.terminology.r4-", "hl7.fhir.uv.extensions.r4-"];
        let files = crate::support::files(Path::new(&folder), "tgz");
        let is_wanted = |file: &&PathBuf| {
            let name = file.file_name().unwrap().to_string_lossy();
            wanted.iter().any(|wanted| name.starts_with(wanted))
        };
        let files: Vec<&str> = files.iter().filter(is_wanted).map(|file| text(file)).collect();
        let (code, said) = run(&database, &[&["check"], files.as_slice()].concat());
        eprintln!("{}", said.lines().last().unwrap_or_default());
        assert_eq!(code, 0, "{said}");
    } else {
        eprintln!("skipped: KITH_PACKAGES does not name a folder with published packages (.tgz)");
    }
    if let Some(folder) = shared_data().map(|data| data.join("uk-core")).filter(|folder| folder.is_dir()) {
        let (code, said) = run(&database, &["check", text(&folder)]);
        assert_eq!(code, 0, "{said}");
    }
}
