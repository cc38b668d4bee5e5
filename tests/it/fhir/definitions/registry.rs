//! Look-ups in the embedded registry.

use std::time::Instant;

use kith::fhir::definitions::{Definitions, Derivation, Strength, StructureKind};

const CORE: &str = "http://hl7.org/fhir/StructureDefinition/";

#[test]
fn the_registry_opens_quickly() {
    let start = Instant::now();
    let definitions = Definitions::embedded();
    eprintln!("registry: {:?}", start.elapsed());
    let start = Instant::now();
    assert!(definitions.search_parameters("Patient").len() > 20);
    eprintln!("search parameters: {:?}", start.elapsed());
}

#[test]
fn structures_are_found_by_url_and_version() {
    let definitions = Definitions::embedded();
    let patient = definitions.structure(&format!("{CORE}Patient")).unwrap();
    assert_eq!(patient.kind, StructureKind::Resource);
    assert_eq!(patient.derivation, Some(Derivation::Specialization));
    assert!(definitions.structure(&format!("{CORE}Patient|4.0.1")).is_some());
    assert!(definitions.structure(&format!("{CORE}Patient|4.0")).is_some());
    assert!(definitions.structure(&format!("{CORE}Patient|5.0.0")).is_none());
    assert!(definitions.structure(&format!("{CORE}Nothing")).is_none());
}

#[test]
fn terminology_is_found() {
    let definitions = Definitions::embedded();
    let genders = definitions.value_set("http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1").unwrap();
    assert_eq!(genders.compose.include[0].system.as_deref(), Some("http://hl7.org/fhir/administrative-gender"));
    let system = definitions.code_system("http://hl7.org/fhir/administrative-gender").unwrap();
    assert_eq!(system.concepts.len(), 4);
}

#[test]
fn search_parameters_are_inherited() {
    let definitions = Definitions::embedded();
    let codes: Vec<String> =
        definitions.search_parameters("Task").iter().map(|parameter| parameter.code.clone()).collect();
    for code in ["_id", "_lastUpdated", "_profile", "_text", "owner", "business-status", "status"] {
        assert!(codes.iter().any(|known| known == code), "{code} in {codes:?}");
    }
}

#[test]
fn a_snapshot_has_inherited_and_own_elements() {
    let definitions = Definitions::embedded();
    let snapshot = definitions.snapshot(&format!("{CORE}Patient")).unwrap();
    let gender = snapshot.element("Patient.gender").unwrap();
    assert_eq!(gender.binding.as_ref().unwrap().strength, Strength::Required);
    assert!(snapshot.element("Patient.contact.modifierExtension").is_some());
    assert!(snapshot.element("Patient.meta").is_some());
}

#[test]
fn every_embedded_structure_has_a_snapshot() {
    let definitions = Definitions::embedded();
    let start = Instant::now();
    let (mut count, mut elements) = (0, 0);
    for (package, canonical) in definitions.canonicals("StructureDefinition") {
        let snapshot =
            definitions.snapshot(&canonical).unwrap_or_else(|problem| panic!("{package} {canonical}: {problem}"));
        count += 1;
        elements += snapshot.elements.len();
    }
    eprintln!("{count} snapshots with {elements} elements in {:?}", start.elapsed());
}

/// Required bindings whose value set nobody publishes as a definition of R4.
const UNPUBLISHED: &[&str] = &[
    // An answer list of LOINC.
    "http://loinc.org/vs/LL379-9|4.0.1",
    // Value sets of FHIR R5 and R6, which UK Core's copies of later extensions name.
    "http://hl7.org/fhir/ValueSet/observation-triggeredbytype",
    "http://hl7.org/fhir/ValueSet/patient-fetalstatus",
    "http://hl7.org/fhir/ValueSet/subscription-payload-content",
];

#[test]
fn the_value_sets_of_required_bindings_are_there() {
    let definitions = Definitions::embedded();
    let mut missing = Vec::new();
    for (_, canonical) in definitions.canonicals("StructureDefinition") {
        let structure = definitions.structure(&canonical).unwrap();
        let bindings = structure.differential.iter().filter_map(|element| element.binding.as_ref());
        let required = bindings.filter(|binding| binding.strength == Strength::Required);
        for value_set in required.filter_map(|binding| binding.value_set.clone()) {
            if definitions.value_set(&value_set).is_none() && !UNPUBLISHED.contains(&value_set.as_str()) {
                missing.push(format!("{canonical}: {value_set}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
