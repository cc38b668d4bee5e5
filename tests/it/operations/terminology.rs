//! `$expand` and `$validate-code` over what packages define and what is stored
//! (<https://hl7.org/fhir/R4/terminology-service.html>).

use serde_json::{Value, json};

use crate::support::http::{Answer, TestServer};
use crate::support::{TestDatabase, over_http};

pub const ANIMALS: &str = "http://test.example/CodeSystem/animals";
pub const PETS: &str = "http://test.example/ValueSet/pets";
const GENDER: &str = "http://hl7.org/fhir/ValueSet/administrative-gender";
const GENDERS: &str = "http://hl7.org/fhir/administrative-gender";

pub fn animals() -> Value {
    json!({ "resourceType": "CodeSystem", "id": "animals", "url": ANIMALS, "version": "2.1", "name": "Animals",
        "status": "active", "content": "complete", "caseSensitive": true, "hierarchyMeaning": "is-a",
        "property": [{ "code": "legs", "type": "integer" }, { "code": "inactive", "type": "boolean" },
            { "code": "notSelectable", "type": "boolean" }],
        "concept": [
            { "code": "animal", "display": "Animal", "property": [{ "code": "notSelectable", "valueBoolean": true }],
              "concept": [
                { "code": "dog", "display": "Dog", "definition": "Barks", "property": [{ "code": "legs", "valueInteger": 4 }],
                  "designation": [{ "language": "cy", "value": "Ci" }],
                  "concept": [{ "code": "poodle", "display": "Poodle" }] },
                { "code": "cat", "display": "Cat" },
                { "code": "dodo", "display": "Dodo", "property": [{ "code": "inactive", "valueBoolean": true }] },
            ] },
            { "code": "stone", "display": "Pet stone" },
        ] })
}

pub fn value_set(id: &str, compose: Value) -> Value {
    json!({ "resourceType": "ValueSet", "id": id, "url": format!("http://test.example/ValueSet/{id}"), "version": "1",
        "name": "Set", "status": "active", "compose": compose })
}

pub fn filled(database: &TestDatabase) -> TestServer {
    let server = TestServer::start_with(database, &[("limits.expansion", "200")]);
    server.put("CodeSystem/animals", &animals()).expect(201);
    let pets = json!({ "include": [{ "system": ANIMALS }],
        "exclude": [{ "system": ANIMALS, "concept": [{ "code": "cat" }] }] });
    server.put("ValueSet/pets", &value_set("pets", pets)).expect(201);
    server
}

pub fn parameters(list: Value) -> Value {
    json!({ "resourceType": "Parameters", "parameter": list })
}

/// The codes of an expansion, those within others after them.
fn codes(answer: &Answer) -> Vec<String> {
    fn add(list: &Value, codes: &mut Vec<String>) {
        for entry in list.as_array().into_iter().flatten() {
            codes.push(entry["code"].as_str().unwrap().to_owned());
            add(&entry["contains"], codes);
        }
    }
    let mut codes = Vec::new();
    add(&answer.json()["expansion"]["contains"], &mut codes);
    codes
}

pub fn named(answer: &Answer, name: &str) -> Value {
    let parameters = answer.json();
    assert_eq!(parameters["resourceType"], "Parameters", "{parameters}");
    let list = parameters["parameter"].as_array().unwrap();
    let found = list.iter().find(|parameter| parameter["name"] == name).cloned().unwrap_or_default();
    found
        .as_object()
        .into_iter()
        .flatten()
        .find(|(key, _)| key.starts_with("value"))
        .map_or(Value::Null, |(_, v)| v.clone())
}

fn issue(answer: &Answer) -> (String, String) {
    let issue = answer.json()["issue"][0].clone();
    (issue["code"].as_str().unwrap().to_owned(), issue["diagnostics"].as_str().unwrap().to_owned())
}

fn value_sets_of_packages_and_stored_ones_are_expanded(database: &TestDatabase) {
    let server = filled(database);
    let answer = server.get(&format!("ValueSet/$expand?url={GENDER}")).expect(200);
    assert_eq!(codes(&answer), ["male", "female", "other", "unknown"]);
    let shown = answer.json();
    assert_eq!((&shown["url"], &shown["expansion"]["total"]), (&json!(GENDER), &json!(4)));
    assert!(shown["expansion"]["identifier"].as_str().unwrap().starts_with("urn:uuid:"), "{shown}");
    assert!(shown["expansion"]["timestamp"].is_string() && shown["compose"].is_null(), "{shown}");
    assert_eq!(shown["expansion"]["contains"][0], json!({ "system": GENDERS, "code": "male", "display": "Male" }));

    let all = ["animal", "dog", "poodle", "dodo", "stone"];
    for path in [
        format!("ValueSet/$expand?url={PETS}"),
        format!("ValueSet/$expand?url={PETS}|1"),
        "ValueSet/pets/$expand".to_owned(),
    ] {
        assert_eq!(codes(&server.get(&path).expect(200)), all, "{path}");
    }
    let shown = server.get("ValueSet/pets/$expand?includeDefinition=true").json();
    let contains = &shown["expansion"]["contains"];
    assert_eq!(
        (&contains[0]["abstract"], &contains[0]["contains"][0]["contains"][0]["code"]),
        (&json!(true), &json!("poodle"))
    );
    assert_eq!(shown["expansion"]["parameter"][0], json!({ "name": "version", "valueUri": format!("{ANIMALS}|2.1") }));
    assert!(shown["compose"]["include"].is_array());
    server.get(&format!("ValueSet/$expand?url={PETS}|9")).expect(404);
    server.get("ValueSet/nobody/$expand").expect(404);
    server.get("ValueSet/$expand").expect(400);
}

fn an_expansion_is_filtered_and_paged(database: &TestDatabase) {
    let server = filled(database);
    let expand = |query: &str| codes(&server.get(&format!("ValueSet/pets/$expand?{query}")).expect(200));
    assert_eq!(expand("filter=dO"), ["dog", "dodo"]);
    assert_eq!(expand("filter=stone%20pet"), ["stone"]);
    assert_eq!(expand("filter=ci"), ["dog"]);
    assert_eq!(expand("activeOnly=true"), ["animal", "dog", "poodle", "stone"]);
    assert_eq!(expand("excludeNotForUI=true"), ["dog", "poodle", "dodo", "stone"]);
    let page = server.get("ValueSet/pets/$expand?offset=1&count=2").expect(200);
    assert_eq!(codes(&page), ["dog", "poodle"]);
    let expansion = page.json()["expansion"].clone();
    assert_eq!((&expansion["total"], &expansion["offset"]), (&json!(5), &json!(1)));
    assert_eq!(expand("count=0"), [""; 0]);
    assert_eq!(expand("offset=99"), [""; 0]);
    let flat = server.get("ValueSet/pets/$expand?excludeNested=true&includeDesignations=true").expect(200).json();
    assert_eq!(flat["expansion"]["contains"].as_array().unwrap().len(), 5);
    assert_eq!(flat["expansion"]["contains"][1]["designation"][0]["value"], "Ci");
    for wrong in ["count=-1", "activeOnly=maybe", "filtr=x", "context=x", "filter=a&filter=b"] {
        server.get(&format!("ValueSet/pets/$expand?{wrong}")).expect(400);
    }
    let text = server.get("ValueSet/pets/$expand?filtr=x").text;
    assert!(text.contains("Did you mean filter?"), "{text}");
}

fn a_value_set_may_be_sent(database: &TestDatabase) {
    let server = filled(database);
    let rule = json!({ "include": [
        { "valueSet": [PETS], "system": ANIMALS, "filter": [{ "property": "concept", "op": "is-a", "value": "dog" }] },
        { "system": "http://loinc.org", "concept": [{ "code": "1-8", "display": "Listed" }] },
    ] });
    let mut set = value_set("sent", rule);
    set.as_object_mut().unwrap().remove("url");
    let expand =
        |set: &Value| server.post("ValueSet/$expand", &parameters(json!([{ "name": "valueSet", "resource": set }])));
    assert_eq!(codes(&expand(&set).expect(200)), ["dog", "poodle", "1-8"]);
    let snomed = json!({ "include": [{ "system": "http://snomed.info/sct",
        "filter": [{ "property": "concept", "op": "is-a", "value": "1" }] }] });
    let (code, text) = issue(&expand(&value_set("sent", snomed)).expect(422));
    assert!(code == "not-found" && text.contains("http://snomed.info/sct"), "{code} {text}");
    let version = json!({ "include": [{ "system": ANIMALS, "version": "3" }] });
    assert!(issue(&expand(&value_set("sent", version)).expect(422)).1.contains("animals|3"));
    // A value set that needs itself, through another one, is not stored.
    let circle = json!({ "include": [{ "valueSet": ["http://test.example/ValueSet/b"] }, { "system": GENDERS }] });
    server.put("ValueSet/a", &value_set("a", circle)).expect(201);
    let other = json!({ "include": [{ "valueSet": ["http://test.example/ValueSet/a"] }] });
    let (_, text) = issue(&server.put("ValueSet/b", &value_set("b", other)).expect(422));
    assert!(text.contains("lead back"), "{text}");
}

fn what_is_too_large_is_refused(database: &TestDatabase) {
    let server = filled(database);
    let (code, text) = issue(&server.get("ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/all-types").expect(422));
    assert!(code == "too-costly" && text.contains("200"), "{code} {text}");
    let page = server.get("ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/all-types&count=3").expect(200);
    assert_eq!(codes(&page).len(), 3);
    let (code, _) = issue(&server.get("ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/mimetypes").expect(422));
    assert_eq!(code, "too-costly");
}

fn codes_are_checked_against_value_sets(database: &TestDatabase) {
    let server = filled(database);
    let ask =
        |query: &str| server.get(&format!("ValueSet/$validate-code?url={PETS}&system={ANIMALS}&{query}")).expect(200);
    let right = ask("code=dog");
    assert_eq!((named(&right, "result"), named(&right, "display")), (json!(true), json!("Dog")));
    assert_eq!(named(&ask("code=dog&display=dog"), "result"), json!(true));
    assert_eq!(named(&ask("code=dog&display=Ci"), "result"), json!(true));
    let display = ask("code=dog&display=Hound");
    assert_eq!((named(&display, "result"), named(&display, "display")), (json!(false), json!("Dog")));
    for wrong in ["code=cat", "code=unicorn", "code=DOG", "code=animal"] {
        let answer = ask(wrong);
        assert_eq!(named(&answer, "result"), json!(false), "{wrong}");
        assert!(named(&answer, "message").is_string(), "{wrong}");
    }
    assert_eq!(named(&ask("code=animal&abstract=true"), "result"), json!(true));
    assert!(named(&ask("code=dodo"), "message").as_str().unwrap().contains("inactive"));

    let post = |list: Value| server.post("ValueSet/pets/$validate-code", &parameters(list));
    let dog = json!({ "system": ANIMALS, "code": "dog" });
    let coding = json!([{ "name": "coding", "valueCoding": dog }]);
    assert_eq!(named(&post(coding).expect(200), "result"), json!(true));
    let concept = json!([{ "name": "codeableConcept", "valueCodeableConcept": { "coding": [
        { "system": ANIMALS, "code": "cat" }, dog] } }]);
    assert_eq!(named(&post(concept).expect(200), "result"), json!(true));
    let other = json!([{ "name": "coding", "valueCoding": { "system": ANIMALS, "version": "3", "code": "dog" } }]);
    assert!(issue(&post(other).expect(422)).1.contains("animals|3"));
    post(json!([{ "name": "code", "valueCode": "dog" }])).expect(400);
    post(json!([])).expect(400);
    server.get("ValueSet/$validate-code?url=http://nobody.example/x&system=a&code=b").expect(404);
}

fn what_is_not_loaded_gets_no_verdict(database: &TestDatabase) {
    let server = filled(database);
    let snomed = "http://snomed.info/sct";
    let set = value_set(
        "findings",
        json!({ "include": [{ "system": ANIMALS }, { "system": snomed,
        "filter": [{ "property": "concept", "op": "is-a", "value": "404684003" }] }] }),
    );
    server.put("ValueSet/findings", &set).expect(201);
    let ask =
        |system: &str, code: &str| server.get(&format!("ValueSet/findings/$validate-code?system={system}&code={code}"));
    let (code, text) = issue(&ask(snomed, "386661006").expect(422));
    assert!(code == "not-found" && text.contains(snomed), "{text}");
    assert_eq!(named(&ask(ANIMALS, "dog").expect(200), "result"), json!(true));
    assert_eq!(named(&ask(ANIMALS, "unicorn").expect(200), "result"), json!(false));
    let (code, text) = issue(&server.get(&format!("CodeSystem/$validate-code?url={snomed}&code=1")).expect(422));
    assert!(code == "not-found" && text.contains(snomed), "{text}");
    let both = parameters(json!([{ "name": "codeableConcept", "valueCodeableConcept": { "coding": [
        { "system": ANIMALS, "code": "unicorn" }, { "system": snomed, "code": "1" }] } }]));
    server.post("ValueSet/findings/$validate-code", &both).expect(422);
}

fn codes_are_checked_against_code_systems(database: &TestDatabase) {
    let server = filled(database);
    let ask = |query: &str| named(&server.get(&format!("CodeSystem/$validate-code?{query}")).expect(200), "result");
    assert_eq!(ask(&format!("url={GENDERS}&code=male&display=Male")), json!(true));
    assert_eq!(ask(&format!("url={GENDERS}&code=man")), json!(false));
    assert_eq!(ask(&format!("url={ANIMALS}&code=cat")), json!(true));
    assert_eq!(ask("url=urn:ietf:bcp:47&code=cy-GB"), json!(true));
    let stored = server.get("CodeSystem/animals/$validate-code?code=dog").expect(200);
    assert_eq!((named(&stored, "result"), named(&stored, "display")), (json!(true), json!("Dog")));
    let mut sent = animals();
    sent["url"] = json!("http://test.example/CodeSystem/sent");
    let list = json!([{ "name": "codeSystem", "resource": sent }, { "name": "code", "valueCode": "cat" }]);
    assert_eq!(named(&server.post("CodeSystem/$validate-code", &parameters(list)).expect(200), "result"), json!(true));
    let other = json!([{ "name": "coding", "valueCoding": { "system": GENDERS, "code": "male" } }]);
    let answer = server.post("CodeSystem/animals/$validate-code", &parameters(other)).expect(200);
    assert_eq!(named(&answer, "result"), json!(false));
}

over_http!(
    value_sets_of_packages_and_stored_ones_are_expanded,
    an_expansion_is_filtered_and_paged,
    a_value_set_may_be_sent,
    what_is_too_large_is_refused,
    codes_are_checked_against_value_sets,
    what_is_not_loaded_gets_no_verdict,
    codes_are_checked_against_code_systems,
);
