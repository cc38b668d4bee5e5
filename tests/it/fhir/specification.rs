//! Where definitions can be read.

use kith::fhir::specification::page;

const HL7: &str = "http://hl7.org/fhir/StructureDefinition";

#[test]
fn pages_of_definitions() {
    let r4 = |name: &str, element: Option<&str>| page(&format!("{HL7}/{name}"), element);
    for (name, element, end) in [
        ("Patient", Some("Patient.gender"), "patient-definitions.html#Patient.gender"),
        ("Observation", Some("Observation.value[x]"), "observation-definitions.html#Observation.value_x_"),
        ("HumanName", Some("HumanName.use"), "datatypes-definitions.html#HumanName.use"),
        ("UsageContext", Some("UsageContext.code"), "metadatatypes-definitions.html#UsageContext.code"),
        ("Extension", Some("Extension.url"), "extensibility-definitions.html#Extension.url"),
        ("Reference", None, "references-definitions.html#Reference"),
        ("code", Some("code"), "datatypes.html#code"),
        ("bmi", Some("Observation.value[x]"), "bmi.html"),
        ("patient-birthPlace", Some("Extension.value[x]"), "extension-patient-birthplace.html"),
    ] {
        assert_eq!(r4(name, element), format!("https://hl7.org/fhir/R4/{end}"));
    }
    let own = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient";
    assert_eq!(page(&format!("{own}|1.0"), Some("Patient.name")), own);
}
