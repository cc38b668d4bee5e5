//! Large inputs made by rule, for the benchmarks and the test of allocations: a questionnaire of 50 items and a message of
//! 100 entries as the booking and referral standard of the NHS sends them.

use serde_json::{Value, json};

/// A Questionnaire of 50 items in five groups: every type of question, options, conditions, lengths.
pub fn questionnaire() -> Value {
    let group = |number: usize| {
        let items: Vec<Value> = (1..10).map(|item| question(number, item)).collect();
        json!({ "linkId": number.to_string(), "text": format!("Part {number}"), "type": "group", "item": items })
    };
    json!({
        "resourceType": "Questionnaire", "id": "fifty", "url": "https://kith.example/fhir/Questionnaire/fifty",
        "version": "1", "name": "Fifty", "title": "Fifty items", "status": "active", "subjectType": ["Patient"],
        "date": "2026-01-31", "item": (1..=5).map(group).collect::<Vec<_>>(),
    })
}

fn question(group: usize, item: usize) -> Value {
    const TYPES: [&str; 5] = ["boolean", "string", "integer", "date", "choice"];
    let type_ = TYPES[item % TYPES.len()];
    let mut question = json!({
        "linkId": format!("{group}.{item}"), "prefix": format!("{group}.{item}"), "text": "How are you getting on?",
        "type": type_, "required": item == 1, "repeats": false,
    });
    if type_ == "string" {
        question["maxLength"] = json!(500);
    }
    if type_ == "choice" {
        let option = |word: &str| json!({ "valueCoding": { "system": "https://kith.example/answers", "code": word } });
        question["answerOption"] = json!(["never", "seldom", "often", "always"].map(option));
    }
    if item > 5 {
        question["enableWhen"] = json!([{ "question": format!("{group}.5"), "operator": "=", "answerBoolean": true }]);
    }
    question
}

fn url(number: usize) -> String {
    format!("urn:uuid:00000000-0000-4000-8000-{number:012}")
}

fn reference(number: usize) -> Value {
    json!({ "reference": url(number) })
}

/// A message of 100 entries: header, request, patient, organisations, people, and what was observed. All hang together.
pub fn message() -> Value {
    let mut resources = vec![
        json!({
            "resourceType": "MessageHeader",
            "eventCoding": { "system": "https://fhir.nhs.uk/CodeSystem/message-events-bars", "code": "servicerequest-request" },
            "destination": [{ "endpoint": "https://provider.nhs.uk/fhir", "receiver": reference(3) }],
            "sender": reference(4), "source": { "name": "GP system", "endpoint": "https://surgery.nhs.uk/fhir" },
            "focus": [reference(1)],
        }),
        json!({
            "resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": reference(2),
            "category": [{ "coding": [{ "system": "http://snomed.info/sct", "code": "3457005", "display": "Patient referral" }] }],
            "code": { "coding": [{ "system": "http://snomed.info/sct", "code": "103704003", "display": "Referral to general practitioner" }] },
            "authoredOn": "2026-01-31T09:30:00+00:00", "requester": reference(5), "performer": [reference(3)],
            "occurrencePeriod": { "start": "2026-02-01T09:00:00+00:00", "end": "2026-02-02T09:00:00+00:00" },
            "supportingInfo": (6..100).map(reference).collect::<Vec<_>>(),
        }),
        patient(),
        organization("Kendal Urgent Care", "RTX01"),
        organization("Fellside Surgery", "A82001"),
        json!({
            "resourceType": "Practitioner", "name": [{ "family": "Harper", "given": ["Ann"], "prefix": ["Dr"] }],
            "identifier": [{ "system": "https://fhir.hl7.org.uk/Id/gmc-number", "value": "C1234567" }],
        }),
    ];
    resources.extend((6..100).map(observation));
    let entry = |(number, resource): (usize, Value)| json!({ "fullUrl": url(number), "resource": resource });
    let entries: Vec<Value> = resources.into_iter().enumerate().map(entry).collect();
    json!({
        "resourceType": "Bundle", "type": "message", "timestamp": "2026-01-31T09:30:00+00:00",
        "identifier": { "system": "https://tools.ietf.org/html/rfc4122", "value": "236bb75d-90ef-461f-b71e-fde7f899802c" },
        "entry": entries,
    })
}

fn patient() -> Value {
    json!({
        "resourceType": "Patient", "active": true, "gender": "female", "birthDate": "1948-03-01",
        "identifier": [{ "system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9434765919" }],
        "name": [{ "use": "official", "family": "Thistlewood", "given": ["Ada", "Rose"] }],
        "telecom": [{ "system": "phone", "value": "01632 960001", "use": "home" }],
        "address": [{ "use": "home", "line": ["1 Fell Road"], "city": "Kendal", "postalCode": "LA9 1AA" }],
    })
}

fn organization(name: &str, code: &str) -> Value {
    json!({
        "resourceType": "Organization", "name": name, "active": true,
        "identifier": [{ "system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": code }],
    })
}

fn observation(number: usize) -> Value {
    json!({
        "resourceType": "Observation", "status": "final", "subject": reference(2),
        "category": [{ "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "survey", "display": "Survey",
        }] }],
        "code": { "text": "Steps on a day" }, "effectiveDateTime": "2026-01-30T10:00:00+00:00",
        "performer": [reference(5)],
        "valueQuantity": { "value": number, "unit": "steps", "system": "http://unitsofmeasure.org", "code": "{steps}" },
    })
}
