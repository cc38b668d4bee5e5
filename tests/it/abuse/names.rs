//! Under open access only this machine is answered, by its own names: a web page whose name leads to the loopback interface is not.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::support::http::TestServer;
use crate::support::sql::rows;
use crate::support::{TestDatabase, over_http};

over_http!(a_foreign_name_opens_nothing);

fn status(server: &TestServer, path: &str, host: &str) -> u16 {
    let address = server.server.settings.listen;
    let mut stream = TcpStream::connect(address).unwrap();
    let host = host.replace("PORT", &address.port().to_string());
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn a_foreign_name_opens_nothing(database: &TestDatabase) {
    let server = TestServer::start(database);
    for own in ["127.0.0.1:PORT", "localhost:PORT", "LOCALHOST", "kith.localhost:1", "[::1]:PORT", "127.0.0.2"] {
        assert_eq!(status(&server, "/fhir/Patient", own), 200, "{own}");
    }
    let foreign = [
        "evil.example:PORT",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil",
        "10.0.0.1:PORT",
        "0.0.0.0",
        "a b",
    ];
    for name in foreign {
        assert!(matches!(status(&server, "/fhir/Patient", name), 400 | 403), "{name}");
    }
    assert_eq!(status(&server, "/fhir/metadata", foreign[0]), 403);
    assert_eq!(status(&server, "/health/live", foreign[0]), 200);
    drop(server);
    let refused = crate::oauth::world::run(rows::<(i64,)>(database, "select count(*) from audit where status = 403"));
    assert!(refused[0].0 >= 6, "each is audited: {refused:?}");
    let server = TestServer::start_with(database, &[("base-url", "https://Kith.example/fhir")]);
    assert_eq!(status(&server, "/fhir/Patient", "kith.example"), 200, "the name that the operator gave it");
    assert_eq!(status(&server, "/fhir/Patient", "other.example"), 403);
}
