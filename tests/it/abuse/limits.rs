//! Too much at once: heads, bodies, compressed bodies, searches.

use std::io::Write as _;
use std::time::Instant;

use serde_json::json;

use crate::support::http::{JSON, TestServer};
use crate::support::{TestDatabase, over_http};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

over_http!(heads_are_bounded, compressed_bodies_are_bounded_by_what_they_become, costly_searches_are_refused);

fn heads_are_bounded(database: &TestDatabase) {
    let server = TestServer::start_with(database, &[("limits.url", "2000"), ("limits.headers", "4000")]);
    let long = "x".repeat(2100);
    let answer = server.get(&format!("Patient?family={long}")).expect(414);
    assert_eq!(answer.json()["issue"][0]["code"], "too-long");
    let large = "x".repeat(4100);
    server.send("GET", "Patient", &[("X-A", &large[..1000])], None).expect(200);
    let answer = server.send("GET", "Patient", &[("X-A", &large), ("X-B", "y")], None).expect(431);
    assert_eq!(answer.json()["issue"][0]["expression"][0], "http.headers");
    // Beyond what the HTTP library reads at all; the server lives on.
    let hundred: Vec<(String, String)> = (0..120).map(|number| (format!("X-{number}"), "1".to_owned())).collect();
    let headers: Vec<(&str, &str)> = hundred.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(server.send("GET", "Patient", &headers, None).status / 100, 4);
    server.get("Patient").expect(200);
}

fn compressed_bodies_are_bounded_by_what_they_become(database: &TestDatabase) {
    let server = TestServer::start_with(database, &[("limits.body", "1000000")]);
    let patient = json!({ "resourceType": "Patient", "maritalStatus": { "text": "x" } }).to_string();
    let coded = |coding: &'static str, body: &[u8]| {
        server.send("POST", "Patient", &[JSON, ("Content-Encoding", coding)], Some(body))
    };
    coded("gzip", &gzip(patient.as_bytes())).expect(201);
    coded("identity", patient.as_bytes()).expect(201);
    let bomb = gzip(&vec![b' '; 500_000_000]);
    assert!(bomb.len() < 600_000);
    let started = Instant::now();
    let answer = coded("gzip", &bomb).expect(413);
    assert_eq!(answer.json()["issue"][0]["expression"][0], "http.body");
    assert!(started.elapsed().as_secs() < 30, "the rest is not unpacked");
    coded("gzip", &gzip(patient.as_bytes())[..30]).expect(400);
    coded("gzip", b"not gzip").expect(400);
    let answer = coded("br", patient.as_bytes()).expect(415);
    assert_eq!(answer.json()["issue"][0]["expression"][0], "http.content-encoding");
    coded("gzip, gzip", &gzip(&gzip(patient.as_bytes()))).expect(415);
}

fn costly_searches_are_refused(database: &TestDatabase) {
    let server = TestServer::start(database);
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let values: Vec<String> = (0..500).map(|number| format!("v{number}")).collect();
    let many = format!("identifier={}&", values.join(",")).repeat(199);
    for body in [
        many.clone(),
        format!("_has:Task:patient:identifier={}&", values.join(",")).repeat(100),
        format!("general-practitioner.identifier={}&", values.join(",")).repeat(100),
        format!("name={}&", values.join(",")).repeat(199),
        "_id=x&".repeat(201),
        format!("_id={}", "x,".repeat(100_000)),
        format!("_filter={}name eq \"x\"{}", "(".repeat(5000), ")".repeat(5000)),
    ] {
        let started = Instant::now();
        let answer = server.send("POST", "Patient/_search", &[form], Some(body.as_bytes()));
        assert_eq!(answer.status, 400, "{} … {}", &body[..60], answer.text);
        assert!(started.elapsed().as_secs() < 10, "{}", &body[..60]);
    }
}
