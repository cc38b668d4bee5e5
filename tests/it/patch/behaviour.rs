//! What the public suites leave out: siblings of primitives, choices, bounds, what is refused and how.

use kith::patch::Patch;
use kith::problem::Problem;
use serde_json::{Value, json};

fn patient() -> Value {
    json!({
        "resourceType": "Patient", "id": "rose", "birthDate": "1948-02-03",
        "_birthDate": { "extension": [{ "url": "https://example.org/e", "valueString": "x" }] },
        "name": [{ "family": "Appleby", "given": ["Rose", "Ann"], "_given": [null, { "id": "second" }] }],
        "deceasedBoolean": false
    })
}

fn json_patch(operations: &Value) -> Result<Value, Problem> {
    Patch::json(operations)?.apply(&patient(), 0)
}

/// An operation of a FHIRPath Patch; `parts` are further parts as (name, value[x] name, value).
fn operation(kind: &str, path: &str, parts: &[(&str, &str, Value)]) -> Value {
    let mut all = vec![json!({ "name": "type", "valueCode": kind }), json!({ "name": "path", "valueString": path })];
    for (name, typed, value) in parts {
        all.push(json!({ "name": name, *typed: value }));
    }
    json!({ "name": "operation", "part": all })
}

fn fhirpath_patch(operations: &[Value]) -> Result<Value, Problem> {
    Patch::fhirpath(&json!({ "resourceType": "Parameters", "parameter": operations }))?.apply(&patient(), 0)
}

fn rule(problem: &Problem) -> &str {
    &problem.issues()[0].rule
}

#[test]
fn numbers_are_equal_by_value() {
    for (one, other, same) in
        [("1.0", "1.00", true), ("10", "1e1", true), ("0.1", "0.10000000000000000001", false), ("1", "2", false)]
    {
        let document: Value = serde_json::from_str(&format!("{{\"n\":{one}}}")).unwrap();
        let patch: Value =
            serde_json::from_str(&format!("[{{\"op\":\"test\",\"path\":\"/n\",\"value\":{other}}}]")).unwrap();
        assert_eq!(Patch::json(&patch).unwrap().apply_plainly(&document).is_ok(), same, "{one} {other}");
    }
}

#[test]
fn a_failing_test_names_its_operation() {
    let problem = json_patch(&json!([
        { "op": "replace", "path": "/birthDate", "value": "1950" },
        { "op": "test", "path": "/id", "value": "lily" },
    ]))
    .unwrap_err();
    assert_eq!((problem.kind.status(), rule(&problem)), (422, "patch-test"));
    assert_eq!(problem.issues()[0].expression.as_deref(), Some("http.body[1]"));
}

#[test]
fn members_keep_their_order_and_lists_left_empty_go() {
    let patched = json_patch(&json!([{ "op": "remove", "path": "/birthDate" }, { "op": "remove", "path": "/name/0" }]));
    let patched = patched.unwrap();
    let names: Vec<&String> = patched.as_object().unwrap().keys().collect();
    assert_eq!(names, ["resourceType", "id", "_birthDate", "deceasedBoolean"]);
    let patched = json_patch(&json!([{ "op": "remove", "path": "/name/0/_given/1/id" }])).unwrap();
    assert_eq!(patched["name"], json!([{ "family": "Appleby", "given": ["Rose", "Ann"] }]));
}

#[test]
fn type_and_id_stay() {
    for operations in [
        json!([{ "op": "replace", "path": "/id", "value": "lily" }]),
        json!([{ "op": "remove", "path": "/resourceType" }]),
        json!([{ "op": "replace", "path": "", "value": { "resourceType": "Group", "id": "rose" } }]),
        json!([{ "op": "replace", "path": "", "value": 7 }]),
    ] {
        assert_eq!(rule(&json_patch(&operations).unwrap_err()), "patch-identity", "{operations}");
    }
    let replaced = json!([{ "op": "add", "path": "", "value": { "resourceType": "Patient", "id": "rose" } }]);
    assert_eq!(json_patch(&replaced).unwrap(), json!({ "resourceType": "Patient", "id": "rose" }));
    let change = operation("replace", "Patient.id", &[("value", "valueId", json!("lily"))]);
    assert_eq!(rule(&fhirpath_patch(&[change]).unwrap_err()), "patch-identity");
}

#[test]
fn copies_cannot_grow_without_end() {
    let doubled: Vec<Value> =
        (0..40).map(|_| json!({ "op": "copy", "from": "/name", "path": "/name/0/more" })).collect();
    assert_eq!(rule(&json_patch(&json!(doubled)).unwrap_err()), "patch-size");
    let wide: Vec<Value> = (0..40)
        .map(|number| json!({ "op": "copy", "from": "", "path": format!("/x{number}") }))
        .flat_map(|copy| [copy, json!({ "op": "move", "from": "/name", "path": "/name" })])
        .collect();
    assert_eq!(rule(&json_patch(&json!(wide)).unwrap_err()), "patch-size");
    let many: Vec<Value> = (0..1001).map(|_| json!({ "op": "test", "path": "/id", "value": "rose" })).collect();
    assert_eq!(json_patch(&json!(many)).unwrap_err().kind.status(), 400);
}

#[test]
fn documents_that_are_no_patch_are_refused() {
    for document in [
        json!({ "op": "remove", "path": "/id" }),
        json!([{ "op": "erase", "path": "/id" }]),
        json!([{ "op": "remove" }]),
        json!([{ "op": "remove", "path": "id" }]),
        json!([{ "op": "remove", "path": "/a~2" }]),
        json!([{ "op": "add", "path": "/id" }]),
        json!([{ "op": "move", "path": "/id" }]),
        json!([7]),
    ] {
        assert_eq!(Patch::json(&document).unwrap_err().kind.status(), 400, "{document}");
    }
    for parameters in [
        json!([]),
        json!({ "resourceType": "Patient" }),
        json!({ "resourceType": "Parameters", "parameter": [{ "name": "other" }] }),
        json!({ "resourceType": "Parameters", "parameter": [operation("add", "Patient", &[])] }),
        json!({ "resourceType": "Parameters", "parameter": [operation("delete", "Patient.((", &[])] }),
        json!({ "resourceType": "Parameters", "parameter": [operation("erase", "Patient.id", &[])] }),
        json!({ "resourceType": "Parameters",
                "parameter": [operation("insert", "Patient.name", &[("index", "valueInteger", json!(-1))])] }),
    ] {
        assert_eq!(Patch::fhirpath(&parameters).unwrap_err().kind.status(), 400, "{parameters}");
    }
}

#[test]
fn primitives_go_with_what_stands_beside_them() {
    let patched = fhirpath_patch(&[operation("delete", "Patient.birthDate", &[])]).unwrap();
    assert!(patched.get("_birthDate").is_none() && patched.get("birthDate").is_none());
    let patched = fhirpath_patch(&[operation("delete", "Patient.name.given[0]", &[])]).unwrap();
    assert_eq!(patched["name"][0]["given"], json!(["Ann"]));
    assert_eq!(patched["name"][0]["_given"], json!([{ "id": "second" }]));
    let moved = [("source", "valueInteger", json!(1)), ("destination", "valueInteger", json!(0))];
    let patched = fhirpath_patch(&[operation("move", "Patient.name.given", &moved)]).unwrap();
    assert_eq!(patched["name"][0]["given"], json!(["Ann", "Rose"]));
    assert_eq!(patched["name"][0]["_given"], json!([{ "id": "second" }, null]));
    let extension = json!({ "url": "https://example.org/f", "valueCode": "y" });
    let parts = [("name", "valueString", json!("extension")), ("value", "valueExtension", extension.clone())];
    let patched = fhirpath_patch(&[operation("add", "Patient.name.given[0]", &parts)]).unwrap();
    assert_eq!(patched["name"][0]["_given"], json!([{ "extension": [extension] }, { "id": "second" }]));
    let patched = fhirpath_patch(&[operation("delete", "Patient.birthDate.extension[0]", &[])]).unwrap();
    assert!(patched.get("_birthDate").is_none());
}

#[test]
fn a_choice_takes_the_name_of_its_type() {
    let when = [("value", "valueDateTime", json!("2026-11-01"))];
    let patched = fhirpath_patch(&[operation("replace", "Patient.deceased", &when)]).unwrap();
    assert_eq!(patched["deceasedDateTime"], "2026-11-01");
    assert!(patched.get("deceasedBoolean").is_none());
    let births = [("name", "valueString", json!("multipleBirth")), ("value", "valueInteger", json!(2))];
    assert_eq!(fhirpath_patch(&[operation("add", "Patient", &births)]).unwrap()["multipleBirthInteger"], 2);
    let wrong = [("value", "valueString", json!("no"))];
    assert!(fhirpath_patch(&[operation("replace", "Patient.deceased", &wrong)]).is_err());
}

#[test]
fn lists_are_begun_and_bounded() {
    let telecom = json!({ "system": "phone", "value": "1" });
    let at = |index: usize| [("index", "valueInteger", json!(index)), ("value", "valueContactPoint", telecom.clone())];
    let patched = fhirpath_patch(&[operation("insert", "Patient.telecom", &at(0))]).unwrap();
    assert_eq!(patched["telecom"], json!([telecom]));
    assert!(fhirpath_patch(&[operation("insert", "Patient.telecom", &at(1))]).is_err());
    assert!(fhirpath_patch(&[operation("insert", "Patient.birthDate", &at(0))]).is_err());
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    let value = [("value", "valueString", json!("x"))];
    for (kind, path) in [
        ("replace", "Patient.name.given"),
        ("replace", "Patient.gender"),
        ("replace", "'text'"),
        ("replace", "Patient"),
        ("delete", "Patient.name.given"),
        ("delete", "Patient.nmae"),
        ("delete", "Patient"),
    ] {
        let problem = fhirpath_patch(&[operation(kind, path, &value)]).unwrap_err();
        assert_eq!((problem.kind.status(), rule(&problem)), (422, "patch-path"), "{kind} {path}");
        assert_eq!(problem.issues()[0].expression.as_deref(), Some("Parameters.parameter[0]"));
    }
    // To delete what is absent is done already.
    assert_eq!(fhirpath_patch(&[operation("delete", "Patient.gender", &[])]).unwrap(), patient());
    // Each item of the list has the name already.
    let again = [("name", "valueString", json!("birthDate")), ("value", "valueDate", json!("1950"))];
    assert!(fhirpath_patch(&[operation("add", "Patient", &again)]).is_err());
}
