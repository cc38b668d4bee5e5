//! Rules of which no embedded profile makes use, and the finer points of the JSON form.

use kith::validate::rules::nhs_number;
use serde_json::{Value, json};

use super::support::{findings, profile, validator_with};
use super::validator;

const URL: &str = "http://test.example/StructureDefinition/rules";

fn check(type_: &str, elements: Value, resource: &Value) -> Vec<String> {
    findings(&validator_with(&[profile(URL, type_, elements)]), resource, URL)
}

fn plain(resource: &Value) -> Vec<String> {
    let options = kith::validate::Options { apply_by_type: false, ..Default::default() };
    let issues = validator().validate(resource, &options);
    issues
        .iter()
        .filter(|issue| issue.rule != "dom-6")
        .map(|issue| format!("{} at {}", issue.rule, issue.expression.as_deref().unwrap_or("nowhere")))
        .collect()
}

#[test]
fn least_and_greatest_values() {
    let elements = json!([
        { "id": "Patient.birthDate", "path": "Patient.birthDate", "minValueDate": "1900-01-01", "maxValueDate": "2024-12-31" },
        { "id": "Patient.multipleBirth[x]", "path": "Patient.multipleBirth[x]", "minValueInteger": 1, "maxValueInteger": 9 },
    ]);
    let patient = |date: &str, number: u32| json!({ "resourceType": "Patient", "birthDate": date, "multipleBirthInteger": number });
    assert_eq!(check("Patient", elements.clone(), &patient("1950-01", 2)), Vec::<String>::new());
    assert_eq!(
        check("Patient", elements.clone(), &patient("1899", 0)),
        ["error min-value at Patient.birthDate", "error min-value at Patient.multipleBirth.ofType(integer)"]
    );
    assert_eq!(
        check("Patient", elements, &patient("2025", 10)),
        ["error max-value at Patient.birthDate", "error max-value at Patient.multipleBirth.ofType(integer)"]
    );
}

#[test]
fn numbers_are_compared_by_value_and_quantities_in_one_unit() {
    let elements = json!([
        { "id": "Observation.value[x]", "path": "Observation.value[x]",
            "maxValueQuantity": { "value": 2.5, "system": "http://unitsofmeasure.org", "code": "kg" } },
        { "id": "Observation.component", "path": "Observation.component", "max": "0" },
    ]);
    let observation = |text: &str| -> Value {
        serde_json::from_str(&format!(
            r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"valueQuantity":{text}}}"#
        ))
        .unwrap()
    };
    let kilograms =
        |value: &str| observation(&format!(r#"{{"value":{value},"system":"http://unitsofmeasure.org","code":"kg"}}"#));
    assert_eq!(check("Observation", elements.clone(), &kilograms("2.50")), Vec::<String>::new());
    let above = ["error max-value at Observation.value.ofType(Quantity)"];
    assert_eq!(check("Observation", elements.clone(), &kilograms("2.500000000000000000001")), above);
    let grams = observation(r#"{"value":900,"system":"http://unitsofmeasure.org","code":"g"}"#);
    assert_eq!(check("Observation", elements, &grams), Vec::<String>::new());
}

#[test]
fn nulls_stand_only_beside_extensions() {
    let extension = json!({ "extension": [{ "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown" }] });
    let names = |given: Value, extras: Value| json!({ "resourceType": "Patient", "name": [{ "given": given, "_given": extras }] });
    assert_eq!(plain(&names(json!(["A", null]), json!([null, extension]))), Vec::<String>::new());
    assert_eq!(plain(&names(json!(["A", null]), json!([null, null]))), ["json-kind at Patient.name[0].given"]);
    assert_eq!(plain(&names(json!(["A"]), json!([null, extension]))), Vec::<String>::new());
    let alone = json!({ "resourceType": "Patient", "_birthDate": extension });
    assert_eq!(plain(&alone), Vec::<String>::new());
    let wrong = json!({ "resourceType": "Patient", "_birthDate": "x" });
    assert_eq!(plain(&wrong), ["json-kind at Patient.birthDate"]);
    let complex = json!({ "resourceType": "Patient", "_contact": [{}] });
    assert_eq!(plain(&complex), ["json-kind at Patient.contact"]);
}

#[test]
fn one_of_several_profiles_must_be_met() {
    const A: &str = "http://test.example/StructureDefinition/a";
    const B: &str = "http://test.example/StructureDefinition/b";
    let part = |element: &str| json!([{ "id": format!("Organization.{element}"), "path": format!("Organization.{element}"), "min": 1 }]);
    let elements = json!([{ "id": "Patient.contained", "path": "Patient.contained",
        "type": [{ "code": "Organization", "profile": [A, B] }] }]);
    let validator = validator_with(&[
        profile(URL, "Patient", elements),
        profile(A, "Organization", part("name")),
        profile(B, "Organization", part("alias")),
    ]);
    let patient = |organization: Value| json!({ "resourceType": "Patient", "managingOrganization": { "reference": "#o" }, "contained": [organization] });
    let alias = json!({ "resourceType": "Organization", "id": "o", "alias": ["x"], "identifier": [{ "value": "1" }] });
    assert_eq!(findings(&validator, &patient(alias), URL), Vec::<String>::new());
    let neither = json!({ "resourceType": "Organization", "id": "o", "identifier": [{ "value": "1" }] });
    assert_eq!(findings(&validator, &patient(neither), URL), ["error profile-unmet at Patient.contained[0]"]);
}

#[test]
fn a_profile_that_cannot_be_used_says_where_and_why() {
    let unknown_element = json!([{ "id": "Patient.shoeSize", "path": "Patient.shoeSize", "min": 1 }]);
    let broken_invariant = json!([{ "id": "Patient", "path": "Patient",
        "constraint": [{ "key": "x-1", "severity": "error", "human": "x", "expression": "name.where(" }] }]);
    for (elements, reason) in
        [(unknown_element, "Patient has no element shoeSize"), (broken_invariant, "invariant x-1")]
    {
        let validator = validator_with(&[profile(URL, "Patient", elements)]);
        let failures = validator.compile_all();
        assert_eq!(failures.len(), 1);
        assert!(failures[0].text.contains(URL) && failures[0].text.contains(reason), "{}", failures[0].text);
    }
}

#[test]
fn nearest_names_are_suggested() {
    let options = kith::validate::Options::default();
    let issues = validator()
        .validate(&json!({ "resourceType": "Patient", "brithDate": "1951-04-17", "gender": "femal" }), &options);
    let texts: Vec<&str> = issues.iter().map(|issue| issue.text.as_str()).collect();
    assert!(texts.iter().any(|text| text.contains("Did you mean birthDate?")), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("Did you mean female?")), "{texts:?}");
    assert!(!texts.iter().any(|text| text.contains("1951")), "{texts:?}");
}

#[test]
fn nhs_numbers_have_a_check_digit() {
    for valid in ["9990000018", "9434765919", "4010232137"] {
        assert!(nhs_number::is_valid(valid), "{valid}");
    }
    for invalid in ["9990000019", "999000001", "99900000188", "999 000 0018", "", "123456789X", "٩٩٩٠٠٠٠٠١٨"]
    {
        assert!(!nhs_number::is_valid(invalid), "{invalid}");
    }
}

#[test]
fn bundles_are_walked_with_their_own_places() {
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        { "fullUrl": "http://test.example/Patient/1", "resource": { "resourceType": "Patient", "id": "1" } },
        { "resource": { "resourceType": "Task", "status": "requested", "intent": "order", "for": { "reference": "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a" } } },
        { "fullUrl": "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a", "resource": { "resourceType": "Basic", "code": { "text": "x" }, "subject": { "reference": "Patient/1" }, "author": { "reference": "http://test.example/Patient/1" } } },
        { "resource": { "resourceType": "ServiceRequest", "status": "active", "intent": "order", "subject": { "reference": "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a" } } },
    ] });
    assert_eq!(plain(&bundle), ["reference-target at Bundle.entry[3].resource.subject"]);
}

#[test]
fn documents_need_full_urls_and_links_stand_once() {
    let link = |relation: &str| json!({ "relation": relation, "url": "http://test.example/Patient?page=1" });
    let bundle = json!({
        "resourceType": "Bundle", "type": "message", "link": [link("self"), link("next"), link("self"), link("alternate")],
        "entry": [
            { "resource": { "resourceType": "MessageHeader", "eventUri": "urn:e", "source": { "endpoint": "urn:s" } } },
            { "fullUrl": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "resource": { "resourceType": "Basic", "code": { "text": "x" } } },
        ],
    });
    let mut found = findings(validator(), &bundle, "http://hl7.org/fhir/StructureDefinition/Bundle");
    found.retain(|line| line.contains("bundle-"));
    assert_eq!(
        found,
        [
            "error bundle-full-url at Bundle.entry[0]",
            "error bundle-link at Bundle.link[1].relation",
            "error bundle-link at Bundle.link[2]",
            "warning bundle-unreachable at Bundle.entry[1]",
        ]
    );
}

#[test]
fn units_of_ucum_and_language_tags() {
    let weight = |unit: Value| json!({ "resourceType": "Observation", "status": "final", "code": { "text": "x" }, "valueQuantity": unit });
    let ucum = |code: &str| json!({ "value": 80, "system": "http://unitsofmeasure.org", "code": code });
    assert_eq!(plain(&weight(ucum("kg/m2"))), Vec::<String>::new());
    assert_eq!(plain(&weight(ucum("kgs"))), ["unit-code at Observation.value.ofType(Quantity).code"]);
    // What is no code at all is said once.
    assert_eq!(plain(&weight(ucum(""))), ["primitive-format at Observation.value.ofType(Quantity).code"]);
    let listing = |system: &str, code: &str| {
        json!({ "resourceType": "ValueSet", "status": "active",
        "compose": { "include": [{ "system": system, "concept": [{ "code": code }] }] } })
    };
    let listed = ["value-set-code at ValueSet.compose.include[0].concept[0]"];
    assert_eq!(plain(&listing("http://unitsofmeasure.org", "kg")), Vec::<String>::new());
    assert_eq!(plain(&listing("http://unitsofmeasure.org", "kgs")), listed);
    assert_eq!(plain(&listing("urn:ietf:bcp:47", "en_GB")), listed);
    assert_eq!(
        plain(&weight(json!({ "value": 1, "system": "http://example.org/units", "code": "kgs" }))),
        Vec::<String>::new()
    );
    let coded = |system: &str, code: &str| json!({ "resourceType": "Basic", "code": { "coding": [{ "system": system, "code": code }] } });
    let at = "Basic.code.coding[0].code";
    assert_eq!(plain(&coded("http://unitsofmeasure.org", "mg/dL")), Vec::<String>::new());
    assert_eq!(plain(&coded("http://unitsofmeasure.org", "mgs")), [format!("unit-code at {at}")]);
    assert_eq!(plain(&coded("urn:ietf:bcp:47", "en-GB")), Vec::<String>::new());
    assert_eq!(plain(&coded("urn:ietf:bcp:47", "en_GB")), [format!("language-tag at {at}")]);
    assert_eq!(plain(&coded("urn:ietf:bcp:13", "pdf")), [format!("code-unknown at {at}")]);
    let patient = |language: &str| json!({ "resourceType": "Patient", "language": language, "photo": [{ "language": language, "title": "x" }] });
    assert_eq!(plain(&patient("en-GB")), Vec::<String>::new());
    assert_eq!(
        plain(&patient("en_GB")),
        ["language-tag at Patient.language", "language-tag at Patient.photo[0].language"]
    );
}

#[test]
fn modifier_extensions_must_be_understood() {
    const MODIFIER: &str = "http://test.example/StructureDefinition/not-done";
    let mut definition = profile(
        MODIFIER,
        "Extension",
        json!([
            { "id": "Extension", "path": "Extension", "isModifier": true, "isModifierReason": "negates" },
            { "id": "Extension.url", "path": "Extension.url", "fixedUri": MODIFIER },
            { "id": "Extension.value[x]", "path": "Extension.value[x]", "min": 1, "type": [{ "code": "boolean" }] },
        ]),
    );
    definition["context"] = json!([{ "type": "element", "expression": "Element" }]);
    let own = validator_with(&[profile(URL, "Patient", json!([])), definition]);
    let modifier = json!([{ "url": MODIFIER, "valueBoolean": true }]);
    let patient = |holder: Value| json!({ "resourceType": "Patient", "contact": [holder] });
    let known = patient(json!({ "name": { "text": "x" }, "modifierExtension": modifier }));
    assert_eq!(findings(&own, &known, URL), Vec::<String>::new());
    assert_eq!(plain(&known), ["extension-modifier at Patient.contact[0].modifierExtension[0]"]);
    let misplaced = patient(json!({ "name": { "text": "x" }, "extension": modifier }));
    assert_eq!(findings(&own, &misplaced, URL), ["error extension-modifier at Patient.contact[0].extension[0]"]);
    // Datatypes have no modifiers.
    let in_name = patient(json!({ "name": { "text": "x", "modifierExtension": modifier } }));
    assert_eq!(findings(&own, &in_name, URL), ["error unknown-element at Patient.contact[0].name"]);
}

#[test]
fn elements_marked_as_must_support_are_listed_where_asked() {
    let elements = json!([
        { "id": "Patient.name", "path": "Patient.name", "mustSupport": true },
        { "id": "Patient.name.family", "path": "Patient.name.family", "mustSupport": true },
        { "id": "Patient.name.given", "path": "Patient.name.given", "mustSupport": true },
        { "id": "Patient.gender", "path": "Patient.gender", "mustSupport": true },
        { "id": "Patient.birthDate", "path": "Patient.birthDate" },
        { "id": "Patient.telecom", "path": "Patient.telecom",
            "slicing": { "discriminator": [{ "type": "value", "path": "system" }], "rules": "open" } },
        { "id": "Patient.telecom:phone", "path": "Patient.telecom", "sliceName": "phone", "mustSupport": true },
        { "id": "Patient.telecom:phone.system", "path": "Patient.telecom.system", "fixedCode": "phone" },
        { "id": "Patient.telecom:mail", "path": "Patient.telecom", "sliceName": "mail", "mustSupport": true },
        { "id": "Patient.telecom:mail.system", "path": "Patient.telecom.system", "fixedCode": "email" },
    ]);
    let validator = validator_with(&[profile(URL, "Patient", elements)]);
    let options = |must_support| kith::validate::Options {
        profiles: vec![URL.to_owned()],
        apply_by_type: false,
        must_support,
        ..Default::default()
    };
    let listed = |patient: &Value, must_support| -> Vec<String> {
        let issues = validator.validate(patient, &options(must_support));
        issues.into_iter().filter(|issue| issue.rule == "must-support").map(|issue| issue.text).collect()
    };
    let patient = json!({ "resourceType": "Patient", "name": [{ "family": "Thwaite" }], "telecom": [{ "system": "phone", "value": "1" }] });
    assert_eq!(listed(&patient, false), Vec::<String>::new());
    let states = [
        "name.family is present",
        "name.given is absent",
        "telecom:phone is present",
        "telecom:mail is absent",
        "name is present",
        "gender is absent",
    ];
    let expected: Vec<String> =
        states.iter().map(|state| format!("Patient.{state}; the profile marks it as mustSupport.")).collect();
    assert_eq!(listed(&patient, true), expected);
    let without = json!({ "resourceType": "Patient", "birthDate": "1951" });
    let absent = ["name is absent", "gender is absent", "telecom:phone is absent", "telecom:mail is absent"];
    let expected: Vec<String> =
        absent.iter().map(|state| format!("Patient.{state}; the profile marks it as mustSupport.")).collect();
    assert_eq!(listed(&without, true), expected);
}
