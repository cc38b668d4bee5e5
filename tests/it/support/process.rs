//! `kith` as a process of its own: one that serves and can be killed, and commands beside it.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use super::TestDatabase;

/// A server as a process of its own. It is killed (SIGKILL) when this value goes.
#[derive(Debug)]
pub struct Process {
    /// Where it answers, with `/fhir`.
    pub base: String,
    child: Child,
    /// Held open: the server may go on printing.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts `kith serve` on a free port, with further arguments, and waits until it says where it listens.
    pub fn start(database: &TestDatabase, more: &[&str]) -> Self {
        Self::spawn(command(database, &["serve"]).args(["--listen", "127.0.0.1:0", "--workers", "2"]).args(more))
    }

    /// Starts a command that ends up as `kith serve`, and waits until it says where it listens.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let place = |line: String| line.split_whitespace().find(|word| word.starts_with("http")).map(str::to_owned);
        let base = lines.by_ref().find_map(|line| place(line.unwrap())).expect("the server says where it listens");
        Self { base, child, _output: lines }
    }

    /// `ADDRESS:PORT`
    pub fn address(&self) -> &str {
        self.base.split('/').nth(2).unwrap()
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Sets how large the files may become that it writes.
    pub fn limit_files(&self, size: &str) {
        let status = Command::new("prlimit")
            .args(["--pid", &self.child.id().to_string(), &format!("--fsize={size}:")])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// `kith` with a command on this database, in the folder of the test.
pub fn command(database: &TestDatabase, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kith"));
    command.args(arguments).args([
        "--log-filter",
        "error",
        "--database",
        &database.url,
        "--sqlite-synchronous",
        "normal",
    ]);
    command.arg("--audit-key").arg(database.settings().audit_key_file()).current_dir(database.folder());
    command
}
