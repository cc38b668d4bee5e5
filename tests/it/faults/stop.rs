//! The end of a process: what it took is finished, and a restart of two behind a proxy loses no request.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use super::client::{Told, verify, write};
use crate::support::process::Process;
use crate::support::{TestDatabase, both, over_http};

/// A request of which only the head and the first byte of the body are sent.
fn begin(server: &Process, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = format!(
        "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/fhir+json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body.as_bytes()[..1]).unwrap();
    stream
}

fn is_ready(address: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let asked = stream.write_all(b"GET /health/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    asked.is_ok() && stream.read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
}

over_http!(what_was_taken_is_finished, nothing_holds_a_stop_up_for_ever);

fn what_was_taken_is_finished(database: &TestDatabase) {
    let mut server = Process::start(database, &[]);
    let body = json!({ "resourceType": "Patient", "maritalStatus": { "text": "x" } }).to_string();
    let mut running = begin(&server, &body);
    // The server has it: a later request on another connection was answered.
    while !is_ready(server.address()) {
        std::thread::yield_now();
    }
    server.signal("TERM");
    while TcpStream::connect(server.address()).is_ok() {
        std::thread::yield_now();
    }
    running.write_all(&body.as_bytes()[1..]).unwrap();
    let mut answer = String::new();
    running.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(server.wait().success());
}

fn nothing_holds_a_stop_up_for_ever(database: &TestDatabase) {
    let mut server = Process::start(database, &["--timeouts-stop", "1"]);
    let _running = begin(&server, "{\"never\": \"ends\"}");
    while !is_ready(server.address()) {
        std::thread::yield_now();
    }
    let started = Instant::now();
    server.signal("TERM");
    assert!(server.wait().success());
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

/// A proxy that sends each connection to the first server that says it is ready.
fn proxy(backends: Arc<Mutex<Vec<String>>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(mut client), backends) = (client, Arc::clone(&backends)) else { break };
            std::thread::spawn(move || {
                let all = backends.lock().unwrap().clone();
                let Some(mut server) =
                    all.iter().find(|address| is_ready(address)).and_then(|address| TcpStream::connect(address).ok())
                else {
                    return;
                };
                let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
                let _ = std::io::copy(&mut server, &mut client);
                let _ = client.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    address
}

both! {
    async fn a_rolling_restart_loses_no_request(database) {
        let more = ["--timeouts-drain", "1", "--sqlite-cache", "0"];
        let start = || Process::start(&database, &more);
        let mut servers = vec![start(), start()];
        let addresses = |servers: &[Process]| servers.iter().map(|server| server.address().to_owned()).collect::<Vec<_>>();
        let backends = Arc::new(Mutex::new(addresses(&servers)));
        let base = format!("http://{}/fhir", proxy(Arc::clone(&backends)));
        let told = Told::default();
        std::thread::scope(|scope| {
            for client in 0..3 {
                let (told, base) = (&told, &base);
                scope.spawn(move || write(told, &format!("c{client}"), || base.clone()));
            }
            for number in 0..2 {
                told.wait_for_more(30);
                // The new one first, then the old one goes.
                let new = start();
                let mut old = std::mem::replace(&mut servers[number], new);
                let all = [addresses(&servers), vec![old.address().to_owned()]].concat();
                *backends.lock().unwrap() = all;
                old.signal("TERM");
                assert!(old.wait().success());
                *backends.lock().unwrap() = addresses(&servers);
            }
            told.wait_for_more(30);
            told.stop();
        });
        drop(servers);
        assert_eq!((told.status(0), told.status(503)), (0, 0), "a request was lost: {told:?}");
        verify(&database, &told).await;
    }
}
