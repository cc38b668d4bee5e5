//! Changes at the same moment: of fifty providers that claim one referral one gets it, of fifty duplicates one is stored,
//! the last of two Tasks closes the referral.

use std::sync::Barrier;

use serde_json::{Value, json};

use super::world;
use crate::support::http::{JSON, TestServer};
use crate::support::{TestDatabase, over_http};

const PROVIDERS: usize = 50;

/// A referral in the open pool, as the server stored it.
fn pool(server: &TestServer) -> Value {
    for name in ["Patient", "Organization"] {
        let id = if name == "Patient" { "p" } else { "gp" };
        let known = json!({ "resourceType": name, "id": id, "name": if name == "Patient" { json!([{ "text": "A person" }]) } else { json!("A surgery") } });
        server.put(&format!("{name}/{id}"), &known).expect(201);
    }
    server.put("ServiceRequest/r", &world::request("r", "active")).expect(201);
    let task = world::but(&world::task("t", "requested"), json!({ "owner": null }));
    server.post("Task", &task).expect(201).json()
}

/// Lets all providers claim at once; answers with the status each got.
fn race(server: &TestServer, claim: impl Fn(usize) -> (Value, Option<String>) + Sync) -> Vec<u16> {
    let start = Barrier::new(PROVIDERS);
    std::thread::scope(|scope| {
        let claims: Vec<_> = (0..PROVIDERS)
            .map(|number| {
                let (start, claim) = (&start, &claim);
                scope.spawn(move || {
                    let (body, version) = claim(number);
                    let path = format!("Task/{}", body["id"].as_str().unwrap());
                    let mut headers = vec![JSON];
                    headers.extend(version.as_deref().map(|version| ("If-Match", version)));
                    start.wait();
                    server.send("PUT", &path, &headers, Some(body.to_string().as_bytes())).status
                })
            })
            .collect();
        claims.into_iter().map(|claim| claim.join().unwrap()).collect()
    })
}

fn one_winner(server: &TestServer, task: &Value, statuses: &[u16], refusals: &[u16]) {
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| *status == 200 || refusals.contains(status)), "{statuses:?}");
    let winner = statuses.iter().position(|status| *status == 200).unwrap();
    let now = server.get(&format!("Task/{}", task["id"].as_str().unwrap())).expect(200).json();
    assert_eq!(now["owner"]["identifier"]["value"], format!("199{winner:04}"));
    assert_eq!(now["meta"]["versionId"], "2");
}

fn owner(number: usize) -> Value {
    json!({ "identifier": { "system": "https://kith.example/fhir/Id/charity-number", "value": format!("199{number:04}") } })
}

fn one_of_fifty_claims_with_a_version_wins(database: &TestDatabase) {
    let server = TestServer::start(database);
    let task = pool(&server);
    let claim = |number| {
        (world::but(&task, json!({ "owner": owner(number), "status": "accepted" })), Some("W/\"1\"".to_owned()))
    };
    let statuses = race(&server, claim);
    one_winner(&server, &task, &statuses, &[412]);
}

fn one_of_fifty_claims_without_a_version_wins(database: &TestDatabase) {
    let server = TestServer::start(database);
    let task = pool(&server);
    let status = |number: usize| ["requested", "received", "accepted"][number % 3];
    let claim = |number| (world::but(&task, json!({ "owner": owner(number), "status": status(number) })), None);
    let statuses = race(&server, claim);
    one_winner(&server, &task, &statuses, &[409, 422]);
}

/// Of fifty that refer the same person to the same service at once, one is taken.
fn one_of_fifty_duplicates_is_stored(database: &TestDatabase) {
    let server = TestServer::start(database);
    server
        .put("Patient/p", &json!({ "resourceType": "Patient", "id": "p", "name": [{ "text": "A person" }] }))
        .expect(201);
    let start = Barrier::new(PROVIDERS);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let sent: Vec<_> = (0..PROVIDERS)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    server.post("ServiceRequest", &world::request("r", "active")).status
                })
            })
            .collect();
        sent.into_iter().map(|sent| sent.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| matches!(status, 201 | 409)), "{statuses:?}");
}

/// Two parts of one referral that are completed at the same moment: both are told of, and the last closes it.
fn the_last_of_two_tasks_closes_the_referral(database: &TestDatabase) {
    let server = TestServer::start_with(database, &[("referral.duplicates", "allow")]);
    pool(&server);
    for round in 0..5 {
        let id = format!("round{round}");
        server.put(&format!("ServiceRequest/{id}"), &world::request(&id, "active")).expect(201);
        let part = |name: &str, status: &str| {
            let focus = json!({ "reference": format!("ServiceRequest/{id}") });
            world::but(&world::task(&format!("{name}{round}"), status), json!({ "focus": focus }))
        };
        for name in ["one", "two"] {
            server.put(&format!("Task/{name}{round}"), &part(name, "requested")).expect(201);
            server.put(&format!("Task/{name}{round}"), &part(name, "accepted")).expect(200);
        }
        let start = Barrier::new(2);
        std::thread::scope(|scope| {
            for name in ["one", "two"] {
                let (start, server, done) = (&start, &server, part(name, "completed"));
                scope.spawn(move || {
                    start.wait();
                    server.put(&format!("Task/{name}{round}"), &done).expect(200);
                });
            }
        });
        assert_eq!(server.get(&format!("ServiceRequest/{id}")).expect(200).json()["status"], "completed");
    }
}

over_http!(
    one_of_fifty_claims_with_a_version_wins,
    one_of_fifty_claims_without_a_version_wins,
    one_of_fifty_duplicates_is_stored,
    the_last_of_two_tasks_closes_the_referral,
);
