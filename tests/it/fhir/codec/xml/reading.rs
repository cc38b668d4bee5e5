//! XML to the JSON model: what becomes what, what is refused and how that is said, hostile documents.

use kith::fhir::codec::{Limits, xml};
use kith::fhir::types::Types;
use kith::problem::{Kind, Problem};
use proptest::prelude::*;
use serde_json::{Value, json};

fn parse(text: &str) -> Result<Value, Problem> {
    xml::parse(text.as_bytes(), &Limits::default(), Types::r4())
}

fn patient(content: &str) -> String {
    format!("<Patient xmlns=\"http://hl7.org/fhir\">{content}</Patient>")
}

/// The issues of a refusal: rule, expression, text.
fn refusal(text: &str) -> Vec<(String, String, String)> {
    let problem = parse(text).expect_err("must be refused");
    let shown = |issue: &kith::fhir::issue::Issue| {
        (issue.rule.clone(), issue.expression.clone().unwrap_or_default(), issue.text.clone())
    };
    problem.issues().iter().map(shown).collect()
}

#[test]
fn kinds_arrays_and_siblings_follow_the_types() {
    let content = "<id value=\"1\"/>\
        <extension url=\"u\"><valueDecimal value=\"1.00\"/></extension>\
        <active value=\"true\"/>\
        <name id=\"n\"><given value=\"A\"/><given><extension url=\"u\"><valueCode value=\"c\"/></extension></given>\
        <given value=\"C\" id=\"g\"/><given value=\"D\"/><prefix id=\"p\"/></name>\
        <birthDate id=\"b\"/><multipleBirthInteger value=\"2\"/>";
    let expected = json!({
        "resourceType": "Patient", "id": "1",
        "extension": [{"url": "u", "valueDecimal": serde_json::from_str::<Value>("1.00").unwrap()}],
        "active": true,
        "name": [{
            "id": "n",
            "given": ["A", null, "C", "D"],
            "_given": [null, {"extension": [{"url": "u", "valueCode": "c"}]}, {"id": "g"}, null],
            "_prefix": [{"id": "p"}]
        }],
        "_birthDate": {"id": "b"}, "multipleBirthInteger": 2
    });
    assert_eq!(parse(&patient(content)).unwrap(), expected);
}

#[test]
fn resources_are_found_in_contained_and_entries() {
    let text = "<?xml version='1.0' encoding='utf-8'?><!-- c --><?pi x?>\
        <f:Bundle xmlns:f='http://hl7.org/fhir' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' \
        xsi:schemaLocation='a b'><f:type value='collection'/><f:entry><f:resource><f:Patient>\
        <f:contained><f:Organization><f:name value='O'/></f:Organization></f:contained></f:Patient></f:resource></f:entry>\
        <!-- end --></f:Bundle>\n";
    let expected = json!({
        "resourceType": "Bundle", "type": "collection",
        "entry": [{"resource": {"resourceType": "Patient",
            "contained": [{"resourceType": "Organization", "name": "O"}]}}]
    });
    assert_eq!(parse(text).unwrap(), expected);
}

#[test]
fn the_narrative_is_kept_as_it_is_written() {
    let div =
        "<div xmlns=\"http://www.w3.org/1999/xhtml\" >\n <p class='a'>x &lt; y&#160;<br/><!-- c -->\r\n</p> </div >";
    let value = parse(&patient(&format!("<text><status value=\"generated\"/>{div}</text>"))).unwrap();
    assert_eq!(value["text"]["div"], div);
}

#[test]
fn a_narrative_with_a_prefix_gets_the_namespace_itself() {
    let text = "<Patient xmlns=\"http://hl7.org/fhir\" xmlns:h=\"http://www.w3.org/1999/xhtml\"><text>\
        <status value=\"generated\"/><h:div class=\"c\"><h:p>a<h:br/></h:p></h:div></text></Patient>";
    let div = "<div xmlns=\"http://www.w3.org/1999/xhtml\" class=\"c\"><p>a<br/></p></div>";
    assert_eq!(parse(text).unwrap()["text"]["div"], div);
}

#[test]
fn attribute_values_are_normalised_as_xml_says() {
    let value =
        parse(&patient("<name><text value=\"a\nb\tc\r\nd&#10;e&#x9;f&amp;&quot;&apos;&lt;&gt;\"/></name>")).unwrap();
    assert_eq!(value["name"][0]["text"], "a b c d\ne\tf&\"'<>");
}

#[test]
fn all_faults_of_content_are_reported_at_once() {
    let content = "<active value=\"yes\"/>\n<nmae><given value=\"A\"/></nmae>\n<name use=\"official\"><given/>text</name>\n\
        <gender value=\"male\"/><gender value=\"female\"/>\n<telecom value=\"x\"/>\n<x:photo xmlns:x=\"other\"/>";
    let problem = parse(&patient(content)).unwrap_err();
    assert_eq!(problem.kind, Kind::Unprocessable);
    let found: Vec<(String, String)> =
        refusal(&patient(content)).into_iter().map(|(rule, place, _)| (rule, place)).collect();
    let expected = [
        ("primitive-format", "Patient.active"),
        ("unknown-element", "Patient"),
        ("unknown-element", "Patient.name[0]"),
        ("xml-text", "Patient.name[0]"),
        ("cardinality-max", "Patient.gender"),
        ("xml-order", "Patient.telecom[0]"),
        ("unknown-element", "Patient.telecom[0]"),
        ("unknown-element", "Patient.photo[0]"),
    ];
    assert_eq!(found, expected.map(|(rule, place)| (rule.to_owned(), place.to_owned())));
    let texts = refusal(&patient(content));
    assert!(
        texts[1].2.starts_with("line 2, column 1: Patient has no element \"nmae\". Did you mean \"name\"?"),
        "{}",
        texts[1].2
    );
}

#[test]
fn what_is_no_fhir_document_is_refused() {
    let table = [
        ("", "line 1, column 1: there is no element"),
        ("{}", "line 1, column 1: text stands before"),
        ("<Patient/>", "line 1, column 1: the namespace of the resource is not FHIR's"),
        ("<Patient xmlns='urn:hl7-org:v3'/>", "line 1, column 1: the namespace"),
        (
            "<patient xmlns='http://hl7.org/fhir'/>",
            "line 1, column 1: \"patient\" is not a resource type of FHIR R4. Did you mean Patient?",
        ),
        (
            "<DomainResource xmlns='http://hl7.org/fhir'/>",
            "line 1, column 1: \"DomainResource\" is not a resource type",
        ),
        ("<Patient xmlns='http://hl7.org/fhir'>\n<name></Patient>", "line 2, column 7: an end tag does not match"),
        ("<Patient xmlns='http://hl7.org/fhir'>", "line 1, column 38: the document ends too early"),
        ("<Patient xmlns='http://hl7.org/fhir'/><Patient/>", "line 1, column 39: something follows"),
        ("<Patient xmlns='http://hl7.org/fhir' a='1' a='2'/>", "line 1, column 1: an attribute stands twice"),
        (
            "<Patient xmlns='http://hl7.org/fhir'><id value='&x;'/></Patient>",
            "line 1, column 38: this entity is not defined",
        ),
        (
            "<Patient xmlns='http://hl7.org/fhir'><id value='&#0;'/></Patient>",
            "line 1, column 38: this character reference",
        ),
        (
            "<Patient xmlns='http://hl7.org/fhir'><id value='a<b'/></Patient>",
            "line 1, column 38: the character < stands",
        ),
        ("<Patient xmlns='http://hl7.org/fhir'><id value='\u{1}'/></Patient>", "line 1, column 49: XML does not allow"),
        ("<?xml version='1.1'?><Patient xmlns='http://hl7.org/fhir'/>", "line 1, column 1: the XML version"),
        (
            "<?xml version='1.0' encoding='latin1'?><Patient xmlns='http://hl7.org/fhir'/>",
            "line 1, column 1: the encoding",
        ),
    ];
    for (text, expected) in table {
        let problem = parse(text).expect_err(text);
        assert_eq!(problem.kind, Kind::Invalid, "{text}");
        let found = &problem.issues().last().unwrap().text;
        assert!(found.starts_with(expected), "{text}\n{found}");
    }
}

#[test]
fn documents_with_definitions_of_their_own_are_refused() {
    let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>";
    let files = "<!DOCTYPE x SYSTEM \"file:///etc/passwd\">";
    for doctype in [laughs, files] {
        let text = format!("{doctype}{}", patient("<id value=\"&b;\"/>"));
        assert!(refusal(&text)[0].2.contains("a DOCTYPE is not allowed"));
    }
}

#[test]
fn depth_and_size_are_limited() {
    let nested = |levels: usize| {
        patient(&format!("{}{}", "<extension url=\"u\">".repeat(levels), "</extension>".repeat(levels)))
    };
    assert!(parse(&nested(59)).is_ok());
    assert!(refusal(&nested(60))[0].2.contains("more than 60 levels"));
    assert!(refusal(&nested(100_000))[0].2.contains("more than 60 levels"));
    let unknown = patient(&format!("{}{}", "<x>".repeat(60_000), "</x>".repeat(60_000)));
    assert_eq!(refusal(&unknown)[0].0, "unknown-element");
    let limits = Limits { bytes: 10, ..Limits::default() };
    let problem = xml::parse(patient("").as_bytes(), &limits, Types::r4()).unwrap_err();
    assert_eq!(problem.kind, Kind::TooLarge);
}

#[test]
fn many_attributes_and_namespaces_are_refused_quickly() {
    let attributes = (0..200_000).map(|number| format!(" a{number}=\"\"")).collect::<Vec<_>>().concat();
    assert!(refusal(&patient(&format!("<name{attributes}/>")))[0].2.contains("too many attributes"));
    let namespaces = (0..200_000).map(|number| format!(" xmlns:a{number}=\"u\"")).collect::<Vec<_>>().concat();
    assert!(parse(&patient(&format!("<name{namespaces}/>"))).is_err());
    let faults = patient(&"<x/>".repeat(100_000));
    assert_eq!(refusal(&faults).len(), 50);
}

#[test]
fn a_broken_narrative_is_refused() {
    let table = [
        ("<div>no namespace</div>", "this element must be in the namespace"),
        ("<div xmlns=\"http://www.w3.org/1999/xhtml\">&nbsp;</div>", "this entity is not defined"),
        ("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p></div>", "an end tag does not match"),
        ("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p a=\"1\" a=\"2\"/></div>", "an attribute stands twice"),
        ("<div xmlns=\"http://www.w3.org/1999/xhtml\">]]></div>", "the characters ]]>"),
    ];
    for (div, expected) in table {
        let found = refusal(&patient(&format!("<text><status value=\"generated\"/>{div}</text>")));
        assert!(found.last().unwrap().2.contains(expected), "{div}: {found:?}");
    }
}

const SAMPLE: &str = "<?xml version=\"1.0\"?><Patient xmlns=\"http://hl7.org/fhir\"><id value=\"1\"/><text>\
    <status value=\"generated\"/><div xmlns=\"http://www.w3.org/1999/xhtml\"><p>a &amp; b<br/></p></div></text><contained>\
    <Organization><name value=\"O\"/></Organization></contained><active value=\"true\"/><name id=\"n\"><given value=\"A\"/>\
    <given><extension url=\"u\"><valueDecimal value=\"1.0\"/></extension></given></name><!-- c --></Patient>";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn changed_documents_never_panic(
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), "[<>/\"'&;= a:!\\[\\]#x?-]{0,3}", 0..8_usize), 1..4),
    ) {
        let mut text: Vec<char> = SAMPLE.chars().collect();
        for (index, insert, remove) in edits {
            let from = index.index(text.len());
            let to = (from + remove).min(text.len());
            text.splice(from..to, insert.chars());
        }
        let text: String = text.into_iter().collect();
        if let Ok(value) = parse(&text) {
            // What was read can be written, and is read again as the same.
            let written = xml::to_bytes(&value, Types::r4()).unwrap();
            prop_assert_eq!(xml::parse(&written, &Limits::default(), Types::r4()).unwrap(), value);
        }
    }

    #[test]
    fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = xml::parse(&bytes, &Limits::default(), Types::r4());
    }
}
