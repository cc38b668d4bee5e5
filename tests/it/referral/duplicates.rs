//! A second open referral of the same patient to the same service.

use kith::fhir::issue::Severity;
use kith::referral::duplicates::same_service;
use kith::referral::{Change, Duplicates, Settings};
use serde_json::{Value, json};

use super::world::{NOW, World, but, request, task};

fn found(world: &[Value], after: &Value, policy: Duplicates) -> Option<(Severity, u16)> {
    let settings = Settings { duplicates: policy, match_nhs_number: true };
    let decision = World::with(world).decide_with(&Change::open(None, after, NOW), settings);
    let issue = decision.issues.iter().find(|issue| issue.rule == "referral-duplicate")?;
    Some((issue.severity, decision.problem().map_or(201, |problem| problem.kind.status())))
}

#[test]
fn the_deployment_chooses() {
    let world = [request("first", "active")];
    let after = request("second", "active");
    assert_eq!(found(&world, &after, Duplicates::Refuse), Some((Severity::Error, 409)));
    assert_eq!(found(&world, &after, Duplicates::Warn), Some((Severity::Warning, 201)));
    assert_eq!(found(&world, &after, Duplicates::Ignore), None);
}

#[test]
fn only_an_open_referral_of_the_same_patient_counts() {
    let after = request("second", "active");
    for status in ["draft", "completed", "revoked", "entered-in-error"] {
        assert_eq!(found(&[request("first", status)], &after, Duplicates::Refuse), None, "{status}");
    }
    assert!(found(&[request("first", "on-hold")], &after, Duplicates::Refuse).is_some());
    let other = but(&request("first", "active"), json!({ "subject": { "reference": "Patient/q" } }));
    assert_eq!(found(&[other], &after, Duplicates::Refuse), None);
    let plain = but(&request("first", "active"), json!({ "code": { "text": "X-ray" } }));
    assert_eq!(found(&[plain], &after, Duplicates::Refuse), None);
    assert_eq!(found(&[request("first", "active")], &request("second", "draft"), Duplicates::Refuse), None);
}

#[test]
fn two_records_with_one_nhs_number_are_one_patient() {
    let patient = |id: &str| {
        json!({ "resourceType": "Patient", "id": id,
                "identifier": [{ "system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018" }] })
    };
    let world = [patient("p"), patient("q"), request("first", "active")];
    let after = but(&request("second", "active"), json!({ "subject": { "reference": "Patient/q" } }));
    assert!(found(&world, &after, Duplicates::Refuse).is_some());
    let subject = json!({ "identifier": { "system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018" } });
    let logical = but(&request("second", "active"), json!({ "subject": subject }));
    assert!(found(&world, &logical, Duplicates::Refuse).is_some());
    let both = [but(&request("first", "active"), json!({ "subject": subject }))];
    assert!(found(&both, &logical, Duplicates::Refuse).is_some());
}

#[test]
fn the_service_is_performer_and_code() {
    let to = |performer: &str| but(&request(performer, "active"), json!({ "performer": [{ "reference": performer }] }));
    let (walks, debt) = (to("HealthcareService/walks"), to("HealthcareService/debt"));
    assert!(same_service(&walks, &but(&walks, json!({ "id": "x" }))));
    assert!(!same_service(&walks, &debt));
    assert!(!same_service(&walks, &request("none", "active")));
    assert!(same_service(&request("a", "active"), &request("b", "active")));
    let coded = but(&request("c", "active"), json!({ "code": { "coding": [{ "system": "s", "code": "other" }] } }));
    assert!(!same_service(&request("a", "active"), &coded));
}

#[test]
fn a_continuation_is_no_duplicate() {
    let world = [request("first", "active")];
    for element in ["basedOn", "replaces"] {
        let after = but(&request("second", "active"), json!({ element: [{ "reference": "ServiceRequest/first" }] }));
        assert_eq!(found(&world, &after, Duplicates::Refuse), None, "{element}");
    }
}

#[test]
fn a_second_open_task_for_one_referral_is_a_duplicate_unless_it_is_a_part() {
    let world = [request("r", "active"), task("first", "accepted")];
    assert_eq!(found(&world, &task("second", "requested"), Duplicates::Refuse), Some((Severity::Error, 409)));
    let part = but(&task("second", "requested"), json!({ "partOf": [{ "reference": "Task/first" }] }));
    assert_eq!(found(&world, &part, Duplicates::Refuse), None);
    let world = [request("r", "active"), task("first", "rejected")];
    assert_eq!(found(&world, &task("second", "requested"), Duplicates::Refuse), None);
}
