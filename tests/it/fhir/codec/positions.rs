//! Lines of elements in JSON and XML texts.

use kith::fhir::codec::Place;
use kith::fhir::codec::positions::Positions;
use proptest::prelude::*;

const JSON: &str = r#"{
  "resourceType": "Patient",
  "name": [
    { "family": "Ürün", "given": ["A", "B"] },
    { "given": [null,
        "D"], "_given": [{ "id": "x" }] }
  ],
  "deceasedBoolean": true,
  "_birthDate": { "extension": [ { "url": "u" } ] },
  "contained": [ { "resourceType": "Organization",
    "name": "O" } ]
}"#;

const XML: &str = r#"<?xml version="1.0"?>
<Patient xmlns="http://hl7.org/fhir">
  <contained>
    <Organization>
      <name value="O"/>
    </Organization>
  </contained>
  <name><given value="A"/>
    <given value="B"/></name>
  <deceasedBoolean value="true"/>
</Patient>"#;

#[test]
fn json_elements_are_found() {
    let positions = Positions::of(JSON.as_bytes());
    let table = [
        ("Patient", (1, 1)),
        ("Patient.name[0].family", (4, 7)),
        ("Patient.name[0].given[1]", (4, 40)),
        ("Patient.name[1].given[1]", (6, 9)),
        ("Patient.name[1].given[7]", (5, 5)),
        ("Patient.deceased", (8, 3)),
        ("Patient.deceased.ofType(boolean)", (8, 3)),
        ("Patient.birthDate.extension[0].url", (9, 36)),
        ("Patient.contained[0].name", (11, 5)),
        ("Patient.contact[0].name", (1, 1)),
    ];
    for (expression, (line, column)) in table {
        assert_eq!(positions.find(expression), Place { line, column }, "{expression}");
    }
}

#[test]
fn xml_elements_are_found() {
    let positions = Positions::of_xml(XML.as_bytes());
    let table = [
        ("Patient.contained[0].name", 5),
        ("Patient.name[0].given[0]", 8),
        ("Patient.name[0].given[1]", 9),
        ("Patient.deceased", 10),
    ];
    for (expression, line) in table {
        assert_eq!(positions.find(expression).line, line, "{expression}");
    }
}

proptest! {
    #[test]
    fn never_panics(text in "[\\[\\]{}\":,a1<>/ =\\n\\\\é]{0,60}", expression in "[a-z.\\[\\]0-9(]{0,20}") {
        let _ = Positions::of(text.as_bytes()).find(&expression);
        let _ = Positions::of_xml(text.as_bytes()).find(&expression);
    }
}
