//! Packages from disk: what is read, what is refused, what the importer writes.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use kith::commands::package::Import;
use kith::fhir::definitions::Definitions;
use kith::package::{self, Limits};
use kith::problem::Kind;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::shared_data;

/// A gzipped tar archive of these files; names go in as they are, also those that `tar` would refuse to write.
fn archive(folder: &Path, files: &[(&str, &[u8])]) -> PathBuf {
    let path = folder.join("test.tgz");
    let gzip = GzEncoder::new(std::fs::File::create(&path).unwrap(), Compression::fast());
    let mut builder = tar::Builder::new(gzip);
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap().flush().unwrap();
    path
}

fn profile() -> Value {
    json!({
        "resourceType": "StructureDefinition", "id": "strict", "text": { "status": "empty", "div": "<div/>" },
        "url": "http://test.example/StructureDefinition/strict", "version": "1.2.0", "name": "Strict",
        "status": "active", "description": "Not a fact.", "kind": "resource", "abstract": false, "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient", "derivation": "constraint",
        "snapshot": { "element": [{ "id": "Patient", "path": "Patient" }] },
        "differential": { "element": [{ "id": "Patient.name", "path": "Patient.name", "min": 1, "short": "Not a fact." }] },
    })
}

fn manifest(version: &str) -> Vec<u8> {
    json!({ "name": "test.package", "version": "1.2.0", "fhirVersions": [version] }).to_string().into_bytes()
}

#[test]
fn a_package_archive_adds_its_profiles() {
    let folder = TempDir::new().unwrap();
    let questionnaire =
        json!({ "resourceType": "Questionnaire", "url": "http://test.example/Questionnaire/q", "status": "active" });
    let path = archive(
        folder.path(),
        &[
            ("package/package.json", &manifest("4.0.1")),
            ("package/.index.json", b"not even JSON"),
            ("package/StructureDefinition-strict.json", profile().to_string().as_bytes()),
            ("package/Questionnaire-q.json", questionnaire.to_string().as_bytes()),
            ("package/example/Patient-example.json", b"{broken"),
        ],
    );
    let package = package::load(&path).unwrap();
    assert_eq!((package.manifest.name.as_str(), package.len()), ("test.package", 2));
    let definitions = Definitions::embedded().with_packages(vec![package]).unwrap();
    let snapshot = definitions.snapshot("http://test.example/StructureDefinition/strict|1.2.0").unwrap();
    assert_eq!(snapshot.element("Patient.name").unwrap().min, Some(1));
    assert!(definitions.other("Questionnaire", "http://test.example/Questionnaire/q").is_some());
    assert!(Definitions::embedded().structure("http://test.example/StructureDefinition/strict").is_none());
}

#[test]
fn folders_bundles_and_single_files_are_read() {
    let folder = TempDir::new().unwrap();
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": [{ "resource": profile() }, {}] });
    let file = folder.path().join("profiles.json");
    std::fs::write(&file, bundle.to_string()).unwrap();
    std::fs::write(folder.path().join("notes.txt"), "nothing").unwrap();
    assert_eq!(package::load(&file).unwrap().len(), 1);
    assert_eq!(package::load(folder.path()).unwrap().len(), 1);
    std::fs::write(&file, "{").unwrap();
    let problem = package::load(folder.path()).unwrap_err();
    assert!(problem.to_string().contains("profiles.json"), "{problem}");
}

#[test]
fn hostile_archives_are_refused() {
    let folder = TempDir::new().unwrap();
    for name in ["../outside.json", "package/../../outside.json", "/etc/outside.json"] {
        let path = archive(folder.path(), &[(name, b"{}")]);
        let problem = package::load(&path).unwrap_err();
        assert!(problem.to_string().contains("leads out"), "{name}: {problem}");
    }
    let zeros = vec![b' '; 3 << 20];
    let bomb = archive(folder.path(), &[("package/a.json", &zeros), ("package/b.json", &zeros)]);
    let limits = Limits { files: 10, file_bytes: 1 << 20, total_bytes: 8 << 20 };
    assert_eq!(package::read(&bomb, &limits, &mut drop).unwrap_err().kind, Kind::TooLarge);
    // Entries that nobody wants are skipped, and skipping must end too.
    let aside =
        archive(folder.path(), &[("package/a.bin", &zeros), ("package/b.bin", &zeros), ("package/c.bin", &zeros)]);
    assert!(package::read(&aside, &limits, &mut drop).is_err());
    let many: Vec<(&str, &[u8])> = (0..11).map(|_| ("package/a.json", b"{}".as_slice())).collect();
    assert_eq!(package::read(&archive(folder.path(), &many), &limits, &mut drop).unwrap_err().kind, Kind::TooLarge);
    std::fs::write(folder.path().join("test.tgz"), b"not gzip").unwrap();
    assert!(package::load(&folder.path().join("test.tgz")).is_err());
}

#[test]
fn what_holds_no_definitions_is_refused() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("notes.txt"), "nothing").unwrap();
    for path in [folder.path().to_path_buf(), folder.path().join("notes.txt"), folder.path().join("none.json")] {
        let problem = package::load(&path).unwrap_err();
        assert!(problem.to_string().contains(&path.display().to_string()), "{problem}");
    }
}

#[test]
fn packages_for_other_versions_of_fhir_are_refused() {
    let folder = TempDir::new().unwrap();
    let path = archive(
        folder.path(),
        &[
            ("package/package.json", &manifest("5.0.0")),
            ("package/StructureDefinition-strict.json", profile().to_string().as_bytes()),
        ],
    );
    let package = package::load(&path).unwrap();
    assert!(Definitions::embedded().with_packages(vec![package]).unwrap_err().to_string().contains("5.0.0"));
}

#[test]
fn a_structure_that_cannot_be_read_is_refused_by_name() {
    let mut broken = profile();
    broken["kind"] = json!("something");
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("a.json"), broken.to_string()).unwrap();
    let package = package::load(folder.path()).unwrap();
    let problem = Definitions::embedded().with_packages(vec![package]).unwrap_err();
    assert!(problem.to_string().contains("StructureDefinition/strict"), "{problem}");
}

#[test]
fn the_core_definitions_cannot_be_replaced() {
    let mut patient = profile();
    patient["url"] = json!("http://hl7.org/fhir/StructureDefinition/Patient");
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("a.json"), patient.to_string()).unwrap();
    let package = package::load(folder.path()).unwrap();
    let definitions = Definitions::embedded().with_packages(vec![package]).unwrap();
    let structure = definitions.structure("http://hl7.org/fhir/StructureDefinition/Patient").unwrap();
    assert_eq!(structure.version.as_deref(), Some("4.0.1"));
}

fn import(paths: Vec<PathBuf>, out: &Path) -> Import {
    Import {
        paths,
        out: out.to_path_buf(),
        files: false,
        closure: Vec::new(),
        closure_limit: 60_000,
        roots: Vec::new(),
        name: None,
        package_version: None,
        dependency: Vec::new(),
    }
}

#[test]
fn the_importer_keeps_facts_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let source = folder.path().join("source.json");
    std::fs::write(&source, profile().to_string()).unwrap();
    let out = folder.path().join("out");
    import(vec![source], &out).run().unwrap();
    let line = std::fs::read_to_string(out.join("StructureDefinition.jsonl")).unwrap();
    assert!(line.starts_with("{\"resourceType\":\"StructureDefinition\",\"url\":\"http://test.example/"), "{line}");
    assert!(!line.contains("Not a fact") && !line.contains("snapshot") && !line.contains("text"), "{line}");
}

/// Every file below `folder` with its bytes.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.push((path.clone(), std::fs::read(path).unwrap()));
        }
    }
    found.sort();
    found
}

fn assert_same(committed: &Path, made: &Path) {
    let (committed_files, made_files) = (contents(committed), contents(made));
    let names = |files: &[(PathBuf, Vec<u8>)], root: &Path| -> Vec<PathBuf> {
        files.iter().map(|(path, _)| path.strip_prefix(root).unwrap().to_path_buf()).collect()
    };
    assert_eq!(names(&committed_files, committed), names(&made_files, made));
    for ((path, ours), (_, made)) in committed_files.iter().zip(&made_files) {
        assert!(ours == made, "{} is not what the importer makes of the official definitions", path.display());
    }
}

fn profiles(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles").join(name)
}

#[test]
fn importing_r4_core_again_changes_nothing() {
    let Some(source) = std::env::var_os("KITH_R4_CORE") else {
        eprintln!("skipped: KITH_R4_CORE does not name the official core package (folder or .tgz)");
        return;
    };
    let out = TempDir::new().unwrap();
    let mut import = import(vec![source.into()], out.path());
    import.closure = ["required", "extensible", "preferred", "example"].map(str::to_owned).to_vec();
    import.roots = vec![profiles("uk-core")];
    import.run().unwrap();
    assert_same(&profiles("hl7.fhir.r4.core"), out.path());
}

#[test]
fn importing_uk_core_again_changes_nothing() {
    let Some(source) = shared_data().map(|data| data.join("uk-core")) else { return };
    let folders = ["structuredefinitions", "valuesets", "codesystems", "conceptmaps", "CapabilityStatement"];
    let out = TempDir::new().unwrap();
    let mut import = import(folders.map(|folder| source.join(folder)).to_vec(), out.path());
    import.files = true;
    import.name = Some("fhir.r4.ukcore.stu3.currentbuild".to_owned());
    import.package_version = Some("draft".to_owned());
    import.dependency = vec!["hl7.fhir.r4.core#4.0.1".to_owned()];
    import.run().unwrap();
    assert_same(&profiles("uk-core"), out.path());
}

#[test]
fn published_packages_load() {
    let Some(folder) = std::env::var_os("KITH_PACKAGES") else {
        eprintln!("skipped: KITH_PACKAGES does not name a folder with published packages (.tgz)");
        return;
    };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("hl7.fhir.uv.sdc-") && !name.starts_with("hl7.terminology.r4-") {
            continue;
        }
        let package = package::load(&path).unwrap();
        let (count, package_name) = (package.len(), package.manifest.name.clone());
        let definitions = Definitions::embedded().with_packages(vec![package]).unwrap();
        let own = definitions.canonicals("StructureDefinition").filter(|(package, _)| *package == package_name);
        let mut failed = Vec::new();
        for (_, canonical) in own {
            failed.extend(definitions.snapshot(&canonical).err().map(|problem| format!("{canonical}: {problem}")));
        }
        eprintln!("{name}: {count} definitions, {} without snapshot", failed.len());
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }
}
