//! Too often: token buckets for clients and addresses, places for running requests.

use std::io::Write as _;
use std::net::TcpStream;

use kith::interactions::throttle::{Refusal, Throttle};

use crate::support::http::TestServer;
use crate::support::sql::rows;
use crate::support::{TestDatabase, over_http};

const SECOND: i64 = 1_000_000;

#[test]
fn a_bucket_gives_its_rate_and_five_seconds_at_once() {
    let throttle = Throttle::default();
    let taken = |now: i64, most: usize| (0..most).filter(|_| throttle.client("a", 10, now).is_ok()).count();
    assert_eq!(taken(0, 200), 50);
    assert_eq!(throttle.client("a", 10, 0), Err(Refusal { seconds: 1, first: false }));
    assert_eq!(throttle.client("b", 10, 0), Ok(()), "each client has its own");
    assert_eq!(taken(SECOND, 200), 10);
    assert_eq!(taken(100 * SECOND, 200), 50);
    // The clock is set back: nobody is locked out for the time between.
    assert!(taken(0, 200) <= 50);
    assert_eq!(taken(SECOND, 200), 10);
    assert_eq!(throttle.client("a", 0, 0), Ok(()), "no rate, no limit");
}

#[test]
fn one_refusal_a_second_is_told() {
    let throttle = Throttle::default();
    let told = |now: i64| (0..300).filter(|_| throttle.client("a", 1, now).is_err_and(|refusal| refusal.first)).count();
    assert_eq!((told(SECOND), told(SECOND + 1), told(2 * SECOND)), (1, 0, 1));
}

#[test]
fn addresses_of_one_network_are_one() {
    let throttle = Throttle::default();
    let taken = (0..200).filter(|number| throttle.address(&format!("2001:db8::{number:x}"), 10, 0).is_ok()).count();
    assert_eq!(taken, 50);
    assert_eq!(throttle.address("2001:db8:0:1::1", 10, 0), Ok(()));
    assert_eq!(throttle.address("192.0.2.1", 10, 0), Ok(()));
    // However many come, what is remembered stays bounded.
    for number in 0..200_000_u32 {
        let _ = throttle.address(&std::net::Ipv4Addr::from(number).to_string(), 1, 0);
    }
}

over_http!(beyond_a_rate_is_429, beyond_all_places_is_503);

fn beyond_a_rate_is_429(database: &TestDatabase) {
    let server = TestServer::start_with(database, &[("limits.address-rate", "2")]);
    let answers: Vec<_> = (0..60).map(|_| server.get("Patient")).collect();
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(answers.iter().filter(|answer| answer.status == 200).count() >= 10);
    assert!(refused.len() >= 10, "{}", refused.len());
    for answer in &refused {
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
        assert_eq!(answer.json()["issue"][0]["code"], "throttled");
    }
    let url = server.base.replace("/fhir", "/oauth2/token");
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let token = crate::support::http::send("POST", &url, &[form], Some(b"grant_type=client_credentials"));
    assert_eq!(token.status, 429, "the token endpoint counts too");
    let live = crate::support::http::send("GET", &server.base.replace("/fhir", "/health/live"), &[], None);
    assert_eq!(live.status, 200, "health checks do not count");
    drop(server);
    // With the one for a token.
    assert_eq!(refusals_audited(database, 429), refused.len() + 1);
}

/// How many refusals the audit trail tells of: rows of their own, and those that others stand for. Not every one has a row.
fn refusals_audited(database: &TestDatabase, status: i64) -> usize {
    let all: Vec<(i64, String, String)> =
        crate::oauth::world::run(rows(database, "select status, interaction, query from audit order by recorded"));
    let audited: Vec<_> = all.into_iter().filter(|row| row.0 == status).collect();
    let count = |(_, interaction, query): &(i64, String, String)| match query.strip_prefix("count=") {
        Some(count) if interaction == "refused" => count.parse().unwrap(),
        _ => 1,
    };
    let told: usize = audited.iter().map(count).sum();
    assert!(told < 5 || audited.len() < told, "{audited:?}");
    told
}

fn beyond_all_places_is_503(database: &TestDatabase) {
    let server = TestServer::start_with(database, &[("limits.requests", "2")]);
    let address = server.base.trim_start_matches("http://").trim_end_matches("/fhir").to_owned();
    let mut held: Vec<TcpStream> = (0..2)
        .map(|_| {
            let mut stream = TcpStream::connect(&address).unwrap();
            let head = format!("POST /fhir/Patient HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/fhir+json\r\nContent-Length: 100\r\n\r\n{{");
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    while server.server.throttle.running() < 2 {
        std::thread::yield_now();
    }
    for _ in 0..20 {
        let answer = server.get("Patient").expect(503);
        assert_eq!(
            (answer.header("retry-after"), answer.json()["issue"][0]["code"].as_str()),
            ("1", Some("transient"))
        );
        assert!(!answer.header("x-request-id").is_empty());
    }
    held.clear();
    while server.server.throttle.running() > 0 {
        std::thread::yield_now();
    }
    server.get("Patient").expect(200);
    drop(server);
    assert_eq!(refusals_audited(database, 503), 20);
}
