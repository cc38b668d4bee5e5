//! Stock FHIR clients against a running server, on both databases: the scripts of `tests/clients/`. `KITH_CLIENTS` names the folder
//! where they are installed: `node_modules` (from package.json) and `venv` (from requirements.txt). What is not installed is
//! said, loudly, not to have run; where `CI` is set and `KITH_CLIENTS` too, that is a failure.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::http::TestServer;
use crate::support::{TestDatabase, over_http};

/// Script, and what must lie in the folder for it to run.
const SCRIPTS: &[(&str, &str)] = &[
    ("fhir-kit-client.mjs", "node_modules/fhir-kit-client"),
    ("fhirclient.mjs", "node_modules/fhirclient"),
    ("medplum-core.mjs", "node_modules/@medplum/core"),
    ("fhirpy_client.py", "venv/lib/python3*/site-packages/fhirpy"),
    ("fhirclient_client.py", "venv/lib/python3*/site-packages/fhirclient"),
];

/// True where the path exists below the folder; the part with a star may be any name that begins so.
fn is_there(folder: &Path, path: &str) -> bool {
    let Some((before, after)) = path.split_once('*') else { return folder.join(path).exists() };
    let (parent, start) = before.rsplit_once('/').unwrap_or(("", before));
    let Ok(entries) = std::fs::read_dir(folder.join(parent)) else { return false };
    let fits = |name: &str| name.starts_with(start) && folder.join(parent).join(format!("{name}{after}")).exists();
    entries.filter_map(Result::ok).any(|entry| fits(&entry.file_name().to_string_lossy()))
}

/// A folder with the scripts beside the installed packages, as Node's modules are looked up from where a script lies.
fn stage(clients: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    for entry in std::fs::read_dir(scripts).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    std::os::unix::fs::symlink(clients.join("node_modules"), folder.path().join("node_modules")).unwrap();
    folder
}

fn every_stock_client_works(database: &TestDatabase) {
    let Some(clients) = std::env::var_os("KITH_CLIENTS").map(PathBuf::from) else {
        eprintln!("KITH_CLIENTS names no folder with stock clients: NOT ONE OF THEM RAN");
        return;
    };
    let clients = clients.canonicalize().unwrap();
    let server = TestServer::start_with(database, &[("references.write", "enforce"), ("references.delete", "enforce")]);
    let folder = stage(&clients);
    let mut wrong = Vec::new();
    for (script, package) in SCRIPTS {
        if !is_there(&clients, package) {
            eprintln!("{package} is not installed: {script} DID NOT RUN");
            if std::env::var_os("CI").is_some() {
                wrong.push(format!("{package} is not installed"));
            }
            continue;
        }
        let program = if package.starts_with("venv") { clients.join("venv/bin/python") } else { PathBuf::from("node") };
        let played = Command::new(program)
            .arg(script)
            .arg(&server.base)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .unwrap();
        if !played.status.success() {
            let (out, err) = (String::from_utf8_lossy(&played.stdout), String::from_utf8_lossy(&played.stderr));
            wrong.push(format!("{script}:\n{out}{err}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

over_http!(every_stock_client_works);
