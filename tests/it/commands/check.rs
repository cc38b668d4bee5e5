//! `kith check`: what agrees is said to agree, whatever is broken is named, and `--repair` mends the index.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::http::TestServer;
use crate::support::sql::execute;
use crate::support::{TestDatabase, both};
use crate::visibility::world::{self, World};

fn check(database: &TestDatabase, more: &[&str]) -> (Option<i32>, Value) {
    let output: Output = Command::new(env!("CARGO_BIN_EXE_kith"))
        .args(["check", "--format", "json", "--database", &database.url, "--audit-key"])
        .arg(database.settings().audit_key_file())
        .args(more)
        .current_dir(database.folder())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let report = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code(), report)
}

fn rules(report: &Value) -> Vec<&str> {
    let mut rules: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|found| found["rule"].as_str().unwrap()).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

/// A referral on its way, an example of each search type, and something deleted. Nothing but the enforced references.
fn fill(database: &TestDatabase) {
    let strict = [("references.write", "enforce"), ("references.delete", "enforce")];
    let server = TestServer::start_with(database, &strict);
    let referral: Value =
        serde_json::from_str(include_str!("../../../fixtures/valid/Bundle-direct-referral.json")).unwrap();
    server.post("", &referral).expect(200);
    let mut task = server.get("Task?status=requested").expect(200).json()["entry"][0]["resource"].take();
    task["status"] = "accepted".into();
    server.put(&format!("Task/{}", task["id"].as_str().unwrap()), &task).expect(200);
    let patient =
        server.post("Patient", &json!({ "resourceType": "Patient", "birthDate": "1950-01-01" })).expect(201).json();
    let path = format!("Patient/{}", patient["id"].as_str().unwrap());
    server.delete(&path).expect(204);
    server
        .post(
            "Observation",
            &json!({
                "resourceType": "Observation", "status": "final", "code": { "text": "ONS4" },
                "valueQuantity": { "value": 7.5, "unit": "points", "system": "http://unitsofmeasure.org", "code": "1" },
            }),
        )
        .expect(201);
    server
        .post(
            "Location",
            &json!({
                "resourceType": "Location", "name": "Hall", "position": { "longitude": -3.1, "latitude": 54.6 },
            }),
        )
        .expect(201);
}

/// A referral that organisations send under their names, and something of theirs that was deleted.
fn fill_as_clients(database: &TestDatabase) {
    let world = World::new(database);
    let create = |resource: &Value| {
        let mut resource = resource.clone();
        resource.as_object_mut().unwrap().shift_remove("id");
        let path = resource["resourceType"].as_str().unwrap().to_owned();
        let created = world.send("surgery", "POST", &path, Some(&resource)).expect(201).json();
        created["id"].as_str().unwrap().to_owned()
    };
    let patient = create(&world::patient("x"));
    let request = create(&world::request("x", &patient, "surgery"));
    create(&world::task("x", (&request, &patient), "surgery", Some("walks"), "requested"));
    let deleted = create(&world::patient("x"));
    world.send("surgery", "DELETE", &format!("Patient/{deleted}"), None).expect(204);
}

both! {
    async fn what_agrees_is_said_to_agree(database) {
        std::thread::scope(|scope| scope.spawn(|| fill(&database)).join().unwrap());
        let (code, report) = check(&database, &[]);
        assert_eq!((code, &report["findings"]), (Some(0), &json!([])), "{report}");
        assert!(report["resources"].as_i64() > Some(6) && report["auditRows"].as_i64() > Some(6), "{report}");
    }

    async fn each_disagreement_is_named(database) {
        std::thread::scope(|scope| scope.spawn(|| fill(&database)).join().unwrap());
        for (sql, rule, back) in [
            ("update resource set version = version + 1 where type = 'Location'", "pointer", "update resource set version = version - 1 where type = 'Location'"),
            ("update resource set deleted = true where type = 'Location'", "pointer", "update resource set deleted = false where type = 'Location'"),
            ("update resource_version set version = 5 where type = 'Task' and version = 2", "version", "update resource_version set version = 2 where type = 'Task' and version = 5"),
            ("update resource_version set last_updated = last_updated + 1 where type = 'Task' and version = 1", "body", "update resource_version set last_updated = last_updated - 1 where type = 'Task' and version = 1"),
            ("update counter set next = next - 1000000 where name = 'key'", "counter", "update counter set next = next + 1000000 where name = 'key'"),
            ("update audit set client = 'x' where sequence = 1", "chain", ""),
        ] {
            assert!(execute(&database, sql).await >= 1, "{sql}");
            let (code, report) = check(&database, &[]);
            assert_eq!(code, Some(1), "{sql}: {report}");
            assert!(rules(&report).contains(&rule), "{sql}: {report}");
            if !back.is_empty() {
                execute(&database, back).await;
            }
        }
        // A whole resource is gone, with what referred to it left behind.
        execute(&database, "delete from resource_version where type = 'ServiceRequest'").await;
        execute(&database, "delete from resource where type = 'ServiceRequest'").await;
        let (_, report) = check(&database, &[]);
        for rule in ["audit", "reference", "index"] {
            assert!(rules(&report).contains(&rule), "{rule}: {report}");
        }
        let (_, report) = check(&database, &["--references-write", "allow"]);
        assert!(!rules(&report).contains(&"reference"), "{report}");
    }

    async fn damaged_parties_are_made_anew(database) {
        std::thread::scope(|scope| scope.spawn(|| fill_as_clients(&database)).join().unwrap());
        let (code, report) = check(&database, &[]);
        assert_eq!((code, &report["findings"]), (Some(0), &json!([])), "{report}");
        for sql in [
            "delete from party where role = 'owner'",
            "delete from party where role = 'author' and resource_key in (select key from resource where type = 'ServiceRequest')",
            "update party set organisation = 'https://fhir.nhs.uk/Id/ods-organization-code|X26' where role = 'author' and resource_key in (select key from resource where type = 'Task')",
            "delete from party where role = 'person'",
            "insert into party (organisation, role, resource_key) select 'Organization/evil', 'owner', key from resource where type = 'Patient' and deleted",
            "insert into party (organisation, role, resource_key) values ('Organization/evil', 'author', 999999)",
            "insert into party (organisation, role, resource_key) select 'Organization/evil', 'requester', key from resource where type = 'Task'",
        ] {
            assert!(execute(&database, sql).await >= 1, "{sql}");
        }
        let (code, report) = check(&database, &[]);
        assert_eq!((code, rules(&report)), (Some(1), vec!["index"]), "{report}");
        let about: Vec<String> = report["findings"].as_array().unwrap().iter().map(|found| found["about"].to_string()).collect();
        for name in ["Task/", "ServiceRequest/", "Patient/", "party"] {
            assert!(about.iter().any(|about| about.contains(name)), "{name}: {report}");
        }
        let (code, report) = check(&database, &["--repair"]);
        assert_eq!(code, Some(0), "{report}");
        let (code, report) = check(&database, &[]);
        assert_eq!((code, &report["findings"]), (Some(0), &json!([])), "{report}");
        // Who created what was deleted stays known.
        let of_deleted = "update party set role = 'author' where role = 'author' and resource_key in (select key from resource where deleted)";
        assert_eq!(execute(&database, of_deleted).await, 1);
    }

    async fn a_damaged_index_is_made_anew(database) {
        std::thread::scope(|scope| scope.spawn(|| fill(&database)).join().unwrap());
        for sql in [
            "delete from index_token where resource_key in (select key from resource where type = 'Task')",
            "update index_date set low = low + 1",
            "delete from index_place",
            "update index_string set folded = 'x' || folded",
            "update index_reference set target_id = 'x' || target_id",
            "update resource set indexed = 0",
            "insert into index_uri (parameter, value, resource_key) values (1, 'https://example.org', 999999)",
        ] {
            assert!(execute(&database, sql).await >= 1, "{sql}");
        }
        let (code, report) = check(&database, &[]);
        assert_eq!((code, rules(&report)), (Some(1), vec!["index"]), "{report}");
        let (code, report) = check(&database, &["--repair"]);
        assert_eq!(code, Some(0), "{report}");
        let (code, report) = check(&database, &[]);
        assert_eq!((code, &report["findings"]), (Some(0), &json!([])), "{report}");
        std::thread::scope(|scope| scope.spawn(|| {
            let server = TestServer::start(&database);
            assert_eq!(server.get("Task?status=accepted").expect(200).json()["total"], 1);
            assert_eq!(server.get("Location?near=54.6|-3.1|1|km").expect(200).json()["total"], 1);
        }).join().unwrap());
    }
}

#[test]
fn what_cannot_run_says_why() {
    let database = TestDatabase::sqlite();
    let output = Command::new(env!("CARGO_BIN_EXE_kith"))
        .args(["check", "--database", "postgres://nobody@127.0.0.1:1/none"])
        .current_dir(database.folder())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}
