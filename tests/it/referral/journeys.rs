//! Every journey, played twice over HTTP on both databases.

use kith::clock::Clock;
use kith::conformance::{Http, play};

use crate::conformance::files::journeys;
use crate::support::http::TestServer;
use crate::support::{TestDatabase, over_http};

fn every_journey_ends_as_written(database: &TestDatabase) {
    let server = TestServer::start_with(database, &[("references.write", "enforce"), ("references.delete", "enforce")]);
    let mut failures = Vec::new();
    for run in ["first", "second"] {
        for journey in journeys() {
            failures.extend(play(&journey, &mut Http::new(&server.base), run, &Clock::System).failures());
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

over_http!(every_journey_ends_as_written);
