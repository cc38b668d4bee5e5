//! The terminology operations, validation and search over SNOMED CT, by the release of `fixtures/terminology`.

use serde_json::{Value, json};

use super::terminology::{named, parameters, value_set};
use crate::commands::terminology::load;
use crate::support::http::{Answer, TestServer};
use crate::support::{TestDatabase, over_http};
use crate::terminology::snomed::{VERSION, release};

const SYSTEM: &str = "http://snomed.info/sct";
const ACTIVITY: &str = "99999999108";
const WALK: &str = "109999999109";
const GARDEN_WALK: &str = "129999999104";
const DANCE: &str = "249999999101";
const HUMOUR: &str = "89999999106";
const KNEE: &str = "149999999107";
const SORE_KNEE: &str = "69999999101";
const SITE: &str = "179999999100";

fn filled(database: &TestDatabase) -> TestServer {
    load(database, &release()).unwrap();
    TestServer::start(database)
}

fn codes(answer: &Answer) -> Vec<String> {
    let shown = answer.json();
    let entries = shown["expansion"]["contains"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["code"].as_str().unwrap().to_owned()).collect()
}

fn value_sets_are_expanded(database: &TestDatabase) {
    let server = filled(database);
    let all = server.get(&format!("ValueSet/$expand?url=http://snomed.info/sct?fhir_vs=isa/{ACTIVITY}")).expect(200);
    assert_eq!(all.json()["expansion"]["total"], 5);
    assert!(all.text.contains(&format!("{SYSTEM}|{VERSION}")), "{}", all.text);
    let ecl = format!("http://snomed.info/sct?fhir_vs=ecl/%3C%20{ACTIVITY}%20MINUS%20{DANCE}");
    let expand =
        |more: &str| server.get(&format!("ValueSet/$expand?url={}&{more}", ecl.replace('%', "%25"))).expect(200);
    assert_eq!(codes(&expand("")).len(), 3);
    // Any description is found; the preferred term is shown.
    let found = expand("filter=health%20walk");
    assert_eq!(codes(&found), [WALK]);
    assert_eq!(found.json()["expansion"]["contains"][0]["display"], "Group walk in the neighbourhood");
    let american = expand("filter=health&displayLanguage=en-US");
    assert_eq!(american.json()["expansion"]["contains"][0]["display"], "Group walk in the neighborhood");
    assert_eq!(codes(&expand("offset=1&count=1")).len(), 1);
    let designations = expand("includeDesignations=true&filter=health").json();
    let designations = designations["expansion"]["contains"][0]["designation"].as_array().unwrap().clone();
    assert_eq!(designations.len(), 4);
    assert!(designations.iter().any(|designation| designation["use"]["display"] == "Fully specified name"));
    let wrong = server.get("ValueSet/$expand?url=http://snomed.info/sct?fhir_vs=ecl/%3C%3C").expect(422);
    assert!(wrong.text.contains("expression constraint"), "{}", wrong.text);
    let other = "http://snomed.info/sct/900000000000207008/version/20200101?fhir_vs=isa/138875005";
    assert!(server.get(&format!("ValueSet/$expand?url={other}")).expect(422).text.contains("20200101"));
    server.get("ValueSet/$expand?url=http://snomed.info/sct?fhir_vs=unknown/1").expect(404);
}

fn codes_are_checked(database: &TestDatabase) {
    let server = filled(database);
    let set = format!("http://snomed.info/sct?fhir_vs=isa/{ACTIVITY}");
    let ask =
        |query: &str| server.get(&format!("ValueSet/$validate-code?url={set}&system={SYSTEM}&{query}")).expect(200);
    let result = |query: &str| named(&ask(query), "result");
    assert_eq!(result(&format!("code={WALK}&display=Health%20walk")), json!(true));
    assert_eq!(named(&ask(&format!("code={WALK}")), "display"), "Group walk in the neighbourhood");
    assert_eq!(result(&format!("code={WALK}&display=Run")), json!(false));
    assert_eq!(result(&format!("code={KNEE}")), json!(false));
    assert_eq!(result("code=19999999104"), json!(false));
    let beyond = format!("ValueSet/$validate-code?url={set}&system={SYSTEM}&code=1127581000000103");
    assert!(server.get(&beyond).expect(422).text.contains("namespace 1000000"));
    let of_system = |query: &str| server.get(&format!("CodeSystem/$validate-code?url={SYSTEM}&{query}"));
    let inactive = of_system(&format!("code={HUMOUR}")).expect(200);
    assert!(named(&inactive, "message").as_str().unwrap().contains("inactive"));
    assert_eq!(named(&of_system("code=123").expect(200), "result"), json!(false));
    assert_eq!(named(&of_system(&format!("code={WALK}&version={VERSION}")).expect(200), "result"), json!(true));
    of_system(&format!("code={WALK}&version=http://snomed.info/sct/1/version/20200101")).expect(422);
}

fn concepts_are_looked_up(database: &TestDatabase) {
    let server = filled(database);
    let answer = server.get(&format!("CodeSystem/$lookup?system={SYSTEM}&code={SORE_KNEE}")).expect(200);
    assert_eq!((named(&answer, "display"), named(&answer, "version")), (json!("Sore knee"), json!(VERSION)));
    let properties: Vec<Value> = answer.json()["parameter"].as_array().unwrap().clone();
    let has = |code: &str, value: &Value| {
        properties.iter().any(|parameter| {
            let parts = &parameter["part"];
            parts[0]["valueCode"] == code
                && parts[1].as_object().is_some_and(|part| part.values().any(|own| own == value))
        })
    };
    assert!(has("sufficientlyDefined", &json!(true)) && has("inactive", &json!(false)));
    assert!(has(SITE, &json!(KNEE)) && has("moduleId", &json!("229999999109")), "{}", answer.text);
    let one = server.get(&format!("CodeSystem/$lookup?system={SYSTEM}&code={SORE_KNEE}&property=parent")).expect(200);
    assert!(!one.text.contains("moduleId") && one.text.contains("29999999105"), "{}", one.text);
    server.get(&format!("CodeSystem/$lookup?system={SYSTEM}&code=19999999104")).expect(404);
    server.get(&format!("CodeSystem/$lookup?system={SYSTEM}&code=1127581000000103")).expect(422);
    let subsumes = |a: &str, b: &str| {
        named(&server.get(&format!("CodeSystem/$subsumes?system={SYSTEM}&codeA={a}&codeB={b}")).expect(200), "outcome")
    };
    assert_eq!(subsumes(ACTIVITY, GARDEN_WALK), "subsumes");
    assert_eq!(subsumes(GARDEN_WALK, WALK), "subsumed-by");
    assert_eq!(subsumes(WALK, DANCE), "not-subsumed");
}

/// Severity, rule and element of the issues that name SNOMED CT or the value set.
fn issues(answer: &Answer) -> Vec<(String, String, String)> {
    let all = answer.json()["issue"].as_array().cloned().unwrap_or_default();
    let text = |issue: &Value, name: &str| issue[name].as_str().unwrap_or_default().to_owned();
    all.iter()
        .map(|issue| {
            let rule = issue["details"]["coding"][0]["code"].as_str().unwrap_or_default().to_owned();
            (text(issue, "severity"), rule, issue["expression"][0].as_str().unwrap_or_default().to_owned())
        })
        .collect()
}

fn codings_are_validated(database: &TestDatabase) {
    let server = filled(database);
    let profile = json!({ "resourceType": "StructureDefinition", "id": "activity", "name": "Activity", "status": "active",
        "url": "http://test.example/StructureDefinition/activity", "kind": "resource", "abstract": false, "type": "Basic",
        "fhirVersion": "4.0.1", "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Basic", "derivation": "constraint",
        "differential": { "element": [{ "id": "Basic.code", "path": "Basic.code",
            "binding": { "strength": "required", "valueSet": "http://test.example/ValueSet/activities" } }] } });
    let rule = json!({ "include": [{ "system": SYSTEM,
        "filter": [{ "property": "constraint", "op": "=", "value": format!("<< {ACTIVITY} |Example activity|") }] }] });
    server.put("ValueSet/activities", &value_set("activities", rule)).expect(201);
    server.put("StructureDefinition/activity", &profile).expect(201);
    let validated = |coding: Value| {
        let basic = json!({ "resourceType": "Basic", "code": { "coding": [coding] },
            "meta": { "profile": ["http://test.example/StructureDefinition/activity"] } });
        let answer = server.post("Basic/$validate", &basic).expect(200);
        let found = issues(&answer);
        let of_code = found.into_iter().filter(|(_, rule, _)| {
            ["code-unknown", "code-inactive", "display-mismatch", "binding-required", "terminology-unloaded"]
                .contains(&rule.as_str())
        });
        of_code.map(|(severity, rule, _)| format!("{severity} {rule}")).collect::<Vec<_>>()
    };
    let coding = |code: &str, display: &str| json!({ "system": SYSTEM, "code": code, "display": display });
    assert_eq!(validated(coding(WALK, "Health walk")), [""; 0]);
    assert_eq!(validated(coding(WALK, "Run")), ["warning display-mismatch"]);
    assert_eq!(validated(coding(KNEE, "Knee of an example")), ["error binding-required"]);
    let mut unknown = validated(coding("19999999104", "x"));
    unknown.sort();
    assert_eq!(unknown, ["error binding-required", "error code-unknown"]);
    let mut inactive = validated(coding(HUMOUR, "Melancholy humour"));
    inactive.sort();
    assert_eq!(inactive, ["error binding-required", "warning code-inactive"]);
    let beyond = validated(coding("1127581000000103", "x"));
    assert!(beyond.iter().all(|issue| issue == "warning terminology-unloaded") && !beyond.is_empty(), "{beyond:?}");
}

fn searches_go_by_the_hierarchy(database: &TestDatabase) {
    let server = filled(database);
    for (id, code) in [("a", WALK), ("b", GARDEN_WALK), ("c", DANCE)] {
        let basic =
            json!({ "resourceType": "Basic", "id": id, "code": { "coding": [{ "system": SYSTEM, "code": code }] } });
        server.put(&format!("Basic/{id}"), &basic).expect(201);
    }
    let found = |query: &str| {
        let bundle = server.get(&format!("Basic?{query}")).expect(200).json();
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        let mut ids: Vec<String> =
            entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids.concat()
    };
    assert_eq!(found(&format!("code:below={SYSTEM}|{WALK}")), "ab");
    assert_eq!(found(&format!("code:above={SYSTEM}|{GARDEN_WALK}")), "ab");
    assert_eq!(found(&format!("code:in=http://snomed.info/sct?fhir_vs=isa/{ACTIVITY}")), "abc");
    assert_eq!(found(&format!("code:not-in=http://snomed.info/sct?fhir_vs=isa/{WALK}")), "c");
}

fn a_value_set_that_was_sent_is_worked_out(database: &TestDatabase) {
    let server = filled(database);
    let refined = json!({ "include": [{ "system": SYSTEM, "version": VERSION,
        "filter": [{ "property": "constraint", "op": "=", "value": format!("* : {SITE} = << {KNEE}") }] }],
        "exclude": [{ "system": SYSTEM, "concept": [{ "code": "79999999109" }] }] });
    let list = json!([{ "name": "valueSet", "resource": value_set("sent", refined) }]);
    assert_eq!(codes(&server.post("ValueSet/$expand", &parameters(list)).expect(200)), [SORE_KNEE]);
}

over_http!(
    value_sets_are_expanded,
    codes_are_checked,
    concepts_are_looked_up,
    codings_are_validated,
    searches_go_by_the_hierarchy,
    a_value_set_that_was_sent_is_worked_out,
);
