//! The compiled form of some definitions, as JSON: what the compiler makes, to be read and compared.

use kith::fhir::types::Types;
use kith::validate::print;

use super::validator;

#[test]
fn a_base_type() {
    let schemas = validator().schemas();
    let schema = schemas.type_(Types::r4().get("Patient").unwrap()).unwrap();
    insta::assert_snapshot!("Patient", serde_json::to_string_pretty(&print::type_schema(schemas, schema)).unwrap());
}

#[test]
fn profiles() {
    let schemas = validator().schemas();
    for (name, canonical) in [
        ("UKCore-Patient", "https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient"),
        ("KithReferralTask", "https://kith.example/fhir/StructureDefinition/kith-referral-task"),
        ("KithCapacity", "https://kith.example/fhir/StructureDefinition/kith-capacity"),
        ("bp", "http://hl7.org/fhir/StructureDefinition/bp"),
    ] {
        let schema = schemas.profile(schemas.profile_index(canonical).unwrap()).unwrap();
        insta::assert_snapshot!(name, serde_json::to_string_pretty(&print::profile_schema(schemas, schema)).unwrap());
    }
}
