//! PostgreSQL goes away under load: restarted as after a crash, or replaced by its streaming replica.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::client::{Told, verify, write};
use crate::support::TestDatabase;
use crate::support::postgres::{as_user, binary, run, unprivileged_user};
use crate::support::process::Process;

/// A PostgreSQL server of one test, reached by a socket in its folder. It is stopped when this is dropped.
struct Cluster {
    folder: PathBuf,
    user: Option<String>,
}

impl Cluster {
    /// Makes and starts one; none where this machine has no PostgreSQL.
    fn start(folder: PathBuf, options: &str) -> Option<Self> {
        let initdb = binary("initdb")?;
        let cluster = Self::at(folder);
        run(as_user(cluster.user.as_deref(), &initdb).arg("-D").arg(cluster.data()).args([
            "-U",
            "kith",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]));
        cluster.control("start", &[options]);
        cluster.sql("create database kith");
        Some(cluster)
    }

    /// A folder that belongs to whoever runs PostgreSQL.
    fn at(folder: PathBuf) -> Self {
        std::fs::create_dir_all(&folder).unwrap();
        let user = unprivileged_user();
        if let Some(user) = &user {
            run(Command::new("chown").arg(user).arg(&folder));
        }
        Self { folder, user }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn control(&self, action: &str, options: &[&str]) {
        let mut command = as_user(self.user.as_deref(), &binary("pg_ctl").unwrap());
        command.args(["-w", "-s", "-D"]).arg(self.data());
        if let [options, ..] = options {
            let options = format!("-k {} -c listen_addresses= -c fsync=off {options}", self.folder.display());
            command.arg("-o").arg(options).arg("-l").arg(self.folder.join("log"));
        }
        if action == "restart" || action == "stop" {
            command.args(["-m", "immediate"]);
        }
        run(command.arg(action));
    }

    fn sql(&self, sql: &str) -> String {
        let url = url(&self.folder, "postgres");
        String::from_utf8(run(Command::new(binary("psql").unwrap()).args(["-X", "-q", "-t", "-A", "-c", sql, &url])))
            .unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            self.control("stop", &[]);
        }
    }
}

fn url(folder: &Path, database: &str) -> String {
    format!("postgres://kith@localhost/{database}?host={}", folder.display())
}

/// A test folder that the user of PostgreSQL may enter.
fn folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn database(folder: &Path) -> TestDatabase {
    let mut database = TestDatabase::sqlite();
    database.url = url(folder, "kith");
    database
}

#[tokio::test]
async fn a_crash_of_postgresql_loses_nothing_and_the_server_goes_on() {
    let folder = folder();
    let Some(cluster) = Cluster::start(folder.path().join("a"), "") else { return };
    let database = database(&cluster.folder);
    let server = Process::start(&database, &[]);
    let told = Told::default();
    std::thread::scope(|scope| {
        for client in 0..4 {
            let (told, server) = (&told, &server);
            scope.spawn(move || write(told, &format!("c{client}"), || server.base.clone()));
        }
        for _ in 0..3 {
            told.wait_for_more(40);
            cluster.control("restart", &[""]);
        }
        told.wait_for_more(40);
        told.stop();
    });
    assert_eq!(told.status(0), 0, "the server itself was there all the time");
    server.kill();
    verify(&database, &told).await;
}

#[tokio::test]
async fn a_fail_over_to_the_replica_loses_nothing_that_was_acknowledged() {
    let folder = folder();
    let options = "-c synchronous_standby_names=* -c synchronous_commit=local";
    let Some(primary) = Cluster::start(folder.path().join("a"), options) else { return };
    let replica = Cluster::at(folder.path().join("b"));
    run(as_user(replica.user.as_deref(), &binary("pg_basebackup").unwrap())
        .args(["-R", "-X", "stream", "-c", "fast", "-U", "kith", "-h"])
        .arg(&primary.folder)
        .arg("-D")
        .arg(replica.data()));
    replica.control("start", &[""]);
    while primary.sql("select count(*) from pg_stat_replication where sync_state = 'sync'").trim() != "1" {
        std::thread::yield_now();
    }
    // From now on a commit waits for the replica.
    primary.sql("alter role kith set synchronous_commit = 'on'");
    // The address that moves: a link to the folder of the socket.
    let address = folder.path().join("current");
    std::os::unix::fs::symlink(&primary.folder, &address).unwrap();
    let database = database(&address);
    let server = Process::start(&database, &["--timeouts-database", "5"]);
    let told = Told::default();
    std::thread::scope(|scope| {
        for client in 0..4 {
            let (told, server) = (&told, &server);
            scope.spawn(move || write(told, &format!("c{client}"), || server.base.clone()));
        }
        told.wait_for_more(60);
        primary.control("stop", &[]);
        told.wait_until(|told| told.status(503) > 0);
        replica.control("promote", &[]);
        std::fs::remove_file(&address).unwrap();
        std::os::unix::fs::symlink(&replica.folder, &address).unwrap();
        told.wait_for_more(60);
        told.stop();
    });
    assert_eq!(told.status(0), 0, "the server itself was there all the time");
    server.kill();
    verify(&database, &told).await;
}
