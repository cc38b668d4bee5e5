//! For every resource type the smallest resource that its definition allows, made from the definitions of R4 themselves.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use kith::fhir::definitions::Definitions;
use kith::terminology::Terminology;
use serde_json::{Map, Value, json};

/// Elements of each type, as the definitions list them.
static ELEMENTS: LazyLock<HashMap<String, Vec<Value>>> = LazyLock::new(|| {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/hl7.fhir.r4.core/StructureDefinition.jsonl");
    let text = std::fs::read_to_string(file).unwrap();
    let definitions = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    definitions
        .filter(|definition| definition["derivation"] != "constraint")
        .filter_map(|mut definition| match definition["differential"]["element"].take() {
            Value::Array(elements) => Some((definition["type"].as_str()?.to_owned(), elements)),
            _ => None,
        })
        .collect()
});

/// What a type's rules ask for beyond its mandatory elements.
const MORE: &[(&str, &str)] = &[
    (
        "AllergyIntolerance",
        r#"{ "code": { "text": "x" }, "clinicalStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active" }] } }"#,
    ),
    (
        "Appointment",
        r#"{ "status": "proposed", "participant": [{ "status": "accepted", "actor": { "display": "x" } }] }"#,
    ),
    ("AppointmentResponse", r#"{ "actor": { "display": "x" } }"#),
    ("Bundle", r#"{ "type": "collection" }"#),
    ("CapabilityStatement", r#"{ "kind": "requirements", "description": "x", "rest": [{ "mode": "server" }] }"#),
    ("Consent", r#"{ "policyRule": { "text": "x" } }"#),
    (
        "ImmunizationRecommendation",
        r#"{ "recommendation": [{ "vaccineCode": [{ "text": "x" }], "forecastStatus": { "text": "x" } }] }"#,
    ),
    ("InsurancePlan", r#"{ "name": "x" }"#),
    (
        "Linkage",
        r#"{ "item": [{ "type": "source", "resource": { "display": "x" } }, { "type": "alternate", "resource": { "display": "y" } }] }"#,
    ),
    ("Medication", r#"{ "code": { "text": "x" } }"#),
    ("MedicationRequest", r#"{ "substitution": { "allowedBoolean": true } }"#),
    ("OperationDefinition", r#"{ "code": "x" }"#),
    ("Organization", r#"{ "name": "x" }"#),
    ("SearchParameter", r#"{ "code": "x", "base": ["Patient"], "type": "token", "expression": "Patient.language" }"#),
    (
        "StructureDefinition",
        r#"{ "kind": "complex-type", "abstract": false, "type": "Extension", "derivation": "constraint",
             "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
             "context": [{ "type": "element", "expression": "Patient" }],
             "differential": { "element": [{ "id": "Extension", "path": "Extension" }] } }"#,
    ),
    ("TerminologyCapabilities", r#"{ "kind": "requirements", "description": "x" }"#),
];

/// Makes minimal resources.
pub struct Minimal {
    terminology: Terminology,
}

impl Minimal {
    /// With the codes of these definitions.
    pub fn new(definitions: Arc<Definitions>) -> Self {
        Self { terminology: Terminology::new(definitions) }
    }

    /// A resource of this type without an id.
    pub fn resource(&self, resource_type: &str) -> Value {
        let mut content = Map::from_iter([("resourceType".to_owned(), json!(resource_type))]);
        self.fill(resource_type, resource_type, &mut content);
        if let Some((_, more)) = MORE.iter().find(|(name, _)| *name == resource_type) {
            let Value::Object(more) = serde_json::from_str(more).unwrap() else { unreachable!() };
            content.extend(more);
        }
        Value::Object(content)
    }

    /// Adds the mandatory elements directly below a path.
    fn fill(&self, definition: &str, path: &str, content: &mut Map<String, Value>) {
        let Some(elements) = ELEMENTS.get(definition) else { return };
        for element in elements {
            let name = element["path"].as_str().unwrap().strip_prefix(path).and_then(|rest| rest.strip_prefix('.'));
            let Some(name) = name.filter(|name| !name.contains('.') && element["min"] != 0) else { continue };
            let code = element["type"][0]["code"].as_str().unwrap_or("BackboneElement");
            let mut name = name.to_owned();
            if let Some(stem) = name.strip_suffix("[x]") {
                name = format!("{stem}{}{}", code[..1].to_uppercase(), &code[1..]);
            }
            let value = self.value(definition, element, code);
            let many =
                element["max"] == "*" || element["max"].as_str().is_some_and(|max| max.parse::<u32>().unwrap() > 1);
            content.insert(name, if many { json!([value]) } else { value });
        }
    }

    fn value(&self, definition: &str, element: &Value, code: &str) -> Value {
        match code {
            "code" => json!(self.coding(element).1),
            "Coding" | "CodeableConcept" => {
                let (system, code) = self.coding(element);
                let coding = json!({ "system": system, "code": code });
                match code.as_str() {
                    "" if element["type"][0]["code"] == "Coding" => json!({ "display": "x" }),
                    "" => json!({ "text": "x" }),
                    _ if element["type"][0]["code"] == "Coding" => coding,
                    _ => json!({ "coding": [coding] }),
                }
            }
            "BackboneElement" | "Element" => {
                let mut content = Map::new();
                self.fill(definition, element["path"].as_str().unwrap(), &mut content);
                Value::Object(content)
            }
            "Reference" => json!({ "display": "x" }),
            "Identifier" => json!({ "system": "https://kith.example/x", "value": "x" }),
            "Quantity" | "SimpleQuantity" | "Age" | "Duration" | "Count" | "Distance" => json!({ "value": 1 }),
            "Money" => json!({ "value": 1, "currency": "GBP" }),
            "TriggerDefinition" => json!({ "type": "named-event", "name": "x" }),
            "Period" => json!({ "start": "2025-03-03" }),
            "Timing" => json!({ "event": ["2025-03-03T10:00:00Z"] }),
            "HumanName" | "Annotation" | "Dosage" | "Address" => json!({ "text": "x" }),
            "Attachment" => json!({ "title": "x" }),
            "Expression" => json!({ "language": "text/fhirpath", "expression": "true" }),
            "boolean" => json!(true),
            "integer" | "positiveInt" | "unsignedInt" | "decimal" => json!(1),
            "date" => json!("2025-03-03"),
            "dateTime" | "instant" => json!("2025-03-03T10:00:00Z"),
            "time" => json!("10:00:00"),
            "base64Binary" => json!("eA=="),
            "uri" | "url" | "canonical" => json!("https://kith.example/x"),
            "id" | "string" | "markdown" | "http://hl7.org/fhirpath/System.String" => json!("x"),
            other => panic!("no value is known for {other} ({})", element["path"]),
        }
    }

    /// System and first code of the bound value set; both empty where the element is not bound as required.
    fn coding(&self, element: &Value) -> (String, String) {
        let canonical = element["binding"]["valueSet"].as_str().unwrap_or_default();
        if element["binding"]["strength"] != "required" {
            return (String::new(), String::new());
        }
        let listed = self.terminology.list(canonical, 10_000).unwrap_or_default();
        let found = listed.into_iter().find_map(|part| {
            let code = match part.codes {
                Some(codes) => codes.into_iter().next()?,
                None => self.terminology.system(&part.system)?.codes().next()?.to_owned(),
            };
            Some((part.system, code))
        });
        found.unwrap_or_else(|| (String::new(), "text/plain".to_owned()))
    }
}
