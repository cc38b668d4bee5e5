//! What a constrained scope keeps back looks like what does not exist, whichever way is tried; everything else stays as it was.

use serde_json::{Value, json};

use super::world::{Keys, guarded_long, register, register_as, register_for, token, with};
use crate::support::http::{Answer, TestServer};
use crate::support::{TestDatabase, over_http};

over_http!(
    no_request_tells_what_is_outside,
    what_is_outside_is_not_found_or_counted,
    what_is_outside_is_not_written,
    what_is_not_constrained_stays_as_it_was,
    scopes_on_a_type_are_alternatives,
    asking_for_fewer_scopes_brings_no_more,
    the_access_log_of_who_is_outside_is_not_shown,
    a_role_sees_no_more_than_both_allow,
);

const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

/// A server with an Observation of each category, on a Patient and in a DiagnosticReport of its own.
struct World {
    server: TestServer,
    keys: Keys,
}

impl World {
    fn new(database: &TestDatabase) -> Self {
        let world = Self { server: guarded_long(database), keys: Keys::elliptic("k1") };
        register(&world.server.server.store, "gp", &[&world.keys], "system/*.cruds");
        let all = world.token("system/*.cruds");
        for (id, category) in [("lab", "laboratory"), ("vital", "vital-signs")] {
            let patient = json!({ "resourceType": "Patient", "id": format!("p-{id}"), "active": true });
            let report = json!({
                "resourceType": "DiagnosticReport", "id": format!("d-{id}"), "status": "final", "code": { "text": "x" },
                "result": [{ "reference": format!("Observation/{id}") }],
            });
            for resource in [patient, observation(id, category), report] {
                let path =
                    format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
                with(&world.server, &all, "PUT", &path, Some(&resource)).expect(201);
            }
        }
        world
    }

    fn token(&self, scopes: &str) -> String {
        token(&self.server, "gp", &self.keys, scopes)
    }

    /// Everything, but of Observations only those of the laboratory.
    fn constrained(&self) -> String {
        let others = ["Patient", "DiagnosticReport", "Task"].map(|name| format!("system/{name}.cruds")).join(" ");
        self.token(&format!("{others} system/Observation.cud system/Observation.rs?category={CATEGORY}|laboratory"))
    }

    fn send(&self, token: &str, method: &str, path: &str, body: Option<&Value>) -> Answer {
        with(&self.server, token, method, path, body)
    }

    /// The ids that a search finds or brings, sorted.
    fn found(&self, token: &str, search: &str) -> Vec<String> {
        let bundle = self.send(token, "GET", search, None).expect(200).json();
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        let mut ids: Vec<String> =
            entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    }
}

fn observation(id: &str, category: &str) -> Value {
    json!({
        "resourceType": "Observation", "id": id, "status": "final", "code": { "text": "x" },
        "identifier": [{ "system": "https://kith.example/o", "value": id }],
        "category": [{ "coding": [{ "system": CATEGORY, "code": category }] }],
        "subject": { "reference": format!("Patient/p-{id}") },
    })
}

/// What an answer says, without what differs from one request to the next.
fn told(answer: &Answer, id: &str) -> (u16, Value) {
    let mut body: Value = serde_json::from_str(&answer.text.replace(id, "ID")).unwrap_or_default();
    without_names(&mut body);
    (answer.status, body)
}

/// Bundles have a name and a time of their own, wherever they are.
fn without_names(value: &mut Value) {
    if value["resourceType"] == "Bundle" {
        let bundle = value.as_object_mut().unwrap();
        bundle.retain(|name, _| !["id", "meta", "timestamp"].contains(&name.as_str()));
    }
    for entry in value["entry"].as_array_mut().into_iter().flatten() {
        without_names(&mut entry["resource"]);
    }
}

/// Each request is made of a resource outside the constraint and of one that does not exist.
fn no_request_tells_what_is_outside(database: &TestDatabase) {
    let world = World::new(database);
    let token = world.constrained();
    let patch = json!({
        "resourceType": "Parameters", "parameter": [{ "name": "operation", "part": [
            { "name": "type", "valueCode": "replace" }, { "name": "path", "valueString": "Observation.status" },
            { "name": "value", "valueCode": "amended" },
        ] }],
    });
    let refers = |id: &str| {
        json!({ "resourceType": "DiagnosticReport", "status": "final", "code": { "text": "x" },
            "result": [{ "reference": format!("Observation/{id}") }] })
    };
    let batch = |id: &str| {
        let entries = ["Observation/ID", "Observation/ID/_history/1", "Observation?_id=ID"]
            .map(|url| json!({ "request": { "method": "GET", "url": url.replace("ID", id) } }));
        json!({ "resourceType": "Bundle", "type": "batch", "entry": entries })
    };
    let transaction = |id: &str| {
        let entry = json!({ "request": { "method": "PUT", "url": format!("Observation/{id}") }, "resource": observation(id, "laboratory") });
        json!({ "resourceType": "Bundle", "type": "transaction", "entry": [entry] })
    };
    let requests = |id: &str| -> Vec<(&'static str, String, Option<Value>)> {
        let get = [
            "Observation/ID",
            "Observation/ID/_history/1",
            "Observation/ID/_history",
            "Observation/ID/$meta",
            "Observation?_id=ID",
            "Observation?identifier=https://kith.example/o|ID",
            "Observation?_id=ID&_summary=count",
            "Observation?_id=ID&_total=accurate",
            "DiagnosticReport?result=Observation/ID&result.status=final",
            "DiagnosticReport?result.identifier=ID",
            "Patient?_has:Observation:subject:identifier=ID",
        ];
        let mut all: Vec<_> = get.iter().map(|path| ("GET", path.replace("ID", id), None)).collect();
        all.extend([
            ("HEAD", format!("Observation/{id}"), None),
            ("PUT", format!("Observation/{id}"), Some(observation(id, "laboratory"))),
            ("PATCH", format!("Observation/{id}"), Some(patch.clone())),
            ("DELETE", format!("Observation/{id}"), None),
            ("DELETE", format!("Observation?identifier={id}"), None),
            ("PATCH", format!("Observation?identifier={id}"), Some(patch.clone())),
            ("POST", "DiagnosticReport".to_owned(), Some(refers(id))),
            ("POST", String::new(), Some(batch(id))),
            ("POST", String::new(), Some(transaction(id))),
        ]);
        all
    };
    for ((method, path, body), (_, other, other_body)) in requests("vital").into_iter().zip(requests("nowhere")) {
        let outside = told(&world.send(&token, method, &path, body.as_ref()), "vital");
        let missing = told(&world.send(&token, method, &other, other_body.as_ref()), "nowhere");
        assert_eq!(outside, missing, "{method} {path}");
        assert!(outside.0 < 500, "{method} {path}");
    }
    let all = world.token("system/*.cruds");
    let kept = world.send(&all, "GET", "Observation/vital", None).expect(200).json();
    assert_eq!((&kept["meta"]["versionId"], &kept["status"]), (&"1".into(), &"final".into()));
}

fn what_is_outside_is_not_found_or_counted(database: &TestDatabase) {
    let world = World::new(database);
    let token = world.constrained();
    for (search, expected) in [
        ("Observation", vec!["lab"]),
        ("Observation?status=final&_sort=-_lastUpdated", vec!["lab"]),
        ("Observation?category=vital-signs", vec![]),
        ("Observation?category:not=laboratory", vec![]),
        ("Observation?_filter=status eq final or status ne final", vec!["lab"]),
        ("DiagnosticReport", vec!["d-lab", "d-vital"]),
        ("DiagnosticReport?_include=DiagnosticReport:result", vec!["d-lab", "d-vital", "lab"]),
        ("DiagnosticReport?_id=d-vital&_include=*", vec!["d-vital"]),
        ("DiagnosticReport?result.status=final", vec!["d-lab"]),
        ("Patient", vec!["p-lab", "p-vital"]),
        ("Patient?_has:Observation:subject:status=final", vec!["p-lab"]),
        ("Patient?_has:Observation:subject:_has:DiagnosticReport:result:status=final", vec!["p-lab"]),
        ("Patient?_revinclude=Observation:subject", vec!["lab", "p-lab", "p-vital"]),
        (
            "Patient?_revinclude=Observation:subject&_revinclude:iterate=DiagnosticReport:result",
            vec!["d-lab", "lab", "p-lab", "p-vital"],
        ),
        ("Patient/p-vital/Observation", vec![]),
        ("Patient/p-vital/$everything", vec!["p-vital"]),
        ("Patient/p-lab/$everything", vec!["lab", "p-lab"]),
        ("Observation/_history", vec!["lab"]),
        ("Observation/lab/_history", vec!["lab"]),
    ] {
        assert_eq!(world.found(&token, &search.replace(' ', "%20")), expected, "{search}");
    }
    for counted in ["Observation?_summary=count", "Observation?_total=accurate", "Observation/_history"] {
        let bundle = world.send(&token, "GET", counted, None).expect(200).json();
        assert_eq!(bundle["total"], 1, "{counted}: {bundle}");
    }
    let labelled =
        world.token(&format!("system/*.s system/Observation.r?category={CATEGORY}|laboratory system/Patient.r"));
    let expected = ["d-lab", "d-vital", "lab", "p-lab", "p-vital"];
    assert_eq!(world.found(&labelled, "_history"), expected, "the history of the system");
    assert_eq!(world.found(&labelled, "?_lastUpdated=gt2000"), expected, "a search over all types");
}

/// Writes are not constrained, but reach only what is seen.
fn what_is_outside_is_not_written(database: &TestDatabase) {
    let world = World::new(database);
    let (token, all) = (world.constrained(), world.token("system/*.cruds"));
    world.send(&token, "PUT", "Observation/vital", Some(&observation("vital", "laboratory"))).expect(404);
    world.send(&token, "PUT", "Observation/chosen", Some(&observation("chosen", "laboratory"))).expect(404);
    world.send(&token, "PUT", "Observation?identifier=vital", Some(&observation("vital", "laboratory"))).expect(404);
    world.send(&token, "DELETE", "Observation?status=final", None).expect(204);
    assert_eq!(world.found(&all, "Observation"), ["vital"], "only what is seen is deleted");
    let mut new = observation("vital", "vital-signs");
    new.as_object_mut().unwrap().remove("id");
    let entry = |url: &str, method: &str| json!({ "request": { "method": method, "url": url }, "resource": new });
    let mut create = entry("Observation", "POST");
    create["request"]["ifNoneExist"] = json!("identifier=vital");
    let batch = json!({ "resourceType": "Bundle", "type": "batch", "entry": [create, entry("Observation?identifier=vital", "PUT")] });
    let answer = world.send(&token, "POST", "", Some(&batch)).expect(200).json();
    for index in 0..2 {
        let status = answer["entry"][index]["response"]["status"].as_str().unwrap();
        assert!(status.starts_with("201"), "{answer}");
    }
    assert_eq!(world.found(&token, "Observation"), Vec::<String>::new());
    let body = json!({ "resourceType": "DiagnosticReport", "status": "final", "code": { "text": "x" },
        "result": [{ "reference": "Observation/vital" }] });
    world.send(&token, "POST", "DiagnosticReport", Some(&body)).expect(422);
    let mut own = observation("new", "laboratory");
    own.as_object_mut().unwrap().remove("id");
    let created = world.send(&token, "POST", "Observation", Some(&own)).expect(201).json();
    let id = created["id"].as_str().unwrap();
    world.send(&token, "PUT", &format!("Observation/{id}"), Some(&created)).expect(200);
    let mut left = created.clone();
    left["category"][0]["coding"][0]["code"] = json!("vital-signs");
    world.send(&token, "PUT", &format!("Observation/{id}"), Some(&left)).expect(200);
    world.send(&token, "GET", &format!("Observation/{id}"), None).expect(404);
    world.send(&token, "GET", &format!("Observation/{id}/_history/1"), None).expect(404);
}

fn what_is_not_constrained_stays_as_it_was(database: &TestDatabase) {
    let world = World::new(database);
    let token = world.constrained();
    let patient = json!({ "resourceType": "Patient", "id": "chosen", "active": true });
    world.send(&token, "PUT", "Patient/chosen", Some(&patient)).expect(201);
    world.send(&token, "PUT", "Patient/chosen", Some(&patient)).expect(200);
    let other = json!({ "resourceType": "Patient", "id": "chosen", "active": false });
    world.send(&token, "PUT", "Patient?identifier=nobody", Some(&other)).expect(409);
    world.send(&token, "DELETE", "Patient/chosen", None).expect(204);
    world.send(&token, "GET", "Patient/chosen", None).expect(410);
    world.send(&token, "GET", "Patient/chosen/_history/1", None).expect(200);
    let versions = world.send(&token, "GET", "Patient/_history", None).expect(200).json();
    assert_eq!(versions["total"], 4, "the deletion is a version too: {versions}");
    let system = world.token(&format!("system/*.s system/Observation.r?category={CATEGORY}|laboratory"));
    let versions = world.send(&system, "GET", "_history", None).expect(200).json();
    assert_eq!(versions["total"], 7, "all but those of the one Observation: {versions}");
    world.send(&token, "PUT", "Patient/chosen", Some(&patient)).expect(201);
    let task = json!({ "resourceType": "Task", "status": "draft", "intent": "plan" });
    world.send(&token, "POST", "Task", Some(&task)).expect(201);
}

fn scopes_on_a_type_are_alternatives(database: &TestDatabase) {
    let world = World::new(database);
    for (scopes, expected) in [
        ("system/Observation.rs?category=laboratory", vec!["lab"]),
        ("system/Observation.rs?category=laboratory system/Observation.rs?category=vital-signs", vec!["lab", "vital"]),
        ("system/Observation.rs?category=laboratory&status=final", vec!["lab"]),
        ("system/Observation.rs?category=laboratory&status=amended", vec![]),
        ("system/Observation.rs?category=laboratory&category=vital-signs", vec![]),
        ("system/Observation.rs?category=laboratory,vital-signs", vec!["lab", "vital"]),
        ("system/Observation.rs?category=laboratory system/Observation.rs", vec!["lab", "vital"]),
        ("system/Observation.rs?category=laboratory system/*.rs", vec!["lab", "vital"]),
        ("system/Observation.rs?category=laboratory system/*.cud", vec!["lab"]),
        ("system/Observation.r?category=laboratory system/Observation.s", vec!["lab"]),
        ("system/Observation.s?category=laboratory system/Observation.r", vec!["lab"]),
        ("system/Observation.rs?subject=Patient/p-vital", vec!["vital"]),
        ("system/Observation.rs?_id=vital", vec!["vital"]),
    ] {
        let token = world.token(scopes);
        assert_eq!(world.found(&token, "Observation"), expected, "{scopes}");
        for id in ["lab", "vital"] {
            let status = if expected.contains(&id) { 200 } else { 404 };
            world.send(&token, "GET", &format!("Observation/{id}"), None).expect(status);
        }
    }
    let finder = world.token("system/Observation.s?category=laboratory");
    world.send(&finder, "GET", "Observation/lab", None).expect(403);
    assert_eq!(world.found(&finder, "Observation"), ["lab"]);
}

/// What a registration constrains stays so for a token that leaves the type out.
fn asking_for_fewer_scopes_brings_no_more(database: &TestDatabase) {
    let world = World::new(database);
    let registered =
        "system/Patient.rs system/Observation.rs?category=laboratory system/Observation.rs?category=survey";
    for (client, role) in [("few", "harness"), ("fewer", "operator")] {
        register_as(&world.server.server.store, client, &[&world.keys], registered, role);
        let none: Vec<&str> = Vec::new();
        for (asked, included, having) in [
            ("system/Patient.rs", vec!["p-lab", "p-vital"], none),
            (registered, vec!["lab", "p-lab", "p-vital"], vec!["p-lab"]),
        ] {
            let token = token(&world.server, client, &world.keys, asked);
            assert_eq!(world.found(&token, "Patient?_revinclude=Observation:subject"), included, "{asked}");
            assert_eq!(world.found(&token, "Patient?_has:Observation:subject:status=final"), having, "{asked}");
        }
    }
}

fn the_access_log_of_who_is_outside_is_not_shown(database: &TestDatabase) {
    let world = World::new(database);
    let token = world.token("system/AuditEvent.rs system/Patient.rs?_id=p-lab");
    for (id, status) in [("p-lab", 200), ("p-vital", 404), ("nowhere", 404)] {
        world.send(&token, "GET", &format!("Patient/{id}/$access-log"), None).expect(status);
    }
}

fn a_role_sees_no_more_than_both_allow(database: &TestDatabase) {
    let world = World::new(database);
    let store = &world.server.server.store;
    register_for(store, "surgery", &[&world.keys], "system/*.cruds", ("referrer", "A10001"));
    register_as(store, "board", &[&world.keys], "system/*.cruds", "commissioner");
    let all = world.token("system/*.cruds");
    let put = |resource: Value| {
        let path = format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        world.send(&all, "PUT", &path, Some(&resource)).expect(201);
    };
    for (id, code) in [("own", "A10001"), ("other", "A10002")] {
        put(json!({ "resourceType": "Organization", "id": id, "name": id,
            "identifier": [{ "system": kith::access::ODS_SYSTEM, "value": code }] }));
    }
    for (id, requester, priority) in [("r1", "own", "routine"), ("r2", "own", "urgent"), ("r3", "other", "urgent")] {
        put(
            json!({ "resourceType": "ServiceRequest", "id": id, "status": "active", "intent": "order", "priority": priority,
            "code": { "text": "Walking group" }, "subject": { "reference": format!("Patient/p-lab") },
            "requester": { "reference": format!("Organization/{requester}") } }),
        );
    }
    let referrer = |scopes: &str| token(&world.server, "surgery", &world.keys, scopes);
    assert_eq!(world.found(&referrer("system/ServiceRequest.rs"), "ServiceRequest"), ["r1", "r2"]);
    let urgent =
        referrer("system/ServiceRequest.cud system/ServiceRequest.rs?priority=urgent system/Organization.rs?name=own");
    assert_eq!(world.found(&urgent, "ServiceRequest"), ["r2"]);
    assert_eq!(world.found(&urgent, "Organization"), ["own"], "the directory too");
    for (id, status) in [("r1", 404), ("r2", 200), ("r3", 404)] {
        let path = format!("ServiceRequest/{id}");
        let answer = world.send(&urgent, "GET", &path, None).expect(status);
        if status == 404 {
            world.send(&urgent, "DELETE", &path, None).expect(204);
        } else {
            world.send(&urgent, "PUT", &path, Some(&answer.json())).expect(200);
        }
    }
    assert_eq!(world.found(&all, "ServiceRequest"), ["r1", "r2", "r3"]);
    let board = token(
        &world.server,
        "board",
        &world.keys,
        "system/ServiceRequest.rs?priority=urgent system/Observation.rs?status=final",
    );
    assert_eq!(world.found(&board, "ServiceRequest"), Vec::<String>::new(), "a constraint opens nothing");
    assert_eq!(world.found(&board, "Observation"), Vec::<String>::new());
    world.send(&board, "GET", "ServiceRequest/$activity?month=2025-01", None).expect(403);
}
