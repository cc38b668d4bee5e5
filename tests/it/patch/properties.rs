//! Properties: nothing panics, JSON Patch agrees with another implementation on plain documents.

use kith::patch::Patch;
use proptest::prelude::*;
use serde_json::{Value, json};

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_i64..10).prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
    ]
}

fn document() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map("[a-c]", inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn pointer() -> impl Strategy<Value = String> {
    let step = prop_oneof![Just("a"), Just("b"), Just("c"), Just("0"), Just("1"), Just("-"), Just("~1"), Just("01")];
    prop::collection::vec(step, 0..4).prop_map(|steps| steps.iter().fold(String::new(), |all, step| all + "/" + step))
}

fn operations() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec!["add", "remove", "replace", "move", "copy", "test"]);
    let operation = (name, pointer(), pointer(), document()).prop_map(|(op, path, from, value)| match op {
        "move" | "copy" => json!({ "op": op, "path": path, "from": from }),
        "remove" => json!({ "op": op, "path": path }),
        _ => json!({ "op": op, "path": path, "value": value }),
    });
    prop::collection::vec(operation, 1..5).prop_map(Value::Array)
}

/// What the other implementation (whose undoing may panic, and is not asked for) does otherwise than RFC 6902 says: it takes a whole document away (null is left), moves
/// a value into itself, and reads `01` as an index.
fn is_disputed(operations: &Value) -> bool {
    operations.as_array().unwrap().iter().any(|operation| {
        let text = |name: &str| operation[name].as_str().unwrap_or("/");
        let whole =
            text("op") == "remove" && text("path").is_empty() || text("op") == "move" && text("from").is_empty();
        whole || text("op") == "move" && text("path").starts_with(text("from")) || operation.to_string().contains("/01")
    })
}

proptest! {
    #[test]
    fn json_patch_agrees_with_another_implementation(document in document(), operations in operations()) {
        prop_assume!(!is_disputed(&operations));
        let ours = Patch::json(&operations).and_then(|patch| patch.apply_plainly(&document));
        let mut theirs = document.clone();
        let patch: json_patch::Patch = serde_json::from_value(operations).unwrap();
        let outcome = json_patch::patch_unsafe(&mut theirs, &patch);
        match ours {
            Ok(ours) => {
                prop_assert!(outcome.is_ok(), "{outcome:?}");
                prop_assert_eq!(ours, theirs);
            }
            Err(problem) => prop_assert!(outcome.is_err(), "{problem}"),
        }
    }

    #[test]
    fn no_json_patch_panics(document in document(), operations in operations(), odd in document()) {
        for patch in [Patch::json(&operations), Patch::json(&odd), Patch::fhirpath(&odd)].into_iter().flatten() {
            let _ = patch.apply(&document, 0);
        }
    }

    #[test]
    fn no_fhirpath_patch_panics(
        kind in prop::sample::select(vec!["add", "insert", "delete", "replace", "move"]),
        path in prop::sample::select(vec![
            "Patient", "Patient.name", "Patient.name[0]", "Patient.name.given", "Patient.name.given[1]", "Patient.contained",
            "Patient.contained[0].name", "Patient.deceased", "Patient.birthDate.extension", "Patient.name.given.id", "1 + 1",
            "Patient.contact", "Patient.contact.name", "Patient.descendants()", "Patient.name.where(false)", "%resource.id",
        ]),
        name in prop::sample::select(vec!["name", "given", "deceased", "extension", "contact", "gender", "nothing", ""]),
        typed in prop::sample::select(vec!["valueString", "valueHumanName", "valueBoolean", "_valueString", "resource", "part"]),
        value in document(),
        numbers in (0_usize..4, 0_usize..4),
    ) {
        let patient = json!({
            "resourceType": "Patient", "id": "p", "deceasedBoolean": true, "birthDate": "1948",
            "_birthDate": { "extension": [{ "url": "https://example.org/e", "valueDecimal": 1.50 }] },
            "name": [{ "given": ["A", null], "_given": [null, { "id": "x" }] }, { "family": "B" }],
            "contained": [{ "resourceType": "Organization", "id": "o", "name": "C" }],
        });
        let parameters = json!({ "resourceType": "Parameters", "parameter": [{ "name": "operation", "part": [
            { "name": "type", "valueCode": kind }, { "name": "path", "valueString": path },
            { "name": "name", "valueString": name }, { "name": "value", typed: value },
            { "name": "index", "valueInteger": numbers.0 }, { "name": "source", "valueInteger": numbers.0 },
            { "name": "destination", "valueInteger": numbers.1 },
        ] }] });
        if let Ok(patch) = Patch::fhirpath(&parameters)
            && let Ok(patched) = patch.apply(&patient, 0)
        {
            prop_assert_eq!(&patched["id"], "p");
        }
    }
}
