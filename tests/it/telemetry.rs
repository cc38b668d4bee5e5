//! Log lines, metrics and health checks: one line a request, nothing in it that nobody should read, and figures that move.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::http::{JSON, TestServer, send};
use crate::support::{TestDatabase, over_http};

/// Method, address, headers and body of a request.
type Sent<'a> = (&'a str, String, Vec<(&'a str, &'a str)>, Option<&'a [u8]>);

/// What must never stand in a log.
const PLANTED: [&str; 5] = ["Quaggafield", "9434765919", "s3cr3t-t0k3n", "INJECTED", "1 Hidden Street"];

/// Requests that bring planted texts in every place that a request has; how many they are.
fn plant(base: &str) -> usize {
    let root = base.trim_end_matches("/fhir");
    let patient = json!({
        "resourceType": "Patient", "id": "x", "name": [{ "family": "Quaggafield" }], "address": [{ "line": ["1 Hidden Street"] }],
        "identifier": [{ "system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9434765919" }],
    });
    let wrong = json!({ "resourceType": "Patient", "gender": "Quaggafield", "birthDate": "INJECTED", "name": "1 Hidden Street" });
    let (patient, wrong) = (patient.to_string(), wrong.to_string());
    let token = ("Authorization", "Bearer s3cr3t-t0k3n");
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let requests: Vec<Sent<'_>> = vec![
        ("PUT", format!("{base}/Patient/x"), vec![JSON, token], Some(patient.as_bytes())),
        ("GET", format!("{base}/Patient?name=Quaggafield&identifier=9434765919"), vec![token], None),
        ("POST", format!("{base}/Patient/_search"), vec![form], Some(b"name=Quaggafield%0aINJECTED")),
        ("GET", format!("{base}/Patient?birthdate=INJECTED%0d%0aINJECTED"), vec![], None),
        ("POST", format!("{base}/Patient"), vec![JSON], Some(wrong.as_bytes())),
        ("POST", format!("{base}/Patient"), vec![JSON], Some(b"{ \"Quaggafield\": s3cr3t-t0k3n")),
        ("GET", format!("{base}/Quaggafield/9434765919"), vec![], None),
        ("GET", format!("{base}/Patient/9434765919"), vec![], None),
        ("GET", format!("{base}/Patient/x/$Quaggafield"), vec![], None),
        ("GET", format!("{base}/%0aINJECTED"), vec![], None),
        ("GET", format!("{root}/Quaggafield?9434765919"), vec![], None),
        ("QUAGGAFIELD", format!("{base}/Patient"), vec![], None),
        ("GET", format!("{base}/Patient/x"), vec![("X-Request-Id", "Quaggafield INJECTED")], None),
        ("GET", format!("{base}/Patient/x"), vec![("X-User", "Quaggafield"), ("X-Purpose-Of-Use", "INJECTED")], None),
        ("GET", format!("{base}/Patient/x"), vec![("NHSD-End-User-Organisation-ODS", "9434765919")], None),
        (
            "POST",
            format!("{root}/oauth2/token"),
            vec![form],
            Some(b"grant_type=client_credentials&client_assertion=s3cr3t-t0k3n"),
        ),
    ];
    for (method, url, headers, body) in &requests {
        send(method, url, headers, *body);
    }
    requests.len()
}

/// The log of a server that got the planted requests.
fn log(database: &TestDatabase, format: &str) -> (String, usize) {
    let file = database.folder().join("log.txt");
    let mut child = Command::new(env!("CARGO_BIN_EXE_kith"))
        .args(["serve", "--listen", "127.0.0.1:0", "--log-format", format, "--sqlite-synchronous", "normal"])
        .args(["--database", &database.url, "--log-filter", "debug"])
        .arg("--audit-key")
        .arg(database.settings().audit_key_file())
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&file).unwrap())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let place = |line: String| line.split_whitespace().find(|word| word.starts_with("http")).map(str::to_owned);
    let base = lines.map_while(Result::ok).find_map(place).expect("the server says where it listens");
    let sent = plant(&base);
    child.kill().unwrap();
    child.wait().unwrap();
    (std::fs::read_to_string(file).unwrap(), sent)
}

fn no_line_says_what_nobody_should_read(database: &TestDatabase) {
    let format = if database.is_postgres() { "text" } else { "json" };
    let (log, sent) = log(database, format);
    for planted in PLANTED {
        let line = log.lines().find(|line| line.to_lowercase().contains(&planted.to_lowercase()));
        assert_eq!(line, None, "{planted}");
    }
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("kith::access")).collect();
    assert_eq!(lines.len(), sent, "{log}");
    assert!(log.contains("Patient/[id]") && log.contains("search-type") && log.contains("/oauth2/token"), "{log}");
    if format == "json" {
        for line in log.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            if line["target"] == "kith::access" {
                assert!(line["status"].is_u64() && line["duration"].is_i64() && line["method"].is_string(), "{line}");
            }
        }
    }
}

fn figures_move(database: &TestDatabase) {
    let server = TestServer::start(database);
    let root = server.base.trim_end_matches("/fhir").to_owned();
    server.put("Patient/x", &json!({ "resourceType": "Patient", "id": "x" })).expect(201);
    server.post("Patient", &json!({ "resourceType": "Patient", "gender": "unheard-of" })).expect(422);
    server.get("Patient/x").expect(200);
    server.get("Patient/x").expect(200);
    server.get("Patient/y").expect(404);
    let metrics = send("GET", &format!("{root}/metrics"), &[], None).expect(200);
    assert!(metrics.header("content-type").starts_with("application/openmetrics-text"));
    for line in [
        "kith_requests_total{interaction=\"read\",status=\"200\"} 2",
        "kith_requests_total{interaction=\"read\",status=\"404\"} 1",
        "kith_requests_total{interaction=\"update\",status=\"201\"} 1",
        "kith_request_duration_seconds_count{interaction=\"read\"} 3",
        "kith_validations_total{verdict=\"valid\"} 1",
        "kith_validations_total{verdict=\"invalid\"} 1",
        "kith_validation_issues_total{rule=\"binding",
        "kith_commit_queue_length 0",
        "kith_commit_batch_size_sum",
        "kith_audit_unindexed_rows",
        "kith_pool_connections",
        "kith_process_resident_memory_bytes",
        "# EOF",
    ] {
        assert!(metrics.text.contains(line), "{line}\n{}", metrics.text);
    }
}

fn health_says_what_is_wrong(database: &TestDatabase) {
    let server = TestServer::start(database);
    let root = server.base.trim_end_matches("/fhir").to_owned();
    let health = |path: &str| send("GET", &format!("{root}/health/{path}"), &[], None);
    assert_eq!((health("live").status, health("ready").status), (200, 200));
    crate::oauth::world::run(server.server.store.close());
    assert_eq!((health("live").status, health("ready").status), (200, 503));
}

over_http!(no_line_says_what_nobody_should_read, figures_move, health_says_what_is_wrong);
