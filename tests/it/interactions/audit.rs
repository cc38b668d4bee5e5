//! Every interaction leaves an audit row: successes, refusals, reads with the patient they disclose.

use kith::store::audit::verify::Trust;
use kith::store::verify_audit;
use serde_json::json;

use crate::support::http::{JSON, TestServer};
use crate::support::{TestDatabase, over_http, sql};

/// Interaction, status, resource type, patients and request id of every row, oldest first.
fn rows(database: &TestDatabase) -> Vec<(String, i64, String, String, String)> {
    let sql = "select interaction, status, resource_type, patients, request_id from audit order by recorded, sequence";
    tokio::runtime::Runtime::new().unwrap().block_on(sql::rows(database, sql))
}

fn every_interaction_has_its_row(database: &TestDatabase) {
    let server = TestServer::start(database);
    let id = ("X-Request-Id", "the-request");
    let rose = json!({ "resourceType": "Patient", "id": "rose" }).to_string();
    server.send("PUT", "Patient/rose", &[JSON, id], Some(rose.as_bytes())).expect(201);
    server.send("GET", "Patient/rose", &[id], None).expect(200);
    server.send("GET", "Patient/rose/_history/1", &[id], None).expect(200);
    server.send("GET", "Patient/rose/_history", &[id], None).expect(200);
    server.send("GET", "Patient?_id=rose", &[id], None).expect(200);
    server.send("GET", "Patient/nobody", &[id], None).expect(404);
    server.send("POST", "Patient", &[JSON, id], Some(b"{")).expect(400);
    server.send("POST", "Patient", &[("Content-Type", "text/plain"), id], Some(b"x")).expect(415);
    server.send("DELETE", "Patient/rose", &[id], None).expect(204);
    server.send("GET", "metadata", &[id], None).expect(200);
    drop(server);
    let rows = rows(database);
    let seen: Vec<(&str, i64)> = rows.iter().map(|row| (row.0.as_str(), row.1)).collect();
    assert_eq!(
        seen,
        [
            ("create", 201),
            ("read", 200),
            ("vread", 200),
            ("history-instance", 200),
            ("search-type", 200),
            ("read", 404),
            ("create", 400),
            ("create", 415),
            ("delete", 204),
            ("capabilities", 200),
        ]
    );
    for row in &rows[..5] {
        assert_eq!(row.3, "[\"Patient/rose\"]", "{row:?}");
    }
    assert!(rows.iter().filter(|row| row.1 != 415).all(|row| row.4 == "the-request"), "{rows:?}");
    let report = tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(verify_audit(&database.settings(), &Trust::default()))
        .unwrap();
    assert_eq!(report.breaks, []);
    assert_eq!(report.rows, 10);
}

over_http!(every_interaction_has_its_row);
