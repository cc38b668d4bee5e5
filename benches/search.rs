//! What extraction and query parsing cost: `cargo bench --bench search`.
#![allow(clippy::unwrap_used, clippy::allow_attributes, missing_docs, reason = "a bench may fail loudly")]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use kith::fhir::definitions::Definitions;
use kith::search::extract::Extractor;
use kith::search::parameters::Registry;
use kith::search::query::{Context, Handling, parse};
use kith::search::sql::{Page, stages};
use serde_json::{Value, json};

const BASE: &str = "https://kith.example/fhir";

fn resources() -> [(&'static str, Value); 3] {
    let reference = |text: &str| json!({ "reference": text });
    let concept = |code: &str, text: &str| json!({ "coding": [{ "system": "http://snomed.info/sct", "code": code, "display": text }], "text": text });
    let request = json!({ "resourceType": "ServiceRequest", "id": "s", "status": "active", "intent": "order",
        "meta": { "profile": ["https://kith.example/fhir/StructureDefinition/kith-referral"] },
        "identifier": [{ "system": "urn:r", "value": "R-1" }], "priority": "routine",
        "category": [concept("306206005", "Referral to service")], "code": concept("871731000000106", "Social prescribing"),
        "subject": reference("Patient/p"), "authoredOn": "2026-06-01T10:00:00+01:00",
        "occurrencePeriod": { "start": "2026-06-01", "end": "2026-09-01" },
        "requester": reference("PractitionerRole/r"), "performer": [reference("Organization/o")],
        "reasonCode": [concept("422650009", "Social isolation")], "supportingInfo": [reference("QuestionnaireResponse/q")],
        "note": [{ "text": "Prefers mornings" }] });
    let task = json!({ "resourceType": "Task", "id": "t", "status": "requested", "intent": "order",
        "businessStatus": concept("1", "Waiting"), "code": concept("2", "Fulfil"), "focus": reference("ServiceRequest/s"),
        "for": reference("Patient/p"), "authoredOn": "2026-06-01T10:00:00Z", "lastModified": "2026-06-01T10:00:00Z",
        "requester": reference("Organization/g"), "owner": reference("Organization/o"), "priority": "routine",
        "groupIdentifier": { "system": "urn:g", "value": "1" },
        "executionPeriod": { "start": "2026-06-02" } });
    let patient = json!({ "resourceType": "Patient", "id": "p", "active": true, "gender": "female", "birthDate": "1948-03-02",
        "identifier": [{ "system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9000000009" }],
        "name": [{ "use": "official", "family": "Appleby", "given": ["Rose", "Mary"], "prefix": ["Mrs"] }],
        "telecom": [{ "system": "phone", "value": "020 7946 0018" }, { "system": "email", "value": "rose@example.org" }],
        "address": [{ "line": ["1 High Street"], "city": "Leeds", "postalCode": "LS1 1AA" }],
        "generalPractitioner": [reference("Organization/g")], "managingOrganization": reference("Organization/g") });
    [("ServiceRequest", request), ("Task", task), ("Patient", patient)]
}

fn extraction(criterion: &mut Criterion) {
    let extractor = Extractor::new(Arc::new(Registry::new(Definitions::embedded())), BASE);
    for (name, resource) in resources() {
        let rows = extractor.extract(&resource).len();
        criterion.bench_function(&format!("extract {name} ({rows} rows)"), |bencher| {
            bencher.iter(|| black_box(extractor.extract(black_box(&resource))));
        });
    }
}

fn querying(criterion: &mut Criterion) {
    let registry = Registry::new(Definitions::embedded());
    let context = Context { registry: &registry, base: BASE, now: 0, handling: Handling::Strict };
    let pairs: Vec<(String, String)> =
        [("owner", "Organization/o"), ("status", "requested"), ("_sort", "-authored-on")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
    criterion.bench_function("parse and write a search as SQL", |bencher| {
        bencher.iter(|| {
            let query = parse("Task", black_box(&pairs), &context).unwrap();
            black_box(stages(&Page { query: &query, few: false, after: None, limit: 20 }))
        });
    });
}

criterion_group!(benches, extraction, querying);
criterion_main!(benches);
