//! Clients that go on whatever happens, and what must hold of all that they were told is done.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use kith::store::audit::verify::Trust;
use kith::store::verify_audit;
use serde_json::json;
use ureq::Agent;

use crate::support::TestDatabase;
use crate::support::process::command;
use crate::support::sql::rows;

/// What clients were told.
#[derive(Debug, Default)]
pub struct Told {
    /// Versions that were acknowledged.
    pub written: Mutex<Vec<(String, i64)>>,
    /// Answers by status; 0 for a connection that broke.
    pub statuses: Mutex<BTreeMap<u16, usize>>,
    /// Refusals (503) without Retry-After.
    pub silent: AtomicUsize,
    stop: AtomicBool,
}

impl Told {
    /// How many writes were acknowledged.
    pub fn count(&self) -> usize {
        self.written.lock().unwrap().len()
    }

    /// How many answers had this status.
    pub fn status(&self, status: u16) -> usize {
        self.statuses.lock().unwrap().get(&status).copied().unwrap_or(0)
    }

    /// Tells the clients to end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Waits until so many more writes were acknowledged than now.
    pub fn wait_for_more(&self, more: usize) {
        let wanted = self.count() + more;
        self.wait_until(|told| told.count() >= wanted);
    }

    /// Waits until something is so; fails after two minutes.
    pub fn wait_until(&self, so: impl Fn(&Self) -> bool) {
        let started = std::time::Instant::now();
        while !so(self) {
            assert!(started.elapsed() < Duration::from_mins(2), "{:?}", self.statuses.lock().unwrap());
            std::thread::yield_now();
        }
    }

    fn note(&self, status: u16) {
        *self.statuses.lock().unwrap().entry(status).or_default() += 1;
    }
}

/// A client that takes every status for an answer and keeps no connection.
pub fn agent() -> Agent {
    let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(40)));
    Agent::new_with_config(config.max_idle_connections(0).build())
}

/// Creates Patients and changes each once, until told to stop. `base` is asked anew for each request.
pub fn write(told: &Told, name: &str, base: impl Fn() -> String) {
    let agent = agent();
    let send = |method: &str, path: &str, body: &str| -> Option<(u16, i64, String)> {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}/{path}", base()))
            .header("Content-Type", "application/fhir+json");
        let Ok(answer) = agent.run(request.body(body).unwrap()) else {
            told.note(0);
            return None;
        };
        let status = answer.status().as_u16();
        told.note(status);
        let header = |name: &str| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        if status == 503 && header("retry-after").is_empty() {
            told.silent.fetch_add(1, Ordering::Relaxed);
        }
        let version = header("etag").trim_start_matches("W/\"").trim_end_matches('"').parse().unwrap_or(0);
        Some((status, version, header("location")))
    };
    for number in 0.. {
        if told.stop.load(Ordering::Relaxed) {
            break;
        }
        let patient = |id: Option<&str>, change: i32| {
            let mut patient =
                json!({ "resourceType": "Patient", "identifier": [{ "value": format!("{name}-{number}-{change}") }] });
            if let Some(id) = id {
                patient["id"] = id.into();
            }
            patient.to_string()
        };
        let Some((201, version, location)) = send("POST", "Patient", &patient(None, 1)) else { continue };
        let id = location.split("/Patient/").nth(1).unwrap().split('/').next().unwrap().to_owned();
        told.written.lock().unwrap().push((id.clone(), version));
        if let Some((200, version, _)) = send("PUT", &format!("Patient/{id}"), &patient(Some(&id), 2)) {
            told.written.lock().unwrap().push((id, version));
        }
    }
}

/// Every acknowledged write is there once, refusals said when to come back, the audit trail is whole, and all agrees.
pub async fn verify(database: &TestDatabase, told: &Told) {
    let statuses = told.statuses.lock().unwrap().clone();
    for status in statuses.keys() {
        assert!([0, 200, 201, 503].contains(status), "{statuses:?}");
    }
    assert_eq!(told.silent.load(Ordering::Relaxed), 0, "every refusal says when to come back");
    let stored: Vec<(String, i64)> =
        rows(database, "select id, version from resource_version where type = 'Patient'").await;
    let stored: HashSet<(String, i64)> = stored.into_iter().collect();
    let written = told.written.lock().unwrap().clone();
    for write in &written {
        assert!(stored.contains(write), "acknowledged and lost: {write:?}");
    }
    assert_eq!(written.iter().collect::<HashSet<_>>().len(), written.len(), "a version was given twice");
    agrees(database).await;
}

/// The audit trail is whole and `kith check` finds nothing.
pub async fn agrees(database: &TestDatabase) {
    let report = verify_audit(&database.settings(), &Trust::default()).await.unwrap();
    assert_eq!(report.breaks, []);
    let output = command(database, &["check"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}
