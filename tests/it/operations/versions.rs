//! What a request may ask of the definitions that it is answered from: versions, supplements, languages, systems to leave out.

use serde_json::{Value, json};

use super::terminology::{ANIMALS, animals, named, parameters, value_set};
use crate::support::http::{Answer, TestServer};
use crate::support::{TestDatabase, over_http};

const SUPPLEMENT: &str = "http://test.example/CodeSystem/animals-cy";

/// Versions 2.1 and 3 of the animals; the value set names none, the other one 2.1.
fn filled(database: &TestDatabase) -> TestServer {
    let server = TestServer::start(database);
    server.put("CodeSystem/animals", &animals()).expect(201);
    let mut third = animals();
    (third["id"], third["version"]) = (json!("animals3"), json!("3.0"));
    third["concept"].as_array_mut().unwrap().push(json!({ "code": "cloud", "display": "Cloud" }));
    server.put("CodeSystem/animals3", &third).expect(201);
    server.put("ValueSet/any", &value_set("any", json!({ "include": [{ "system": ANIMALS }] }))).expect(201);
    let old = json!({ "include": [{ "system": ANIMALS, "version": "2.1" }] });
    server.put("ValueSet/old", &value_set("old", old)).expect(201);
    let both = json!({ "include": [{ "valueSet": ["http://test.example/ValueSet/old"] },
        { "system": "http://hl7.org/fhir/administrative-gender" }] });
    server.put("ValueSet/both", &value_set("both", both)).expect(201);
    let supplement = json!({ "resourceType": "CodeSystem", "id": "cy", "url": SUPPLEMENT, "name": "Welsh", "status": "active",
        "content": "supplement", "supplements": ANIMALS,
        "concept": [{ "code": "cat", "designation": [{ "language": "cy", "value": "Cath" }],
            "property": [{ "code": "legs", "valueInteger": 4 }] }] });
    server.put("CodeSystem/cy", &supplement).expect(201);
    server
}

fn versions(answer: &Answer) -> Vec<String> {
    let shown = answer.json();
    let used = shown["expansion"]["parameter"].as_array().cloned().unwrap_or_default();
    let used = used.iter().filter(|parameter| parameter["name"] == "version");
    used.map(|parameter| parameter["valueUri"].as_str().unwrap().replace(ANIMALS, "")).collect()
}

fn has(answer: &Answer, code: &str) -> bool {
    answer.json()["expansion"].to_string().contains(&format!("\"code\":\"{code}\""))
}

fn requests_choose_versions(database: &TestDatabase) {
    let server = filled(database);
    let expand = |set: &str, query: &str| server.get(&format!("ValueSet/{set}/$expand?{query}"));
    let old = expand("any", &format!("system-version={ANIMALS}|2.1")).expect(200);
    assert_eq!((versions(&old), has(&old, "cloud")), (vec!["|2.1".to_owned()], false));
    let new = expand("any", &format!("system-version={ANIMALS}|3.0")).expect(200);
    assert_eq!((versions(&new), has(&new, "cloud")), (vec!["|3.0".to_owned()], true));
    // What a value set names itself is kept, unless it is forced.
    assert!(!has(&expand("old", &format!("system-version={ANIMALS}|3.0")).expect(200), "cloud"));
    assert!(has(&expand("old", &format!("force-system-version={ANIMALS}|3.0")).expect(200), "cloud"));
    assert!(has(&expand("both", &format!("force-system-version={ANIMALS}|3.0")).expect(200), "cloud"));
    let refused = expand("old", &format!("check-system-version={ANIMALS}|3.0")).expect(422);
    assert!(refused.text.contains("animals|2.1"), "{}", refused.text);
    assert!(has(&expand("any", &format!("check-system-version={ANIMALS}|3")).expect(200), "cloud"));
    assert!(expand("any", &format!("force-system-version={ANIMALS}|9")).expect(422).text.contains("animals|9"));
    expand("any", "system-version=nothing").expect(400);
    // The next request is not touched by it.
    assert!(!has(&expand("old", "").expect(200), "cloud"));
    let one = format!("exclude-system={ANIMALS}");
    let rest = expand("both", &one).expect(200);
    assert!(has(&rest, "male") && !has(&rest, "dog"));
}

fn supplements_add_texts_and_properties(database: &TestDatabase) {
    let server = filled(database);
    let expand = |query: &str| server.get(&format!("ValueSet/any/$expand?{query}"));
    assert!(!expand("includeDesignations=true").expect(200).text.contains("Cath"));
    let with = expand(&format!("includeDesignations=true&useSupplement={SUPPLEMENT}")).expect(200);
    assert!(with.text.contains("Cath") && with.text.contains("useSupplement"), "{}", with.text);
    let found = expand(&format!("filter=cath&displayLanguage=cy&useSupplement={SUPPLEMENT}")).expect(200).json();
    assert_eq!(found["expansion"]["contains"][0]["display"], "Cath");
    assert_eq!(
        expand("filter=ci&displayLanguage=cy-GB").expect(200).json()["expansion"]["contains"][0]["display"],
        "Ci"
    );
    let lookup = |query: &str| server.get(&format!("CodeSystem/$lookup?system={ANIMALS}&code=cat{query}")).expect(200);
    assert!(!lookup("").text.contains("legs"));
    assert!(lookup(&format!("&useSupplement={SUPPLEMENT}")).text.contains("legs"));
    let check = |query: &str| {
        let path = format!("ValueSet/any/$validate-code?system={ANIMALS}&code=cat&display=Cath{query}");
        named(&server.get(&path).expect(200), "result")
    };
    assert_eq!(check(""), json!(false));
    assert_eq!(check(&format!("&useSupplement={SUPPLEMENT}")), json!(true));
    expand(&format!("useSupplement={ANIMALS}")).expect(400);
    assert!(expand("useSupplement=http://test.example/none").expect(422).text.contains("test.example/none"));
    // A value set may need one.
    let mut needs = value_set("needs", json!({ "include": [{ "system": ANIMALS }] }));
    needs["extension"] =
        json!([{ "url": "http://hl7.org/fhir/StructureDefinition/valueset-supplement", "valueCanonical": SUPPLEMENT }]);
    let list: Value =
        json!([{ "name": "valueSet", "resource": needs }, { "name": "includeDesignations", "valueBoolean": true }]);
    assert!(server.post("ValueSet/$expand", &parameters(list)).expect(200).text.contains("Cath"));
}

over_http!(requests_choose_versions, supplements_add_texts_and_properties);
