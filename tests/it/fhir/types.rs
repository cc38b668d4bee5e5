//! The type table against facts of the specification.

use std::time::Instant;

use kith::fhir::types::{PrimitiveKind, TypeKind, Types};

fn name(types: &Types, parent: &str, child: &str) -> String {
    let (_, index) = types.child(types.get(parent).unwrap(), child).unwrap();
    types.definition(index).name.to_string()
}

#[test]
fn the_table_is_compiled_quickly() {
    let start = Instant::now();
    let types = Types::r4();
    eprintln!("type table: {} types in {:?}", types.all().count(), start.elapsed());
    assert_eq!(types.resource_types().len(), 146);
    assert!(types.is_resource_type("ServiceRequest"));
    assert!(!types.is_resource_type("DomainResource"));
    assert!(!types.is_resource_type("HumanName"));
}

#[test]
fn children_have_their_types() {
    let types = Types::r4();
    assert_eq!(name(types, "Patient", "contact"), "Patient.contact");
    assert_eq!(name(types, "Patient.contact", "name"), "HumanName");
    assert_eq!(name(types, "Patient", "id"), "id");
    assert_eq!(name(types, "HumanName", "id"), "string");
    assert_eq!(name(types, "Patient", "deceasedDateTime"), "dateTime");
    assert_eq!(name(types, "Extension", "valueCodeableConcept"), "CodeableConcept");
    assert_eq!(name(types, "Extension", "url"), "uri");
    assert_eq!(name(types, "Condition", "onsetAge"), "Age");
    assert_eq!(name(types, "Narrative", "div"), "xhtml");
    assert_eq!(name(types, "Bundle.entry", "resource"), "Resource");
    assert_eq!(name(types, "string", "extension"), "Extension");
    assert_eq!(name(types, "Timing", "repeat"), "Timing.repeat");
    assert!(types.child(types.get("Patient").unwrap(), "deceased").is_none());
    assert!(types.child(types.get("string").unwrap(), "value").is_none());
}

#[test]
fn content_references_lead_back() {
    let types = Types::r4();
    assert_eq!(name(types, "Questionnaire.item", "item"), "Questionnaire.item");
    assert_eq!(name(types, "Bundle.entry", "link"), "Bundle.link");
    assert_eq!(name(types, "ValueSet.compose", "exclude"), "ValueSet.compose.include");
    assert_eq!(name(types, "Observation.component", "referenceRange"), "Observation.referenceRange");
}

#[test]
fn children_stand_in_definition_order_inherited_first() {
    let types = Types::r4();
    let order: Vec<&str> =
        types.definition(types.get("Patient").unwrap()).children.iter().map(|child| &*child.name).take(10).collect();
    assert_eq!(
        order,
        [
            "id",
            "meta",
            "implicitRules",
            "language",
            "text",
            "contained",
            "extension",
            "modifierExtension",
            "identifier",
            "active"
        ]
    );
    let contact: Vec<&str> = types
        .definition(types.get("Patient.contact").unwrap())
        .children
        .iter()
        .map(|child| &*child.name)
        .take(4)
        .collect();
    assert_eq!(contact, ["id", "extension", "modifierExtension", "relationship"]);
}

#[test]
fn facts_of_single_children() {
    let types = Types::r4();
    let child = |parent: &str, name: &str| types.child(types.get(parent).unwrap(), name).unwrap().0.clone();
    assert!(child("Patient", "name").repeats);
    assert!(!child("Patient", "gender").repeats);
    assert!(child("HumanName", "id").attribute);
    assert!(child("Extension", "url").attribute);
    assert!(!child("Patient", "id").attribute);
    assert!(child("Patient", "active").is_modifier);
    assert_eq!(child("Task", "status").min, 1);
    assert_eq!(child("Patient", "managingOrganization").reference_targets, ["Organization".into()]);
    assert!(child("Task", "focus").reference_targets.is_empty());
    assert!(child("Observation", "valueQuantity").is_choice);
}

#[test]
fn kinds_and_subtypes() {
    let types = Types::r4();
    let index = |name: &str| types.get(name).unwrap();
    assert!(types.is_subtype(index("Patient"), index("DomainResource")));
    assert!(types.is_subtype(index("Age"), index("Quantity")));
    assert!(types.is_subtype(index("code"), index("string")));
    assert!(!types.is_subtype(index("Bundle"), index("DomainResource")));
    assert_eq!(types.definition(index("Patient.contact")).kind, TypeKind::Backbone);
    assert_eq!(types.primitive(index("positiveInt")), Some(PrimitiveKind::PositiveInt));
    for kind in PrimitiveKind::ALL {
        assert_eq!(types.primitive(index(kind.name())), Some(*kind));
    }
}

#[test]
fn every_child_has_a_type() {
    let types = Types::r4();
    for (_, definition) in types.all() {
        for child in &definition.children {
            assert!(!child.choices.is_empty(), "{}.{} has no type", definition.name, child.name);
        }
    }
}
