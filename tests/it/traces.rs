//! Spans of requests at a collector: what they say, whose trace they continue, and what becomes of them where the collector does
//! not take them or the server stops.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use kith::telemetry::Traces;
use kith::telemetry::traces::{Context, Span, span_id};
use serde_json::{Value, json};

use crate::support::http::{JSON, TestServer, send};
use crate::support::process::Process;
use crate::support::{TestDatabase, over_http};

over_http!(a_request_is_a_span, a_named_trace_goes_on);

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A collector: its address, and what it was sent.
fn collector() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let sender = sender.clone();
            std::thread::spawn(move || {
                while let Some(body) = take(&stream) {
                    if sender.send(body).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (url, receiver)
}

/// One export; none where the connection is over.
fn take(mut stream: &TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(stream);
    let (mut length, mut head) = (0, String::new());
    while !head.ends_with("\r\n\r\n") {
        let from = head.len();
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
        let line = head[from..].to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    assert!(head.to_lowercase().contains("content-type: application/json\r\n"), "{head}");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}").unwrap();
    Some(serde_json::from_slice(&body).unwrap())
}

/// As many spans as are expected, in the order in which they came.
fn spans(received: &Receiver<Value>, count: usize) -> Vec<Value> {
    let mut spans = Vec::new();
    while spans.len() < count {
        let export = received.recv_timeout(Duration::from_secs(30)).expect("the spans arrive");
        let resource = &export["resourceSpans"][0];
        assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "kith");
        spans.extend(resource["scopeSpans"][0]["spans"].as_array().unwrap().iter().cloned());
    }
    assert_eq!(spans.len(), count, "{spans:?}");
    spans
}

fn attribute(span: &Value, key: &str) -> Value {
    let attributes = span["attributes"].as_array().unwrap();
    attributes.iter().find(|attribute| attribute["key"] == key).map_or(Value::Null, |found| found["value"].clone())
}

fn a_request_is_a_span(database: &TestDatabase) {
    let (url, received) = collector();
    let server = TestServer::start_with(database, &[("traces.url", &url)]);
    let root = server.base.trim_end_matches("/fhir").to_owned();
    let named = json!({ "resourceType": "Patient", "id": "x", "name": [{ "family": "Quaggafield" }] });
    let headers = [JSON, ("X-Request-Id", "r-1")];
    send("PUT", &format!("{}/Patient/x", server.base), &headers, Some(named.to_string().as_bytes())).expect(201);
    server.get("Patient?name=Quaggafield").expect(200);
    server.get("Patient/Quaggafield").expect(404);
    server.get("Quaggafield").expect(404);
    // What only watches the server is no trace.
    send("GET", &format!("{root}/health/live"), &[], None).expect(200);
    let spans = spans(&received, 4);
    let seen: Vec<(&str, Value, Value)> = spans
        .iter()
        .map(|span| {
            let status = attribute(span, "http.response.status_code")["intValue"].clone();
            (span["name"].as_str().unwrap(), status, attribute(span, "kith.interaction")["stringValue"].clone())
        })
        .collect();
    let expected = [
        ("PUT Patient/[id]", json!("201"), json!("update")),
        ("GET Patient", json!("200"), json!("search-type")),
        ("GET Patient/[id]", json!("404"), json!("read")),
        ("GET unknown", json!("404"), json!("")),
    ];
    assert_eq!(seen, expected);
    assert_eq!(attribute(&spans[0], "kith.request_id")["stringValue"], "r-1");
    for span in &spans {
        let text = span.to_string();
        assert!(!text.contains("Quaggafield"), "{text}");
        let instant = |name: &str| span[name].as_str().unwrap().parse::<i64>().unwrap();
        assert!(instant("startTimeUnixNano") <= instant("endTimeUnixNano"), "{text}");
        assert_eq!((span["kind"].clone(), span.get("parentSpanId")), (json!(2), None), "{text}");
        for (name, digits) in [("traceId", 32), ("spanId", 16)] {
            let id = span[name].as_str().unwrap();
            assert!(id.len() == digits && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{text}");
        }
    }
    let metrics = send("GET", &format!("{root}/metrics"), &[], None).expect(200).text;
    assert!(metrics.contains("kith_spans_dropped 0"), "{metrics}");
}

fn a_named_trace_goes_on(database: &TestDatabase) {
    let (url, received) = collector();
    let server = TestServer::start_with(database, &[("traces.url", &url)]);
    let ask = |traceparent: &str| {
        let address = format!("{}/metadata", server.base);
        send("GET", &address, &[("traceparent", traceparent)], None).expect(200);
    };
    ask(&format!("00-{TRACE}-{PARENT}-01"));
    // Whoever called does not record this one.
    ask(&format!("00-{TRACE}-{PARENT}-00"));
    // A later version may say more.
    ask(&format!("01-{TRACE}-{PARENT}-03-more"));
    let wrong = [
        format!("ff-{TRACE}-{PARENT}-01"),
        format!("00-{TRACE}-{PARENT}-01-more"),
        format!("00-{}-{PARENT}-01", "0".repeat(32)),
        format!("00-{TRACE}-{}-01", "0".repeat(16)),
        format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
        format!("00-{TRACE}-{PARENT}"),
        "Quaggafield".to_owned(),
    ];
    for header in &wrong {
        ask(header);
    }
    let spans = spans(&received, 2 + wrong.len());
    let known = |span: &&Value| span["traceId"] == TRACE && span["parentSpanId"] == PARENT && span["spanId"] != PARENT;
    assert_eq!(spans.iter().filter(known).count(), 2, "{spans:?}");
    let begun: Vec<&Value> = spans.iter().filter(|span| span.get("parentSpanId").is_none()).collect();
    assert_eq!(begun.len(), wrong.len(), "{spans:?}");
    assert!(begun.iter().all(|span| span["traceId"] != TRACE), "{spans:?}");
}

#[test]
fn what_waits_is_sent_when_the_server_stops() {
    let database = TestDatabase::sqlite();
    let (url, received) = collector();
    let mut server = Process::start(&database, &["--traces-url", &url]);
    send("GET", &format!("{}/metadata", server.base), &[], None).expect(200);
    server.signal("TERM");
    assert!(server.wait().success());
    let export = received.try_recv().expect("it was sent before the server ended");
    assert_eq!(export["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"], "GET metadata");
}

fn some_span() -> Span {
    Span {
        context: Context::new("0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"),
        id: span_id("0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"),
        method: "GET",
        route: "metadata".to_owned(),
        interaction: "capabilities",
        status: 200,
        request: String::new(),
        begun: 1,
        ended: 2,
    }
}

fn values(traces: &Traces) -> [f64; 2] {
    traces.levels().map(|level| level.value)
}

#[test]
fn a_collector_that_hangs_costs_neither_memory_nor_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let traces = Traces::start(&format!("http://{}/v1/traces", listener.local_addr().unwrap())).unwrap();
    let begun = Instant::now();
    (0..10_000).for_each(|_| traces.add(some_span()));
    assert!(begun.elapsed() < Duration::from_secs(5), "handing over does not wait");
    let [sent, dropped] = values(&traces);
    // Two thousand may wait, five hundred may be on their way.
    assert!(sent < 1.0 && dropped >= 10_000.0 - 2048.0 - 2.0 * 512.0, "{sent} {dropped}");
    traces.stop();
    assert!(begun.elapsed() < Duration::from_secs(30), "the end does not wait for all of them");
    assert!((values(&traces)[1] - 10_000.0).abs() < 0.5, "{:?}", values(&traces));
}

#[test]
fn what_a_collector_takes_and_does_not_is_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap();
    drop(listener);
    let away = Traces::start(&format!("http://{place}/v1/traces")).unwrap();
    away.add(some_span());
    away.stop();
    assert_eq!(values(&away).map(|value| value.to_string()), ["0", "1"]);
    let (url, received) = collector();
    let traces = Traces::start(&url).unwrap();
    (0..600).for_each(|_| traces.add(some_span()));
    traces.stop();
    assert_eq!(spans(&received, 600).len(), 600);
    assert_eq!(values(&traces).map(|value| value.to_string()), ["600", "0"]);
}
