//! What searches cost with 10,000 and with 100,000 referrals, what deep pages cost, and what the server answers at 32
//! connections, as ratios in one run.
//!
//! `cargo bench --bench referrals -- [sqlite] [postgres] [--sizes 10000,100000] [--seconds N] [--binary FILE]`. Both sizes are
//! served at the same time and asked in turn, so that what else the machine does falls on both. Page 500 is there from
//! 60,000 referrals on.
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
}

fn plan() -> Plan {
    let mut plan = Plan {
        words: Vec::new(),
        sizes: vec![10_000, 100_000],
        seconds: Duration::from_secs(4),
        binary: env!("CARGO_BIN_EXE_kith").to_owned(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--sizes" => plan.sizes = arguments.next().unwrap().split(',').map(|size| size.parse().unwrap()).collect(),
            "--seconds" => plan.seconds = Duration::from_secs_f64(arguments.next().unwrap().parse().unwrap()),
            "--binary" => plan.binary = arguments.next().unwrap(),
            // cargo bench passes it to every bench.
            "--bench" => {}
            word => plan.words.push(word.to_owned()),
        }
    }
    plan
}

fn main() {
    let plan = plan();
    for database in ["sqlite", "postgres"] {
        if !plan.words.is_empty() && !plan.words.iter().any(|word| word == database) {
            continue;
        }
        let postgres = if database == "postgres" { postgres::Server::start("-c max_wal_size=4GB") } else { None };
        if database == "postgres" && postgres.is_none() {
            println!("PostgreSQL was not found on this machine.");
            continue;
        }
        println!("{database}:");
        let folder = tempfile::TempDir::new().unwrap();
        let servers: Vec<(Data, Server)> = plan
            .sizes
            .iter()
            .map(|size| {
                let (data, files) = (Data::new(SEED, *size), folder.path().join(size.to_string()));
                write_folder(&data, &files).unwrap();
                let url = match &postgres {
                    Some(server) => server.create_database().0,
                    None => format!("sqlite:{}", folder.path().join(format!("{size}.db")).display()),
                };
                (data, Server::filled(&plan.binary, &url, folder.path(), &files))
            })
            .collect();
        searches(&servers);
        pages(&servers.last().unwrap().1);
        rates::run(&servers[0].0, &servers[0].1, plan.seconds);
    }
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
