//! The JSON model to XML: order, escapes, and what has no XML form.

use kith::fhir::codec::{Limits, xml};
use kith::fhir::types::Types;
use kith::problem::Kind;
use proptest::prelude::*;
use serde_json::{Value, json};

fn written(value: &Value) -> String {
    String::from_utf8(xml::to_bytes(value, Types::r4()).unwrap()).unwrap()
}

fn read(text: &str) -> Value {
    xml::parse(text.as_bytes(), &Limits::default(), Types::r4()).unwrap()
}

#[test]
fn elements_stand_in_the_order_of_their_definition() {
    let patient = json!({
        "name": [{"given": ["A", null], "_given": [null, {"id": "g"}], "family": "F", "id": "n"}],
        "_active": {"extension": [{"valueString": "v", "url": "u"}]}, "resourceType": "Patient",
        "contained": [{"resourceType": "Organization", "active": false}],
        "id": "1"
    });
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Patient xmlns=\"http://hl7.org/fhir\"><id value=\"1\"/>\
        <contained><Organization><active value=\"false\"/></Organization></contained>\
        <active><extension url=\"u\"><valueString value=\"v\"/></extension></active>\
        <name id=\"n\"><family value=\"F\"/><given value=\"A\"/><given id=\"g\"/></name></Patient>";
    assert_eq!(written(&patient), expected);
}

#[test]
fn line_breaks_and_tabs_survive() {
    let text = " a\nb\tc\r\nd \"<&>' \u{1F600} ";
    let patient = json!({"resourceType": "Patient", "name": [{"text": text}]});
    let written = written(&patient);
    assert!(!written.contains('\n') && written.contains("&#xA;") && written.contains("&#x9;"), "{written}");
    assert_eq!(read(&written), patient);
}

#[test]
fn numbers_keep_their_text() {
    let text = r#"{"resourceType":"Observation","valueQuantity":{"value":1.50E-03}}"#;
    let value = kith::fhir::codec::json::parse(text.as_bytes(), &Limits::default()).unwrap();
    let written = written(&value);
    assert!(written.contains("<value value=\"1.50E-03\"/>"), "{written}");
    assert_eq!(serde_json::to_string(&read(&written)).unwrap(), text);
}

#[test]
fn indented_xml_reads_the_same() {
    let patient = json!({"resourceType": "Patient", "text": {"status": "generated",
        "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">a\n  b</div>"}, "name": [{"family": "F"}]});
    let pretty = String::from_utf8(xml::to_pretty_bytes(&patient, Types::r4()).unwrap()).unwrap();
    assert!(pretty.contains("\n  <name>\n    <family value=\"F\"/>\n  </name>\n</Patient>\n"), "{pretty}");
    assert_eq!(read(&pretty), patient);
}

#[test]
fn what_has_no_xml_form_is_named() {
    let div = |div: &str| json!({"resourceType": "Patient", "text": {"status": "generated", "div": div}});
    let table = [
        (json!([]), "Resource", "json-kind"),
        (json!({"resourceType": "Pationt"}), "Pationt", "unknown-element"),
        (json!({"resourceType": "Patient", "nmae": []}), "Patient", "unknown-element"),
        (json!({"resourceType": "Patient", "_name": []}), "Patient", "unknown-element"),
        (json!({"resourceType": "Patient", "name": {}}), "Patient.name", "json-kind"),
        (json!({"resourceType": "Patient", "name": [null]}), "Patient.name[0]", "json-kind"),
        (json!({"resourceType": "Patient", "name": [[]]}), "Patient.name[0]", "json-kind"),
        (json!({"resourceType": "Patient", "name": [{"id": 1}]}), "Patient.name[0].id", "json-kind"),
        (json!({"resourceType": "Patient", "active": "true"}), "Patient.active", "json-kind"),
        (json!({"resourceType": "Patient", "active": null}), "Patient.active", "json-kind"),
        (json!({"resourceType": "Patient", "_active": []}), "Patient.active", "json-kind"),
        (json!({"resourceType": "Patient", "active": [true]}), "Patient.active", "json-kind"),
        (json!({"resourceType": "Patient", "birthDate": 1970}), "Patient.birthDate", "json-kind"),
        (json!({"resourceType": "Patient", "contained": [{}]}), "Patient.contained[0]", "unknown-element"),
        (json!({"resourceType": "Patient", "birthDate": "\u{1}"}), "Patient.birthDate", "xml-character"),
        (div("<div xmlns=\"http://www.w3.org/1999/xhtml\"></div></text><x/>"), "Patient.text.div", "xml-narrative"),
        (div("<div>no namespace</div>"), "Patient.text.div", "xml-narrative"),
        (div("<p xmlns=\"http://www.w3.org/1999/xhtml\"/>"), "Patient.text.div", "xml-narrative"),
        (div("<div xmlns=\"http://www.w3.org/1999/xhtml\">&nbsp;</div>"), "Patient.text.div", "xml-narrative"),
        (div("<!DOCTYPE x []><div xmlns=\"http://www.w3.org/1999/xhtml\"/>"), "Patient.text.div", "xml-narrative"),
        (div("<div xmlns=\"http://www.w3.org/1999/xhtml\"><1/></div>"), "Patient.text.div", "xml-narrative"),
        (div("<div xmlns=\"http://www.w3.org/1999/xhtml\""), "Patient.text.div", "xml-narrative"),
        (div(""), "Patient.text.div", "xml-narrative"),
    ];
    for (value, place, rule) in table {
        let problem = xml::to_bytes(&value, Types::r4()).expect_err(&value.to_string());
        let issue = &problem.issues()[0];
        assert_eq!(problem.kind, Kind::NotAcceptable);
        assert_eq!((issue.expression.as_deref(), issue.rule.as_str()), (Some(place), rule), "{value}: {}", issue.text);
    }
}

#[test]
fn every_fault_is_named_at_once() {
    let value = json!({"resourceType": "Patient", "a": 1, "active": 1, "name": [{"b": 1}]});
    assert_eq!(xml::to_bytes(&value, Types::r4()).unwrap_err().issues().len(), 3);
}

#[test]
fn deep_content_is_refused() {
    let mut extension = json!({"url": "u"});
    for _ in 0..200 {
        extension = json!({"url": "u", "extension": [extension]});
    }
    let value = json!({"resourceType": "Patient", "extension": [extension]});
    assert!(xml::to_bytes(&value, Types::r4()).is_err());
}

/// Any JSON below a Patient: names that exist and names that do not, with values of any kind.
fn any_member() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(|number| json!(number)),
        "[a-z <>&\\n]{0,8}".prop_map(Value::String),
    ];
    let names = "(_)?(name|given|extension|url|valueString|active|contained|resourceType|id|text|div|x)";
    leaf.prop_recursive(5, 30, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::btree_map(names, inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_json_is_written_or_refused(member in any_member(), name in "(name|extension|active|_active|contained|text)") {
        let value = json!({"resourceType": "Patient", name: member});
        if let Ok(bytes) = xml::to_bytes(&value, Types::r4()) {
            prop_assert!(xml::parse_leniently(&bytes, &Limits::default(), Types::r4()).is_ok());
        }
    }

    #[test]
    fn any_text_survives(text in "[^\u{0}-\u{8}\u{b}\u{c}\u{e}-\u{1f}\u{fffe}\u{ffff}]{1,40}") {
        let patient = json!({"resourceType": "Patient", "name": [{"text": text}]});
        prop_assert_eq!(read(&written(&patient)), patient);
    }
}
