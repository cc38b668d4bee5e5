//! `$validate` (<https://hl7.org/fhir/R4/resource-operation-validate.html>).

use serde_json::{Value, json};

use crate::support::http::{Answer, TestServer, send};
use crate::support::{TestDatabase, over_http};

const TASK_PROFILE: &str = "https://kith.example/fhir/StructureDefinition/kith-referral-task";

/// Rule and place of every error.
fn errors(answer: &Answer) -> Vec<(String, String)> {
    let outcome = answer.json();
    assert_eq!(outcome["resourceType"], "OperationOutcome", "{outcome}");
    outcome["issue"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|issue| issue["severity"] == "error")
        .map(|issue| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (text(&issue["details"]["coding"][0]["code"]), text(&issue["expression"][0]))
        })
        .collect()
}

fn has(found: &[(String, String)], rule: &str, place: &str) -> bool {
    found.iter().any(|(a, b)| a == rule && b == place)
}

fn a_bare_resource_is_checked_and_not_stored(database: &TestDatabase) {
    let server = TestServer::start(database);
    let good = json!({ "resourceType": "Patient", "id": "rose", "gender": "female" });
    assert_eq!(errors(&server.post("Patient/$validate", &good).expect(200)), []);
    let bad = json!({ "resourceType": "Patient", "gender": "womann", "birthDate": "1948-02-30" });
    let found = errors(&server.post("Patient/$validate", &bad).expect(200));
    assert!(has(&found, "binding-required", "Patient.gender"), "{found:?}");
    assert!(has(&found, "primitive-format", "Patient.birthDate"), "{found:?}");
    assert_eq!(server.get("Patient?_summary=count").json()["total"], 0);
    server.post("Patient/$validate", &json!({ "gender": "female" })).expect(400);
    let other = errors(&server.post("Task/$validate", &good).expect(200));
    assert!(has(&other, "resource-type", "resourceType"), "{other:?}");
}

fn profiles_are_named_in_the_query_or_in_parameters(database: &TestDatabase) {
    let server = TestServer::start(database);
    let task = json!({ "resourceType": "Task", "status": "requested", "intent": "order" });
    assert_eq!(errors(&server.post("Task/$validate", &task).expect(200)), []);
    let query = errors(&server.post(&format!("Task/$validate?profile={TASK_PROFILE}"), &task).expect(200));
    assert!(has(&query, "cardinality-min", "Task"), "{query:?}");
    let parameters = json!({ "resourceType": "Parameters", "parameter": [
        { "name": "resource", "resource": task },
        { "name": "profile", "valueUri": TASK_PROFILE },
        { "name": "mode", "valueCode": "create" },
    ] });
    assert_eq!(errors(&server.post("Task/$validate", &parameters).expect(200)), query);
    let unknown = server.post("Task/$validate?profile=https://nobody.example/nothing", &task).expect(200).text;
    assert!(unknown.contains("https://nobody.example/nothing"), "{unknown}");
    server.post("Task/$validate?mode=profile", &task).expect(400);
    server.post("Task/$validate?mode=sideways", &task).expect(400);
}

fn a_stored_resource_can_be_asked_about(database: &TestDatabase) {
    let server = TestServer::start(database);
    let rose = json!({ "resourceType": "Patient", "id": "rose", "gender": "female" });
    server.put("Patient/rose", &rose).expect(201);
    assert_eq!(errors(&server.get("Patient/rose/$validate").expect(200)), []);
    assert_eq!(errors(&server.get("Patient/rose/$validate?mode=delete").expect(200)), []);
    server.get("Patient/nobody/$validate").expect(404);
    let other = json!({ "resourceType": "Patient", "id": "other" });
    let found = errors(&server.post("Patient/rose/$validate?mode=update", &other).expect(200));
    assert!(has(&found, "resource-id", "Patient.id"), "{found:?}");
}

fn issues_lead_to_their_rule_and_to_the_definition(database: &TestDatabase) {
    const KITH: &str = "https://kith.example/fhir/StructureDefinition";
    let server = TestServer::start(database);
    let rules = server.base.replace("/fhir", "/rules");
    let links = |issue: &Value| {
        let link = |name: &str| {
            let extensions = issue["extension"].as_array().into_iter().flatten();
            let mut found = extensions.filter(|extension| extension["url"] == format!("{KITH}/kith-issue-{name}"));
            let first = found.next().map(|extension| extension["valueUrl"].as_str().unwrap().to_owned());
            assert_eq!(found.next(), None);
            first
        };
        (link("rule"), link("specification"))
    };
    let wrong = json!({ "resourceType": "Patient", "gender": "womann" });
    let issue = |outcome: &Value| {
        let issues = outcome["issue"].as_array().unwrap();
        issues.iter().find(|issue| issue["details"]["coding"][0]["code"] == "binding-required").unwrap().clone()
    };
    let expected = (
        Some(format!("{rules}#binding-required")),
        Some("https://hl7.org/fhir/R4/patient-definitions.html#Patient.gender".to_owned()),
    );
    let outcome = server.post("$validate", &wrong).expect(200).json();
    assert_eq!(links(&issue(&outcome)), expected);
    // What is sent has no errors by our own measure.
    assert_eq!(errors(&server.post("$validate", &outcome).expect(200)), []);
    assert_eq!(links(&issue(&server.post("Patient", &wrong).expect(422).json())), expected);
    let entry = json!({ "resource": wrong, "request": { "method": "POST", "url": "Patient" } });
    let batch = json!({ "resourceType": "Bundle", "type": "batch", "entry": [entry] });
    let answer = server.post("", &batch).expect(200).json();
    assert_eq!(links(&issue(&answer["entry"][0]["response"]["outcome"])), expected);
    // A refusal without a rule has no page.
    assert_eq!(links(&server.get("Patient/nobody").expect(404).json()["issue"][0]), (None, None));
}

fn elements_that_profiles_mark_are_listed_where_asked(database: &TestDatabase) {
    let server = TestServer::start(database);
    let rose = json!({ "resourceType": "Patient", "gender": "female" });
    let marked = |answer: Value| -> Vec<String> {
        let issues = answer["issue"].as_array().unwrap().iter();
        let of_rule = issues.filter(|issue| issue["details"]["coding"][0]["code"] == "must-support");
        of_rule.map(|issue| issue["diagnostics"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(marked(server.post("Patient/$validate", &rose).expect(200).json()), Vec::<String>::new());
    let by_query = marked(server.post("Patient/$validate?mustSupport=true", &rose).expect(200).json());
    assert!(by_query.iter().any(|text| text.starts_with("Patient.gender is present")), "{by_query:?}");
    assert!(by_query.iter().any(|text| text.starts_with("Patient.name is absent")), "{by_query:?}");
    let parameters = json!({ "resourceType": "Parameters", "parameter": [
        { "name": "resource", "resource": rose }, { "name": "mustSupport", "valueBoolean": true },
    ] });
    assert_eq!(marked(server.post("Patient/$validate", &parameters).expect(200).json()), by_query);
    server.post("Patient/$validate?mustSupport=maybe", &rose).expect(400);
}

fn levels_of_rules_are_configured_and_reported(database: &TestDatabase) {
    let server =
        TestServer::start_with(database, &[("validation.rules", "nhs-number-check-digit=error, best-practice=off")]);
    let rule = |name: &str| server.get(&format!("$validation-rules?rule={name}")).expect(200).json();
    let part = |rule: &Value, name: &str| {
        let parts = rule["parameter"][0]["part"].as_array().unwrap();
        parts.iter().find(|part| part["name"] == name).map(|part| part["valueCode"].as_str().unwrap().to_owned())
    };
    let digits = rule("nhs-number-check-digit");
    assert_eq!(part(&digits, "level").as_deref(), Some("error"));
    assert_eq!(part(&digits, "own-level").as_deref(), Some("warning"));
    assert_eq!(part(&rule("dom-6"), "level").as_deref(), Some("off"));
    assert!(server.get("$validation-rules?rule=dom6").expect(404).text.contains("Did you mean dom-6?"));
    let all = server.get("$validation-rules").expect(200).json();
    assert!(all["parameter"].as_array().unwrap().len() >= 70);
    let page = send("GET", &server.base.replace("/fhir", "/rules"), &[], None).expect(200);
    assert!(page.text.contains("## nhs-number-check-digit"), "{}", page.text);
    let for_browsers = send("GET", &server.base.replace("/fhir", "/rules"), &[("Accept", "text/html,*/*;q=0.8")], None);
    assert!(for_browsers.expect(200).text.contains("<section id=\"nhs-number-check-digit\">"));
    let statement = server.get("metadata").json();
    assert!(statement["description"].as_str().unwrap().contains("2 validation rules have levels"), "{statement}");
    let patient = json!({
        "resourceType": "Patient", "identifier": [{ "system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9434765918" }],
    });
    let refused = server.post("Patient", &patient).expect(422);
    assert_eq!(errors(&refused).len(), 1);
    assert!(!refused.text.contains("dom-6"), "{}", refused.text);
}

fn a_bundle_is_answered_with_places_inside_it(database: &TestDatabase) {
    let server = TestServer::start_with(database, &[("limits.bundle", "200")]);
    let entry = |number: usize| {
        let gender = if number % 40 == 7 { "womann" } else { "female" };
        let patient = json!({ "resourceType": "Patient", "id": number.to_string(), "gender": gender,
            "managingOrganization": { "reference": if number == 50 { "Patient/1" } else { "Organization/x" } } });
        json!({ "fullUrl": format!("https://kith.example/fhir/Patient/{number}"), "resource": patient })
    };
    let mut entries: Vec<Value> = (0..100).map(entry).collect();
    entries.push(json!({ "fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001", "resource": {
        "resourceType": "Task", "status": "completed", "intent": "order",
        "code": { "coding": [{ "system": "http://snomed.info/sct", "code": "871731000000106" }] },
    } }));
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": entries });
    let at_system = errors(&server.post("$validate", &bundle).expect(200));
    let wrong: Vec<&str> =
        at_system.iter().filter(|(rule, _)| rule == "binding-required").map(|(_, place)| place.as_str()).collect();
    assert_eq!(
        wrong,
        ["Bundle.entry[7].resource.gender", "Bundle.entry[47].resource.gender", "Bundle.entry[87].resource.gender"]
    );
    assert!(has(&at_system, "reference-target", "Bundle.entry[50].resource.managingOrganization"), "{at_system:?}");
    assert!(has(&at_system, "referral-output", "Bundle.entry[100].resource.output"), "{at_system:?}");
    assert_eq!(errors(&server.post("Bundle/$validate", &bundle).expect(200)), at_system);
    assert_eq!(server.get("Patient?_summary=count").json()["total"], 0);
    let many: Vec<Value> = (0..201).map(entry).collect();
    let many = json!({ "resourceType": "Bundle", "type": "collection", "entry": many });
    server.post("$validate", &many).expect(413);
}

over_http!(
    issues_lead_to_their_rule_and_to_the_definition,
    elements_that_profiles_mark_are_listed_where_asked,
    a_bundle_is_answered_with_places_inside_it,
    levels_of_rules_are_configured_and_reported,
    a_bare_resource_is_checked_and_not_stored,
    profiles_are_named_in_the_query_or_in_parameters,
    a_stored_resource_can_be_asked_about,
);
