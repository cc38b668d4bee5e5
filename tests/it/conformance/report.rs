//! What is said of the cases that were played: as text, and as JUnit XML.

use kith::conformance::report::{counts, junit, text};
use kith::conformance::{CaseReport, Claims, Needs, Verdict};
use serde_json::json;

fn reports() -> Vec<CaseReport> {
    let case = |section: &str, id: &str, verdict: Verdict| CaseReport {
        section: section.to_owned(),
        id: id.to_owned(),
        title: "Says <what> is done".to_owned(),
        link: "https://hl7.org/fhir/R4/http.html#read".to_owned(),
        verdict,
        duration: 1_500_000,
    };
    vec![
        case("read", "a", Verdict::Passed),
        case("read", "b", Verdict::Failed(vec!["status 500 instead of [200]".to_owned(), "<&>\u{1}".to_owned()])),
        case("patch", "c", Verdict::NotClaimed(vec!["Patient.patch".to_owned()])),
    ]
}

#[test]
fn text_names_what_failed_and_what_is_not_claimed() {
    let shown = text(&reports());
    for line in [
        "read\n  passed       a\n",
        "  FAILED       b: Says <what> is done\n    https://hl7.org/fhir/R4/http.html#read\n    status 500 instead of [200]\n",
        "patch\n  not claimed  c (Patient.patch)\n",
        "1 passed, 1 failed, 1 not claimed by the server.\n",
    ] {
        assert!(shown.contains(line), "{line:?} not in {shown}");
    }
    assert_eq!(counts(&reports()), (1, 1, 1));
}

#[test]
fn junit_is_well_formed_and_counts() {
    let xml = junit(&reports());
    let mut reader = quick_xml::Reader::from_str(&xml);
    let mut failures = 0;
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(start) if start.name().as_ref() == "failure" => failures += 1,
            _ => {}
        }
    }
    assert_eq!(failures, 1, "{xml}");
    assert!(xml.contains(r#"<testsuites name="FHIR R4" tests="3" failures="1" skipped="1">"#), "{xml}");
    assert!(xml.contains(r#"<testcase name="a" classname="read" time="1.500000"/>"#), "{xml}");
    assert!(xml.contains(r#"<skipped message="not claimed: Patient.patch">"#), "{xml}");
}

#[test]
fn needs_are_found_in_the_statement() {
    let claims = Claims::new(json!({
        "resourceType": "CapabilityStatement", "software": { "name": "Other" }, "format": ["json"],
        "rest": [{
            "interaction": [{ "code": "batch" }], "searchParam": [{ "name": "_tag" }], "compartment": ["urn:c"],
            "resource": [{
                "type": "Patient", "interaction": [{ "code": "read" }, { "code": "history-type" }],
                "searchParam": [{ "name": "name" }], "operation": [{ "name": "$meta" }], "updateCreate": true,
                "conditionalRead": "not-supported", "conditionalDelete": "single", "conditionalCreate": false
            }]
        }]
    }));
    let missing = |place: &str, need: &str| claims.missing(&Needs::from([(place.to_owned(), vec![need.to_owned()])]));
    for need in ["read", "history-type", "?name", "?_tag", "$meta", "updateCreate", "conditionalDelete=single"] {
        assert!(missing("Patient", need).is_empty(), "{need}");
    }
    for need in ["patch", "?other", "$other", "conditionalRead", "conditionalCreate", "conditionalDelete=multiple"] {
        assert_eq!(missing("Patient", need), [format!("Patient.{need}")]);
    }
    assert!(missing("system", "batch").is_empty() && missing("system", "compartment=urn:c").is_empty());
    assert!(missing("format", "json").is_empty() && !missing("format", "xml").is_empty());
    assert!(!missing("product", "Kith").is_empty() && !missing("Task", "read").is_empty());
}
