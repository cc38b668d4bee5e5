//! `$everything` over HTTP (<https://hl7.org/fhir/R4/patient-operation-everything.html>).

use serde_json::{Value, json};

use crate::interactions::search::{ids, link};
use crate::support::http::{JSON, TestServer, send};
use crate::support::{TestDatabase, over_http};

fn put(server: &TestServer, resource: &Value) {
    let text = |name: &str| resource[name].as_str().unwrap();
    let answer = server.put(&format!("{}/{}", text("resourceType"), text("id")), resource);
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text);
}

fn reference(to: &str) -> Value {
    json!({ "reference": to })
}

/// A whole referral of p1 (with what a record holds beside it), another referral of p2.
#[expect(clippy::too_many_lines, reason = "the resources of two referrals")]
fn filled(database: &TestDatabase) -> TestServer {
    let server = TestServer::start(database);
    put(&server, &json!({ "resourceType": "Organization", "id": "trust", "name": "Trust" }));
    put(
        &server,
        &json!({ "resourceType": "Organization", "id": "surgery", "name": "Surgery",
        "partOf": reference("Organization/trust") }),
    );
    put(&server, &json!({ "resourceType": "Organization", "id": "charity", "name": "Charity" }));
    put(&server, &json!({ "resourceType": "Practitioner", "id": "gp" }));
    put(
        &server,
        &json!({ "resourceType": "PractitionerRole", "id": "gp-role", "practitioner": reference("Practitioner/gp"),
        "organization": reference("Organization/surgery") }),
    );
    for n in 1..=2 {
        let patient = reference(&format!("Patient/p{n}"));
        put(
            &server,
            &json!({ "resourceType": "Patient", "id": format!("p{n}"),
            "managingOrganization": reference("Organization/surgery") }),
        );
        put(
            &server,
            &json!({ "resourceType": "QuestionnaireResponse", "id": format!("a{n}"), "status": "completed",
            "subject": patient, "authored": "2026-01-02" }),
        );
        put(
            &server,
            &json!({ "resourceType": "ServiceRequest", "id": format!("s{n}"), "status": "active",
            "intent": "order", "subject": patient, "requester": reference("PractitionerRole/gp-role"),
            "authoredOn": "2026-01-02", "supportingInfo": [reference(&format!("QuestionnaireResponse/a{n}"))] }),
        );
        put(
            &server,
            &json!({ "resourceType": "Observation", "id": format!("o{n}"), "status": "final",
            "code": { "text": "score" }, "subject": patient, "effectiveDateTime": "2026-03-01" }),
        );
        put(
            &server,
            &json!({ "resourceType": "Task", "id": format!("t{n}"), "status": "requested", "intent": "order",
            "for": patient, "focus": reference(&format!("ServiceRequest/s{n}")), "authoredOn": "2026-01-02",
            "owner": reference("Organization/charity"),
            "output": [{ "type": { "text": "Outcome" }, "valueReference": reference(&format!("Observation/o{n}")) },
                // Somebody else's outcome, named by mistake.
                { "type": { "text": "Outcome" }, "valueReference": reference("Observation/o2") }] }),
        );
        put(
            &server,
            &json!({ "resourceType": "Task", "id": format!("part{n}"), "status": "requested", "intent": "order",
            "for": patient, "partOf": [reference(&format!("Task/t{n}"))], "authoredOn": "2026-02-02" }),
        );
        put(
            &server,
            &json!({ "resourceType": "Communication", "id": format!("c{n}"), "status": "completed",
            "subject": patient, "basedOn": [reference(&format!("ServiceRequest/s{n}"))], "sent": "2026-02-03" }),
        );
        put(
            &server,
            &json!({ "resourceType": "Provenance", "id": format!("v{n}"), "recorded": "2026-01-02T00:00:00Z",
            "target": [reference(&format!("Task/t{n}"))], "agent": [{ "who": reference("Organization/charity") }] }),
        );
        put(&server, &json!({ "resourceType": "Condition", "id": format!("d{n}"), "subject": patient }));
    }
    put(
        &server,
        &json!({ "resourceType": "Group", "id": "walkers", "type": "person", "actual": true,
        "member": [{ "entity": reference("Patient/p1") }, { "entity": reference("Patient/p2") }] }),
    );
    server
}

fn shown(bundle: &Value) -> Vec<String> {
    let mut all = ids(bundle, "match");
    all.extend(ids(bundle, "include"));
    all.sort();
    all
}

fn a_patient_comes_with_the_whole_record(database: &TestDatabase) {
    let server = filled(database);
    let bundle = server.get("Patient/p1/$everything").expect(200).json();
    assert_eq!((&bundle["resourceType"], &bundle["type"]), (&json!("Bundle"), &json!("searchset")));
    let mut matches = ids(&bundle, "match");
    matches.sort();
    assert_eq!(matches, ["a1", "c1", "d1", "o1", "p1", "part1", "s1", "t1"]);
    let mut included = ids(&bundle, "include");
    included.sort();
    assert_eq!(included, ["charity", "gp", "gp-role", "surgery", "trust"]);
    assert_eq!(link(&bundle, "self").unwrap(), format!("{}/Patient/p1/$everything", server.base));
    let types = server.get("Patient/p1/$everything?_type=Task,Organization").expect(200).json();
    assert_eq!(shown(&types), ["charity", "part1", "t1"]);
    let supporting = server.get("Patient/p1/$everything?_type=Practitioner,PractitionerRole").expect(200).json();
    assert_eq!(shown(&supporting), ["gp", "gp-role"]);
    assert_eq!(server.get("Patient/p1/$everything?_summary=count").expect(200).json()["total"], 8);
    server.get("Patient/nobody/$everything").expect(404);
    server.get("Organization/surgery/$everything").expect(404);
    server.get("Patient/p1/$everything?nothing=1").expect(400);
    server.get("Patient/p1/$everything?start=SECRET").expect(400);
    server.get("Patient/p1/$everything?_type=Tusk").expect(400);
}

fn dates_types_and_pages_narrow_a_record(database: &TestDatabase) {
    let server = filled(database);
    // Without a date of care (the Condition) or with none to have (the Patient), a resource is always there.
    let early = server.get("Patient/p1/$everything?end=2026-01-31").expect(200).json();
    let mut matches = ids(&early, "match");
    matches.sort();
    assert_eq!(matches, ["a1", "d1", "p1", "s1", "t1"]);
    let body = json!({ "resourceType": "Parameters", "parameter": [
        { "name": "start", "valueDate": "2026-02-01" }, { "name": "end", "valueDate": "2026-02" },
        { "name": "_type", "valueCode": "Task" }, { "name": "_type", "valueCode": "Communication" } ] });
    let posted = server.post("Patient/p1/$everything", &body).expect(200).json();
    assert_eq!(shown(&posted), ["c1", "part1"]);
    let (mut seen, mut url) = (Vec::new(), format!("{}/Patient/p1/$everything?_count=3", server.base));
    loop {
        let bundle = send("GET", &url, &[], None).expect(200).json();
        assert!(ids(&bundle, "match").len() <= 3);
        seen.extend(ids(&bundle, "match"));
        let Some(next) = link(&bundle, "next") else { break };
        assert!(next.contains("/Patient/p1/$everything?"), "{next}");
        url = next;
    }
    seen.sort();
    assert_eq!(seen, ["a1", "c1", "d1", "o1", "p1", "part1", "s1", "t1"]);
    let later = "2999-01-01T00:00:00Z";
    assert_eq!(shown(&server.get(&format!("Patient/p1/$everything?_since={later}")).expect(200).json()).len(), 0);
    let all = server.get("Patient/$everything?_type=Patient,Task").expect(200).json();
    assert_eq!(shown(&all), ["p1", "p2", "part1", "part2", "t1", "t2"]);
}

fn a_referral_comes_with_all_that_belongs_to_it(database: &TestDatabase) {
    let server = filled(database);
    let bundle = server.get("ServiceRequest/s1/$everything").expect(200).json();
    let expected = ["a1", "c1", "charity", "gp", "gp-role", "o1", "p1", "part1", "s1", "surgery", "t1", "v1"];
    assert_eq!(shown(&bundle), expected);
    assert_eq!(ids(&bundle, "match")[0], "s1");
    assert_eq!(bundle["total"], expected.len());
    let tasks = server.get("ServiceRequest/s1/$everything?_type=Task,Provenance").expect(200).json();
    assert_eq!(shown(&tasks), ["part1", "t1", "v1"]);
    let (mut seen, mut url) = (Vec::new(), format!("{}/ServiceRequest/s1/$everything?_count=5", server.base));
    loop {
        let bundle = send("GET", &url, &[], None).expect(200).json();
        assert!(ids(&bundle, "match").len() <= 5);
        seen.extend(ids(&bundle, "match"));
        let Some(next) = link(&bundle, "next") else { break };
        url = next;
    }
    let last = send("GET", &url, &[], None).expect(200).json();
    let mut back = ids(&last, "match");
    let mut before = link(&last, "previous");
    while let Some(url) = before {
        let bundle = send("GET", &url, &[], None).expect(200).json();
        back.splice(..0, ids(&bundle, "match"));
        before = link(&bundle, "previous");
    }
    assert_eq!(back, seen);
    assert_eq!(seen[0], "s1");
    seen.sort();
    assert_eq!(seen, expected);
    server.delete("Provenance/v1").expect(204);
    let rest = server.get("ServiceRequest/s1/$everything?_summary=count").expect(200).json();
    assert_eq!(rest["total"], expected.len() - 1);
    let later = server.get("ServiceRequest/s1/$everything?_since=2999-01-01T00:00:00Z").expect(200).json();
    assert_eq!(later["total"], 0);
    server.get("ServiceRequest/nothing/$everything").expect(404);
    server.get("ServiceRequest/$everything").expect(404);
    server.get("ServiceRequest/s1/$everything?start=2026-01-01").expect(400);
    server.send("POST", "ServiceRequest/s1/$everything", &[JSON], Some(b"{\"resourceType\":\"Patient\"}")).expect(400);
}

over_http!(
    a_patient_comes_with_the_whole_record,
    dates_types_and_pages_narrow_a_record,
    a_referral_comes_with_all_that_belongs_to_it,
);
