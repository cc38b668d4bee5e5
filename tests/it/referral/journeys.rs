//! Every journey, played over HTTP on both databases.

use kith::clock::Clock;
use kith::conformance::{Request, Response, Transport, play};
use serde_json::Value;

use crate::conformance::files::journeys;
use crate::support::http::{JSON, TestServer};
use crate::support::{TestDatabase, over_http};

struct Http<'a>(&'a TestServer);

impl Transport for Http<'_> {
    fn send(&mut self, request: &Request) -> Result<Response, String> {
        let mut headers: Vec<(&str, &str)> =
            request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let body = request.body.as_ref().map(ToString::to_string);
        if body.is_some() {
            headers.push(JSON);
        }
        let answer = self.0.send(&request.method, &request.path, &headers, body.as_deref().map(str::as_bytes));
        let body = if answer.text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&answer.text).map_err(|error| format!("{error}: {}", answer.text))?
        };
        Ok(Response { status: answer.status, headers: answer.headers.into_iter().collect(), body })
    }
}

fn every_journey_ends_as_written(database: &TestDatabase) {
    let server = TestServer::start(database);
    let mut failures = Vec::new();
    for run in ["first", "second"] {
        for journey in journeys() {
            failures.extend(play(&journey, &mut Http(&server), run, &Clock::System).failures());
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

over_http!(every_journey_ends_as_written);
