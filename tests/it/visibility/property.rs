//! No disclosure: random data of several organisations, random requests of every interaction. What a client finds is what the
//! model says; and every answer is the same, to the byte but for ids, dates and links to further pages, on a server that has all
//! the data and on one that has none of what the client has no way to.

use proptest::prelude::*;
use serde_json::Value;

use super::model::{Model, name};
use super::random::{Random, ask, change, resources};
use super::world::{World, organisation};
use crate::support::TestDatabase;
use crate::support::http::Answer;

const CLIENTS: [(&str, &str); 5] = [
    ("walks", "provider"),
    ("kitchen", "provider"),
    ("surgery", "referrer"),
    ("practice", "referrer"),
    ("thornby", "link-worker"),
];

/// What of an answer could tell two servers apart.
fn normal(world: &World, path: &str, answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let varying = ["date", "x-request-id", "x-correlation-id", "content-length", "last-modified"];
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| !varying.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), plain(&without_address(world, value))))
        .collect();
    headers.sort();
    (answer.status, headers, plain(&ordered(path, &without_address(world, &answer.text))))
}

/// The text without the server's address: that of the FHIR base, and that of the rules beside it.
fn without_address(world: &World, text: &str) -> String {
    text.replace(world.server.base.trim_end_matches("/fhir"), "[server]")
}

/// A searchset in one order where none was asked for: several writers of PostgreSQL take the numbers by which entries then lie.
fn ordered(path: &str, text: &str) -> String {
    let Ok(mut bundle) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
    let Some(entries) = bundle.get_mut("entry").and_then(Value::as_array_mut) else { return text.to_owned() };
    if entries.iter().any(|entry| entry.get("search").is_none()) {
        return text.to_owned();
    }
    let asked = path.contains("_sort=");
    entries.sort_by_cached_key(|entry| {
        let name = (!asked || entry["search"]["mode"] != "match").then(|| entry["fullUrl"].to_string());
        (entry["search"]["mode"] != "match", name)
    });
    bundle.to_string()
}

/// The text without ids that the server gave, instants, and paging tokens.
fn plain(text: &str) -> String {
    let id = regex(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
    let instant = regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)");
    let token = regex(r"_page=[A-Za-z0-9_%.-]+");
    let text = id.replace_all(text, "[id]");
    let text = instant.replace_all(&text, "[instant]");
    token.replace_all(&text, "_page=[token]").into_owned()
}

fn regex(pattern: &str) -> regex::Regex {
    regex::Regex::new(pattern).unwrap()
}

/// A Task that was rejected, as if it had been accepted after all.
fn taken_up(mut resource: Value) -> Value {
    if resource["resourceType"] == "Task" && resource["status"] == "rejected" {
        resource["status"] = "accepted".into();
    }
    resource
}

/// The ids in a history of a type, read in small pages, sorted. Every resource has one version.
fn paged(world: &World, client: &str, kind: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut next = Some(format!("{kind}/_history?_count=2"));
    while let Some(path) = next {
        let page = world.get(client, &path).expect(200).json();
        let entries = page["entry"].as_array().cloned().unwrap_or_default();
        ids.extend(entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()));
        let more = page["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next");
        let base = format!("{}/", world.server.base);
        next = more.map(|link| link["url"].as_str().unwrap().replace(&base, ""));
    }
    ids.sort();
    ids
}

fn play(seed: u64, [full, reduced]: [&TestDatabase; 2]) {
    let mut random = Random::new(seed);
    let all = resources(&mut random);
    let (client, role) = CLIENTS[random.below(CLIENTS.len())];
    let organisations: Vec<Value> =
        super::world::ORGANISATIONS.iter().map(|(id, code)| organisation(id, code)).collect();
    let everything: Vec<Value> = organisations.iter().chain(&all).cloned().collect();
    let model = Model { all: &everything, organisation: client, role };
    let full = World::new(full);
    full.store(&all);
    for kind in ["Task", "ServiceRequest", "Patient", "Observation", "Consent"] {
        let of_kind = everything.iter().filter(|resource| resource["resourceType"] == kind);
        let mut expected: Vec<String> = of_kind
            .filter(|resource| model.sees(resource))
            .map(|resource| resource["id"].as_str().unwrap().to_owned())
            .collect();
        expected.sort();
        assert_eq!(full.found(client, kind), expected, "{kind} of {client} ({role}), seed {seed}");
        let count = full.get(client, &format!("{kind}?_summary=count")).expect(200).json()["total"].clone();
        assert_eq!(count, expected.len(), "{kind} of {client}, seed {seed}");
        let history = full.get(client, &format!("{kind}/_history?_count=500")).expect(200).json();
        assert_eq!(history["total"], expected.len(), "{kind} of {client}, seed {seed}");
        assert_eq!(paged(&full, client, kind), expected, "{kind} of {client}, seed {seed}");
    }
    // What consent or a label keeps back stays: it may be how something else is reached. So do objections, and the Patients
    // through which they hold for others. So does what a Task brings that the client has rejected: it may take it up again.
    let taken_up: Vec<Value> = everything.iter().cloned().map(taken_up).collect();
    let later = Model { all: &taken_up, organisation: client, role };
    let stays = |resource: &&Value| match resource["resourceType"].as_str() {
        Some("Consent") => true,
        Some("Patient") if model.persons(&name(resource)).len() > 1 => true,
        _ => model.reaches(resource) || later.reaches(resource),
    };
    let kept: Vec<Value> = all.iter().filter(stays).cloned().collect();
    let reduced = World::new(reduced);
    reduced.store(&kept);
    let compare = |(method, path, body): (&'static str, String, Option<Value>)| {
        let [left, right] = [&full, &reduced].map(|world| {
            let answer = world.send(client, method, &path, body.as_ref());
            assert!(answer.status < 500, "{method} {path}: {}", answer.text);
            normal(world, &path, &answer)
        });
        let sent = body.map_or_else(String::new, |body| body.to_string());
        assert_eq!(left, right, "{method} {path} by {client}, seed {seed} {sent}");
        left.0
    };
    for _ in 0..60 {
        compare(ask(&mut random));
    }
    for _ in 0..12 {
        compare(change(&mut random));
    }
    for _ in 0..20 {
        compare(ask(&mut random));
    }
    let never = |resource: &&Value| !model.reaches(resource) && !later.reaches(resource);
    for resource in all.iter().filter(never) {
        let status = compare(("GET", name(resource), None));
        assert!(matches!(status, 403 | 404), "{} was read by {client}, seed {seed}", name(resource));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_disclosed_on_sqlite(seed in any::<u64>()) {
        play(seed, [&TestDatabase::sqlite(), &TestDatabase::sqlite()]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_disclosed_on_postgresql(seed in any::<u64>()) {
        if let (Some(full), Some(reduced)) = (TestDatabase::postgres(), TestDatabase::postgres()) {
            play(seed, [&full, &reduced]);
        }
    }
}
