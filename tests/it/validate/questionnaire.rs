//! Answers against their Questionnaire, rule by rule.

use serde_json::{Value, json};

use super::support::{findings, validator_with};

const URL: &str = "http://test.example/Questionnaire/q";
const BASE: &str = "http://hl7.org/fhir/StructureDefinition/QuestionnaireResponse";

fn extension(name: &str, value: Value) -> Value {
    let mut extension = json!({ "url": format!("http://hl7.org/fhir/StructureDefinition/{name}") });
    extension.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
    extension
}

/// The errors of a response with these items to a Questionnaire with those.
fn check(status: &str, questions: Value, items: Value) -> Vec<String> {
    let questionnaire = json!({ "resourceType": "Questionnaire", "url": URL, "status": "active", "item": questions });
    let response =
        json!({ "resourceType": "QuestionnaireResponse", "questionnaire": URL, "status": status, "item": items });
    let mut found = findings(&validator_with(&[questionnaire]), &response, BASE);
    found.retain(|line| line.starts_with("error"));
    found
}

fn one(question: Value, answers: Value) -> Vec<String> {
    let mut question = question;
    question["linkId"] = json!("q");
    check("completed", json!([question]), json!([{ "linkId": "q", "answer": answers }]))
}

const NONE: [&str; 0] = [];

#[test]
fn items_stand_where_the_questionnaire_has_them() {
    let questions = json!([
        { "linkId": "g", "type": "group", "required": true, "item": [{ "linkId": "g.1", "type": "string" }] },
        { "linkId": "s", "type": "display" }, { "linkId": "q", "type": "string", "required": true },
    ]);
    let answer = json!([{ "valueString": "a" }]);
    let good = json!([{ "linkId": "g", "item": [{ "linkId": "g.1", "answer": answer }] }, { "linkId": "q", "answer": answer }]);
    assert_eq!(check("completed", questions.clone(), good), NONE);
    let wrong = json!([
        { "linkId": "s", "answer": answer }, { "linkId": "g" }, { "linkId": "g.1", "answer": answer }, { "linkId": "x" },
    ]);
    assert_eq!(
        check("completed", questions.clone(), wrong),
        [
            "error questionnaire-link-id at QuestionnaireResponse",
            "error questionnaire-required at QuestionnaireResponse",
            "error questionnaire-required at QuestionnaireResponse.item[1]",
            "error questionnaire-structure at QuestionnaireResponse",
            "error questionnaire-structure at QuestionnaireResponse.item[0]",
            "error questionnaire-structure at QuestionnaireResponse.item[1]",
        ]
    );
    assert_eq!(check("in-progress", questions, json!([{ "linkId": "g" }])), NONE);
}

#[test]
fn answers_have_the_type_and_number_that_are_asked_for() {
    let place = "QuestionnaireResponse.item[0]";
    assert_eq!(
        one(json!({ "type": "boolean" }), json!([{ "valueString": "yes" }])),
        [format!("error questionnaire-answer-type at {place}.answer[0].value.ofType(string)")]
    );
    let two = json!([{ "valueInteger": 1 }, { "valueInteger": 2 }]);
    assert_eq!(one(json!({ "type": "integer" }), two.clone()), [format!("error questionnaire-repeats at {place}")]);
    assert_eq!(one(json!({ "type": "integer", "repeats": true }), two.clone()), NONE);
    let most = extension("questionnaire-maxOccurs", json!({ "valueInteger": 1 }));
    assert_eq!(
        one(json!({ "type": "integer", "repeats": true, "extension": [most] }), two),
        [format!("error questionnaire-repeats at {place}")]
    );
}

#[test]
fn answers_keep_within_limits() {
    let limits = json!([
        extension("minValue", json!({ "valueDate": "2020" })),
        extension("maxValue", json!({ "valueDate": "2022-06" })),
    ]);
    let dates = json!([{ "valueDate": "2019-12-31" }, { "valueDate": "2021" }, { "valueDate": "2022-07" }]);
    let place = "QuestionnaireResponse.item[0].answer";
    assert_eq!(
        one(json!({ "type": "date", "repeats": true, "extension": limits }), dates),
        [0, 2].map(|index| format!("error questionnaire-answer-limit at {place}[{index}].value.ofType(date)"))
    );
    let format = json!([
        extension("minLength", json!({ "valueInteger": 3 })),
        extension("regex", json!({ "valueString": "[a-z]+" })),
    ]);
    let texts = json!([{ "valueString": "abc" }, { "valueString": "ab" }, { "valueString": "ab1" }, { "valueString": "abcdef" }]);
    assert_eq!(
        one(json!({ "type": "string", "repeats": true, "maxLength": 5, "extension": format }), texts),
        [1, 2, 3].map(|index| format!("error questionnaire-answer-limit at {place}[{index}].value.ofType(string)"))
    );
    let minimum = json!({ "url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-minQuantity",
        "valueQuantity": { "value": 1, "system": "http://unitsofmeasure.org", "code": "kg" } });
    let weight = |value: Value, code: &str| json!({ "valueQuantity": { "value": value, "unit": code, "system": "http://unitsofmeasure.org", "code": code } });
    let weights = json!([weight(json!(1500), "g"), weight(json!(999), "g"), weight(json!(5), "m")]);
    assert_eq!(
        one(json!({ "type": "quantity", "repeats": true, "extension": [minimum] }), weights),
        [1, 2].map(|index| format!("error questionnaire-answer-limit at {place}[{index}].value.ofType(Quantity)"))
    );
}

#[test]
fn answers_are_among_the_options() {
    let options = json!([{ "valueCoding": { "system": "urn:s", "code": "a" } }, { "valueCoding": { "code": "b" } }]);
    let answers = json!([
        { "valueCoding": { "system": "urn:s", "code": "a" } }, { "valueCoding": { "system": "urn:t", "code": "a" } },
        { "valueCoding": { "system": "urn:t", "code": "b" } }, { "valueString": "else" },
    ]);
    let wrong = "error questionnaire-answer-option at QuestionnaireResponse.item[0].answer[1]";
    assert_eq!(one(json!({ "type": "open-choice", "repeats": true, "answerOption": options }), answers), [wrong]);
    let set = "http://hl7.org/fhir/ValueSet/administrative-gender";
    let codes = ["female", "robin"]
        .map(|code| json!({ "valueCoding": { "system": "http://hl7.org/fhir/administrative-gender", "code": code } }));
    let found = one(json!({ "type": "choice", "repeats": true, "answerValueSet": set }), json!(codes));
    assert!(found.contains(&wrong.to_owned()), "{found:?}");
}

#[test]
fn items_that_are_not_enabled_have_no_answers() {
    let questions = json!([{ "linkId": "g", "type": "group", "repeats": true, "item": [
        { "linkId": "a", "type": "integer" },
        { "linkId": "b", "type": "string", "required": true, "enableWhen": [{ "question": "a", "operator": ">", "answerInteger": 1 }] },
    ]}]);
    let group = |a: i64, b: bool| {
        let mut items = vec![json!({ "linkId": "a", "answer": [{ "valueInteger": a }] })];
        items.extend(b.then(|| json!({ "linkId": "b", "answer": [{ "valueString": "x" }] })));
        json!({ "linkId": "g", "item": items })
    };
    assert_eq!(
        check("completed", questions, json!([group(2, true), group(1, false), group(1, true), group(2, false)])),
        [
            "error questionnaire-disabled at QuestionnaireResponse.item[2].item[1]",
            "error questionnaire-required at QuestionnaireResponse.item[3]",
        ]
    );
}

#[test]
fn conditions_name_questions_that_are_asked_elsewhere() {
    let item = |question: &str| {
        json!([{ "linkId": "a", "type": "group", "enableWhen": [{ "question": question, "operator": "exists", "answerBoolean": true }],
            "item": [{ "linkId": "b", "type": "string" }] }, { "linkId": "c", "type": "string" }])
    };
    let errors = |question: &str| {
        let questionnaire = json!({ "resourceType": "Questionnaire", "status": "draft", "item": item(question) });
        let base = "http://hl7.org/fhir/StructureDefinition/Questionnaire";
        let mut found = findings(super::validator(), &questionnaire, base);
        found.retain(|line| line.starts_with("error"));
        found
    };
    assert_eq!(errors("c"), NONE);
    for wrong in ["a", "b", "nowhere"] {
        assert_eq!(errors(wrong), ["error questionnaire-enable-when at Questionnaire.item[0]"]);
    }
}
