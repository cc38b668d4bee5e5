//! HEAD, OPTIONS and 405: what an address takes is what it says it takes (<https://hl7.org/fhir/R4/http.html>).

use serde_json::json;

use crate::support::http::{JSON, TestServer};
use crate::support::{TestDatabase, over_http};

const ADDRESSES: [&str; 16] = [
    "",
    "metadata",
    "_history",
    "_search",
    "Patient",
    "Patient/_search",
    "Patient/_history",
    "Patient/a",
    "Patient/a/_history",
    "Patient/a/_history/1",
    "Patient/$validate",
    "Patient/a/$validate",
    "Patient/a/$meta",
    "Patient/a/Task",
    "Patient/a/*",
    "Patient/a/Task/_search",
];

fn an_address_takes_what_allow_says(database: &TestDatabase) {
    let server = TestServer::start(database);
    for address in ADDRESSES {
        let options = server.send("OPTIONS", address, &[], None).expect(204);
        let offered: Vec<&str> = options.header("allow").split(", ").collect();
        assert!(offered.contains(&"OPTIONS"));
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"] {
            let body = matches!(method, "POST" | "PUT" | "PATCH").then_some(b"{}".as_slice());
            let headers = if body.is_some() { vec![JSON] } else { vec![] };
            let answer = server.send(method, address, &headers, body);
            if answer.status == 405 {
                assert_eq!(answer.header("allow"), options.header("allow"), "{method} {address}");
            }
            let refused = matches!(answer.status, 404 | 405) && !offered.contains(&method);
            assert!(refused || offered.contains(&method) && answer.status != 405, "{method} {address}: {offered:?}");
        }
    }
}

fn head_answers_as_get_without_a_body(database: &TestDatabase) {
    let server = TestServer::start(database);
    server.put("Patient/a", &json!({ "resourceType": "Patient", "id": "a" })).expect(201);
    for address in [
        "metadata",
        "_history",
        "Patient",
        "Patient/_history",
        "Patient/a",
        "Patient/a/_history",
        "Patient/a/_history/1",
        "Patient/a/$validate",
        "Patient/nobody",
        "Nothing/x",
    ] {
        let get = server.get(address);
        let head = server.send("HEAD", address, &[], None);
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{address}");
        for header in ["content-type", "etag", "last-modified", "content-length"] {
            assert_eq!(head.header(header), get.header(header), "{header} of {address}");
        }
    }
}

over_http!(an_address_takes_what_allow_says, head_answers_as_get_without_a_body);
