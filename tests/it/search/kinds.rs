//! The rarer kinds of search, on both databases: composites, places, value sets and hierarchies.

use serde_json::{Value, json};

use super::world::{expect_all, expect_refused, store_all};
use crate::support::both;

const LOINC: &str = "http://loinc.org";
const UCUM: &str = "http://unitsofmeasure.org";

fn pressure(id: &str, systolic: u32, diastolic: u32) -> Value {
    let part = |code: &str, value: u32| {
        json!({ "code": { "coding": [{ "system": LOINC, "code": code }] },
            "valueQuantity": { "value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]" } })
    };
    json!({ "resourceType": "Observation", "id": id, "status": "final",
        "code": { "coding": [{ "system": LOINC, "code": "85354-9" }] },
        "component": [part("8480-6", systolic), part("8462-4", diastolic)] })
}

fn place(id: &str, latitude: f64, longitude: f64) -> Value {
    json!({ "resourceType": "Location", "id": id, "name": id,
        "position": { "latitude": latitude, "longitude": longitude } })
}

fn resources() -> Vec<Value> {
    let observation = |id: &str, code: &str, value: Value| {
        let mut observation = json!({ "resourceType": "Observation", "id": id, "status": "final",
            "code": { "coding": [{ "system": LOINC, "code": code }] } });
        observation.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
        observation
    };
    let encounter = |id: &str, class: &str| {
        json!({ "resourceType": "Encounter", "id": id, "status": "finished",
            "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": class } })
    };
    vec![
        pressure("p1", 150, 80),
        pressure("p2", 120, 90),
        observation("o1", "718-7", json!({ "valueQuantity": { "value": 7.2, "system": UCUM, "code": "g/dL" } })),
        observation(
            "o2",
            "x$y",
            json!({ "valueCodeableConcept": { "coding": [{ "system": "urn:a", "code": "yes" }] } }),
        ),
        observation(
            "o5",
            "mass",
            json!({ "valueQuantity": { "value": 0.0054, "system": UCUM, "code": "g", "unit": "gram" } }),
        ),
        observation("o6", "heat", json!({ "valueQuantity": { "value": 98.6, "system": UCUM, "code": "[degF]" } })),
        observation(
            "o7",
            "wave",
            json!({ "valueSampledData": { "origin": { "value": 10, "system": UCUM, "code": "mV" },
            "period": 1, "factor": 2, "dimensions": 1, "data": "0 5 E -3 U", "upperLimit": 20 } }),
        ),
        observation("o3", "when", json!({ "valueDateTime": "2026-02-01" })),
        observation("o4", "said", json!({ "valueString": "Fine, thanks" })),
        json!({ "resourceType": "DocumentReference", "id": "d1", "status": "current", "content": [{ "attachment": {} }],
            "relatesTo": [{ "code": "replaces", "target": { "reference": "DocumentReference/d0" } },
                          { "code": "signs", "target": { "reference": "DocumentReference/d9" } }] }),
        json!({ "resourceType": "MolecularSequence", "id": "m1", "coordinateSystem": 0,
            "referenceSeq": { "chromosome": { "coding": [{ "system": "urn:c", "code": "7" }] }, "windowStart": 5, "windowEnd": 9 },
            "variant": [{ "start": 100, "end": 120 }, { "start": 300, "end": 310 }] }),
        place("leeds", 53.7997, -1.5492),
        place("york", 53.9590, -1.0815),
        place("suva", -18.1248, 178.4501),
        place("taveuni", -16.85, -179.97),
        json!({ "resourceType": "Location", "id": "nowhere", "name": "nowhere" }),
        json!({ "resourceType": "HealthcareService", "id": "walks", "location": [{ "reference": "Location/york" }] }),
        encounter("e1", "AMB"),
        encounter("e2", "ACUTE"),
        encounter("e3", "made-up"),
        json!({ "resourceType": "Patient", "id": "p1", "gender": "female" }),
        json!({ "resourceType": "Patient", "id": "p2", "gender": "unknown" }),
        json!({ "resourceType": "Patient", "id": "p3" }),
    ]
}

/// Searches and the ids of their matches.
const TABLE: &[(&str, &[&str])] = &[
    // composites
    ("Observation?component-code-value-quantity=http://loinc.org|8480-6$gt140", &["p1"]),
    ("Observation?component-code-value-quantity=http://loinc.org|8462-4$gt140", &[]),
    ("Observation?component-code-value-quantity=8462-4$ge90", &["p2"]),
    ("Observation?component-code-value-quantity=8462-4$ge90,8480-6$150", &["p1", "p2"]),
    ("Observation?combo-code-value-quantity=8480-6$120||mm[Hg]", &["p2"]),
    ("Observation?combo-code-value-quantity=718-7$7.2|http://unitsofmeasure.org|g/dL", &["o1"]),
    ("Observation?code-value-quantity=718-7$lt8", &["o1"]),
    ("Observation?code-value-quantity=8480-6$gt1", &[]),
    ("Observation?code-value-concept=x\\$y$urn:a|yes", &["o2"]),
    ("Observation?code-value-concept=x\\$y$urn:b|yes", &[]),
    ("Observation?code-value-date=when$ge2026", &["o3"]),
    ("Observation?code-value-date=when$gt2026-02-01", &[]),
    ("Observation?code-value-string=said$fine\\, th", &["o4"]),
    ("Observation?component-code-value-quantity:missing=true", &["o1", "o2", "o3", "o4", "o5", "o6", "o7"]),
    ("Observation?code-value-quantity:missing=false", &["o1", "o5", "o6"]),
    ("Observation?code-value-quantity=mass$5.4|http://unitsofmeasure.org|mg", &["o5"]),
    // units
    ("Observation?value-quantity=5.4|http://unitsofmeasure.org|mg", &["o5"]),
    ("Observation?value-quantity=5.40|http://unitsofmeasure.org|mg", &["o5"]),
    ("Observation?value-quantity=5400|http://unitsofmeasure.org|ug", &["o5"]),
    ("Observation?value-quantity=5.41|http://unitsofmeasure.org|mg", &[]),
    ("Observation?value-quantity=lt5.4|http://unitsofmeasure.org|mg", &[]),
    ("Observation?value-quantity=le5.4|http://unitsofmeasure.org|mg", &["o5"]),
    ("Observation?value-quantity=ap5|http://unitsofmeasure.org|mg", &["o5"]),
    ("Observation?value-quantity=5.4||mg", &[]),
    ("Observation?value-quantity=0.0054||gram", &["o5"]),
    ("Observation?value-quantity=72|http://unitsofmeasure.org|g/L", &["o1"]),
    ("Observation?value-quantity=37.0|http://unitsofmeasure.org|Cel", &["o6"]),
    ("Observation?value-quantity=gt37.1|http://unitsofmeasure.org|Cel", &[]),
    ("Observation?value-quantity=ap37|http://unitsofmeasure.org|Cel", &["o6"]),
    ("Observation?value-quantity=gt49|http://unitsofmeasure.org|mV", &["o7"]),
    ("Observation?value-quantity=gt50|http://unitsofmeasure.org|mV", &[]),
    ("Observation?value-quantity=lt0.005|http://unitsofmeasure.org|V", &["o7"]),
    ("Observation?value-quantity=lt4||mV", &[]),
    ("DocumentReference?relationship=replaces$DocumentReference/d0", &["d1"]),
    ("DocumentReference?relationship=http://hl7.org/fhir/document-relationship-type|signs$d9", &["d1"]),
    ("DocumentReference?relationship=replaces$DocumentReference/d9", &[]),
    ("MolecularSequence?chromosome-variant-coordinate=urn:c|7$ge100$le120", &["m1"]),
    ("MolecularSequence?chromosome-variant-coordinate=7$ge200$le120", &[]),
    ("MolecularSequence?chromosome-window-coordinate=7$5$9", &["m1"]),
    // places
    ("Location?near=53.8|-1.55", &["leeds"]),
    ("Location?near=53.8|-1.55|36|km", &["leeds", "york"]),
    ("Location?near=53.8|-1.55|34", &["leeds"]),
    ("Location?near=53.8|-1.55|36000|m", &["leeds", "york"]),
    ("Location?near=53.8|-1.55|23|[mi_us]", &["leeds", "york"]),
    ("Location?near=53.8|-1.55|20|[mi_us]", &["leeds"]),
    ("Location?near=-17.5|179.5|150|km", &["suva", "taveuni"]),
    ("Location?near=53.8|-1.55|30000", &["leeds", "suva", "taveuni", "york"]),
    ("Location?near=53.8|-1.55|36,-18|178|200", &["leeds", "suva", "york"]),
    ("Location?near:missing=true", &["nowhere"]),
    ("Location?near=53.8|-1.55|36&name=york", &["york"]),
    ("HealthcareService?location.near=53.96|-1.08|5|km", &["walks"]),
    ("HealthcareService?location.near=53.8|-1.55|5|km", &[]),
    // value sets and hierarchies
    ("Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender", &["p1", "p2"]),
    ("Patient?gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender", &["p3"]),
    ("Encounter?class:in=http://terminology.hl7.org/ValueSet/v3-ActEncounterCode", &["e1", "e2"]),
    ("Encounter?class:not-in=http://terminology.hl7.org/ValueSet/v3-ActEncounterCode", &["e3"]),
    ("Encounter?class:below=http://terminology.hl7.org/CodeSystem/v3-ActCode|IMP", &["e2"]),
    ("Encounter?class:below=http://terminology.hl7.org/CodeSystem/v3-ActCode|_ActEncounterCode", &["e1", "e2"]),
    ("Encounter?class:above=http://terminology.hl7.org/CodeSystem/v3-ActCode|ACUTE", &["e2"]),
    ("Patient?gender:below=female", &["p1"]),
];

both! {
    async fn the_rarer_kinds_find_what_they_must(database) {
        let store = database.open().await;
        store_all(&store, &resources()).await;
        expect_all(&store, TABLE).await;
        store.close().await;
    }
}

#[test]
fn what_cannot_be_understood_is_refused_by_name() {
    let table = [
        ("Observation?code-value-quantity=a", "takes 2 values with `$` between them: token, quantity"),
        ("Observation?code-value-quantity=a$b$c", "takes 2 values"),
        ("Observation?code-value-quantity=a$", "takes 2 values"),
        ("Observation?code-value-quantity=a$many", "A number is digits"),
        ("Observation?code-value-quantity:exact=a$1", "does not apply to a composite parameter"),
        ("Location?near=53", "A place is"),
        ("Location?near=91|0", "from -90 to 90"),
        ("Location?near=1|181", "from -180 to 180"),
        ("Location?near=1|1|-5", "not negative"),
        ("Location?near=1|1|5|parsec", "The unit of a distance is one of km"),
        ("Location?_sort=near", "cannot be sorted by"),
        ("Observation?code:in=urn:nowhere", "No such value set is loaded"),
        ("Observation?code:in=http://hl7.org/fhir/ValueSet/observation-codes|9", "No such value set is loaded"),
        ("Condition?code:below=http://snomed.info/sct|73211009", "not loaded here"),
        ("Condition?code:below=73211009", "write `system|code`"),
    ];
    expect_refused(&table);
}
