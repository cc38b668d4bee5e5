//! The PostgreSQL server of the tests: the one that `KITH_TEST_POSTGRES` names (a URL of a user who may create databases), or
//! a throw-away cluster in a temporary folder, started once per test process, reached by a socket in that folder.
//!
//! The cluster goes away with the process, however that ends: a shell waits for the end of its standard input, which this
//! process holds open, then stops the server and removes the folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A server on which tests create databases.
#[derive(Debug)]
pub struct Server {
    psql: PathBuf,
    /// URL up to the database name, and what follows the name.
    url: (String, String),
    lasting: bool,
    created: AtomicUsize,
}

/// For tests: nothing waits for the disk.
const FAST: &str = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off";

/// The server, started on first use. `None` where there is no PostgreSQL; then half of the tests do not run.
pub fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER
        .get_or_init(|| {
            let found = Server::named().or_else(|| Server::start(FAST));
            if found.is_none() {
                assert!(std::env::var("CI").as_deref() != Ok("true"), "CI needs PostgreSQL and this machine has none");
                eprintln!(
                    "\n*** PostgreSQL was not found (PATH, /usr/lib/postgresql): HALF OF THE TESTS DID NOT RUN. ***\n\
                     *** Install it (apt-get install postgresql) or set KITH_TEST_POSTGRES to the URL of a server. ***\n"
                );
            }
            found
        })
        .as_ref()
}

impl Server {
    fn named() -> Option<Self> {
        let url = std::env::var("KITH_TEST_POSTGRES").ok().filter(|url| !url.is_empty())?;
        let (path, query) = url.split_once('?').map_or((url.as_str(), String::new()), |(p, q)| (p, format!("?{q}")));
        let authority = path.find("://").map_or(0, |place| place + 3);
        let end = path[authority..].find('/').map_or(path.len(), |slash| authority + slash);
        let base = format!("{}/", &path[..end]);
        Some(Self { psql: binary("psql")?, url: (base, query), lasting: true, created: AtomicUsize::new(0) })
    }

    /// Starts a throw-away cluster with these options of the server.
    pub fn start(options: &str) -> Option<Self> {
        let (initdb, pg_ctl, psql) = (binary("initdb")?, binary("pg_ctl")?, binary("psql")?);
        let folder = std::env::temp_dir().join(format!("kith-test-postgres-{}", std::process::id()));
        // Left over from a process with the same number.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let user = unprivileged_user();
        if let Some(user) = &user {
            run(Command::new("chown").arg(user).arg(&folder));
        }
        let data = folder.join("data");
        guard(&folder);
        run(as_user(user.as_deref(), &initdb).arg("-D").arg(&data).args([
            "-U",
            "kith",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]));
        let options = format!(
            "-k {} -c listen_addresses= -c max_connections=400 -c shared_buffers=64MB {options}",
            folder.display()
        );
        run(as_user(user.as_deref(), &pg_ctl)
            .args(["-w", "-s", "-o", &options, "-D"])
            .arg(&data)
            .arg("-l")
            .arg(folder.join("log"))
            .arg("start"));
        let url = ("postgres://kith@localhost/".to_owned(), format!("?host={}", folder.display()));
        Some(Self { psql, url, lasting: false, created: AtomicUsize::new(0) })
    }

    /// Creates an empty database: its URL, and its name where it must be dropped again.
    pub fn create_database(&self) -> (String, Option<String>) {
        let number = self.created.fetch_add(1, Ordering::Relaxed);
        let name = format!("kith_test_{}_{number}", std::process::id());
        self.sql(&format!("create database {name}"));
        (self.url(&name), self.lasting.then_some(name))
    }

    /// Drops a database, also where connections are left.
    pub fn drop_database(&self, name: &str) {
        self.sql(&format!("drop database if exists {name} with (force)"));
    }

    fn url(&self, database: &str) -> String {
        format!("{}{database}{}", self.url.0, self.url.1)
    }

    fn sql(&self, sql: &str) {
        run(Command::new(&self.psql).args(["-X", "-q", "-c", sql, &self.url("postgres")]));
    }
}

/// Finds a program of PostgreSQL.
pub fn binary(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.filter_map(Result::ok).map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// PostgreSQL refuses to run as root.
pub fn unprivileged_user() -> Option<String> {
    let is_root = String::from_utf8(run(Command::new("id").arg("-u"))).unwrap().trim() == "0";
    if !is_root {
        return None;
    }
    let exists = |user: &str| Command::new("id").arg(user).output().is_ok_and(|output| output.status.success());
    let user = ["postgres", "nobody"].into_iter().find(|user| exists(user)).expect("a user for PostgreSQL");
    Some(user.to_owned())
}

pub fn as_user(user: Option<&str>, program: &Path) -> Command {
    let mut command = match user {
        None => Command::new(program),
        Some(user) => {
            let mut command = Command::new("runuser");
            command.args(["-u", user, "--"]).arg(program);
            command
        }
    };
    command.current_dir("/");
    command
}

pub fn run(command: &mut Command) -> Vec<u8> {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Stops the server in `folder` and removes the folder once this process is gone.
fn guard(folder: &Path) {
    use std::os::unix::process::CommandExt as _;
    let script = "cat > /dev/null; kill -QUIT \"$(head -n 1 \"$1/data/postmaster.pid\")\" 2> /dev/null; sleep 0.3; rm -rf \"$1\"";
    let mut shell = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // An interrupt from the keyboard must not end it before the server.
        .process_group(0)
        .spawn()
        .unwrap();
    // Held open for as long as this process lives.
    std::mem::forget(shell.stdin.take());
    std::mem::forget(shell);
}
