//! Extraction of index rows, a table for each datatype.

use kith::search::extract::Extractor;
use kith::search::index::IndexRows;
use serde_json::{Value, json};

use super::{BASE, registry};

fn extract(resource: &Value) -> IndexRows {
    Extractor::new(registry(), BASE).extract(resource)
}

/// The rows of one parameter (or pseudo-code), each as a text.
fn rows(resource: &Value, code: &str) -> Vec<String> {
    let all = extract(resource);
    let is = |parameter: &str| parameter == code;
    let tokens = all.tokens.iter().filter(|row| is(&row.parameter)).map(|row| format!("{}|{}", row.system, row.code));
    let strings =
        all.strings.iter().filter(|row| is(&row.parameter)).map(|row| format!("{}/{}", row.folded, row.exact));
    let dates = all.dates.iter().filter(|row| is(&row.parameter)).map(|row| format!("{}..{}", row.low, row.high));
    let numbers = all.numbers.iter().filter(|row| is(&row.parameter)).map(|row| format!("{}..{}", row.low, row.high));
    let quantities = all
        .quantities
        .iter()
        .filter(|row| is(&row.parameter))
        .map(|row| format!("{}..{} {}|{}", row.low, row.high, row.system, row.code));
    let references = all
        .references
        .iter()
        .filter(|row| is(&row.parameter))
        .map(|row| format!("{}/{}", row.target_type, row.target_id));
    let uris = all.uris.iter().filter(|row| is(&row.parameter)).map(|row| row.value.clone());
    tokens.chain(strings).chain(dates).chain(numbers).chain(quantities).chain(references).chain(uris).collect()
}

#[test]
fn tokens() {
    let patient = json!({ "resourceType": "Patient", "active": true, "gender": "female",
        "identifier": [
            { "system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9000000009",
              "type": { "coding": [{ "system": "urn:t", "code": "NH" }], "text": "NHS Number" } },
            { "value": "local-1" }, { "system": "urn:only" }, { "value": "local-1" }],
        "telecom": [{ "system": "phone", "value": "020 7946 0018" }, { "system": "email", "value": "a@b.example" }] });
    assert_eq!(rows(&patient, "active"), ["|true"]);
    assert_eq!(rows(&patient, "gender"), ["|female"]);
    assert_eq!(rows(&patient, "identifier"), ["urn:only|", "https://fhir.nhs.uk/Id/nhs-number|9000000009", "|local-1"]);
    assert_eq!(rows(&patient, "identifier:of-type"), ["urn:t|NH|9000000009"]);
    assert_eq!(rows(&patient, "identifier:text"), ["nhs number/NHS Number"]);
    assert_eq!(rows(&patient, "email"), ["email|a@b.example"]);
    assert_eq!(rows(&patient, "phone"), ["phone|020 7946 0018", "phone|02079460018"]);
    assert_eq!(rows(&patient, "telecom").len(), 3);
}

#[test]
fn codeable_concepts_and_codings() {
    let request = json!({ "resourceType": "ServiceRequest",
        "meta": { "tag": [{ "system": "urn:tags", "code": "x" }], "profile": ["https://p.example/A"], "source": "urn:s" },
        "code": { "coding": [{ "system": "http://snomed.info/sct", "code": "871731000000106", "display": "Referral" },
                             { "code": "bare" }], "text": "Référral to  LINK worker" } });
    assert_eq!(rows(&request, "code"), ["http://snomed.info/sct|871731000000106", "|bare"]);
    assert_eq!(rows(&request, "code:text"), ["referral/Referral", "referral to link worker/Référral to  LINK worker"]);
    assert_eq!(rows(&request, "_tag"), ["urn:tags|x"]);
    assert_eq!(rows(&request, "_profile"), ["https://p.example/A"]);
    assert_eq!(rows(&request, "_source"), ["urn:s"]);
    assert!(rows(&request, "_id").is_empty());
}

#[test]
fn strings_of_names_and_addresses() {
    let patient = json!({ "resourceType": "Patient",
        "name": [{ "text": "Ms Zoë O\u{2019}Neill", "family": "O\u{2019}Neill", "given": ["Zoë", "Ａnn"], "prefix": ["Ms"] }],
        "address": [{ "line": ["1 High St"], "city": "Łódź", "postalCode": "LS1 1AA" }] });
    assert_eq!(rows(&patient, "family"), ["o'neill/O\u{2019}Neill"]);
    assert_eq!(rows(&patient, "given"), ["ann/Ａnn", "zoe/Zoë"]);
    assert_eq!(rows(&patient, "name").len(), 5);
    assert_eq!(rows(&patient, "address"), ["1 high st/1 High St", "lodz/Łódź", "ls1 1aa/LS1 1AA"]);
    assert_eq!(rows(&patient, "address-postalcode"), ["ls1 1aa/LS1 1AA"]);
}

#[test]
fn dates_are_intervals() {
    const DAY: i64 = 86_400_000_000;
    let request = |authored: Value, occurrence: (&str, Value)| json!({ "resourceType": "ServiceRequest", "authoredOn": authored, occurrence.0: occurrence.1 });
    let day = |days: i64| days * DAY;
    let whole =
        request(json!("1970-01-02"), ("occurrencePeriod", json!({ "start": "1970-01-02", "end": "1970-01-03" })));
    assert_eq!(rows(&whole, "authored"), [format!("{}..{}", day(1), day(2))]);
    assert_eq!(rows(&whole, "occurrence"), [format!("{}..{}", day(1), day(3))]);
    let instant = request(json!("1970-01-01T01:00:00.5+01:00"), ("occurrencePeriod", json!({ "end": "1970-01-01" })));
    assert_eq!(rows(&instant, "authored"), ["500000..600000"]);
    assert_eq!(rows(&instant, "occurrence"), [format!("{}..{}", i64::MIN, day(1))]);
    let timing = json!({ "event": ["1970-01-03"], "repeat": { "boundsPeriod": { "start": "1970-01-02" } } });
    let timed = request(json!("not a date"), ("occurrenceTiming", timing));
    assert!(rows(&timed, "authored").is_empty());
    assert_eq!(rows(&timed, "occurrence"), [format!("{}..{}", day(1), i64::MAX)]);
    let events = request(Value::Null, ("occurrenceTiming", json!({ "event": ["1970-01-05", "1970-01-02"] })));
    assert_eq!(rows(&events, "occurrence"), [format!("{}..{}", day(1), day(5))]);
}

#[test]
fn numbers_and_quantities() {
    let risk = json!({ "resourceType": "RiskAssessment", "prediction": [{ "probabilityDecimal": 0.50 }] });
    assert_eq!(rows(&risk, "probability"), ["0.5..0.5"]);
    let observation = json!({ "resourceType": "Observation",
        "valueQuantity": { "value": 5.4, "unit": "millimetre", "system": "http://unitsofmeasure.org", "code": "mm" } });
    let expected = ["5.4..5.4 |millimetre", "5.4..5.4 http://unitsofmeasure.org|mm"];
    assert_eq!(rows(&observation, "value-quantity"), expected);
    let invoice = json!({ "resourceType": "Invoice", "totalNet": { "value": 10, "currency": "GBP" } });
    assert_eq!(rows(&invoice, "totalnet"), ["10..10 urn:iso:std:iso:4217|GBP"]);
    let less =
        json!({ "resourceType": "Observation", "valueQuantity": { "value": 5, "comparator": "<", "code": "mm" } });
    assert_eq!(rows(&less, "value-quantity"), [format!("{}..5 |mm", f64::MIN)]);
}

#[test]
fn references() {
    let task = |reference: Value| json!({ "resourceType": "Task", "owner": reference });
    let owner = |reference: Value| rows(&task(reference), "owner");
    assert_eq!(owner(json!({ "reference": "Organization/a" })), ["Organization/a"]);
    assert_eq!(owner(json!({ "reference": "https://kith.example/fhir/Organization/a" })), ["Organization/a"]);
    assert_eq!(
        owner(json!({ "reference": "Organization/a/_history/2" })),
        ["Organization/a", "Organization/a/_history/2"]
    );
    let elsewhere = "https://other.example/fhir/Organization/a";
    assert_eq!(owner(json!({ "reference": elsewhere })), [format!("Organization/{elsewhere}")]);
    assert_eq!(owner(json!({ "reference": "urn:uuid:x", "type": "Organization" })), ["Organization/urn:uuid:x"]);
    assert!(owner(json!({ "reference": "#contained" })).is_empty());
    let logical = json!({ "identifier": { "system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "Y1" } });
    assert!(owner(logical.clone()).is_empty());
    assert_eq!(rows(&task(logical), "owner:identifier"), ["https://fhir.nhs.uk/Id/ods-organization-code|Y1"]);
    let response = json!({ "resourceType": "QuestionnaireResponse", "questionnaire": "https://q.example/Q|1.0" });
    assert_eq!(rows(&response, "questionnaire"), ["/https://q.example/Q|1.0"]);
}

#[test]
fn resolve_looks_at_types() {
    let task = |reference: Value| json!({ "resourceType": "Task", "for": reference });
    assert_eq!(rows(&task(json!({ "reference": "Patient/p" })), "patient"), ["Patient/p"]);
    assert!(rows(&task(json!({ "reference": "Group/g" })), "patient").is_empty());
    assert_eq!(rows(&task(json!({ "reference": "Group/g" })), "subject"), ["Group/g"]);
    let logical = json!({ "type": "Patient", "identifier": { "value": "1" } });
    assert_eq!(rows(&task(logical), "patient:identifier"), ["|1"]);
}

#[test]
fn extensions_and_uris() {
    let url = "http://hl7.org/fhir/StructureDefinition/patient-extensions-Patient-mothersMaidenName";
    let patient =
        json!({ "resourceType": "Patient", "extension": [{ "url": url, "valueString": "Héron" }, { "url": "x" }] });
    assert_eq!(rows(&patient, "mothersMaidenName"), ["heron/Héron"]);
    let value_set = json!({ "resourceType": "ValueSet", "url": "https://v.example/V" });
    assert_eq!(rows(&value_set, "url"), ["https://v.example/V"]);
}

#[test]
fn expressions_beyond_walks() {
    let patient = |deceased: Value| json!({ "resourceType": "Patient", "deceasedBoolean": deceased });
    assert_eq!(rows(&patient(json!(true)), "deceased"), ["|true"]);
    assert_eq!(rows(&patient(json!(false)), "deceased"), ["|false"]);
    assert_eq!(rows(&json!({ "resourceType": "Patient", "deceasedDateTime": "2020" }), "deceased"), ["|true"]);
    assert_eq!(rows(&json!({ "resourceType": "Patient" }), "deceased"), ["|false"]);
}

#[test]
fn odd_data_yields_what_can_be_indexed() {
    for resource in [
        json!(null),
        json!({ "resourceType": "Nothing" }),
        json!({ "resourceType": "Task", "owner": 1, "status": ["a"], "code": "x", "identifier": {} }),
        json!({ "resourceType": "Task", "owner": { "reference": "" }, "authoredOn": "2020-13-45" }),
        json!({ "resourceType": "Patient", "name": [null, "x", { "given": [null, 1, {}] }], "birthDate": null }),
    ] {
        extract(&resource);
    }
    let partly = json!({ "resourceType": "Patient", "birthDate": "x", "name": [null, { "family": "Ok" }] });
    assert_eq!(rows(&partly, "family"), ["ok/Ok"]);
    let long = "x".repeat(10_000);
    let patient = json!({ "resourceType": "Patient", "identifier": [{ "system": long, "value": long }],
        "name": [{ "family": long }] });
    let all = extract(&patient);
    assert!(all.tokens.iter().all(|row| row.code.len() < 1000 && row.system.len() < 1000));
    assert!(all.strings.iter().all(|row| row.folded.len() < 2100 && row.exact.len() < 1000));
}
