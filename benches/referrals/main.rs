//! What searches cost with 10,000 and with 100,000 referrals, what deep pages cost, and what the server answers at 32
//! connections, as ratios in one run. What searches and pages cost is measured without answers kept in memory, rates with them.
//!
//! `cargo bench --bench referrals -- [sqlite] [postgres] [searches] [pages] [rates] [--sizes 10000,100000] [--seconds N]
//! [--binary FILE] [--keep FOLDER]`: words choose what runs, none of a kind runs all of it. Both sizes are served at the same
//! time and asked in turn, so that what else the machine does falls on both. Page 500 is there from 60,000 referrals on. What
//! is made stays in the folder of `--keep` for the next run: the files, and the filled SQLite databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::allow_attributes,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a load run may fail loudly and prints its figures"
)]

mod client;
#[path = "../../tests/it/support/postgres.rs"]
#[allow(dead_code, clippy::print_stderr, reason = "shared with the tests")]
mod postgres;
mod rates;
mod server;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use client::Client;
use kith::commands::bench::{Data, ORGANISATIONS, PROVIDERS, write_folder};
use serde_json::Value;
use server::Server;

const SEED: u64 = 1;
/// Requests for a median, of each kind and size.
const SAMPLES: u32 = 201;

struct Plan {
    words: Vec<String>,
    sizes: Vec<u32>,
    seconds: Duration,
    binary: String,
    keep: Option<PathBuf>,
}

impl Plan {
    /// True where nothing or this word of a group was asked for.
    fn wants(&self, group: &[&str], word: &str) -> bool {
        let named = |word: &str| self.words.iter().any(|asked| asked == word);
        named(word) || !group.iter().any(|other| named(other))
    }
}

fn plan() -> Plan {
    let mut plan = Plan {
        words: Vec::new(),
        sizes: vec![10_000, 100_000],
        seconds: Duration::from_secs(4),
        binary: env!("CARGO_BIN_EXE_kith").to_owned(),
        keep: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--sizes" => plan.sizes = arguments.next().unwrap().split(',').map(|size| size.parse().unwrap()).collect(),
            "--seconds" => plan.seconds = Duration::from_secs_f64(arguments.next().unwrap().parse().unwrap()),
            "--binary" => plan.binary = arguments.next().unwrap(),
            "--keep" => plan.keep = Some(arguments.next().unwrap().into()),
            // cargo bench passes it to every bench.
            "--bench" => {}
            word => plan.words.push(word.to_owned()),
        }
    }
    plan
}

const DATABASES: [&str; 2] = ["sqlite", "postgres"];
const PARTS: [&str; 3] = ["searches", "pages", "rates"];

fn main() {
    let plan = plan();
    for database in DATABASES.into_iter().filter(|word| plan.wants(&DATABASES, word)) {
        let postgres = if database == "postgres" { postgres::Server::start("-c max_wal_size=4GB") } else { None };
        if database == "postgres" && postgres.is_none() {
            println!("PostgreSQL was not found on this machine.");
            continue;
        }
        println!("{database}:");
        let folder = tempfile::TempDir::new().unwrap();
        let fill = |size: &u32| (Data::new(SEED, *size), fill(&plan, *size, folder.path(), postgres.as_ref()));
        let filled: Vec<(Data, String)> = plan.sizes.iter().map(fill).collect();
        let start = |url: &str, more: &[&str]| Server::start(&plan.binary, url, folder.path(), more);
        if plan.wants(&PARTS, "searches") || plan.wants(&PARTS, "pages") {
            let start = |(data, url): &(Data, String)| (*data, start(url, &["--sqlite-cache", "0"]));
            let servers: Vec<(Data, Server)> = filled.iter().map(start).collect();
            if plan.wants(&PARTS, "searches") {
                searches(&servers);
            }
            if plan.wants(&PARTS, "pages") {
                pages(&servers.last().unwrap().1);
            }
        }
        if plan.wants(&PARTS, "rates") {
            rates::run(&filled[0].0, &start(&filled[0].1, &[]), plan.seconds);
        }
    }
}

/// The URL of a database of so many referrals.
fn fill(plan: &Plan, size: u32, folder: &Path, postgres: Option<&postgres::Server>) -> String {
    let kept = plan.keep.as_deref().unwrap_or(folder);
    let files = kept.join(size.to_string());
    if !files.exists() {
        write_folder(&Data::new(SEED, size), &files).unwrap();
    }
    if let Some(server) = postgres {
        let url = server.create_database().0;
        server::fill(&plan.binary, &url, folder, &files);
        // As PostgreSQL does by itself within minutes.
        postgres::run(Command::new(postgres::binary("psql").unwrap()).args(["-X", "-q", "-c", "vacuum analyze", &url]));
        return url;
    }
    let (filled, used) = (kept.join(format!("{size}.db")), folder.join(format!("{size}-used.db")));
    if !filled.exists() {
        server::fill(&plan.binary, &format!("sqlite:{}", filled.display()), folder, &files);
    }
    std::fs::copy(&filled, &used).unwrap();
    format!("sqlite:{}", used.display())
}

type Search = fn(&Data, u32) -> String;

fn provider(number: u32) -> String {
    format!("Organization/organisation-{:03}", ORGANISATIONS - PROVIDERS + number % PROVIDERS)
}

/// A patient of the set, spread over all of it.
fn patient(data: &Data, number: u32) -> u32 {
    number.wrapping_mul(7919) % data.patients()
}

fn identifier(data: &Data, number: u32) -> String {
    let patient = data.patient(patient(data, number));
    format!("https://fhir.nhs.uk/Id/nhs-number%7C{}", patient["identifier"][0]["value"].as_str().unwrap())
}

pub fn owner(_: &Data, number: u32) -> String {
    let owner = provider(number);
    format!("/fhir/Task?owner={owner}&status=requested&_sort=-authored-on&_include=Task:focus&_count=20")
}

const SEARCHES: &[(&str, Search)] = &[
    ("Task?owner&status&_sort=-authored-on&_include=Task:focus", owner),
    ("ServiceRequest?patient", |data, number| {
        format!("/fhir/ServiceRequest?patient=Patient/patient-{:06}", patient(data, number))
    }),
    ("Patient?identifier", |data, number| format!("/fhir/Patient?identifier={}", identifier(data, number))),
    ("Task?patient.identifier (chain)", |data, number| {
        format!("/fhir/Task?patient.identifier={}", identifier(data, number))
    }),
    ("Organization?_has:Task:owner:patient", |data, number| {
        format!("/fhir/Organization?_has:Task:owner:patient=Patient/patient-{:06}", patient(data, number))
    }),
    ("Patient?_has:Task:patient:status=requested, 20 of many", |_, _| {
        "/fhir/Patient?_has:Task:patient:status=requested&_count=20".to_owned()
    }),
    ("Patient?_has:Task:patient:owner, 20 of ten times as many", |_, number| {
        format!("/fhir/Patient?_has:Task:patient:owner={}&_count=20", provider(number))
    }),
];

fn searches(servers: &[(Data, Server)]) {
    println!("  median of {SAMPLES} requests at one connection, in microseconds:");
    for (name, search) in SEARCHES {
        let mut clients: Vec<Client> = servers.iter().map(|(_, server)| Client::connect(&server.address)).collect();
        let mut times: Vec<Vec<f64>> = vec![Vec::new(); servers.len()];
        for number in 0..SAMPLES {
            for (place, (data, _)) in servers.iter().enumerate() {
                let path = search(data, number);
                let begin = Instant::now();
                clients[place].get(&path);
                times[place].push(begin.elapsed().as_secs_f64() * 1e6);
            }
        }
        let medians: Vec<f64> = times.into_iter().map(median).collect();
        let ratio = medians.last().unwrap() / medians[0];
        println!("  {name:<58} {medians:>8.0?}  ratio {ratio:.2}");
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Page 500 against page 1, asked in turn.
fn pages(server: &Server) {
    for first in ["/fhir/Task?status=requested&_count=20", "/fhir/Task?_sort=-authored-on&_count=20"] {
        let mut client = Client::connect(&server.address);
        let mut path = first.to_owned();
        for _ in 1..500 {
            let bundle: Value = serde_json::from_str(&client.get(&path)).unwrap();
            let links = bundle["link"].as_array().unwrap();
            let next = links.iter().find(|link| link["relation"] == "next").expect("there are 500 pages");
            let url = next["url"].as_str().unwrap();
            url[url.find("/fhir").unwrap()..].clone_into(&mut path);
        }
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..SAMPLES {
            for (place, path) in [first, path.as_str()].into_iter().enumerate() {
                let begin = Instant::now();
                client.get(path);
                times[place].push(begin.elapsed().as_secs_f64() * 1e6);
            }
        }
        let [one, deep] = times.map(median);
        println!("  {first}: page 1 {one:.0}, page 500 {deep:.0}  ratio {:.2}", deep / one);
    }
}
