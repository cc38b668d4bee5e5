//! Formats: the rules of negotiation as a table, and XML over HTTP.

use kith::interactions::format::{BodyFormat, Format, body_format, wanted};
use kith::problem::Kind;
use serde_json::json;

use crate::support::http::{JSON, TestServer, send};
use crate::support::{TestDatabase, over_http};

#[test]
fn the_body_format_follows_content_type() {
    let table = [
        (None, Ok(BodyFormat::Json)),
        (Some("application/fhir+json"), Ok(BodyFormat::Json)),
        (Some("application/json"), Ok(BodyFormat::Json)),
        (Some("Application/FHIR+JSON; charset=UTF-8; fhirVersion=4.0"), Ok(BodyFormat::Json)),
        (Some("application/fhir+json;fhirVersion=\"4.0\""), Ok(BodyFormat::Json)),
        (Some("text/json"), Ok(BodyFormat::Json)),
        (Some("application/fhir+xml"), Ok(BodyFormat::Xml)),
        (Some("application/xml;charset=utf-8"), Ok(BodyFormat::Xml)),
        (Some("text/xml"), Ok(BodyFormat::Xml)),
        (Some("application/json-patch+json"), Ok(BodyFormat::JsonPatch)),
        (Some("application/x-www-form-urlencoded"), Ok(BodyFormat::Form)),
        (Some("application/fhir+json; fhirVersion=3.0"), Err(Kind::UnsupportedMediaType)),
        (Some("application/fhir+json; charset=iso-8859-1"), Err(Kind::UnsupportedMediaType)),
        (Some("text/plain"), Err(Kind::UnsupportedMediaType)),
        (Some(""), Err(Kind::UnsupportedMediaType)),
    ];
    for (header, expected) in table {
        assert_eq!(body_format(header).map_err(|problem| problem.kind), expected, "{header:?}");
    }
}

#[test]
fn the_answer_format_follows_accept_and_format() {
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
    let table = [
        (None, None, Ok(Format::Json)),
        (Some(""), None, Ok(Format::Json)),
        (Some("*/*"), None, Ok(Format::Json)),
        (Some("application/*"), None, Ok(Format::Json)),
        (Some(browser), None, Ok(Format::Json)),
        (Some("application/fhir+xml"), None, Ok(Format::Xml)),
        (Some("application/fhir+xml; fhirVersion=4.0"), None, Ok(Format::Xml)),
        (Some("application/fhir+json;q=0.5, application/fhir+xml;q=0.9"), None, Ok(Format::Xml)),
        (Some("application/fhir+xml;q=0.5, application/fhir+json"), None, Ok(Format::Json)),
        (Some("application/fhir+xml, application/fhir+json"), None, Ok(Format::Xml)),
        (Some("application/fhir+xml, */*"), None, Ok(Format::Xml)),
        (Some("*/*, application/fhir+xml"), None, Ok(Format::Xml)),
        (Some("application/fhir+json;q=0, */*"), None, Ok(Format::Xml)),
        (Some("image/png, application/xml"), None, Ok(Format::Xml)),
        (Some("image/png"), None, Err(Kind::NotAcceptable)),
        (Some("application/fhir+json; fhirVersion=5.0"), None, Err(Kind::NotAcceptable)),
        (Some("application/fhir+json"), Some("xml"), Ok(Format::Xml)),
        (Some("application/fhir+xml"), Some("json"), Ok(Format::Json)),
        (None, Some("application/fhir+xml"), Ok(Format::Xml)),
        (None, Some("application/fhir xml"), Ok(Format::Xml)),
        (None, Some("text/xml"), Ok(Format::Xml)),
        (None, Some("html"), Err(Kind::NotAcceptable)),
        (None, Some("text/html"), Err(Kind::NotAcceptable)),
        (Some("text/html"), None, Err(Kind::NotAcceptable)),
        (Some("text/html, image/webp"), None, Err(Kind::NotAcceptable)),
        (Some("text/html, */*;q=0.1"), None, Ok(Format::Json)),
        (Some("application/fhir+json; fhirVersion=5.0, application/fhir+xml; fhirVersion=4.0"), None, Ok(Format::Xml)),
        (Some("application/fhir+json;q=0, application/fhir+xml;q=0"), None, Err(Kind::NotAcceptable)),
        (None, Some("application/fhir+json;fhirVersion=3.0"), Err(Kind::NotAcceptable)),
        (None, Some("turtle"), Err(Kind::NotAcceptable)),
    ];
    for (accept, format, expected) in table {
        let found = wanted(accept, format, None).map(|wanted| wanted.format).map_err(|problem| problem.kind);
        assert_eq!(found, expected, "{accept:?} {format:?}");
    }
    assert!(wanted(None, None, Some("true")).unwrap().pretty);
    assert!(!wanted(None, None, Some("false")).unwrap().pretty);
}

const XML: (&str, &str) = ("Content-Type", "application/fhir+xml");
const PATIENT: &str = "<Patient xmlns=\"http://hl7.org/fhir\"><text><status value=\"generated\"/>\
    <div xmlns=\"http://www.w3.org/1999/xhtml\">A <b>b</b></div></text><active value=\"true\"/>\
    <name><family value=\"Appleby\"/><given value=\"Rose\"/></name></Patient>";

fn xml_goes_in_and_comes_out(database: &TestDatabase) {
    let server = TestServer::start(database);
    let created = server.send("POST", "Patient", &[XML], Some(PATIENT.as_bytes())).expect(201);
    let id = created.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(created.json()["active"], true);
    let read = server.send("GET", &format!("Patient/{id}"), &[("Accept", "application/fhir+xml")], None).expect(200);
    assert!(read.header("content-type").starts_with("application/fhir+xml"));
    let content = PATIENT.split_once("<text>").unwrap().1;
    assert!(read.text.ends_with(&format!("<text>{content}")), "{}", read.text);
    let pretty = server.get(&format!("Patient/{id}?_format=xml&_pretty=true")).expect(200);
    assert!(pretty.text.contains("\n  <name>\n    <family value=\"Appleby\"/>"), "{}", pretty.text);
    let history = server.get(&format!("Patient/{id}/_history?_format=xml")).expect(200);
    assert!(history.text.contains("<resource><Patient>"), "{}", history.text);
}

fn answers_name_the_version_that_was_asked_for(database: &TestDatabase) {
    let server = TestServer::start(database);
    let ask = |accept: &str| server.send("GET", "metadata", &[("Accept", accept)], None);
    let plain = ask("application/json").expect(200);
    assert_eq!(plain.header("content-type"), "application/fhir+json; charset=utf-8");
    let named = ask("image/png, application/fhir+xml; fhirVersion=4.0").expect(200);
    assert_eq!(named.header("content-type"), "application/fhir+xml; fhirVersion=4.0; charset=utf-8");
    ask("application/fhir+json; fhirVersion=3.0").expect(406);
    let several = server.send("GET", "metadata", &[("Accept", "image/png"), ("Accept", "text/xml")], None).expect(200);
    assert!(several.text.contains("?><CapabilityStatement"), "{}", several.text);
}

fn a_search_form_may_say_the_format(database: &TestDatabase) {
    let server = TestServer::start(database);
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let answer = server.send("POST", "Patient/_search", &[form], Some(b"_format=xml&_pretty=true")).expect(200);
    assert!(answer.text.contains("\n<Bundle"), "{}", answer.text);
    let answer = server.send("POST", "Patient/_search?_format=json", &[form], Some(b"_format=xml")).expect(200);
    assert!(answer.text.starts_with('{'), "{}", answer.text);
}

/// Every refusal is an OperationOutcome in the format that was asked for, whoever refuses.
fn refusals_have_the_format_that_was_asked_for(database: &TestDatabase) {
    let server = TestServer::start_with(database, &[("limits.body", "2048")]);
    let long = format!("Patient?name={}", "x".repeat(20_000));
    let large = format!("<Patient xmlns=\"http://hl7.org/fhir\">{}</Patient>", " ".repeat(4000));
    let cases: [(&str, &str, &[u8], u16); 13] = [
        ("GET", "Patient/nobody", b"", 404),
        ("GET", "Nothing", b"", 404),
        ("GET", "Patient/%FF", b"", 400),
        ("GET", "Patient?name=%FF%FE", b"", 400),
        ("GET", "Patient/a%00b", b"", 400),
        ("GET", &long, b"", 414),
        ("POST", "Patient", large.as_bytes(), 413),
        ("POST", "Patient", b"<", 400),
        ("POST", "Patient", b"\xff\xfe", 400),
        ("DELETE", "metadata", b"", 405),
        ("FROB", "Patient", b"", 405),
        ("GET", "Patient?birthdate=soon", b"", 400),
        ("PUT", "Patient/a?_format=xml", b"<Patient xmlns=\"http://hl7.org/fhir\"><id value=\"b\"/></Patient>", 400),
    ];
    let outside = [("GET", "elsewhere", 404), ("POST", "health/live", 405), ("DELETE", "", 404)];
    let root = server.base.strip_suffix("fhir").unwrap().to_owned();
    let inside = cases.map(|(method, path, body, status)| (method, format!("{}/{path}", server.base), body, status));
    let outside = outside.map(|(method, path, status)| (method, format!("{root}{path}"), b"".as_slice(), status));
    for (method, path, body, status) in inside.into_iter().chain(outside) {
        let body = (!body.is_empty()).then_some(body);
        let answer = send(method, &path, &[XML, ("Accept", "application/fhir+xml")], body);
        assert_eq!(answer.status, status, "{method} {:.40}: {}", path, answer.text);
        assert!(answer.header("content-type").starts_with("application/fhir+xml"), "{method} {path:.40}");
        assert!(answer.text.contains("?><OperationOutcome"), "{method} {path:.40}: {}", answer.text);
    }
    let unreadable = server.send("GET", "Patient/x", &[("Accept", "image/png")], None).expect(406);
    assert_eq!(unreadable.json()["resourceType"], "OperationOutcome");
}

fn refused_xml_is_answered_with_all_issues(database: &TestDatabase) {
    let server = TestServer::start(database);
    let broken = PATIENT.replace("<active", "<activ").replace("<family", "<famly");
    let answer = server.send("POST", "Patient", &[XML], Some(broken.as_bytes())).expect(422);
    let outcome = answer.json();
    assert_eq!(outcome["issue"].as_array().unwrap().len(), 2);
    assert_eq!(outcome["issue"][0]["details"]["coding"][0]["code"], "unknown-element");
    assert_eq!(outcome["issue"][1]["expression"], json!(["Patient.name[0]"]));
    let malformed =
        server.send("POST", "Patient", &[XML, ("Accept", "application/xml")], Some(b"<Patient")).expect(400);
    assert!(malformed.text.contains("<OperationOutcome xmlns=\"http://hl7.org/fhir\"><issue>"), "{}", malformed.text);
}

fn decimals_keep_their_text(database: &TestDatabase) {
    let server = TestServer::start(database);
    let observation = r#"{"resourceType":"Observation","status":"final","code":{"text":"weight"},
        "valueQuantity":{"value":1.50E-3}}"#;
    let created = server.send("POST", "Observation", &[JSON], Some(observation.as_bytes())).expect(201);
    let id = created.json()["id"].as_str().unwrap().to_owned();
    assert!(server.get(&format!("Observation/{id}")).text.contains("1.50E-3"));
    assert!(server.get(&format!("Observation/{id}?_format=xml")).text.contains("value=\"1.50E-3\""));
}

over_http!(
    xml_goes_in_and_comes_out,
    refused_xml_is_answered_with_all_issues,
    decimals_keep_their_text,
    answers_name_the_version_that_was_asked_for,
    a_search_form_may_say_the_format,
    refusals_have_the_format_that_was_asked_for,
);
