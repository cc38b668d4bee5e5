//! Objections, labels, and how the glass is broken.

use serde_json::{Value, json};

use super::world::{World, patient, request, task};
use crate::support::http::Answer;
use crate::support::{TestDatabase, over_http};

over_http!(
    an_objection_is_enforced_and_explained,
    an_objection_may_name_whom_it_is_against,
    an_objection_holds_for_the_person,
    labels_restrict_by_role,
    the_glass_is_broken_with_a_reason_and_noted,
    a_taken_off_label_still_hides_what_had_it,
);

fn consent(patient: &str, provision: Value) -> Value {
    json!({
        "resourceType": "Consent", "id": format!("of-{patient}"), "status": "active",
        "scope": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy" }] },
        "category": [{ "text": "sharing" }], "patient": { "reference": format!("Patient/{patient}") },
        "policyRule": { "text": "sharing" }, "provision": provision,
    })
}

fn populated(database: &TestDatabase) -> World {
    let world = World::new(database);
    world.store(&[
        patient("ada"),
        request("r1", "ada", "surgery"),
        task("t1", ("r1", "ada"), "surgery", Some("walks"), "accepted"),
        task("t2", ("r1", "ada"), "surgery", Some("thornby"), "accepted"),
        request("r2", "ada", "surgery"),
        task("t3", ("r2", "ada"), "surgery", None, "requested"),
    ]);
    world
}

fn against(name: &str) -> Value {
    let actor =
        json!([{ "role": { "text": "recipient" }, "reference": { "reference": format!("Organization/{name}") } }]);
    json!({ "type": "deny", "actor": actor })
}

fn rule(answer: &Answer) -> Value {
    answer.json()["issue"][0]["details"]["coding"][0]["code"].clone()
}

fn an_objection_is_enforced_and_explained(database: &TestDatabase) {
    let world = populated(database);
    world.get("walks", "ServiceRequest/r1").expect(200);
    let objection = consent("ada", json!({ "type": "deny" }));
    world.store(std::slice::from_ref(&objection));
    for path in ["Task/t1", "ServiceRequest/r1", "Patient/ada", "Task/t1/_history", "Patient/ada/$everything"] {
        let refused = world.get("walks", path).expect(403);
        assert_eq!(rule(&refused), "consent-objection", "{}", refused.text);
    }
    let accepted = task("t1", ("r1", "ada"), "surgery", Some("walks"), "completed");
    assert_eq!(rule(&world.send("walks", "PUT", "Task/t1", Some(&accepted)).expect(403)), "consent-objection");
    for search in ["Task", "ServiceRequest", "Patient", "Patient?_has:Task:patient:status=accepted"] {
        assert_eq!(world.found("walks", search), [""; 0], "{search}");
    }
    // What it might only have claimed it need not know of.
    world.get("walks", "Task/t3").expect(404);
    world.get("kitchen", "Patient/ada").expect(404);
    for client in ["surgery", "thornby"] {
        world.get(client, "ServiceRequest/r1").expect(200);
    }
    let mut withdrawn = objection;
    withdrawn["status"] = json!("inactive");
    world.store(&[withdrawn]);
    world.get("walks", "ServiceRequest/r1").expect(200);
}

fn an_objection_may_name_whom_it_is_against(database: &TestDatabase) {
    let world = populated(database);
    world.store(&[consent("ada", against("thornby"))]);
    world.get("walks", "ServiceRequest/r1").expect(200);
    assert_eq!(rule(&world.get("thornby", "ServiceRequest/r1").expect(403)), "consent-objection");
    let permitted = against("walks")["actor"].clone();
    world.store(&[consent("ada", json!({ "type": "deny", "provision": [{ "type": "permit", "actor": permitted }] }))]);
    world.get("walks", "ServiceRequest/r1").expect(200);
    world.get("kitchen", "Task/t3").expect(404);
    world.get("walks", "Task/t3").expect(200);
}

fn an_objection_holds_for_the_person(database: &TestDatabase) {
    let world = World::new(database);
    let of = |id: &str, number: &str, link: Option<&str>| {
        let mut found = patient(id);
        found["identifier"][0]["value"] = json!(number);
        if let Some(other) = link {
            found["link"] = json!([{ "type": "seealso", "other": { "reference": format!("Patient/{other}") } }]);
        }
        found
    };
    let mut everything = vec![
        of("one", "9990000018", None),
        of("same-number", "9990000018", None),
        of("linked", "9990000026", Some("same-number")),
        of("links-to-linked", "9990000034", Some("linked")),
        of("other", "9990000042", None),
    ];
    let persons = ["one", "same-number", "linked", "links-to-linked"];
    for id in persons.into_iter().chain(["other"]) {
        everything.push(request(id, id, "surgery"));
        everything.push(task(id, (id, id), "surgery", Some("walks"), "accepted"));
    }
    world.store(&everything);
    let open = |id: &str| world.get("walks", &format!("ServiceRequest/{id}")).status;
    for said_of in persons {
        let objection = consent(said_of, json!({ "type": "deny" }));
        world.store(std::slice::from_ref(&objection));
        for id in persons {
            assert_eq!(rule(&world.get("walks", &format!("ServiceRequest/{id}")).expect(403)), "consent-objection");
        }
        assert_eq!(world.found("walks", "Task"), ["other"], "said of {said_of}");
        assert_eq!(world.get("walks", "Task/_history?_summary=count").expect(200).json()["total"], 1);
        let excepted = against("walks")["actor"].clone();
        world.store(&[consent(
            said_of,
            json!({ "type": "deny", "provision": [{ "type": "permit", "actor": excepted }] }),
        )]);
        assert_eq!(persons.map(open), [200; 4], "said of {said_of}");
        world.send("operator", "DELETE", &format!("Consent/of-{said_of}"), None).expect(204);
    }
    // By NHS number alone.
    let mut unnamed = consent("number", json!({ "type": "deny" }));
    unnamed["patient"] =
        json!({ "identifier": { "system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018" } });
    world.store(&[unnamed]);
    assert_eq!(persons.map(open), [403; 4]);
    assert_eq!(open("other"), 200);
    // Whoever turns out to be another person is asked by itself.
    world.store(&[of("linked", "9990000026", None)]);
    assert_eq!(persons.map(open), [403, 403, 200, 200]);
}

fn labelled(code: &str) -> Value {
    json!({
        "resourceType": "Observation", "id": "note", "status": "final", "code": { "text": "Safeguarding" },
        "subject": { "reference": "Patient/ada" }, "basedOn": [{ "reference": "ServiceRequest/r1" }],
        "meta": { "security": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": code }] },
    })
}

fn handed_over() -> Value {
    let mut handed = task("t1", ("r1", "ada"), "surgery", Some("walks"), "accepted");
    handed["input"] = json!([{ "type": { "text": "note" }, "valueReference": { "reference": "Observation/note" } }]);
    handed
}

fn labels_restrict_by_role(database: &TestDatabase) {
    let world = populated(database);
    for (code, expected) in [
        ("N", [("walks", 200), ("thornby", 200), ("surgery", 200), ("kitchen", 404)]),
        ("R", [("walks", 404), ("thornby", 200), ("surgery", 200), ("kitchen", 404)]),
        ("V", [("walks", 404), ("thornby", 404), ("surgery", 200), ("kitchen", 404)]),
    ] {
        world.store(&[labelled(code), handed_over()]);
        for (client, status) in expected {
            world.get(client, "Observation/note").expect(status);
            let found = world.found(client, "Observation?subject=Patient/ada").len();
            assert_eq!(found, usize::from(status == 200), "{client} {code}");
        }
    }
}

fn a_taken_off_label_still_hides_what_had_it(database: &TestDatabase) {
    let world = populated(database);
    world.store(&[labelled("R"), handed_over(), labelled("N")]);
    world.get("walks", "Observation/note").expect(200);
    world.get("walks", "Observation/note/_history/1").expect(404);
    let history = world.get("walks", "Observation/note/_history").expect(200).json();
    assert_eq!(history["entry"].as_array().unwrap().len(), 1, "{history}");
    world.get("surgery", "Observation/note/_history/1").expect(200);
}

fn the_glass_is_broken_with_a_reason_and_noted(database: &TestDatabase) {
    let world = populated(database);
    world.store(&[labelled("V"), handed_over()]);
    let authorization = |client: &str| format!("Bearer {}", world.token(client));
    let send = |client: &str, method: &str, reason: Option<&str>, body: Option<&Value>| {
        let authorization = authorization(client);
        let mut headers = vec![
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/fhir+json"),
            ("X-Purpose-Of-Use", "BTG"),
            ("X-Request-Id", "broken-1"),
        ];
        headers.extend(reason.map(|reason| ("X-Break-Glass-Reason", reason)));
        let body = body.map(ToString::to_string);
        world.server.send(method, "Observation/note", &headers, body.as_deref().map(str::as_bytes))
    };
    world.get("thornby", "Observation/note").expect(404);
    send("thornby", "GET", None, None).expect(400);
    send("thornby", "GET", Some("collapsed in the street"), None).expect(200);
    send("thornby", "PUT", Some("collapsed in the street"), Some(&labelled("N"))).expect(403);
    send("walks", "GET", Some("collapsed in the street"), None).expect(403);
    send("kitchen", "GET", Some("curious"), None).expect(403);
    world.get("thornby", "Observation/note").expect(404);
}
