//! Literal references: every form, and texts that are none.

use kith::fhir::reference::{Reference, Target};
use proptest::prelude::*;

fn target<'a>(resource_type: &'a str, id: &'a str, version: Option<&'a str>) -> Target<'a> {
    Target { resource_type, id, version }
}

#[test]
fn every_form_is_told_apart() {
    let table = [
        ("#p1", Reference::Contained("p1")),
        ("#", Reference::Contained("")),
        ("Patient/1", Reference::Relative(target("Patient", "1", None))),
        ("Patient/1/_history/2", Reference::Relative(target("Patient", "1", Some("2")))),
        (
            "https://a.example/fhir/Patient/1",
            Reference::Absolute { base: "https://a.example/fhir", target: target("Patient", "1", None) },
        ),
        (
            "https://a.example/Patient/1/_history/2",
            Reference::Absolute { base: "https://a.example", target: target("Patient", "1", Some("2")) },
        ),
        ("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", Reference::Uuid("0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0")),
        ("urn:oid:1.2.3", Reference::Oid("1.2.3")),
        ("urn:nhs:x", Reference::Other("urn:nhs:x")),
        ("https://Patient/1", Reference::Other("https://Patient/1")),
        ("https://a.example/questionnaires/1", Reference::Other("https://a.example/questionnaires/1")),
        (
            "Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|9000000009",
            Reference::Conditional {
                resource_type: "Patient",
                query: "identifier=https://fhir.nhs.uk/Id/nhs-number|9000000009",
            },
        ),
    ];
    for (text, expected) in table {
        assert_eq!(Reference::parse(text), Some(expected), "{text}");
    }
}

#[test]
fn other_texts_are_refused() {
    let wrong = [
        "",
        "Patient",
        "Patient/",
        "patient/1",
        "Patient/a b",
        "Patient/1/2",
        "Patient/1/_history/",
        "/Patient/1",
        "://x",
    ];
    for text in wrong {
        assert_eq!(Reference::parse(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn never_panics(text in "\\PC*|([A-Za-z#:/?.]|_history){0,12}") {
        let _ = Reference::parse(&text);
    }

    #[test]
    fn what_is_written_is_read(resource_type in "[A-Z][a-zA-Z]{1,20}", id in "[A-Za-z0-9.-]{1,64}") {
        let text = format!("https://a.example:8080/base/{resource_type}/{id}");
        let expected = target(&resource_type, &id, None);
        let reference = Reference::parse(&text);
        prop_assert_eq!(reference.as_ref().and_then(Reference::target), Some(&expected));
    }
}
