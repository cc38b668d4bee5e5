//! The whole server over HTTP, as a process of its own: ServiceRequests created and read.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::Client;
use crate::table::Table;
use crate::{Plan, bare};

/// A running `kith serve`; killed when dropped.
pub struct Process {
    child: Child,
    pub address: String,
    /// Held open: the server may go on printing.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Process {
    pub fn start(binary: &str, url: &str, folder: &std::path::Path, more: &[&str]) -> Self {
        Self::start_in(Command::new(binary), url, folder, more)
    }

    fn start_in(mut command: Command, url: &str, folder: &std::path::Path, more: &[&str]) -> Self {
        let key = folder.join("key.pem");
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--log-filter", "error", "--database", url])
            .args(["--references-write", "allow", "--referral-duplicates", "allow", "--audit-key"])
            .arg(key)
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let begin = Instant::now();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .find_map(|line| line.unwrap().split_once("http://").map(|(_, rest)| rest.to_owned()))
            .expect("the server says where it listens");
        let address = address.split('/').next().unwrap().to_owned();
        println!("  start: {:.0?}, {} MB", begin.elapsed(), memory(child.id()));
        Self { child, address, _output: lines }
    }

    pub fn memory(&self) -> u64 {
        memory(self.child.id())
    }
}

/// Resident memory of a process in MB.
fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn service_request(number: u64) -> String {
    let text = include_str!("../../fixtures/valid/ServiceRequest-ada-walking.json");
    let mut value: Value = serde_json::from_str(text).unwrap();
    value.as_object_mut().unwrap().remove("id");
    value["subject"]["reference"] = format!("Patient/load-{number}").into();
    value.to_string()
}

pub async fn run(table: &mut Table, plan: &Plan, url: &impl Fn(&str) -> String) {
    println!("http, {:.0?} each:", plan.seconds);
    let folder = tempfile::TempDir::new().unwrap();
    let url = url("http.db");
    let server = Process::start(&plan.binary, &url, folder.path(), &[]);
    let mut connection = bare::connect(&url).await;
    let (count, took) = bare::batches(&mut connection, 1, plan.seconds).await;
    let one = table.add("bare SQL, one resource per commit (one)", count, took);
    table.one(one);
    drop(connection);
    let mut equal = None;
    if url.starts_with("postgres") {
        let (count, took) = bare::clients(&url, 32, plan.seconds).await;
        equal = Some(table.add("bare SQL, one resource per commit, 32 clients", count, took));
    }
    table.watch(server.child.id());
    for width in [1, 32, 128] {
        let (count, took) = creates(&server.address, width, plan.seconds).await;
        let other = equal.filter(|_| width == 32).map(|rate| ("bare SQL", rate));
        table.add_against(&format!("http, POST ServiceRequest, {width} connections"), count, took, other);
    }
    reads(table, "durable", &server.address, plan.seconds).await;
    println!("  after load: {} MB", server.memory());
    drop(server);
    let server = Process::start(&plan.binary, &url, folder.path(), &["--audit-reads", "buffered"]);
    table.watch(server.child.id());
    reads(table, "buffered", &server.address, plan.seconds).await;
    if cfg!(feature = "unaudited") {
        let mut command = Command::new(&plan.binary);
        command.env("KITH_BENCH_UNAUDITED", "yes");
        let server = Process::start_in(command, &url, folder.path(), &[]);
        table.watch(server.child.id());
        reads(table, "no", &server.address, plan.seconds).await;
    }
    table.watch(server.child.id());
    let (count, took) = gets(&server.address, "/health/live", 32, plan.seconds).await;
    table.add("http, GET /health/live, 32 connections", count, took);
}

pub async fn creates(address: &str, width: usize, seconds: Duration) -> (usize, Duration) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let bodies: Arc<Vec<String>> = Arc::new((0..500).map(service_request).collect());
    let begin = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..width {
        let (address, bodies) = (address.to_owned(), Arc::clone(&bodies));
        tasks.push(tokio::spawn(async move {
            let mut client = Client::connect(&address).await;
            let mut count = 0;
            while begin.elapsed() < seconds {
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                let body = &bodies[usize::try_from(number).unwrap() % bodies.len()];
                let status = client.send("POST", "/fhir/ServiceRequest", body).await;
                assert_eq!(status, 201, "{}", client.received());
                count += 1;
            }
            count
        }));
    }
    total(tasks, begin).await
}

async fn reads(table: &mut Table, name: &str, address: &str, seconds: Duration) {
    let mut client = Client::connect(address).await;
    client.send("POST", "/fhir/ServiceRequest", &service_request(0)).await;
    let answer = client.received().to_ascii_lowercase();
    let location = answer.lines().find_map(|line| line.strip_prefix("location:")).unwrap().trim().to_owned();
    let id = location.split("servicerequest/").nth(1).unwrap().split('/').next().unwrap().to_owned();
    for width in [1, 32, 128] {
        let (count, took) = gets(address, &format!("/fhir/ServiceRequest/{id}"), width, seconds).await;
        table.add(&format!("http, GET by id, {name} audit, {width} connections"), count, took);
    }
}

pub async fn gets(address: &str, path: &str, width: usize, seconds: Duration) -> (usize, Duration) {
    let begin = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..width {
        let (address, path) = (address.to_owned(), path.to_owned());
        tasks.push(tokio::spawn(async move {
            let mut client = Client::connect(&address).await;
            client.prepare("GET", &path, "");
            let mut count = 0;
            while begin.elapsed() < seconds {
                let status = client.repeat().await;
                assert_eq!(status, 200, "{}", client.received());
                count += 1;
            }
            count
        }));
    }
    total(tasks, begin).await
}

async fn total(tasks: Vec<tokio::task::JoinHandle<usize>>, begin: Instant) -> (usize, Duration) {
    let mut count = 0;
    for task in tasks {
        count += task.await.unwrap();
    }
    (count, begin.elapsed())
}
