//! Definitions stored as resources take effect at once: profiles, value sets, code systems, questionnaires.

use serde_json::{Value, json};

use crate::support::http::{Answer, TestServer};
use crate::support::{TestDatabase, over_http};

over_http!(
    a_profile_holds_from_its_creation_to_its_deletion,
    versions_stand_side_by_side,
    a_value_set_decides_validation_codes_and_search,
    answers_are_compared_with_a_stored_questionnaire,
    what_does_not_compile_is_refused_with_every_reason,
    what_no_resource_can_be_an_instance_of_is_refused_as_profile,
    a_transaction_may_bring_a_profile_and_what_declares_it,
    another_process_learns_of_it,
    they_are_there_after_a_restart,
);

const STRICT: &str = "http://test.example/StructureDefinition/strict";
const COLOURS: &str = "http://test.example/CodeSystem/colours";
const WARM: &str = "http://test.example/ValueSet/warm";

/// A profile on Patient whose differential has these elements.
fn profile(url: &str, elements: &Value) -> Value {
    let id = url.rsplit('/').next().unwrap();
    json!({
        "resourceType": "StructureDefinition", "id": id, "url": url, "name": "Strict", "status": "active",
        "kind": "resource", "abstract": false, "type": "Patient", "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "differential": { "element": elements },
    })
}

fn at_least_one(element: &str) -> Value {
    let id = format!("Patient.{element}");
    json!([{ "id": id, "path": id, "min": 1 }])
}

fn patient(profile: &str) -> Value {
    json!({ "resourceType": "Patient", "meta": { "profile": [profile] }, "active": true })
}

fn issues(answer: &Answer) -> Vec<(String, String)> {
    let text = |issue: &Value, path: &str| issue.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let body = answer.json();
    let all = body["issue"].as_array().unwrap_or_else(|| panic!("{body}")).iter();
    all.map(|issue| (text(issue, "/expression/0"), text(issue, "/diagnostics"))).collect()
}

#[track_caller]
fn says(answer: &Answer, place: &str, words: &str) {
    let all = issues(answer);
    assert!(all.iter().any(|(at, text)| at == place && text.contains(words)), "{place} {words}: {all:?}");
}

fn a_profile_holds_from_its_creation_to_its_deletion(database: &TestDatabase) {
    let server = TestServer::start(database);
    let declared = patient(STRICT);
    server.post("Patient", &declared).expect(201);
    server.put("StructureDefinition/strict", &profile(STRICT, &at_least_one("name"))).expect(201);
    says(&server.post("Patient", &declared).expect(422), "Patient", "name");
    server.put("StructureDefinition/strict", &profile(STRICT, &at_least_one("contact"))).expect(200);
    says(&server.post("Patient", &declared).expect(422), "Patient", "contact");
    let patch = json!([{ "op": "replace", "path": "/differential/element/0/min", "value": 0 }]).to_string();
    let json_patch = [("Content-Type", "application/json-patch+json")];
    server.send("PATCH", "StructureDefinition/strict", &json_patch, Some(patch.as_bytes())).expect(200);
    server.post("Patient", &declared).expect(201);
    server.put("StructureDefinition/strict", &profile(STRICT, &at_least_one("contact"))).expect(200);
    let answer = server.post("Patient/$validate", &declared).expect(200);
    says(&answer, "Patient", "contact");
    server.delete("StructureDefinition/strict").expect(204);
    server.post("Patient", &declared).expect(201);
    assert!(issues(&server.post("Patient/$validate", &declared)).iter().any(|(_, text)| text.contains("not loaded")));
}

fn versions_stand_side_by_side(database: &TestDatabase) {
    let server = TestServer::start(database);
    for (id, version, status, element) in [
        ("two", "10.0.0", "active", "name"),
        ("one", "9.1.0", "active", "contact"),
        ("three", "11.0.0", "draft", "photo"),
        ("old", "12.0.0", "retired", "link"),
    ] {
        let mut versioned = profile(STRICT, &at_least_one(element));
        (versioned["id"], versioned["version"], versioned["status"]) = (json!(id), json!(version), json!(status));
        server.put(&format!("StructureDefinition/{id}"), &versioned).expect(201);
    }
    says(&server.post("Patient", &patient(STRICT)).expect(422), "Patient", "name");
    for (version, element) in
        [("9.1.0", "contact"), ("9", "contact"), ("10.0.0", "name"), ("11.0.0", "photo"), ("12.0.0", "link")]
    {
        let answer = server.post("Patient", &patient(&format!("{STRICT}|{version}"))).expect(422);
        says(&answer, "Patient", element);
        assert_eq!(issues(&answer).iter().filter(|(_, text)| text.contains(STRICT)).count(), 1, "{}", answer.text);
    }
    server.post("Patient", &patient(&format!("{STRICT}|8"))).expect(201);
}

fn code_system(codes: &[&str]) -> Value {
    let concepts: Vec<Value> = codes.iter().map(|code| json!({ "code": code, "display": code })).collect();
    json!({
        "resourceType": "CodeSystem", "id": "colours", "url": COLOURS, "status": "active", "content": "complete",
        "concept": concepts,
    })
}

fn value_set(system: &str) -> Value {
    json!({
        "resourceType": "ValueSet", "id": "warm", "url": WARM, "status": "active",
        "compose": { "include": [{ "system": system }] },
    })
}

fn a_value_set_decides_validation_codes_and_search(database: &TestDatabase) {
    let server = TestServer::start(database);
    let bound = json!([{ "id": "Patient.maritalStatus", "path": "Patient.maritalStatus",
        "binding": { "strength": "required", "valueSet": WARM } }]);
    server.put("StructureDefinition/strict", &profile(STRICT, &bound)).expect(201);
    let mut person = patient(STRICT);
    person["maritalStatus"] = json!({ "coding": [{ "system": COLOURS, "code": "red" }] });
    let checked = |code: &str| {
        let answer =
            server.get(&format!("ValueSet/$validate-code?url={WARM}&system={COLOURS}&code={code}")).expect(200);
        answer.json()["parameter"].as_array().unwrap().iter().find(|part| part["name"] == "result").unwrap().clone()
    };
    server.put("ValueSet/warm", &value_set(COLOURS)).expect(201);
    // The system is not there yet: nobody can say.
    let code = json!({ "coding": [{ "system": COLOURS, "code": "blue" }] });
    let observation = json!({ "resourceType": "Observation", "id": "o", "status": "final", "code": code });
    server.put("Observation/o", &observation).expect(201);
    server
        .put("Patient/red", &{
            person["id"] = json!("red");
            person.clone()
        })
        .expect(201);
    server.put("CodeSystem/colours", &code_system(&["red"])).expect(201);
    server.post("Patient", &person).expect(201);
    person["maritalStatus"]["coding"][0]["code"] = json!("blue");
    says(&server.post("Patient", &person).expect(422), "Patient.maritalStatus", WARM);
    assert_eq!(
        (checked("red")["valueBoolean"].clone(), checked("blue")["valueBoolean"].clone()),
        (json!(true), json!(false))
    );
    let found = |server: &TestServer| {
        server.get(&format!("Observation?code:in={WARM}&_summary=count")).expect(200).json()["total"].clone()
    };
    assert_eq!(found(&server), 0);
    server.put("CodeSystem/colours", &code_system(&["red", "blue"])).expect(200);
    server.post("Patient", &person).expect(201);
    assert_eq!(checked("blue")["valueBoolean"], true);
    assert_eq!(found(&server), 1);
    server.delete("ValueSet/warm").expect(204);
    server.get(&format!("Observation?code:in={WARM}")).expect(400);
}

fn answers_are_compared_with_a_stored_questionnaire(database: &TestDatabase) {
    let server = TestServer::start(database);
    let url = "http://test.example/Questionnaire/form";
    let form = |version: &str, link: &str| {
        json!({
            "resourceType": "Questionnaire", "url": url, "version": version, "status": "active",
            "item": [{ "linkId": link, "type": "boolean", "required": true }],
        })
    };
    let answers = |canonical: &str, link: &str| {
        json!({
            "resourceType": "QuestionnaireResponse", "questionnaire": canonical, "status": "completed",
            "item": [{ "linkId": link, "answer": [{ "valueBoolean": true }] }],
        })
    };
    server.post("QuestionnaireResponse", &answers(url, "b")).expect(201);
    server.post("Questionnaire", &form("1", "a")).expect(201);
    server.post("QuestionnaireResponse", &answers(url, "a")).expect(201);
    server.post("QuestionnaireResponse", &answers(url, "b")).expect(422);
    server.post("Questionnaire", &form("2", "b")).expect(201);
    server.post("QuestionnaireResponse", &answers(url, "b")).expect(201);
    server.post("QuestionnaireResponse", &answers(&format!("{url}|1"), "a")).expect(201);
    server.post("QuestionnaireResponse", &answers(&format!("{url}|1"), "b")).expect(422);
}

fn what_does_not_compile_is_refused_with_every_reason(database: &TestDatabase) {
    let server = TestServer::start(database);
    let element = |at: usize| format!("StructureDefinition.differential.element[{at}]");
    let wrong = json!([
        { "id": "Patient.name", "path": "Patient.name", "constraint": [
            { "key": "t-1", "severity": "error", "human": "x", "expression": "given.exists(" },
            { "key": "t-2", "severity": "error", "human": "x", "expression": "family.exists()" }] },
        { "id": "Patient.telecom:work", "path": "Patient.telecom", "sliceName": "work", "min": 1 },
    ]);
    let answer = server.post("StructureDefinition", &profile(STRICT, &wrong)).expect(422);
    says(&answer, &format!("{}.constraint[0].expression", element(0)), "does not compile");
    says(&answer, &element(1), "Nothing tells the slice work");
    assert_eq!(issues(&answer).len(), 2, "{}", answer.text);
    let paths = json!([{ "id": "Patient.nam", "path": "Patient.nam", "min": 1 }, { "id": "Patient.contact.x", "path": "Patient.contact.x" }]);
    let answer = server.post("StructureDefinition", &profile(STRICT, &paths)).expect(422);
    says(&answer, &element(0), "no such element");
    says(&answer, &element(1), "no such element");
    let refused = |change: fn(&mut Value), place: &str, words: &str| {
        let mut definition = profile(STRICT, &at_least_one("name"));
        change(&mut definition);
        says(&server.post("StructureDefinition", &definition).expect(422), place, words);
    };
    let base = "StructureDefinition.baseDefinition";
    refused(|it| it["baseDefinition"] = json!("http://test.example/none"), base, "not known");
    refused(|it| it["baseDefinition"] = json!(STRICT), base, "circle");
    let of_person = |it: &mut Value| {
        it["type"] = json!("Person");
        it["differential"]["element"] = json!([{ "id": "Person.name", "path": "Person.name", "min": 1 }]);
    };
    refused(of_person, "StructureDefinition.type", "same");
    // A circle of two that is closed by an update.
    let other = "http://test.example/StructureDefinition/other";
    server.put("StructureDefinition/strict", &profile(STRICT, &at_least_one("name"))).expect(201);
    let mut second = profile(other, &at_least_one("contact"));
    second["baseDefinition"] = json!(STRICT);
    server.put("StructureDefinition/other", &second).expect(201);
    let mut first = profile(STRICT, &at_least_one("name"));
    first["baseDefinition"] = json!(other);
    says(&server.put("StructureDefinition/strict", &first).expect(422), base, "circle");
    let pattern =
        json!({ "include": [{ "system": COLOURS, "filter": [{ "property": "code", "op": "regex", "value": "(" }] }] });
    let mut set = value_set(COLOURS);
    set["compose"] = pattern;
    says(
        &server.post("ValueSet", &set).expect(422),
        "ValueSet.compose.include[0].filter[0].value",
        "regular expression",
    );
    set["compose"] = json!({ "include": [{ "valueSet": [WARM] }] });
    says(&server.post("ValueSet", &set).expect(422), "ValueSet.compose.include[0].valueSet[0]", "circle");
}

fn what_no_resource_can_be_an_instance_of_is_refused_as_profile(database: &TestDatabase) {
    let server = TestServer::start(database);
    let mut logical = profile(
        "http://test.example/StructureDefinition/model",
        &json!([{ "id": "model", "path": "model", "min": 0, "max": "*" }]),
    );
    logical["kind"] = json!("logical");
    logical["type"] = json!("http://test.example/StructureDefinition/model");
    logical["baseDefinition"] = json!("http://hl7.org/fhir/StructureDefinition/Element");
    logical["derivation"] = json!("specialization");
    server.put("StructureDefinition/model", &logical).expect(201);
    let mut general = profile(STRICT, &at_least_one("name"));
    general["abstract"] = json!(true);
    server.put("StructureDefinition/strict", &general).expect(201);
    for (canonical, words) in [
        ("http://test.example/StructureDefinition/model", "logical model"),
        (STRICT, "abstract"),
        ("http://hl7.org/fhir/StructureDefinition/DomainResource", "abstract"),
        ("http://hl7.org/fhir/StructureDefinition/patient-birthPlace", "extension"),
    ] {
        says(&server.post("Patient", &patient(canonical)).expect(422), "Patient.meta.profile[0]", words);
    }
    // What is derived from an abstract profile may be declared.
    let mut special = profile("http://test.example/StructureDefinition/special", &at_least_one("contact"));
    special["baseDefinition"] = json!(STRICT);
    server.put("StructureDefinition/special", &special).expect(201);
    let answer = server.post("Patient", &patient("http://test.example/StructureDefinition/special")).expect(422);
    says(&answer, "Patient", "name");
    says(&answer, "Patient", "contact");
}

fn a_transaction_may_bring_a_profile_and_what_declares_it(database: &TestDatabase) {
    let server = TestServer::start(database);
    let derived = "http://test.example/StructureDefinition/derived";
    let mut second = profile(derived, &at_least_one("contact"));
    second["baseDefinition"] = json!(STRICT);
    let transaction = |person: &Value| {
        let entry = |resource: &Value| {
            let url = resource["resourceType"].as_str().unwrap();
            json!({ "resource": resource, "request": { "method": "POST", "url": url } })
        };
        json!({ "resourceType": "Bundle", "type": "transaction",
            "entry": [entry(person), entry(&second), entry(&profile(STRICT, &at_least_one("name")))] })
    };
    let mut person = patient(derived);
    let answer = server.post("", &transaction(&person)).expect(422);
    says(&answer, "Bundle.entry[0].resource", "name");
    says(&answer, "Bundle.entry[0].resource", "contact");
    // Nothing of it has come into effect.
    server.post("Patient", &person).expect(201);
    person["name"] = json!([{ "family": "Day" }]);
    person["contact"] = json!([{ "name": { "family": "Day" } }]);
    server.post("", &transaction(&person)).expect(200);
    server.post("Patient", &patient(derived)).expect(422);
}

fn another_process_learns_of_it(database: &TestDatabase) {
    let servers = [(); 2].map(|()| TestServer::start_with(database, &[("jobs.poll", "40")]));
    let declared = patient(STRICT);
    servers[0].put("StructureDefinition/strict", &profile(STRICT, &at_least_one("name"))).expect(201);
    servers[0].post("Patient", &declared).expect(422);
    while servers[1].post("Patient/$validate", &declared).text.contains("not loaded") {
        std::thread::yield_now();
    }
    servers[1].post("Patient", &declared).expect(422);
    servers[1].delete("StructureDefinition/strict").expect(204);
    while servers[0].post("Patient", &declared).status == 422 {
        std::thread::yield_now();
    }
}

fn they_are_there_after_a_restart(database: &TestDatabase) {
    let server = TestServer::start(database);
    server.put("StructureDefinition/strict", &profile(STRICT, &at_least_one("name"))).expect(201);
    server.put("ValueSet/warm", &value_set(COLOURS)).expect(201);
    server.put("CodeSystem/colours", &code_system(&["red"])).expect(201);
    drop(server);
    let server = TestServer::start(database);
    server.post("Patient", &patient(STRICT)).expect(422);
    server.get(&format!("ValueSet/$expand?url={WARM}")).expect(200);
}
