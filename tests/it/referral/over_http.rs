//! The rules as a client meets them: duplicates by policy, plain resources untouched, effects as versions with Provenance.

use serde_json::{Value, json};

use super::world::{but, request, task};
use crate::support::http::{Answer, JSON, TestServer};
use crate::support::{TestDatabase, over_http};

fn known(server: &TestServer) {
    server
        .put("Patient/p", &json!({ "resourceType": "Patient", "id": "p", "name": [{ "text": "A person" }] }))
        .expect(201);
    for id in ["gp", "vcse"] {
        server
            .put(&format!("Organization/{id}"), &json!({ "resourceType": "Organization", "id": id, "name": id }))
            .expect(201);
    }
}

fn outcome(server: &TestServer, method: &str, path: &str, body: &Value) -> Answer {
    let headers = [JSON, ("Prefer", "return=OperationOutcome")];
    server.send(method, path, &headers, Some(body.to_string().as_bytes()))
}

fn rules(answer: &Answer) -> Vec<String> {
    let outcome = answer.json();
    let issues = outcome["issue"].as_array().cloned().unwrap_or_default();
    issues.iter().filter_map(|issue| issue["details"]["coding"][0]["code"].as_str().map(str::to_owned)).collect()
}

fn a_duplicate_is_refused_by_default(database: &TestDatabase) {
    let server = TestServer::start(database);
    known(&server);
    server.put("ServiceRequest/r", &request("r", "active")).expect(201);
    let refused = server.put("ServiceRequest/s", &request("s", "active")).expect(409);
    assert_eq!(refused.json()["issue"][0]["code"], "duplicate");
    assert_eq!(rules(&refused), ["referral-duplicate"]);
    server.get("ServiceRequest/s").expect(404);
    server.put("ServiceRequest/r", &request("r", "active")).expect(200);
    server.put("ServiceRequest/r", &request("r", "revoked")).expect(200);
    server.put("ServiceRequest/s", &request("s", "active")).expect(201);
}

fn a_duplicate_is_a_warning_where_so_configured(database: &TestDatabase) {
    let server = TestServer::start_with(database, &[("referral.duplicates", "warn")]);
    known(&server);
    server.put("ServiceRequest/r", &request("r", "active")).expect(201);
    let stored = outcome(&server, "PUT", "ServiceRequest/s", &request("s", "active")).expect(201);
    assert!(rules(&stored).contains(&"referral-duplicate".to_owned()), "{}", stored.text);
    server.get("ServiceRequest/s").expect(200);
}

fn a_plain_task_goes_its_own_way(database: &TestDatabase) {
    let server = TestServer::start(database);
    known(&server);
    let plain = but(&request("x", "active"), json!({ "code": { "text": "X-ray" } }));
    server.put("ServiceRequest/x", &plain).expect(201);
    let focus = json!({ "reference": "ServiceRequest/x" });
    for (status, answer) in [("completed", 201), ("draft", 200), ("ready", 200), ("rejected", 200), ("accepted", 200)] {
        let task = but(&task("t", "requested"), json!({ "status": status, "focus": focus, "owner": null }));
        let stored = server.put("Task/t", &task).expect(answer).json();
        assert!(stored.get("lastModified").is_none());
    }
    assert_eq!(server.get("ServiceRequest/x").json()["meta"]["versionId"], "1");
    server.put("ServiceRequest/y", &but(&plain, json!({ "id": "y" }))).expect(201);
}

fn a_refused_change_leaves_nothing_behind(database: &TestDatabase) {
    let server = TestServer::start(database);
    known(&server);
    server.put("ServiceRequest/r", &request("r", "active")).expect(201);
    server.put("Task/t", &task("t", "requested")).expect(201);
    let wrong = but(&task("t", "completed"), json!({ "output": null }));
    let refused = server.put("Task/t", &wrong).expect(422);
    assert_eq!(rules(&refused), ["referral-output", "referral-transition"]);
    assert!(refused.json()["issue"].as_array().unwrap().iter().all(|issue| issue["code"] == "business-rule"));
    assert_eq!(server.get("Task/t").json()["meta"]["versionId"], "1");
    assert_eq!(server.get("ServiceRequest/r").json()["meta"]["versionId"], "1");
}

fn an_effect_is_a_version_with_a_provenance(database: &TestDatabase) {
    let server = TestServer::start(database);
    known(&server);
    server.put("ServiceRequest/r", &request("r", "draft")).expect(201);
    server.put("Task/t", &task("t", "requested")).expect(201);
    let followed = server.get("ServiceRequest/r").expect(200);
    assert_eq!((followed.header("etag"), &followed.json()["status"]), ("W/\"2\"", &json!("active")));
    let history = server.get("ServiceRequest/r/_history").expect(200).json();
    assert_eq!(history["entry"].as_array().unwrap().len(), 2);
    let found = server.get("Provenance?target=ServiceRequest/r").expect(200).json();
    let provenance = &found["entry"][0]["resource"];
    assert_eq!(provenance["target"][0]["reference"], "ServiceRequest/r/_history/2");
    assert_eq!(provenance["entity"][0]["what"]["reference"], "Task/t/_history/1");
}

/// Plays changes that cause others, and asks for a Provenance of each version that nobody sent, and of no other.
fn every_version_that_nobody_sent_has_a_provenance(database: &TestDatabase) {
    let server = TestServer::start(database);
    known(&server);
    let mut sent: Vec<String> = Vec::new();
    let mut put = |path: &str, resource: &Value, status: u16| {
        let answer = server.put(path, resource).expect(status);
        sent.push(format!("{path}/_history/{}", answer.json()["meta"]["versionId"].as_str().unwrap()));
    };
    put("ServiceRequest/r", &request("r", "draft"), 201);
    put("Task/t", &task("t", "requested"), 201);
    put("Task/t", &task("t", "accepted"), 200);
    let reason = json!({ "statusReason": { "text": "They moved away" } });
    put("Task/t", &but(&task("t", "on-hold"), reason.clone()), 200);
    put("Task/t", &but(&task("t", "cancelled"), reason), 200);
    put("ServiceRequest/s", &request("s", "active"), 201);
    let focus = json!({ "focus": { "reference": "ServiceRequest/s" } });
    put("Task/u", &but(&task("u", "requested"), focus), 201);
    put("ServiceRequest/s", &request("s", "revoked"), 200);
    let mut caused: Vec<String> = Vec::new();
    for path in ["ServiceRequest/r", "Task/t", "ServiceRequest/s", "Task/u"] {
        let versions = server.get(&format!("{path}/_history")).expect(200).json()["entry"].as_array().unwrap().len();
        caused.extend((1..=versions).map(|version| format!("{path}/_history/{version}")));
    }
    caused.retain(|version| !sent.contains(version));
    let found = server.get("Provenance?_count=100").expect(200).json();
    let target = |entry: &Value| entry["resource"]["target"][0]["reference"].as_str().unwrap().to_owned();
    let mut explained: Vec<String> = found["entry"].as_array().unwrap().iter().map(target).collect();
    caused.sort();
    explained.sort();
    assert_eq!(explained, caused);
    assert!(caused.len() >= 4 && caused.iter().any(|version| version.starts_with("Task/u")), "{caused:?}");
    for entry in found["entry"].as_array().unwrap() {
        let cause = entry["resource"]["entity"][0]["what"]["reference"].as_str().unwrap();
        assert!(sent.iter().any(|version| version == cause), "{cause} is not a version that was sent");
    }
}

fn the_task_may_stand_before_its_referral_in_a_transaction(database: &TestDatabase) {
    let server = TestServer::start(database);
    known(&server);
    let (mut referral, mut sent) = (request("r", "draft"), task("t", "requested"));
    for resource in [&mut referral, &mut sent] {
        resource.as_object_mut().unwrap().shift_remove("id");
    }
    sent["focus"]["reference"] = json!("urn:uuid:5e1fd0c2-6f0f-4a0f-9f0c-3f3a5f0f0003");
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [
        { "resource": sent, "request": { "method": "POST", "url": "Task" } },
        { "fullUrl": "urn:uuid:5e1fd0c2-6f0f-4a0f-9f0c-3f3a5f0f0003", "resource": referral,
          "request": { "method": "POST", "url": "ServiceRequest" } }
    ] });
    let answer = server.post("", &bundle).expect(200).json();
    let stored = |entry: usize| {
        let location = answer["entry"][entry]["response"]["location"].as_str().unwrap().to_owned();
        let path = location.strip_prefix(&format!("{}/", server.base)).unwrap_or(&location).to_owned();
        server.get(path.split("/_history/").next().unwrap()).expect(200).json()
    };
    assert!(stored(0)["lastModified"].is_string(), "the Task was recognised as a referral");
    assert_eq!(stored(1)["status"], "active", "and its ServiceRequest followed");
}

fn an_absolute_reference_to_this_server_hides_nothing(database: &TestDatabase) {
    let server = TestServer::start(database);
    known(&server);
    server.put("ServiceRequest/r", &request("r", "draft")).expect(201);
    let focus = json!({ "reference": format!("{}/ServiceRequest/r", server.base) });
    let sent = but(&task("t", "requested"), json!({ "focus": focus }));
    let stored = server.put("Task/t", &sent).expect(201).json();
    assert_eq!(stored["focus"]["reference"], "ServiceRequest/r");
    assert_eq!(server.get("ServiceRequest/r").json()["status"], "active");
    server.put("Task/t", &but(&sent, json!({ "status": "ready" }))).expect(422);
}

over_http!(
    an_absolute_reference_to_this_server_hides_nothing,
    a_duplicate_is_refused_by_default,
    a_duplicate_is_a_warning_where_so_configured,
    a_plain_task_goes_its_own_way,
    a_refused_change_leaves_nothing_behind,
    an_effect_is_a_version_with_a_provenance,
    every_version_that_nobody_sent_has_a_provenance,
    the_task_may_stand_before_its_referral_in_a_transaction,
);
