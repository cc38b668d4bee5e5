//! search over HTTP (<https://hl7.org/fhir/R4/search.html>).

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::http::{TestServer, send};
use crate::support::{TestDatabase, over_http};

/// Two patients with three observations each, and an organisation.
fn filled(database: &TestDatabase) -> TestServer {
    let server = TestServer::start(database);
    for (id, family) in [("p1", "Appleby"), ("p2", "Äpple")] {
        server.put(&format!("Patient/{id}"), &json!({ "resourceType": "Patient", "id": id, "active": true,
            "name": [{ "family": family }], "text": { "status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>" },
            "managingOrganization": { "reference": "Organization/o1" } })).expect(201);
        for day in 1..=3 {
            server
                .put(
                    &format!("Observation/{id}-{day}"),
                    &json!({ "resourceType": "Observation", "id": format!("{id}-{day}"),
                "status": "final", "code": { "coding": [{ "system": "urn:c", "code": "steps" }] },
                "subject": { "reference": format!("Patient/{id}") }, "effectiveDateTime": format!("2026-01-0{day}") }),
                )
                .expect(201);
        }
    }
    server
        .put("Organization/o1", &json!({ "resourceType": "Organization", "id": "o1", "name": "Surgery" }))
        .expect(201);
    server
}

pub fn ids(bundle: &Value, mode: &str) -> Vec<String> {
    let entries = bundle["entry"].as_array().into_iter().flatten();
    let of_mode = entries.filter(|entry| entry["search"]["mode"] == mode);
    of_mode.map(|entry| entry["resource"]["id"].as_str().unwrap_or_default().to_owned()).collect()
}

pub fn link(bundle: &Value, relation: &str) -> Option<String> {
    let links = bundle["link"].as_array().unwrap();
    links.iter().find(|link| link["relation"] == relation).map(|link| link["url"].as_str().unwrap().to_owned())
}

fn a_search_answers_with_a_searchset(database: &TestDatabase) {
    let server = filled(database);
    let answer = server.get("Patient?family=apple&_sort=family").expect(200);
    let bundle = answer.json();
    assert_eq!((&bundle["resourceType"], &bundle["type"]), (&json!("Bundle"), &json!("searchset")));
    assert_eq!(bundle["total"], 2);
    assert_eq!(ids(&bundle, "match"), ["p2", "p1"]);
    assert_eq!(bundle["entry"][0]["fullUrl"], format!("{}/Patient/p2", server.base));
    assert_eq!(link(&bundle, "self").unwrap(), format!("{}/Patient?family=apple&_sort=family", server.base));
    assert!(link(&bundle, "next").is_none());
    let nothing = server.get("Patient?family=nobody").expect(200).json();
    assert_eq!(nothing["total"], 0);
    assert!(nothing.get("entry").is_none());
}

fn a_search_by_post_takes_a_form(database: &TestDatabase) {
    let server = filled(database);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = server.send("POST", "Patient/_search?active=true", &form, Some(b"family=appleby")).expect(200);
    assert_eq!(ids(&answer.json(), "match"), ["p1"]);
    server.send("POST", "Patient/_search", &[("Content-Type", "application/fhir+json")], Some(b"{}")).expect(415);
}

fn next_links_lead_through_all_pages(database: &TestDatabase) {
    let server = filled(database);
    for search in [
        "Observation?_count=2&_sort=-date",
        "Observation?_count=2",
        "Observation?code=urn:c|steps&_count=2&_total=accurate",
    ] {
        let mut seen = Vec::new();
        let mut url = format!("{}/{search}", server.base);
        loop {
            let bundle = send("GET", &url, &[], None).expect(200).json();
            assert_eq!(bundle.get("total").is_some(), search.contains("_total"), "{search}");
            seen.extend(ids(&bundle, "match"));
            match link(&bundle, "next") {
                Some(next) => url = next,
                None => break,
            }
        }
        assert_eq!(seen.len(), 6, "{search}: {seen:?}");
        assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 6, "{search}");
    }
}

fn a_page_link_serves_only_its_search(database: &TestDatabase) {
    let server = filled(database);
    let bundle = server.get("Observation?_count=2&_sort=-date").expect(200).json();
    let next = link(&bundle, "next").unwrap();
    let other = next.replace("_sort=-date", "_sort=date");
    let refused = send("GET", &other, &[], None).expect(400).json();
    assert_eq!(refused["issue"][0]["expression"][0], "http.query._page");
    server.get("Observation?_page=abc").expect(400);
}

fn inclusions_come_once_and_marked(database: &TestDatabase) {
    let server = filled(database);
    let bundle = server
        .get("Observation?_include=Observation:subject&_include:iterate=Patient:organization&_sort=-date&_count=3")
        .expect(200)
        .json();
    assert_eq!(ids(&bundle, "match").len(), 3);
    let mut included = ids(&bundle, "include");
    included.sort();
    assert_eq!(included, ["o1", "p1", "p2"]);
    let reverse = server.get("Patient?_id=p1&_revinclude=Observation:subject").expect(200).json();
    assert_eq!(ids(&reverse, "match"), ["p1"]);
    assert_eq!(ids(&reverse, "include").len(), 3);
    assert_eq!(reverse["total"], 1);
}

fn counts_come_without_entries(database: &TestDatabase) {
    let server = filled(database);
    for search in ["Observation?_count=0", "Observation?_summary=count", "Observation?patient=p1&_summary=count"] {
        let bundle = server.get(search).expect(200).json();
        assert_eq!(bundle["total"], if search.contains("p1") { 3 } else { 6 }, "{search}");
        assert!(bundle.get("entry").is_none());
    }
}

fn summaries_leave_elements_out(database: &TestDatabase) {
    let server = filled(database);
    let first = |search: &str| server.get(search).expect(200).json()["entry"][0]["resource"].clone();
    let named = first("Patient?_id=p1&_elements=name");
    assert!(named.get("name").is_some() && named.get("text").is_none() && named.get("managingOrganization").is_none());
    assert_eq!(named["meta"]["tag"][0]["code"], "SUBSETTED");
    assert!(first("Patient?_id=p1&_summary=data").get("text").is_none());
    let text = first("Patient?_id=p1&_summary=text");
    assert!(text.get("text").is_some() && text.get("name").is_none());
    assert!(first("Patient?_id=p1&_summary=true").get("managingOrganization").is_some());
    assert!(first("Patient?_id=p1").get("text").is_some());
}

fn unknown_parameters_are_reported_or_refused(database: &TestDatabase) {
    let server = filled(database);
    let lenient = server.get("Patient?familly=apple&_id=p1").expect(200).json();
    assert_eq!(ids(&lenient, "match"), ["p1"]);
    assert_eq!(link(&lenient, "self").unwrap(), format!("{}/Patient?_id=p1", server.base));
    let outcome = &lenient["entry"][1];
    assert_eq!(outcome["search"]["mode"], "outcome");
    assert!(outcome["resource"]["issue"][0]["diagnostics"].as_str().unwrap().contains("Did you mean family?"));
    let strict = server.send("GET", "Patient?familly=apple", &[("Prefer", "handling=strict")], None).expect(400);
    assert_eq!(strict.json()["issue"][0]["expression"][0], "http.query.familly");
    server.get("Patient?birthdate=tomorrow").expect(400);
}

fn searches_follow_updates_and_deletions(database: &TestDatabase) {
    let server = filled(database);
    server
        .put("Patient/p1", &json!({ "resourceType": "Patient", "id": "p1", "name": [{ "family": "Birch" }] }))
        .expect(200);
    assert_eq!(ids(&server.get("Patient?family=apple").json(), "match"), ["p2"]);
    assert_eq!(ids(&server.get("Patient?family=birch").json(), "match"), ["p1"]);
    server.delete("Patient/p1").expect(204);
    assert!(ids(&server.get("Patient?family=birch").json(), "match").is_empty());
    assert_eq!(ids(&server.get("Patient").json(), "match"), ["p2"]);
    assert_eq!(ids(&server.get("Patient?_sort=-_lastUpdated").json(), "match"), ["p2"]);
}

over_http!(
    a_search_answers_with_a_searchset,
    a_search_by_post_takes_a_form,
    next_links_lead_through_all_pages,
    a_page_link_serves_only_its_search,
    inclusions_come_once_and_marked,
    counts_come_without_entries,
    summaries_leave_elements_out,
    unknown_parameters_are_reported_or_refused,
    searches_follow_updates_and_deletions,
);
