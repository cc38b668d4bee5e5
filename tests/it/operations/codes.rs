//! `$lookup`, `$subsumes` and `$translate` over what packages define and what is stored
//! (<https://hl7.org/fhir/R4/terminology-service.html>).

use serde_json::{Value, json};

use super::terminology::{ANIMALS, filled, named, parameters};
use crate::support::http::{Answer, TestServer};
use crate::support::{TestDatabase, over_http};

const GENDERS: &str = "http://hl7.org/fhir/administrative-gender";
const MAP: &str = "http://test.example/ConceptMap/to-genders";

/// The parts of every parameter with a name, as name and value.
fn parts(answer: &Answer, name: &str) -> Vec<Vec<(String, Value)>> {
    let of_part = |part: &Value| {
        let value = part.as_object().unwrap().iter().find(|(key, _)| key.starts_with("value")).unwrap().1.clone();
        (part["name"].as_str().unwrap().to_owned(), value)
    };
    let all = answer.json()["parameter"].as_array().unwrap().clone();
    let of_name = all.iter().filter(|parameter| parameter["name"] == name);
    of_name
        .map(|parameter| {
            let plain = parameter["part"].as_array().unwrap().iter().filter(|part| part["name"] != "product");
            plain.map(of_part).collect()
        })
        .collect()
}

/// Code and value of every property.
fn properties(answer: &Answer) -> Vec<(String, Value)> {
    let named = |parts: Vec<(String, Value)>| (parts[0].1.as_str().unwrap().to_owned(), parts[1].1.clone());
    parts(answer, "property").into_iter().map(named).collect()
}

fn pair(name: &str, value: impl Into<Value>) -> (String, Value) {
    (name.to_owned(), value.into())
}

fn a_code_is_looked_up(database: &TestDatabase) {
    let server = filled(database);
    let answer = server.get(&format!("CodeSystem/$lookup?system={GENDERS}&code=male")).expect(200);
    assert_eq!((named(&answer, "name"), named(&answer, "display")), (json!("AdministrativeGender"), json!("Male")));
    let answer = server.get(&format!("CodeSystem/$lookup?system={ANIMALS}&code=dog")).expect(200);
    assert_eq!((named(&answer, "name"), named(&answer, "version")), (json!("Animals"), json!("2.1")));
    let all = [
        pair("definition", "Barks"),
        pair("inactive", false),
        pair("parent", "animal"),
        pair("child", "poodle"),
        pair("legs", 4),
    ];
    assert_eq!(properties(&answer), all);
    assert_eq!(parts(&answer, "designation"), [[pair("language", "cy"), pair("value", "Ci")]]);
    let some =
        server.get(&format!("CodeSystem/$lookup?system={ANIMALS}&code=dog&property=legs&property=child")).expect(200);
    assert_eq!(properties(&some), [pair("child", "poodle"), pair("legs", 4)]);
    assert!(parts(&some, "designation").is_empty());
    let coding = json!([{ "name": "coding", "valueCoding": { "system": ANIMALS, "version": "2.1", "code": "cat" } }]);
    let answer = server.post("CodeSystem/$lookup", &parameters(coding)).expect(200);
    assert_eq!(named(&answer, "display"), json!("Cat"));
    server.get(&format!("CodeSystem/$lookup?system={ANIMALS}&code=unicorn")).expect(404);
    let text = server.get("CodeSystem/$lookup?system=http://loinc.org&code=1-8").expect(422).text;
    assert!(text.contains("http://loinc.org"), "{text}");
    server.get(&format!("CodeSystem/$lookup?system={ANIMALS}&version=7&code=cat")).expect(422);
    server.get("CodeSystem/$lookup?code=cat").expect(400);
}

fn codes_subsume_each_other(database: &TestDatabase) {
    let server = filled(database);
    let ask = |a: &str, b: &str| {
        let answer = server.get(&format!("CodeSystem/$subsumes?system={ANIMALS}&codeA={a}&codeB={b}")).expect(200);
        named(&answer, "outcome").as_str().unwrap().to_owned()
    };
    assert_eq!(ask("dog", "dog"), "equivalent");
    assert_eq!(ask("animal", "poodle"), "subsumes");
    assert_eq!(ask("poodle", "animal"), "subsumed-by");
    assert_eq!(ask("cat", "dog"), "not-subsumed");
    assert_eq!(ask("stone", "dog"), "not-subsumed");
    let at = server.get("CodeSystem/animals/$subsumes?codeA=animal&codeB=cat").expect(200);
    assert_eq!(named(&at, "outcome"), json!("subsumes"));
    let codings = json!([{ "name": "codingA", "valueCoding": { "system": ANIMALS, "code": "dog" } },
        { "name": "codingB", "valueCoding": { "system": ANIMALS, "code": "poodle" } }]);
    assert_eq!(
        named(&server.post("CodeSystem/$subsumes", &parameters(codings)).expect(200), "outcome"),
        json!("subsumes")
    );
    server.get(&format!("CodeSystem/$subsumes?system={ANIMALS}&codeA=dog&codeB=unicorn")).expect(404);
    server.get(&format!("CodeSystem/$subsumes?system={ANIMALS}&codeA=dog")).expect(400);
    server.get("CodeSystem/$subsumes?codeA=dog&codeB=cat").expect(400);
    let text = server.get("CodeSystem/$subsumes?system=http://snomed.info/sct&codeA=1&codeB=2").expect(422).text;
    assert!(text.contains("http://snomed.info/sct"), "{text}");
    // Where the hierarchy is no taxonomy, nobody can say; and a part of a system does not say that there is nothing between.
    let mut parts = super::terminology::animals();
    (parts["id"], parts["url"], parts["hierarchyMeaning"]) =
        (json!("parts"), json!("http://test.example/parts"), json!("part-of"));
    server.put("CodeSystem/parts", &parts).expect(201);
    server.get("CodeSystem/parts/$subsumes?codeA=dog&codeB=poodle").expect(422);
    let mut fragment = super::terminology::animals();
    (fragment["id"], fragment["url"], fragment["content"]) =
        (json!("some"), json!("http://test.example/some"), json!("fragment"));
    server.put("CodeSystem/some", &fragment).expect(201);
    assert_eq!(
        named(&server.get("CodeSystem/some/$subsumes?codeA=dog&codeB=poodle").expect(200), "outcome"),
        json!("subsumes")
    );
    server.get("CodeSystem/some/$subsumes?codeA=dog&codeB=cat").expect(422);
}

fn map() -> Value {
    let depends = json!([{ "property": "http://test.example/age", "value": "old" }]);
    json!({ "resourceType": "ConceptMap", "id": "map", "url": MAP, "version": "1", "status": "active",
        "sourceUri": "http://test.example/ValueSet/pets", "targetUri": "http://hl7.org/fhir/ValueSet/administrative-gender",
        "group": [{ "source": ANIMALS, "target": GENDERS, "element": [
            { "code": "dog", "display": "Dog", "target": [{ "code": "male", "display": "Male", "equivalence": "wider" },
                { "code": "other", "equivalence": "narrower", "comment": "of some", "dependsOn": depends }] },
            { "code": "stone", "target": [{ "equivalence": "unmatched" }] },
        ], "unmapped": { "mode": "fixed", "code": "unknown" } }] })
}

fn with_map(database: &TestDatabase) -> TestServer {
    let server = filled(database);
    server.put("ConceptMap/map", &map()).expect(201);
    server
}

fn a_code_is_translated(database: &TestDatabase) {
    let server = with_map(database);
    let male = json!({ "system": GENDERS, "code": "male", "display": "Male" });
    let dog = vec![pair("equivalence", "wider"), pair("concept", male.clone()), pair("source", MAP)];
    for path in [
        format!("ConceptMap/$translate?url={MAP}"),
        format!("ConceptMap/$translate?url={MAP}&conceptMapVersion=1"),
        "ConceptMap/map/$translate?targetsystem=http://hl7.org/fhir/administrative-gender".to_owned(),
        format!("ConceptMap/$translate?targetsystem={GENDERS}"),
        "ConceptMap/$translate?source=http://test.example/ValueSet/pets".to_owned(),
    ] {
        let answer = server.get(&format!("{path}&system={ANIMALS}&code=dog")).expect(200);
        assert_eq!(named(&answer, "result"), json!(true), "{path}");
        assert_eq!(parts(&answer, "match"), std::slice::from_ref(&dog), "{path}");
        assert!(named(&answer, "message").as_str().unwrap().contains("dependency"), "{path}");
    }
    let post = |list: Value| server.post("ConceptMap/map/$translate", &parameters(list)).expect(200);
    let age = json!({ "name": "dependency", "part": [{ "name": "element", "valueUri": "http://test.example/age" },
        { "name": "concept", "valueCodeableConcept": { "text": "old" } }] });
    let both = post(json!([{ "name": "coding", "valueCoding": { "system": ANIMALS, "code": "dog" } }, age]));
    assert_eq!(parts(&both, "match").len(), 2);
    let stone = server.get(&format!("ConceptMap/map/$translate?system={ANIMALS}&code=stone")).expect(200);
    assert_eq!((named(&stone, "result"), parts(&stone, "match")[0][0].1.clone()), (json!(false), json!("unmatched")));
    let fixed = server.get(&format!("ConceptMap/map/$translate?system={ANIMALS}&code=cat")).expect(200);
    assert_eq!(parts(&fixed, "match")[0][1].1["code"], "unknown");
    let back = server.get(&format!("ConceptMap/map/$translate?system={GENDERS}&code=male&reverse=true")).expect(200);
    assert_eq!(parts(&back, "match")[0][0].1, "narrower");
    assert_eq!(parts(&back, "match")[0][1].1, json!({ "system": ANIMALS, "code": "dog", "display": "Dog" }));
    let elsewhere = server.get("ConceptMap/map/$translate?system=http://loinc.org&code=dog").expect(200);
    assert_eq!(named(&elsewhere, "result"), json!(false));
}

fn maps_of_packages_and_sent_ones_translate(database: &TestDatabase) {
    let server = with_map(database);
    let uk = "https://fhir.hl7.org.uk/ConceptMap/ConceptMap-UKCore-AdministrativeGender";
    let answer = server.get(&format!("ConceptMap/$translate?url={uk}&system={GENDERS}&code=female")).expect(200);
    assert_eq!(parts(&answer, "match")[0][1].1["code"], "2");
    let codings = json!({ "coding": [{ "system": ANIMALS, "code": "stone" }, { "system": ANIMALS, "code": "dog" }] });
    let mut sent = map();
    sent.as_object_mut().unwrap().remove("url");
    let list = json!([{ "name": "conceptMap", "resource": sent }, { "name": "codeableConcept", "valueCodeableConcept": codings }]);
    let answer = server.post("ConceptMap/$translate", &parameters(list)).expect(200);
    assert_eq!((named(&answer, "result"), parts(&answer, "match").len()), (json!(true), 2));
    server.get(&format!("ConceptMap/$translate?url=http://nobody.example/map&system={GENDERS}&code=male")).expect(404);
    server.get(&format!("ConceptMap/$translate?system={GENDERS}&code=male")).expect(400);
    server.get(&format!("ConceptMap/$translate?url={MAP}&code=male")).expect(400);
}

fn the_operations_are_claimed(database: &TestDatabase) {
    let server = with_map(database);
    let statement = server.get("metadata").expect(200).json();
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    let of = |name: &str| resources.iter().find(|resource| resource["type"] == name).unwrap()["operation"].to_string();
    for (name, operation) in [
        ("ValueSet", "ValueSet-expand"),
        ("ValueSet", "ValueSet-validate-code"),
        ("CodeSystem", "CodeSystem-validate-code"),
        ("CodeSystem", "CodeSystem-lookup"),
        ("CodeSystem", "CodeSystem-subsumes"),
        ("ConceptMap", "ConceptMap-translate"),
    ] {
        assert!(of(name).contains(&format!("http://hl7.org/fhir/OperationDefinition/{operation}\"")), "{operation}");
    }
    assert!(!of("Patient").contains("ValueSet-expand"));
    server.get("Patient/$expand").expect(404);
    let terminology = server.get("metadata?mode=terminology").expect(200).json();
    assert_eq!(terminology["resourceType"], "TerminologyCapabilities");
    let found = server.post("TerminologyCapabilities/$validate", &terminology).expect(200).json();
    assert!(found["issue"].as_array().unwrap().iter().all(|issue| issue["severity"] != "error"), "{found}");
    let systems = terminology["codeSystem"].as_array().unwrap();
    let genders = systems.iter().find(|system| system["uri"] == GENDERS).unwrap();
    assert_eq!(genders["version"][0], json!({ "code": "4.0.1", "isDefault": true }));
    assert!(systems.iter().all(|system| system["uri"] != "http://snomed.info/sct"));
    for parameter in terminology["expansion"]["parameter"].as_array().unwrap() {
        let name = parameter["name"].as_str().unwrap();
        let value = match name {
            "filter" => "dog",
            "offset" | "count" => "1",
            "displayLanguage" => "cy",
            "exclude-system" => "http://test.example/other",
            "system-version" | "check-system-version" | "force-system-version" => "http://test.example/other|1",
            // There is no supplement here that it could name.
            "useSupplement" => continue,
            _ => "true",
        };
        server.get(&format!("ValueSet/pets/$expand?{name}={value}")).expect(200);
    }
    // XML goes in and out as with any other resource.
    let text = server.get(&format!("CodeSystem/$lookup?system={GENDERS}&code=male&_format=xml")).expect(200).text;
    assert!(text.contains("<valueString value=\"Male\"/>"), "{text}");
}

over_http!(
    a_code_is_looked_up,
    codes_subsume_each_other,
    a_code_is_translated,
    maps_of_packages_and_sent_ones_translate,
    the_operations_are_claimed,
);
