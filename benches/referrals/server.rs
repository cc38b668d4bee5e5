//! A `kith serve` process on a database that `kith load --import` has filled.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    pub address: String,
    /// Held open: the server may go on printing.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Fills a new database from the files in `data`.
pub fn fill(binary: &str, url: &str, folder: &Path, data: &Path) {
    let begin = Instant::now();
    let load = Command::new(binary)
        .args(["load", "--import", "--at-once", "256", "--database", url, "--audit-key"])
        .arg(folder.join("key.pem"))
        .arg(data)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&load.stdout).into_owned();
    assert!(load.status.success(), "{text}{}", String::from_utf8_lossy(&load.stderr));
    println!("  loaded {} in {:.0?}", data.file_name().unwrap().display(), begin.elapsed());
}

impl Server {
    /// Serves a filled database, with further arguments.
    pub fn start(binary: &str, url: &str, folder: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--log-filter", "error", "--database", url])
            .args(["--referral-duplicates", "allow", "--audit-reads", "buffered", "--audit-key"])
            .arg(folder.join("key.pem"))
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.by_ref().find_map(|line| line.unwrap().split_once("http://").map(|(_, rest)| rest.to_owned()));
        let address = line.expect("the server says where it listens").split('/').next().unwrap().to_owned();
        Self { child, address, _output: lines }
    }

    /// Processor time that the server has used, in microseconds.
    pub fn processor_time(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        // Behind the name: user and system time are the 12th and 13th, in hundredths of a second.
        let fields: Vec<&str> = stat.rsplit_once(") ").map_or(Vec::new(), |(_, rest)| rest.split(' ').collect());
        let ticks = |place: usize| fields.get(place).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        (ticks(11) + ticks(12)) * 1e4
    }
}
