//! Pages while others insert and delete: what is there all the time comes exactly once, nothing comes twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::support::http::{TestServer, send};
use crate::support::{TestDatabase, over_http};

/// Resources that are there from beginning to end.
const STAYING: u32 = 40;

fn task(number: u32) -> Value {
    let mut task = json!({ "resourceType": "Task", "status": if number.is_multiple_of(3) { "accepted" } else { "requested" },
        "intent": "order", "code": { "text": "plain" },
        "owner": { "reference": format!("Organization/o{}", number % 2) } });
    // Some have no date, some share one.
    if !number.is_multiple_of(5) {
        task["authoredOn"] = format!("2026-03-{:02}", number * 7 % 20 + 1).into();
    }
    task
}

/// Creates and deletes until it is told to stop; what stays is left alone.
fn churn(server: &TestServer, numbers: &AtomicU32, stop: &AtomicBool) {
    let mut made: Vec<String> = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let number = numbers.fetch_add(1, Ordering::SeqCst);
        let created = server.post("Task", &task(number)).expect(201).json();
        made.push(created["id"].as_str().unwrap().to_owned());
        if made.len() > 6 {
            let gone = made.remove(usize::try_from(number).unwrap() * 5 % made.len());
            server.delete(&format!("Task/{gone}")).expect(204);
        }
    }
}

/// How often each resource comes in all pages of a search, on the way there or on the way back from the last page.
fn walk(server: &TestServer, search: &str, count: u32, back: bool) -> BTreeMap<String, u32> {
    let url = format!("{}/{search}&_count={count}", server.base);
    let there = pages(url, "next");
    let pages = match there.iter().rfind(|page| page["entry"][0].is_object()) {
        Some(last) if back => {
            let before = link(last, "previous").map(|url| pages(url, "previous"));
            [vec![last.clone()], before.unwrap_or_default()].concat()
        }
        _ => there,
    };
    let mut seen = BTreeMap::new();
    for entry in pages.iter().flat_map(|page| page["entry"].as_array().into_iter().flatten()) {
        *seen.entry(entry["resource"]["id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    seen
}

/// The pages that lie on one way from the page at an address.
fn pages(url: String, relation: &str) -> Vec<Value> {
    let (mut pages, mut next) = (Vec::new(), Some(url));
    while let Some(url) = next {
        assert!(pages.len() < 2000, "{url} does not end");
        let page = send("GET", &url, &[], None).expect(200).json();
        next = link(&page, relation);
        pages.push(page);
    }
    pages
}

fn link(page: &Value, relation: &str) -> Option<String> {
    let links = page["link"].as_array().unwrap();
    let link = links.iter().find(|link| link["relation"] == relation)?;
    Some(link["url"].as_str().unwrap().to_owned())
}

const SEARCHES: &[&str] = &[
    "Task?intent=order",
    "Task?status=requested",
    "Task?status=requested,accepted",
    "Task?_sort=authored-on",
    "Task?_sort=-authored-on",
    "Task?_sort=-_lastUpdated",
    "Task?status:not=accepted&_sort=_id",
    "Task?_sort=status,-authored-on",
    "Task?owner=Organization/o1&status=requested&_sort=-authored-on",
    "Task?owner=Organization/o1&_sort=authored-on",
    "Task?owner=Organization/o1",
    "Task?_lastUpdated=gt2020-01-01",
];

fn pages_neither_miss_nor_repeat(database: &TestDatabase) {
    let server = TestServer::start(database);
    for number in 0..2 {
        let organisation = json!({ "resourceType": "Organization", "id": format!("o{number}"), "name": "o" });
        server.put(&format!("Organization/o{number}"), &organisation).expect(201);
    }
    for number in 0..STAYING {
        server.post("Task", &task(number)).expect(201);
    }
    let expected: Vec<BTreeSet<String>> =
        SEARCHES.iter().map(|search| walk(&server, search, 1000, false).into_keys().collect()).collect();
    let (numbers, stop) = (AtomicU32::new(STAYING), AtomicBool::new(false));
    let outcome = std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| churn(&server, &numbers, &stop));
        }
        let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
        let outcome = runner.run(&(0..SEARCHES.len(), 1_u32..9, any::<bool>()), |(search, count, back)| {
            let seen = walk(&server, SEARCHES[search], count, back);
            let missed: Vec<_> = expected[search].iter().filter(|id| !seen.contains_key(*id)).collect();
            prop_assert!(missed.is_empty(), "{} by {count} missed {missed:?}", SEARCHES[search]);
            let twice: Vec<_> = seen.iter().filter(|(_, times)| **times > 1).collect();
            prop_assert!(twice.is_empty(), "{} by {count} repeated {twice:?}", SEARCHES[search]);
            Ok(())
        });
        stop.store(true, Ordering::SeqCst);
        outcome
    });
    outcome.unwrap();
}

over_http!(pages_neither_miss_nor_repeat);
