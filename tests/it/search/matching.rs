//! What each kind of search finds, on both databases: a table of searches and the ids they must give.

use kith::search::query::{Condition, Parties, Restrictions};
use kith::search::sql::{Round, include};
use kith::store::Store;
use serde_json::{Value, json};

use super::world::{ids, page, store_all, total};
use crate::support::both;

fn resources() -> Vec<Value> {
    let nhs = "https://fhir.nhs.uk/Id/nhs-number";
    let patient = |id: &str, family: &str, given: &str, born: &str, number: &str| {
        json!({ "resourceType": "Patient", "id": id, "active": true, "gender": "female", "birthDate": born,
            "name": [{ "family": family, "given": [given] }], "identifier": [{ "system": nhs, "value": number }] })
    };
    let organisation = |id: &str, name: &str| {
        json!({ "resourceType": "Organization", "id": id, "name": name,
        "identifier": [{ "system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": id }] })
    };
    let request = |id: &str, patient: &str, authored: Value| {
        json!({ "resourceType": "ServiceRequest", "id": id, "status": "active", "intent": "order",
            "subject": { "reference": format!("Patient/{patient}") }, "authoredOn": authored,
            "code": { "coding": [{ "system": "http://snomed.info/sct", "code": "871731000000106" }],
                      "text": "Referral to social prescribing service" } })
    };
    let task = |id: &str, focus: &str, patient: &str, owner: Value, status: &str, authored: &str, party: &str| {
        json!({ "resourceType": "Task", "id": id, "status": status, "intent": "order", "authoredOn": authored,
            "focus": { "reference": format!("ServiceRequest/{focus}") }, "for": { "reference": format!("Patient/{patient}") },
            "owner": owner, "party": party })
    };
    let owned = |id: &str| json!({ "reference": format!("Organization/{id}") });
    let logical = json!({ "identifier": { "system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "A1" } });
    vec![
        patient("p1", "O’Neill", "Zoë", "1980-02-29", "9000000009"),
        patient("p2", "Oneida", "Ann", "1980-03-01", "9000000017"),
        json!({ "resourceType": "Patient", "id": "p3", "active": false, "name": [{ "text": "van der Berg" }] }),
        organisation("o1", "Arts Café"),
        organisation("o2", "Walking group"),
        request("s1", "p1", json!("2026-01-10")),
        request("s2", "p2", json!("2026-01-11T09:30:00Z")),
        request("s3", "p2", Value::Null),
        task("t1", "s1", "p1", owned("o1"), "requested", "2026-01-10T10:00:00Z", "A1"),
        task("t2", "s2", "p2", owned("o1"), "accepted", "2026-01-12T10:00:00Z", "A2"),
        task("t3", "s3", "p2", owned("o2"), "requested", "2026-01-11T10:00:00Z", "A1"),
        task("t4", "s3", "p2", logical, "draft", "2026-01-09T10:00:00+02:00", "A2"),
        json!({ "resourceType": "Task", "id": "t5", "status": "requested", "intent": "order",
            "code": { "text": "Only words" }, "meta": { "tag": [{ "system": "urn:t", "code": "x" }] } }),
        json!({ "resourceType": "Observation", "id": "b1", "status": "final",
            "valueQuantity": { "value": 5.4, "system": "http://unitsofmeasure.org", "code": "mg", "unit": "milligram" } }),
        json!({ "resourceType": "Observation", "id": "b2", "status": "final", "valueQuantity": { "value": 100, "code": "mg" } }),
        json!({ "resourceType": "RiskAssessment", "id": "r1", "status": "final", "prediction": [{ "probabilityDecimal": 0.5 }] }),
        json!({ "resourceType": "ValueSet", "id": "v1", "status": "active", "url": "https://v.example/a/b" }),
        json!({ "resourceType": "QuestionnaireResponse", "id": "q1", "status": "completed",
            "questionnaire": "https://q.example/Q|1.0", "authored": "2026-01" }),
    ]
}

/// Searches and the ids of their matches, in order where the search sorts.
const TABLE: &[(&str, &[&str])] = &[
    // tokens
    ("Patient?identifier=9000000009", &["p1"]),
    ("Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|9000000017", &["p2"]),
    ("Patient?identifier=|9000000009", &[]),
    ("Patient?identifier=urn:other|9000000009", &[]),
    ("Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|", &["p1", "p2"]),
    ("Patient?active=true", &["p1", "p2"]),
    ("Task?status=requested", &["t1", "t3", "t5"]),
    ("Task?status=requested,draft", &["t1", "t3", "t4", "t5"]),
    ("Task?status=http://hl7.org/fhir/task-status|draft", &["t4"]),
    ("Task?status=urn:other|draft", &[]),
    ("Task?status:not=requested", &["t2", "t4"]),
    ("Task?status:not=requested,draft", &["t2"]),
    ("Task?status=never", &[]),
    ("Task?_tag=urn:t|x", &["t5"]),
    ("Task?_tag:not=urn:t|x&status=requested", &["t1", "t3"]),
    ("Task?code:text=only", &["t5"]),
    ("ServiceRequest?code=871731000000106", &["s1", "s2", "s3"]),
    ("ServiceRequest?code:text=REFERRAL to", &["s1", "s2", "s3"]),
    // strings
    ("Patient?family=one", &["p2"]),
    ("Patient?family=o'ne", &["p1"]),
    ("Patient?family=ONEIDA,o’neill", &["p1", "p2"]),
    ("Patient?given=zoe", &["p1"]),
    ("Patient?given:exact=zoe", &[]),
    ("Patient?given:exact=Zoë", &["p1"]),
    ("Patient?family:contains=EI", &["p1", "p2"]),
    ("Patient?name:contains=der_", &[]),
    ("Patient?name=van", &["p3"]),
    ("Organization?name=arts cafe", &["o1"]),
    // dates
    ("Patient?birthdate=1980-02-29", &["p1"]),
    ("Patient?birthdate=1980", &["p1", "p2"]),
    ("Patient?birthdate=ge1980-03-01", &["p2"]),
    ("Patient?birthdate=lt1980-03-01", &["p1"]),
    ("Patient?birthdate=ne1980-02-29", &["p2"]),
    ("ServiceRequest?authored=2026-01-11", &["s2"]),
    ("ServiceRequest?authored=2026-01-10T10:00", &[]),
    ("ServiceRequest?authored=gt2026-01-10", &["s2"]),
    ("ServiceRequest?authored=ge2026-01-10", &["s1", "s2"]),
    ("ServiceRequest?authored=sa2026-01-10", &["s2"]),
    ("ServiceRequest?authored=eb2026-01-11", &["s1"]),
    ("ServiceRequest?authored=ap2026-01-11", &["s1", "s2"]),
    ("ServiceRequest?authored=ge2026-01-10&authored=lt2026-01-11", &["s1"]),
    ("ServiceRequest?authored:missing=true", &["s3"]),
    ("ServiceRequest?authored:missing=false", &["s1", "s2"]),
    ("QuestionnaireResponse?authored=2026-01", &["q1"]),
    ("QuestionnaireResponse?authored=2026-01-05", &[]),
    ("QuestionnaireResponse?authored=ge2026-01-05", &["q1"]),
    ("Task?authored-on=2026-01-09T08:00:00Z", &["t4"]),
    ("Patient?_lastUpdated=1970-01-01T00:00:02Z", &["p2"]),
    ("Patient?_lastUpdated=gt1970-01-01T00:00:01Z", &["p2", "p3"]),
    ("Patient?_lastUpdated=le1970-01-01T00:00:01Z", &["p1"]),
    // numbers and quantities
    ("RiskAssessment?probability=0.5", &["r1"]),
    ("RiskAssessment?probability=gt0.4", &["r1"]),
    ("RiskAssessment?probability=lt0.5", &[]),
    ("Observation?value-quantity=5.4", &["b1"]),
    ("Observation?value-quantity=5", &["b1"]),
    ("Observation?value-quantity=5.40", &["b1"]),
    ("Observation?value-quantity=5.4|http://unitsofmeasure.org|mg", &["b1"]),
    ("Observation?value-quantity=5.4||milligram", &["b1"]),
    ("Observation?value-quantity=5.4|http://unitsofmeasure.org|g", &[]),
    ("Observation?value-quantity=ge5.4||mg", &["b1", "b2"]),
    ("Observation?value-quantity=1e2", &["b2"]),
    ("Observation?value-quantity=ap95", &["b2"]),
    // references
    ("Task?owner=Organization/o1", &["t1", "t2"]),
    ("Task?owner=o2", &["t3"]),
    ("Task?owner=https://kith.example/fhir/Organization/o2", &["t3"]),
    ("Task?owner:Organization=o1,o2", &["t1", "t2", "t3"]),
    ("Task?owner:Practitioner=o1", &[]),
    ("Task?owner:identifier=https://fhir.nhs.uk/Id/ods-organization-code|A1", &["t4"]),
    ("Task?owner:missing=true", &["t5"]),
    ("Task?patient=p2&status=requested", &["t3"]),
    ("QuestionnaireResponse?questionnaire=https://q.example/Q", &["q1"]),
    ("QuestionnaireResponse?questionnaire=https://q.example/Q|1.0", &["q1"]),
    ("QuestionnaireResponse?questionnaire=https://q.example/Q|2.0", &[]),
    // uris
    ("ValueSet?url=https://v.example/a/b", &["v1"]),
    ("ValueSet?url:below=https://v.example/a", &["v1"]),
    ("ValueSet?url:above=https://v.example/a/b/c", &["v1"]),
    ("ValueSet?url:below=https://v.example/a/bb", &[]),
    // ids
    ("Task?_id=t1,t3,x", &["t1", "t3"]),
    ("Task?_id:not=t1&status=requested", &["t3", "t5"]),
    // chains
    ("Task?owner:Organization.name=walking", &["t3"]),
    ("Task?patient.identifier=9000000009", &["t1"]),
    ("Task?focus:ServiceRequest.authored=2026-01-10", &["t1"]),
    ("Task?focus:ServiceRequest.subject:Patient.family=oneida", &["t2", "t3", "t4"]),
    ("Task?patient._id=p1", &["t1"]),
    ("Patient?_has:Task:patient:status=accepted", &["p2"]),
    ("Patient?_has:ServiceRequest:patient:_has:Task:focus:status=draft", &["p2"]),
    ("Organization?_has:Task:owner:status=requested", &["o1", "o2"]),
    ("Patient?_has:Task:patient:owner:Organization.name=arts", &["p1", "p2"]),
    ("Task?status:not=draft&patient.family=oneida", &["t2", "t3"]),
    // order
    ("Task?_sort=authored-on", &["t4", "t1", "t3", "t2", "t5"]),
    ("Task?_sort=-authored-on", &["t2", "t3", "t1", "t4", "t5"]),
    ("Task?status=requested&_sort=-authored-on", &["t3", "t1", "t5"]),
    ("Task?patient=p2&_sort=-authored-on", &["t2", "t3", "t4"]),
    ("Task?_sort=status,-authored-on", &["t2", "t4", "t3", "t1", "t5"]),
    ("Task?_sort=-_id", &["t5", "t4", "t3", "t2", "t1"]),
    ("Task?_sort=-_lastUpdated&_count=2", &["t5", "t4", "t3", "t2", "t1"]),
    ("Task?_sort=owner", &["t1", "t2", "t3", "t4", "t5"]),
    ("Patient?_sort=family", &["p1", "p2", "p3"]),
    ("Patient?_sort=-family,birthdate", &["p2", "p1", "p3"]),
    ("Patient?family=one,o'n&_sort=birthdate", &["p1", "p2"]),
    ("Observation?_sort=-value-quantity", &["b2", "b1"]),
];

both! {
    async fn each_search_finds_what_it_must(database) {
        let store = database.open().await;
        store_all(&store, &resources()).await;
        for (search, expected) in TABLE {
            for limit in [1, 2, 100] {
                let found = ids(&store, search, limit).await;
                assert_eq!(found, *expected, "{search} by {limit}");
            }
            assert_eq!(usize::try_from(total(&store, search).await).unwrap(), expected.len(), "{search}");
        }
        store.close().await;
    }

    async fn restrictions_hold_for_every_way_of_searching(database) {
        let store = database.open().await;
        store_all(&store, &resources()).await;
        let party = [Condition::Party(Parties { roles: vec!["provider".to_owned()], names: ["A1".to_owned()].into() })];
        for search in ["Task", "Task?status=requested", "Task?_sort=-authored-on", "Task?owner=o1,o2&_sort=authored-on"] {
            let (found, _) = page(&store, search, &party, None, 10).await;
            let mut ids: Vec<String> = found.into_iter().map(|found| found.stored.id.clone()).collect();
            ids.sort();
            assert_eq!(ids, ["t1", "t3"], "{search}");
        }
        store.close().await;
    }

    async fn a_second_process_finds_what_the_first_wrote(database) {
        let early = database.open().await;
        let store = database.open().await;
        store_all(&store, &resources()).await;
        assert_eq!(ids(&early, "Patient?identifier=9000000009", 10).await, ["p1"]);
        assert_eq!(total(&early, "Task?status=draft").await, 1);
        early.close().await;
        store.close().await;
    }

    async fn inclusions_bring_what_is_referred_to_and_what_refers(database) {
        let store = database.open().await;
        store_all(&store, &resources()).await;
        for (search, expected) in [
            ("Task?_id=t1,t3&_include=Task:focus", vec!["s1", "s3"]),
            ("Task?_id=t1,t3&_include=Task:owner:Organization", vec!["o1", "o2"]),
            ("Task?_id=t1&_include=*", vec!["p1", "o1", "s1"]),
            ("ServiceRequest?_id=s3&_revinclude=Task:focus", vec!["t3", "t4"]),
            ("ServiceRequest?_id=s1&_include=ServiceRequest:requester", vec![]),
        ] {
            assert_eq!(included(&store, search).await, expected, "{search}");
        }
        store.close().await;
    }
}

async fn included(store: &Store, search: &str) -> Vec<String> {
    let (found, _) = page(store, search, &[], None, 10).await;
    let seeds: Vec<i64> = found.into_iter().map(|found| found.stored.key).collect();
    let query = super::parsed(search, kith::search::query::Handling::Strict).unwrap();
    let restrictions = Restrictions::none();
    let round = Round { seeds: &seeds, known: &seeds, restrictions: &restrictions, limit: 100 };
    let statement = include(&[&query.includes[0]], &round).unwrap();
    store.search(&statement).await.unwrap().into_iter().map(|found| found.stored.id.clone()).collect()
}
