//! The database is there and does not answer: every connection waits, transactions lose races, the clock is set back.

use std::sync::Arc;

use kith::clock::Clock;
use serde_json::json;

use super::client::agrees;
use crate::support::TestDatabase;
use crate::support::both;
use crate::support::http::TestServer;
use crate::support::sql::rows;

/// Somebody holds a lock on all resources: every pooled connection waits for it.
#[test]
fn an_exhausted_pool_is_503_and_recovers() {
    use sqlx::Connection as _;
    let Some(database) = TestDatabase::postgres() else { return };
    let server = TestServer::start_with(&database, &[("timeouts.request", "2")]);
    let patient = |text: &str| json!({ "resourceType": "Patient", "id": "a", "maritalStatus": { "text": text } });
    server.put("Patient/a", &patient("x")).expect(201);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut blocker = runtime.block_on(sqlx::PgConnection::connect(&database.url)).unwrap();
    let mut say = |sql: &'static str| runtime.block_on(sqlx::raw_sql(sql).execute(&mut blocker)).unwrap();
    say("begin; lock table resource in access exclusive mode");
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..24).map(|_| scope.spawn(|| server.get("Patient/a"))).collect();
        let writer = scope.spawn(|| server.put("Patient/a", &patient("y")));
        for answer in readers.into_iter().map(|reader| reader.join().unwrap()) {
            assert_eq!((answer.status, answer.header("retry-after")), (503, "1"), "{}", answer.text);
        }
        assert_eq!(writer.join().unwrap().status, 503);
    });
    let live = crate::support::http::send("GET", &server.base.replace("/fhir", "/health/live"), &[], None);
    assert_eq!(live.status, 200);
    say("rollback");
    for _ in 0..30 {
        server.get("Patient/a").expect(200);
    }
    drop(server);
    runtime.block_on(agrees(&database));
}

both! {
    /// Each version is newer than the one before it, though the clock says otherwise.
    async fn a_clock_that_is_set_back_keeps_versions_in_order(database) {
        std::thread::scope(|scope| scope.spawn(|| {
            for (round, start) in [1_800_000_000_000_000, 1_700_000_000_000_000, 1_750_000_000_000_000].into_iter().enumerate() {
                let server = TestServer::start_changed(&database, [at_1800, at_1700, at_1750][round]);
                assert!(server.server.clock.now() - start < 60_000_000);
                for number in 0..3 {
                    let text = format!("{round}-{number}");
                    let patient = json!({ "resourceType": "Patient", "id": "a", "maritalStatus": { "text": text } });
                    assert!([200, 201].contains(&server.put("Patient/a", &patient).status));
                }
                server.delete("Patient/a").expect(204);
            }
        }).join().unwrap());
        let versions: Vec<(i64, i64)> = rows(&database, "select version, last_updated from resource_version where type = 'Patient' order by version").await;
        assert_eq!(versions.len(), 12);
        assert!(versions.windows(2).all(|pair| pair[0].1 < pair[1].1), "{versions:?}");
        agrees(&database).await;
    }
}

fn at_1800(server: &mut kith::interactions::server::Server) {
    server.clock = Arc::new(Clock::fixed(1_800_000_000_000_000));
}

fn at_1700(server: &mut kith::interactions::server::Server) {
    server.clock = Arc::new(Clock::fixed(1_700_000_000_000_000));
}

fn at_1750(server: &mut kith::interactions::server::Server) {
    server.clock = Arc::new(Clock::fixed(1_750_000_000_000_000));
}
