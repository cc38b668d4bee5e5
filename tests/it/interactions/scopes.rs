//! Searches over several types and in compartments (<https://hl7.org/fhir/R4/http.html#search>,
//! <https://hl7.org/fhir/R4/compartmentdefinition.html>).

use std::collections::HashSet;

use serde_json::{Value, json};

use super::search::{ids, link};
use crate::support::http::{TestServer, send};
use crate::support::{TestDatabase, over_http};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

fn put(server: &TestServer, resource: &Value) {
    let text = |name: &str| resource[name].as_str().unwrap();
    server.put(&format!("{}/{}", text("resourceType"), text("id")), resource).expect(201);
}

/// Two patients; for each an encounter, two observations and a task; a tag on some.
fn filled(database: &TestDatabase) -> TestServer {
    let server = TestServer::start(database);
    put(&server, &json!({ "resourceType": "Practitioner", "id": "d1" }));
    for id in ["p1", "p2"] {
        let patient = json!({ "reference": format!("Patient/{id}") });
        let of = |name: &str| format!("{id}-{name}");
        put(
            &server,
            &json!({ "resourceType": "Patient", "id": id, "name": [{ "family": id }],
            "meta": { "tag": [{ "system": "urn:t", "code": "red" }] } }),
        );
        put(
            &server,
            &json!({ "resourceType": "Encounter", "id": of("e"), "status": "planned", "subject": patient,
            "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB" } }),
        );
        for (name, tag) in [("a", "red"), ("b", "blue")] {
            put(
                &server,
                &json!({ "resourceType": "Observation", "id": of(name), "status": "final", "subject": patient,
                "code": { "coding": [{ "system": "urn:c", "code": name }] },
                "meta": { "tag": [{ "system": "urn:t", "code": tag }] },
                "encounter": { "reference": format!("Encounter/{id}-e") } }),
            );
        }
        put(
            &server,
            &json!({ "resourceType": "Task", "id": of("t"), "status": "requested", "intent": "order",
            "for": patient, "requester": { "reference": "Practitioner/d1" } }),
        );
    }
    server
}

fn found(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().into_iter().flatten();
    let of_mode = entries.filter(|entry| entry["search"]["mode"] == "match");
    let text = |entry: &Value, name: &str| entry["resource"][name].as_str().unwrap().to_owned();
    let mut found: Vec<String> =
        of_mode.map(|entry| format!("{}/{}", text(entry, "resourceType"), text(entry, "id"))).collect();
    found.sort();
    found
}

/// Follows the pages.
fn all_pages(server: &TestServer, search: &str) -> Vec<Vec<String>> {
    let (mut pages, mut url) = (Vec::new(), format!("{}{search}", server.base));
    loop {
        let bundle = send("GET", &url, &[], None).expect(200).json();
        pages.push(ids(&bundle, "match"));
        let Some(next) = link(&bundle, "next") else { return pages };
        assert!(next.starts_with(&format!("{}{}", server.base, search.split('?').next().unwrap())), "{next}");
        assert!(!link(&bundle, "first").unwrap().contains("_page"));
        url = next;
    }
}

fn a_search_of_the_whole_server_finds_every_type(database: &TestDatabase) {
    let server = filled(database);
    let bundle = server.get("?_tag=urn:t|red").expect(200).json();
    assert_eq!(found(&bundle), ["Observation/p1-a", "Observation/p2-a", "Patient/p1", "Patient/p2"]);
    assert_eq!((&bundle["type"], &bundle["total"]), (&json!("searchset"), &json!(4)));
    assert_eq!(link(&bundle, "self").unwrap(), format!("{}?_tag=urn:t%7Cred", server.base));
    let two = server.get("?_type=Patient,Task&_sort=-_lastUpdated").expect(200).json();
    assert_eq!(ids(&two, "match"), ["p2-t", "p2", "p1-t", "p1"]);
    let posted = server.send("POST", "_search?_type=Task", &[FORM], Some(b"_id=p1-t,p1")).expect(200).json();
    assert_eq!(found(&posted), ["Task/p1-t"]);
    assert_eq!(link(&posted, "self").unwrap(), format!("{}?_type=Task&_id=p1-t,p1", server.base));
    assert_eq!(server.get("?_summary=count").expect(200).json()["total"], 11);
    assert_eq!(found(&server.get("?_id=nothing").expect(200).json()), Vec::<String>::new());
}

fn pages_go_across_types(database: &TestDatabase) {
    let server = filled(database);
    // The same id in two types must not be lost at the end of a page.
    put(&server, &json!({ "resourceType": "Organization", "id": "p1", "name": "Surgery" }));
    for search in [
        "?_count=2",
        "?_count=2&_sort=-_lastUpdated",
        "?_count=1&_sort=_id&_type=Organization,Patient,Task,Encounter,Observation,Practitioner",
        "?_count=5&_sort=-_id",
        "?_count=2&_sort=_tag,-_id",
    ] {
        let pages = all_pages(&server, search);
        let all: Vec<&String> = pages.iter().flatten().collect();
        assert_eq!(all.len(), 12, "{search}: {pages:?}");
        let distinct: HashSet<&&String> = all.iter().collect();
        assert_eq!(distinct.len(), 11, "{search}: {pages:?}");
    }
}

fn only_common_parameters_are_understood(database: &TestDatabase) {
    let server = filled(database);
    let common = server.get("?_type=Task,Observation&patient=p1").expect(200).json();
    assert_eq!(found(&common), ["Observation/p1-a", "Observation/p1-b", "Task/p1-t"]);
    let other = server.get("?_type=Task,Patient&owner=Organization/o1&_id=p1").expect(200).json();
    assert_eq!(found(&other), ["Patient/p1"]);
    assert_eq!(link(&other, "self").unwrap(), format!("{}?_type=Task,Patient&_id=p1", server.base));
    assert_eq!(ids(&other, "outcome").len(), 1);
    let strict = [("Prefer", "handling=strict")];
    let refused = server.send("GET", "?_type=Task,Patient&owner=o1", &strict, None).expect(400).json();
    assert_eq!(refused["issue"][0]["expression"][0], "http.query.owner");
    server.get("?_type=Tusk").expect(400);
    server.get("?_id=a/b").expect(400);
}

fn a_compartment_holds_what_belongs_to_its_centre(database: &TestDatabase) {
    let server = filled(database);
    let all = server.get("Patient/p1/*").expect(200).json();
    let expected = ["Encounter/p1-e", "Observation/p1-a", "Observation/p1-b", "Patient/p1", "Task/p1-t"];
    assert_eq!(found(&all), expected);
    assert_eq!(link(&all, "self").unwrap(), format!("{}/Patient/p1/*", server.base));
    let observations = server.get("Patient/p1/Observation?code=a").expect(200).json();
    assert_eq!(found(&observations), ["Observation/p1-a"]);
    assert_eq!(found(&server.get("Patient/p1/Task").json()), ["Task/p1-t"]);
    assert_eq!(found(&server.get("Patient/p1/*?_type=Task,Encounter").json()), ["Encounter/p1-e", "Task/p1-t"]);
    assert_eq!(found(&server.get("Encounter/p2-e/Observation").json()), ["Observation/p2-a", "Observation/p2-b"]);
    assert_eq!(found(&server.get("Practitioner/d1/*").json()), ["Practitioner/d1", "Task/p1-t", "Task/p2-t"]);
    assert_eq!(server.get("Patient/p1/Observation?_summary=count").json()["total"], 2);
    assert_eq!(all_pages(&server, "/Patient/p1/*?_count=2").len(), 3);
    for path in ["Patient/p1/Observation/_search", "Patient/p1/_search?_type=Observation"] {
        let posted = server.send("POST", path, &[FORM], Some(b"_id=p1-a,p2-a")).expect(200).json();
        assert_eq!(found(&posted), ["Observation/p1-a"], "{path}");
    }
}

fn a_compartment_needs_its_centre(database: &TestDatabase) {
    let server = filled(database);
    server.get("Patient/nobody/Observation").expect(404);
    server.get("Organization/o1/Task").expect(404);
    server.get("Patient/p1/Questionnaire").expect(400);
    server.get("Patient/p1/Nothing").expect(404);
    put(&server, &json!({ "resourceType": "Patient", "id": "p3" }));
    server.delete("Patient/p3").expect(204);
    server.get("Patient/p3/Task").expect(410);
    // A paging link of one compartment opens no other.
    let bundle = server.get("Patient/p1/Observation?_count=1").expect(200).json();
    let next = link(&bundle, "next").unwrap();
    send("GET", &next.replace("/p1/", "/p2/"), &[], None).expect(400);
}

over_http!(
    a_search_of_the_whole_server_finds_every_type,
    pages_go_across_types,
    only_common_parameters_are_understood,
    a_compartment_holds_what_belongs_to_its_centre,
    a_compartment_needs_its_centre,
);
