//! Two and four processes on one database that race for the same resources, by single writes and by transactions that take
//! them in different orders.

use std::collections::HashSet;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::client::agrees;
use crate::support::http::{JSON, send};
use crate::support::process::Process;
use crate::support::sql::rows;
use crate::support::{TestDatabase, both};

fn basic(id: &str, text: &str) -> Value {
    json!({ "resourceType": "Basic", "id": id, "code": { "text": text } })
}

fn entry(id: &str, text: &str) -> Value {
    json!({ "resource": basic(id, text), "request": { "method": "PUT", "url": format!("Basic/{id}") } })
}

/// Writes of `processes` servers, two clients each.
async fn race(database: &TestDatabase, processes: usize) {
    let servers: Vec<Process> = (0..processes).map(|_| Process::start(database, &[])).collect();
    let acknowledged = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for client in 0..processes * 2 {
            let base = &servers[client % processes].base;
            let acknowledged = &acknowledged;
            scope.spawn(move || {
                for number in 0..15 {
                    let text = format!("{client}-{number}");
                    let answer = if number % 3 == 0 {
                        let (first, second) = if client % 2 == 0 { ("a", "b") } else { ("b", "a") };
                        let bundle = json!({ "resourceType": "Bundle", "type": "transaction",
                            "entry": [entry(first, &text), entry(second, &text)] });
                        send("POST", base, &[JSON], Some(bundle.to_string().as_bytes()))
                    } else {
                        let id = ["a", "b"][number % 2];
                        send(
                            "PUT",
                            &format!("{base}/Basic/{id}"),
                            &[JSON],
                            Some(basic(id, &text).to_string().as_bytes()),
                        )
                    };
                    match answer.status {
                        200 | 201 if number % 3 == 0 => {
                            let bundle = answer.json();
                            let places = bundle["entry"]
                                .as_array()
                                .unwrap()
                                .iter()
                                .map(|entry| entry["response"]["location"].as_str().unwrap());
                            acknowledged.lock().unwrap().extend(places.map(version_of));
                        }
                        200 | 201 => acknowledged.lock().unwrap().push(version_of(answer.header("location"))),
                        other => panic!("{other}: {}", answer.text),
                    }
                }
            });
        }
    });
    drop(servers);
    let acknowledged = acknowledged.into_inner().unwrap();
    // Who names no version is never refused for being slower. Five of fifteen writes are of two resources.
    assert_eq!(acknowledged.len(), processes * 2 * (10 + 5 * 2));
    let distinct: HashSet<_> = acknowledged.iter().collect();
    assert_eq!(distinct.len(), acknowledged.len(), "no version is given twice");
    let stored: Vec<(String, i64)> =
        rows(database, "select id, version from resource_version where type = 'Basic'").await;
    let stored: HashSet<(String, i64)> = stored.into_iter().collect();
    assert!(acknowledged.iter().all(|version| stored.contains(version)));
    assert_eq!(stored.len(), acknowledged.len(), "nothing is there that nobody was told of");
    agrees(database).await;
}

fn version_of(location: &str) -> (String, i64) {
    let parts: Vec<&str> = location.split('/').collect();
    let at = parts.iter().position(|part| *part == "_history").unwrap();
    (parts[at - 1].to_owned(), parts[at + 1].parse().unwrap())
}

both! {
    async fn two_processes_race(database) {
        race(&database, 2).await;
    }

    async fn four_processes_race(database) {
        race(&database, 4).await;
    }
}
