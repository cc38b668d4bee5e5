//! SIGKILL under write load, over and over: what was acknowledged is there, nothing is there by half, and index and audit
//! agree with the resources.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use kith::store::audit::verify::Trust;
use kith::store::verify_audit;
use serde_json::{Value, json};
use ureq::Agent;

use crate::support::process::Process;
use crate::support::sql::rows;
use crate::support::{TestDatabase, both};

const ROUNDS: usize = 20;
const CLIENTS: usize = 6;
/// Rounds end after so many acknowledged writes, at a different moment of the server's work each.
const WRITES: usize = 25;

fn patient(id: Option<&str>, value: &str) -> String {
    let mut patient = json!({
        "resourceType": "Patient",
        "identifier": [{ "system": "https://kill.example", "value": value }],
    });
    if let Some(id) = id {
        patient["id"] = id.into();
    }
    patient.to_string()
}

/// Creates Patients and changes each once, until the server is gone; what was acknowledged, as id and version.
fn write_until_gone(base: &str, name: &str, done: &AtomicUsize, stop: &AtomicBool) -> Vec<(String, i64)> {
    let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(Duration::from_secs(10)));
    let agent = Agent::new_with_config(config.build());
    let mut acknowledged = Vec::new();
    for number in 0.. {
        let body = patient(None, &format!("{name}-{number}-1"));
        let Ok(answer) = agent.post(format!("{base}/Patient")).content_type("application/fhir+json").send(&body) else {
            break;
        };
        assert_eq!(answer.status().as_u16(), 201);
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        let id = location.split("/Patient/").nth(1).unwrap().split('/').next().unwrap().to_owned();
        acknowledged.push((id.clone(), 1));
        done.fetch_add(1, Ordering::Relaxed);
        let body = patient(Some(&id), &format!("{name}-{number}-2"));
        let request = agent.put(format!("{base}/Patient/{id}")).content_type("application/fhir+json");
        let Ok(answer) = request.send(&body) else { break };
        assert_eq!(answer.status().as_u16(), 200);
        acknowledged.push((id, 2));
        done.fetch_add(1, Ordering::Relaxed);
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    acknowledged
}

/// One life of the server: starts, takes writes, is killed.
fn round(database: &TestDatabase, number: usize) -> Vec<(String, i64)> {
    let server = Process::start(database, &[]);
    let (done, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let base = server.base.clone();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (base, done, stop) = (&base, &done, &stop);
                scope.spawn(move || write_until_gone(base, &format!("{number}-{client}"), done, stop))
            })
            .collect();
        while done.load(Ordering::Relaxed) < WRITES + number && clients.iter().all(|client| !client.is_finished()) {
            std::thread::yield_now();
        }
        server.kill();
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

both! {
    async fn every_acknowledged_write_survives_and_none_is_there_by_half(database) {
        let acknowledged: Vec<_> = (0..ROUNDS).flat_map(|number| round(&database, number)).collect();
        assert!(acknowledged.len() >= ROUNDS * WRITES);

        let current = rows(&database, "select id, version from resource where type = 'Patient'").await;
        let current: HashMap<String, i64> = current.into_iter().collect();
        let versions = rows(&database, "select id, version from resource_version where type = 'Patient'").await;
        let versions: HashSet<(String, i64)> = versions.into_iter().collect();
        for write in &acknowledged {
            assert!(versions.contains(write), "acknowledged and lost: {write:?}");
        }
        for (id, version) in &current {
            assert!((1..=*version).all(|version| versions.contains(&(id.clone(), version))), "{id} lacks a version");
        }
        assert_eq!(versions.len(), current.values().map(|version| usize::try_from(*version).unwrap()).sum::<usize>());

        let audited: Vec<(String, i64)> =
            rows(&database, "select resource_id, version_after from audit where status < 300").await;
        assert_eq!(audited.iter().cloned().collect::<HashSet<_>>(), versions, "audit and versions differ");
        assert_eq!(audited.len(), versions.len(), "an audit row is there twice");

        let store = database.open().await;
        let indexed: Vec<(String, String)> = rows(&database, "select r.id, t.code from index_token t \
            join search_parameter p on p.id = t.parameter join resource r on r.key = t.resource_key \
            where p.type = 'Patient' and p.code = 'identifier'").await;
        assert_eq!(indexed.len(), current.len(), "one identifier row for each Patient");
        for (id, code) in indexed {
            let stored = store.read("Patient", &id).await.unwrap().unwrap();
            let body: Value = serde_json::from_slice(&stored.body).unwrap();
            assert_eq!(body["identifier"][0]["value"], code, "index and resource differ");
        }
        store.close().await;
        let report = verify_audit(&database.settings(), &Trust::default()).await.unwrap();
        assert_eq!(report.breaks, []);
    }
}
