//! Which organisations take part in a resource.

use kith::referral::{Role, parties};
use serde_json::json;

use super::world::{but, request, task};

#[test]
fn a_task_names_requester_owner_and_recipients() {
    let ods = json!({ "system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "X99001" });
    let task = but(
        &task("t", "requested"),
        json!({
            "requester": { "reference": "Organization/gp/_history/2", "identifier": ods },
            "restriction": { "recipient": [{ "reference": "Organization/told" }] }
        }),
    );
    let found = parties(&task);
    let roles: Vec<Role> = found.iter().map(|party| party.role).collect();
    assert_eq!(roles, [Role::Requester, Role::Owner, Role::Recipient]);
    assert_eq!(found[0].reference.as_deref(), Some("Organization/gp"));
    assert_eq!(found[0].identifier.as_ref().unwrap().value, "X99001");
}

#[test]
fn a_service_request_names_requester_and_performers() {
    let performers =
        json!([{ "identifier": { "value": "7" } }, { "reference": "#contained" }, { "display": "somebody" }]);
    let found = parties(&but(&request("r", "active"), json!({ "performer": performers })));
    let roles: Vec<&str> = found.iter().map(|party| party.role.code()).collect();
    assert_eq!(roles, ["requester", "performer"]);
    assert_eq!(found[1].identifier.as_ref().unwrap().system, "");
}

#[test]
fn other_resources_name_none() {
    assert_eq!(parties(&json!({ "resourceType": "Patient", "requester": { "reference": "Organization/gp" } })), []);
}
