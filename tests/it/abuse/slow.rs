//! Too slowly: heads and bodies that never end, answers that take too long.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::http::TestServer;
use crate::support::process::Process;
use crate::support::sql::rows;
use crate::support::{TestDatabase, over_http};

/// Sends a text and reads until the server closes the connection or says nothing for long.
fn answer_to(address: &str, text: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = [0; 4096];
    let length = stream.read(&mut answer).unwrap_or(0);
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

over_http!(a_body_that_never_ends_is_408, heads_that_never_end_take_no_place_for_long);

fn a_body_that_never_ends_is_408(database: &TestDatabase) {
    let server = TestServer::start_with(database, &[("timeouts.body", "1")]);
    let address = server.base.trim_start_matches("http://").trim_end_matches("/fhir").to_owned();
    let head = format!("POST /fhir/Patient HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/fhir+json\r\n");
    let answer = answer_to(&address, &format!("{head}Content-Length: 100\r\n\r\n{{\"resourceType\""));
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("\"timeout\""), "{answer}");
    let answer = answer_to(&address, &format!("{head}Transfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n"));
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    server.get("Patient").expect(200);
    drop(server);
    let audited = crate::oauth::world::run(rows::<(i64,)>(database, "select count(*) from audit where status = 408"));
    assert_eq!(audited[0].0, 2);
}

fn heads_that_never_end_take_no_place_for_long(database: &TestDatabase) {
    let server = Process::start(database, &["--timeouts-head", "1"]);
    let mut held: Vec<TcpStream> = (0..50)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address()).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            stream.write_all(b"GET /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").unwrap();
            stream
        })
        .collect();
    let live = answer_to(server.address(), "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(live.starts_with("HTTP/1.1 200"), "{live}");
    for stream in &mut held {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer));
    }
}

#[test]
fn an_answer_that_takes_too_long_is_503() {
    // A statement waits for a lock that somebody holds; PostgreSQL only, since readers of SQLite wait for nobody.
    let Some(database) = TestDatabase::postgres() else { return };
    let server = TestServer::start_with(&database, &[("timeouts.request", "1")]);
    crate::oauth::world::run(async {
        use sqlx::Connection as _;
        let mut blocker = sqlx::PgConnection::connect(&database.url).await.unwrap();
        sqlx::raw_sql("begin; lock table resource in access exclusive mode").execute(&mut blocker).await.unwrap();
        let answer = server.get("Patient?birthdate=1950-01-01").expect(503);
        assert_eq!(answer.json()["issue"][0]["code"], "timeout");
        assert_eq!(answer.header("retry-after"), "1");
        sqlx::raw_sql("rollback").execute(&mut blocker).await.unwrap();
    });
    server.get("Patient?birthdate=1950-01-01").expect(200);
}
