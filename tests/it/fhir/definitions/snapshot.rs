//! The snapshot generator on small profiles.

use std::sync::Arc;

use kith::fhir::definitions::package::{Manifest, Package};
use kith::fhir::definitions::{Definitions, ElementDefinition, Max, SlicingRules, Snapshot};
use kith::problem::{Kind, Problem};
use proptest::prelude::*;
use serde_json::{Value, json};

const CORE: &str = "http://hl7.org/fhir/StructureDefinition/";

fn profile(name: &str, kind: &str, base: &str, elements: &Value) -> Value {
    json!({
        "resourceType": "StructureDefinition", "url": format!("http://test.example/{name}"), "version": "1.0.0",
        "name": name, "status": "active", "kind": "resource", "abstract": false, "type": kind,
        "baseDefinition": base, "derivation": "constraint", "differential": { "element": elements },
    })
}

fn with(profiles: &[Value]) -> Definitions {
    let package = Package::new(Manifest { name: "test".into(), ..Manifest::default() }, profiles);
    Definitions::embedded().with_packages(vec![package]).unwrap()
}

/// The snapshot of one profile on a core type.
fn snapshot(kind: &str, elements: &Value) -> Result<Arc<Snapshot>, Problem> {
    with(&[profile("p", kind, &format!("{CORE}{kind}"), elements)]).snapshot("http://test.example/p")
}

fn ids<'a>(snapshot: &'a Snapshot, prefix: &str) -> Vec<&'a str> {
    snapshot.elements.iter().map(|element| element.id.as_str()).filter(|id| id.starts_with(prefix)).collect()
}

#[test]
fn a_path_into_a_datatype_opens_it() {
    let elements = json!([{ "id": "Patient.name.family", "path": "Patient.name.family", "min": 1 }]);
    let snapshot = snapshot("Patient", &elements).unwrap();
    assert_eq!(snapshot.element("Patient.name.family").unwrap().min, Some(1));
    assert_eq!(
        ids(&snapshot, "Patient.name."),
        [
            "Patient.name.id",
            "Patient.name.extension",
            "Patient.name.use",
            "Patient.name.text",
            "Patient.name.family",
            "Patient.name.given",
            "Patient.name.prefix",
            "Patient.name.suffix",
            "Patient.name.period",
        ]
    );
    let deep = json!([{ "id": "Patient.identifier.assigner.identifier.system", "path": "Patient.identifier.assigner.identifier.system", "min": 1 }]);
    let snapshot = self::snapshot("Patient", &deep).unwrap();
    assert_eq!(snapshot.element("Patient.identifier.assigner.identifier.system").unwrap().min, Some(1));
}

#[test]
fn slices_are_copies_with_their_own_cardinality() {
    let elements = json!([
        { "id": "Patient.identifier", "path": "Patient.identifier", "min": 1,
          "slicing": { "discriminator": [{ "type": "value", "path": "system" }], "rules": "closed" } },
        { "id": "Patient.identifier:nhs", "path": "Patient.identifier", "sliceName": "nhs", "max": "1" },
        { "id": "Patient.identifier:nhs.system", "path": "Patient.identifier.system", "fixedUri": "https://fhir.nhs.uk/Id/nhs-number" },
        { "id": "Patient.identifier:local", "path": "Patient.identifier", "sliceName": "local" },
        { "id": "Patient.identifier:local.system", "path": "Patient.identifier.system", "fixedUri": "http://local.example" },
    ]);
    let snapshot = snapshot("Patient", &elements).unwrap();
    let nhs = snapshot.element("Patient.identifier:nhs").unwrap();
    assert_eq!((nhs.min, nhs.max), (Some(0), Some(Max::Count(1))));
    assert!(nhs.slicing.is_none());
    assert_eq!(snapshot.element("Patient.identifier").unwrap().slicing.as_ref().unwrap().rules, SlicingRules::Closed);
    assert_eq!(
        snapshot.element("Patient.identifier:nhs.system").unwrap().fixed.as_deref(),
        Some(&json!("https://fhir.nhs.uk/Id/nhs-number"))
    );
    assert_eq!(
        snapshot.element("Patient.identifier:local.system").unwrap().fixed.as_deref(),
        Some(&json!("http://local.example"))
    );
    assert!(snapshot.element("Patient.identifier:nhs.system").unwrap().path == "Patient.identifier.system");
}

#[test]
fn a_derived_profile_slices_again() {
    let outer = profile(
        "outer",
        "Patient",
        &format!("{CORE}Patient"),
        &json!([
            { "id": "Patient.identifier", "path": "Patient.identifier",
              "slicing": { "discriminator": [{ "type": "value", "path": "system" }], "rules": "open" } },
            { "id": "Patient.identifier:nhs", "path": "Patient.identifier", "sliceName": "nhs", "min": 1 },
            { "id": "Patient.identifier:nhs.system", "path": "Patient.identifier.system", "min": 1 },
        ]),
    );
    let inner = profile(
        "inner",
        "Patient",
        "http://test.example/outer",
        &json!([
            { "id": "Patient.identifier:nhs", "path": "Patient.identifier", "sliceName": "nhs",
              "slicing": { "discriminator": [{ "type": "value", "path": "use" }], "rules": "open" } },
            { "id": "Patient.identifier:nhs/old", "path": "Patient.identifier", "sliceName": "nhs/old", "max": "1" },
            { "id": "Patient.identifier:nhs/old.use", "path": "Patient.identifier.use", "fixedCode": "old" },
            { "id": "Patient.identifier:nhs.value", "path": "Patient.identifier.value", "min": 1 },
        ]),
    );
    let snapshot = with(&[outer, inner]).snapshot("http://test.example/inner").unwrap();
    let heads: Vec<&str> = ids(&snapshot, "Patient.identifier")
        .into_iter()
        .filter(|id| !id.contains(".identifier.") && id.matches('.').count() == 1)
        .collect();
    assert_eq!(heads, ["Patient.identifier", "Patient.identifier:nhs", "Patient.identifier:nhs/old"]);
    assert_eq!(snapshot.element("Patient.identifier:nhs").unwrap().min, Some(1));
    assert_eq!(snapshot.element("Patient.identifier:nhs/old").unwrap().min, Some(0));
    assert_eq!(snapshot.element("Patient.identifier:nhs/old.system").unwrap().min, Some(1));
    assert_eq!(snapshot.element("Patient.identifier:nhs/old.use").unwrap().fixed.as_deref(), Some(&json!("old")));
    assert_eq!(snapshot.element("Patient.identifier:nhs.value").unwrap().min, Some(1));
}

#[test]
fn a_choice_is_sliced_by_type_or_narrowed() {
    let slices = json!([
        { "id": "Observation.value[x]", "path": "Observation.value[x]",
          "slicing": { "discriminator": [{ "type": "type", "path": "$this" }], "rules": "open" } },
        { "id": "Observation.value[x]:valueQuantity", "path": "Observation.value[x]", "sliceName": "valueQuantity" },
        { "id": "Observation.value[x]:valueQuantity.unit", "path": "Observation.value[x].unit", "min": 1 },
    ]);
    let snapshot = snapshot("Observation", &slices).unwrap();
    assert_eq!(snapshot.element("Observation.value[x]").unwrap().types.len(), 11);
    let quantity = snapshot.element("Observation.value[x]:valueQuantity").unwrap();
    assert_eq!(quantity.types.iter().map(|kind| kind.code.as_str()).collect::<Vec<_>>(), ["Quantity"]);
    assert_eq!(snapshot.element("Observation.value[x]:valueQuantity.unit").unwrap().min, Some(1));

    let short = json!([
        { "id": "Observation.valueQuantity", "path": "Observation.valueQuantity" },
        { "id": "Observation.valueQuantity.unit", "path": "Observation.valueQuantity.unit", "min": 1 },
        { "id": "Observation.valueString", "path": "Observation.valueString", "maxLength": 20 },
    ]);
    let snapshot = self::snapshot("Observation", &short).unwrap();
    let codes: Vec<&str> =
        snapshot.element("Observation.value[x]").unwrap().types.iter().map(|kind| kind.code.as_str()).collect();
    assert_eq!(codes, ["Quantity", "string"]);
    assert_eq!(snapshot.element("Observation.value[x]:valueQuantity.unit").unwrap().min, Some(1));
    assert_eq!(snapshot.element("Observation.value[x]:valueString").unwrap().max_length, Some(20));
}

#[test]
fn a_content_reference_is_opened_with_what_it_refers_to() {
    let elements = json!([
        { "id": "Questionnaire.item.item.item.linkId", "path": "Questionnaire.item.item.item.linkId", "maxLength": 9 },
    ]);
    let snapshot = snapshot("Questionnaire", &elements).unwrap();
    assert_eq!(snapshot.element("Questionnaire.item.item.item.linkId").unwrap().max_length, Some(9));
    assert_eq!(snapshot.element("Questionnaire.item.item.linkId").unwrap().max_length, None);
    let leaf = snapshot.element("Questionnaire.item.item.item.item").unwrap();
    assert_eq!(leaf.content_reference.as_deref(), Some("#Questionnaire.item"));
}

#[test]
fn an_extension_slice_takes_what_its_definition_says() {
    let elements = json!([
        { "id": "Patient.extension:birthPlace", "path": "Patient.extension", "sliceName": "birthPlace",
          "type": [{ "code": "Extension", "profile": [format!("{CORE}patient-birthPlace")] }] },
        { "id": "Patient.extension:birthPlace.value[x].city", "path": "Patient.extension.value[x].city", "min": 1 },
        { "id": "Patient.extension:unknown", "path": "Patient.extension", "sliceName": "unknown", "min": 1,
          "type": [{ "code": "Extension", "profile": ["http://nowhere.example/extension"] }] },
        { "id": "Patient.extension:unknown.url", "path": "Patient.extension.url", "min": 1 },
    ]);
    let snapshot = snapshot("Patient", &elements).unwrap();
    let slice = snapshot.element("Patient.extension:birthPlace").unwrap();
    assert_eq!((slice.min, slice.max), (Some(0), Some(Max::Count(1))));
    assert!(slice.constraints.iter().any(|constraint| constraint.key == "ext-1"));
    assert_eq!(snapshot.element("Patient.extension:birthPlace.value[x]").unwrap().types[0].code, "Address");
    assert_eq!(snapshot.element("Patient.extension:birthPlace.value[x].city").unwrap().min, Some(1));
    assert!(snapshot.element("Patient.extension").unwrap().slicing.is_some());
    assert_eq!(snapshot.element("Patient.extension:unknown").unwrap().min, Some(1));
}

#[test]
fn ids_are_made_where_a_differential_has_none() {
    let elements = json!([
        { "path": "Patient.identifier", "slicing": { "discriminator": [{ "type": "value", "path": "system" }], "rules": "open" } },
        { "path": "Patient.identifier", "sliceName": "nhs", "min": 1 },
        { "path": "Patient.identifier.system", "fixedUri": "https://fhir.nhs.uk/Id/nhs-number" },
    ]);
    let snapshot = snapshot("Patient", &elements).unwrap();
    assert!(snapshot.element("Patient.identifier:nhs.system").unwrap().fixed.is_some());
    assert!(snapshot.elements.iter().all(|element| element.id != "Patient.identifier.system"));
}

#[test]
fn definitions_that_cannot_work_are_refused_with_the_element() {
    let unknown = snapshot("Patient", &json!([{ "id": "Patient.nickname", "path": "Patient.nickname" }])).unwrap_err();
    assert_eq!(unknown.kind, Kind::Unprocessable);
    assert!(unknown.issues()[0].text.contains("Patient.nickname"));
    let other = snapshot("Patient", &json!([{ "id": "Task.status", "path": "Task.status" }])).unwrap_err();
    assert_eq!(other.kind, Kind::Unprocessable);
    let circular = with(&[
        profile("a", "Patient", "http://test.example/b", &json!([])),
        profile("b", "Patient", "http://test.example/a", &json!([])),
    ]);
    assert_eq!(circular.snapshot("http://test.example/a").unwrap_err().kind, Kind::Unprocessable);
    let missing = with(&[profile("c", "Patient", "http://test.example/none", &json!([]))]);
    assert_eq!(missing.snapshot("http://test.example/c").unwrap_err().kind, Kind::NotFound);
}

#[test]
fn hostile_differentials_end() {
    let deep = format!("Patient{}", ".extension".repeat(4000));
    assert!(snapshot("Patient", &json!([{ "id": deep, "path": deep }])).is_err());
    let mut many = Vec::new();
    for slice in 0..4000 {
        let id = format!("Observation.component:s{slice}");
        many.push(json!({ "id": id, "path": "Observation.component", "sliceName": format!("s{slice}") }));
    }
    many.insert(
        0,
        json!({ "id": "Observation.component", "path": "Observation.component",
        "slicing": { "discriminator": [{ "type": "value", "path": "code" }], "rules": "open" } }),
    );
    assert!(snapshot("Observation", &Value::Array(many)).is_err());
}

/// An element of a differential that may or may not make sense.
fn any_element() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "identifier",
        "name",
        "extension",
        "value[x]",
        "valueQuantity",
        "component",
        "code",
        "coding",
        "contained",
        "referenceRange",
        "subject",
        "",
        "nothing",
        "value[x]:valueString",
        "extension:a",
        "component:a/b",
        "a.b",
    ]);
    let kind =
        prop::sample::select(vec!["", "Quantity", "Extension", "Reference", "http://nowhere.example/x", "Resource"]);
    (prop::collection::vec(name, 0..6), kind, prop::option::of("[a-c]{1,2}"), any::<bool>()).prop_map(
        |(names, kind, slice, has_id)| {
            let id = names.iter().fold("Observation".to_owned(), |id, name| format!("{id}.{name}"));
            let path: Vec<&str> = id.split('.').map(|step| step.split(':').next().unwrap_or_default()).collect();
            let mut element = json!({ "path": path.join("."), "min": 1 });
            if has_id {
                element["id"] = json!(id);
            }
            if let Some(slice) = slice {
                element["sliceName"] = json!(slice);
            }
            if !kind.is_empty() {
                element["type"] = json!([{ "code": kind, "profile": ["http://test.example/p"] }]);
            }
            element
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_differentials_give_a_snapshot_or_a_problem(elements in prop::collection::vec(any_element(), 0..12)) {
        let _ = snapshot("Observation", &Value::Array(elements));
    }
}

/// What is written is what was generated, for every profile, extension and type that is loaded.
#[test]
fn snapshots_as_json_read_back_as_they_are() {
    let definitions = Definitions::embedded();
    let mut compared = 0;
    for (_, canonical) in definitions.canonicals("StructureDefinition") {
        let Ok(snapshot) = definitions.snapshot(&canonical) else { continue };
        for (element, written) in snapshot.elements.iter().zip(snapshot.to_json(&[])) {
            let read = ElementDefinition::from_json(&written).unwrap();
            assert_eq!((&read.id, &read.path, &read.slice_name), (&element.id, &element.path, &element.slice_name));
            assert_eq!((read.max, &read.slicing), (element.max, &element.slicing), "{written}");
            // The value of a primitive has a type of FHIRPath, which stands for another elsewhere.
            if element.types.iter().all(|type_| !type_.code.contains("/System.")) {
                assert_eq!(read.types, element.types, "{written}");
            }
            assert_eq!((&read.fixed, &read.pattern), (&element.fixed, &element.pattern), "{written}");
            assert_eq!((&read.min_value, &read.max_value), (&element.min_value, &element.max_value), "{written}");
            assert_eq!((read.must_support, read.is_modifier), (element.must_support, element.is_modifier), "{written}");
            assert_eq!((&read.constraints, &read.binding), (&element.constraints, &element.binding), "{written}");
            assert!(written["base"]["path"].is_string() && written["definition"].is_string(), "{written}");
            compared += 1;
        }
    }
    assert!(compared > 10_000, "{compared}");
}
