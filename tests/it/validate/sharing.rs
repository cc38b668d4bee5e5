//! What was compiled stays when definitions are added, as far as it does not depend on them.

use std::sync::Arc;

use kith::fhir::definitions::{Definitions, Part};
use kith::fhir::types::Types;
use kith::validate::{Settings, Validator};
use serde_json::{Value, json};

const PATIENT: &str = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient";
const LOCATION: &str = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-Location";

fn profile(url: &str, base: &str) -> Value {
    json!({
        "resourceType": "StructureDefinition", "url": url, "version": "1", "name": "P", "status": "active",
        "kind": "resource", "abstract": false, "type": "Patient", "baseDefinition": base, "derivation": "constraint",
        "differential": { "element": [{ "id": "Patient.name", "path": "Patient.name", "min": 1 }] },
    })
}

fn with(before: &Validator, definitions: &Arc<Definitions>, resource: &Value) -> (Validator, Arc<Definitions>) {
    let next = Arc::new(definitions.with_parts([&Part::of_resource(resource)]));
    let changed = next.succeed(definitions);
    (before.succeeding(Arc::clone(&next), &changed).unwrap(), next)
}

/// The address of the schema of a profile: the same where nothing was compiled anew.
fn schema(validator: &Validator, canonical: &str) -> usize {
    let index = validator.schemas().profile_index(canonical).unwrap();
    std::ptr::from_ref(validator.schemas().profile(index).unwrap()).addr()
}

#[test]
fn what_does_not_depend_on_a_new_definition_is_not_compiled_again() {
    let embedded = Definitions::embedded();
    let first = Validator::new(Arc::clone(&embedded), Settings::default()).unwrap();
    let type_ = Types::r4().get("Patient").unwrap();
    let address = |validator: &Validator| std::ptr::from_ref(validator.schemas().type_(type_).unwrap()).addr();
    let (patient, location, base) = (schema(&first, PATIENT), schema(&first, LOCATION), address(&first));
    let snapshot = embedded.snapshot(PATIENT).unwrap();
    let genders = first.terminology().compiled("http://hl7.org/fhir/ValueSet/administrative-gender").unwrap();

    let own = "http://test.example/StructureDefinition/own";
    let (second, definitions) = with(&first, &embedded, &profile(own, PATIENT));
    assert_eq!((schema(&second, PATIENT), schema(&second, LOCATION), address(&second)), (patient, location, base));
    assert!(Arc::ptr_eq(&definitions.snapshot(PATIENT).unwrap(), &snapshot));
    let same = second.terminology().compiled("http://hl7.org/fhir/ValueSet/administrative-gender").unwrap();
    assert!(Arc::ptr_eq(&genders, &same));

    // What is derived from it is compiled anew with it; what is not is not.
    let derived = "http://test.example/StructureDefinition/derived";
    let (third, definitions) = with(&second, &definitions, &profile(derived, own));
    let before = schema(&third, derived);
    let mut changed = profile(own, PATIENT);
    changed["version"] = json!("2");
    let (fourth, definitions) = with(&third, &definitions, &changed);
    assert_ne!(schema(&fourth, derived), before);
    assert_eq!(schema(&fourth, PATIENT), patient);

    // A value set or code system that an element is bound to, or that its value set names, counts as well.
    let snomed = json!({ "resourceType": "CodeSystem", "url": "http://snomed.info/sct", "version": "x", "status": "active",
        "content": "complete", "concept": [{ "code": "1" }] });
    let (fifth, _) = with(&fourth, &definitions, &snomed);
    assert_ne!(schema(&fifth, LOCATION), location);
}
