//! Load runs: how many durable writes and audited reads per second, as ratios to what the disk allows in the same run.
//!
//! `cargo bench --bench load -- [store] [http] [sqlite] [postgres] [--seconds N] [--binary FILE]`: words choose what runs, none runs all.
//! With `--features unaudited` reads without an audit trail are measured too.
//! `cargo bench --bench load -- soak [sqlite] [postgres] [--minutes N]` is a long run under full load instead.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::allow_attributes,
    missing_docs,
    reason = "a load run may fail loudly and prints its figures"
)]

mod answer;
mod bare;
mod client;
mod http;
#[path = "../../tests/it/support/postgres.rs"]
#[allow(dead_code, clippy::print_stderr, reason = "shared with the tests")]
mod postgres;
mod sample;
mod soak;
mod store;
mod table;

use std::time::Duration;

use table::Table;

/// What to run.
#[derive(Debug, Clone)]
struct Plan {
    words: Vec<String>,
    seconds: Duration,
    /// How long a soak run takes.
    minutes: usize,
    /// The server that is measured over HTTP.
    binary: String,
}

impl Plan {
    fn read() -> Self {
        let mut words = Vec::new();
        let mut seconds = Duration::from_secs(4);
        let mut minutes = 30;
        let mut binary = env!("CARGO_BIN_EXE_kith").to_owned();
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--seconds" => seconds = Duration::from_secs_f64(arguments.next().unwrap().parse().unwrap()),
                "--minutes" => minutes = arguments.next().unwrap().parse().unwrap(),
                "--binary" => binary = arguments.next().unwrap(),
                // cargo bench passes it to every bench.
                "--bench" => {}
                word => words.push(word.to_owned()),
            }
        }
        Self { words, seconds, minutes, binary }
    }

    /// True where nothing or one of these words was asked for.
    fn wants(&self, group: &[&str], word: &str) -> bool {
        let named = |word: &str| self.words.iter().any(|asked| asked == word);
        named(word) || !group.iter().any(|other| named(other))
    }
}

fn main() {
    let plan = Plan::read();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let databases = ["sqlite", "postgres"];
    let scenarios = ["store", "http"];
    for database in databases.into_iter().filter(|word| plan.wants(&databases, word)) {
        let folder = tempfile::TempDir::new().unwrap();
        let server = if database == "postgres" { postgres::Server::start("-c max_wal_size=4GB") } else { None };
        let url = |name: &str| match &server {
            Some(server) => server.create_database().0,
            None => format!("sqlite:{}", folder.path().join(name).display()),
        };
        if database == "postgres" && server.is_none() {
            println!("PostgreSQL was not found on this machine.");
            continue;
        }
        if plan.words.iter().any(|word| word == "soak") {
            println!("soak, {database}, {} minutes:", plan.minutes);
            runtime.block_on(soak::run(&plan, &url));
            continue;
        }
        let mut table = Table::new(database);
        if plan.wants(&scenarios, "store") {
            runtime.block_on(store::run(&mut table, &plan, &url));
        }
        if plan.wants(&scenarios, "http") {
            runtime.block_on(http::run(&mut table, &plan, &url));
        }
        table.print();
    }
}
