//! Texts that mean something elsewhere: in logs, browsers, file systems, XML and regular expressions.

use std::process::Command;

use kith::fhir::types::Types;
use kith::fhirpath::{Context, Expression, Item};
use serde_json::json;

use crate::support::http::{JSON, TestServer, send};
use crate::support::process::Process;
use crate::support::{TestDatabase, over_http};

over_http!(
    no_text_makes_a_line_of_the_log,
    narrative_that_acts_is_refused,
    entities_of_xml_are_refused,
    paths_do_not_leave_the_api,
    a_nul_is_no_fault_of_the_server,
);

fn no_text_makes_a_line_of_the_log(database: &TestDatabase) {
    let file = database.folder().join("server.log");
    let server = Process::spawn(
        Command::new(env!("CARGO_BIN_EXE_kith"))
            .args(["serve", "--listen", "127.0.0.1:0", "--log-filter", "debug", "--log-format", "text"])
            .args(["--database", &database.url, "--sqlite-synchronous", "normal"])
            .current_dir(database.folder())
            .stderr(std::fs::File::create(&file).unwrap()),
    );
    let forged = "2026-11-21T00:00:00.000000Z%20%20INFO%20kith:%20forged";
    let colour = "%1b%5b31mred";
    for path in [
        format!("Patient/%0a{forged}"),
        format!("Patient?family=%0d%0a{forged}"),
        format!("Pat%0a{forged}"),
        format!("Patient?%0a{forged}=1{colour}"),
        format!("Patient/{colour}"),
    ] {
        let answer = send("GET", &format!("{}/{path}", server.base), &[("X-Correlation-Id", "a b")], None);
        assert!(answer.status < 500, "{path}: {}", answer.text);
    }
    for body in [
        "\n2026-11-21T00:00:00.000000Z  INFO kith: forged",
        "{\"resourceType\":\"a\\n2026-11-21T00:00:00.000000Z  INFO kith: forged\"}",
    ] {
        send("POST", &format!("{}/Patient", server.base), &[JSON], Some(body.as_bytes()));
    }
    server.kill();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.lines().all(|line| !line.starts_with("2026-11-21")), "{text}");
    assert!(!text.contains('\u{1b}') || !text.contains("\u{1b}[31mred"), "{text}");
}

fn narrative_that_acts_is_refused(database: &TestDatabase) {
    let server = TestServer::start(database);
    for content in [
        "<script>alert(1)</script>",
        "<p onclick=\"alert(1)\">x</p>",
        "<img src=\"x\" onerror=\"alert(1)\"/>",
        "<iframe src=\"https://evil.example\"></iframe>",
        "<a href=\"javascript:alert(1)\">x</a>",
        "<form action=\"https://evil.example\"><input/></form>",
        "<object data=\"x\"/>",
        "<style>@import 'https://evil.example'</style>",
        "<svg onload=\"alert(1)\"/>",
        "<link rel=\"stylesheet\" href=\"https://evil.example\"/>",
        "<base href=\"https://evil.example\"/>",
    ] {
        let div = format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>x</p>{content}</div>");
        let patient = json!({ "resourceType": "Patient", "text": { "status": "generated", "div": div } });
        let answer = server.post("Patient", &patient);
        assert_eq!(answer.status, 422, "{content}: {}", answer.text);
    }
    let answer = server.get("Patient");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.header("content-type").starts_with("application/fhir+json"));
    // A browser that asks for HTML gets none.
    let answer = server.send("GET", "Patient/%3Cscript%3E", &[("Accept", "text/html")], None);
    assert!(!answer.header("content-type").contains("html"), "{}", answer.header("content-type"));
}

fn entities_of_xml_are_refused(database: &TestDatabase) {
    let server = TestServer::start(database);
    let laugh = |n: u32| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10));
    let laughs = (1..12).map(laugh).collect::<Vec<_>>().concat();
    for document in [
        "<!DOCTYPE p [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Patient xmlns=\"http://hl7.org/fhir\"><gender value=\"&x;\"/></Patient>".to_owned(),
        "<!DOCTYPE p SYSTEM \"http://127.0.0.1:1/x.dtd\"><Patient xmlns=\"http://hl7.org/fhir\"/>".to_owned(),
        format!("<!DOCTYPE p [<!ENTITY l0 \"x\">{laughs}]><Patient xmlns=\"http://hl7.org/fhir\"><gender value=\"&l11;\"/></Patient>"),
        "<Patient xmlns=\"http://hl7.org/fhir\" xmlns:xi=\"http://www.w3.org/2001/XInclude\"><xi:include href=\"file:///etc/passwd\"/></Patient>".to_owned(),
    ] {
        let answer = server.send("POST", "Patient", &[("Content-Type", "application/fhir+xml")], Some(document.as_bytes()));
        assert!([400, 422].contains(&answer.status), "{}: {document}", answer.status);
        assert!(!answer.text.contains("root:"), "{}", answer.text);
    }
}

fn paths_do_not_leave_the_api(database: &TestDatabase) {
    let server = TestServer::start(database);
    for path in [
        "..%2f..%2fetc%2fpasswd",
        "Patient/..%2f..%2f..%2fetc%2fpasswd",
        "Patient/%2e%2e/%2e%2e/etc/passwd",
        "%00",
        "Patient/x%00.json",
        "Binary/..%5c..%5cx",
    ] {
        let answer = server.get(path);
        assert!([400, 404].contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
    }
}

#[test]
fn regular_expressions_take_linear_time() {
    // The one library of regular expressions does not backtrack.
    let lock = include_str!("../../../Cargo.lock");
    for other in ["fancy-regex", "onig", "pcre2"] {
        assert!(!lock.contains(&format!("name = \"{other}\"")), "{other} is linked");
    }
    let evil = format!("'{}!'.matches('^(a+)+$')", "a".repeat(50_000));
    let before = crate::support::spent();
    let expression = Expression::compile(&evil).unwrap();
    let patient = json!({ "resourceType": "Patient" });
    let context = Context::new(&patient, 0);
    assert!(!expression.holds(&context, Item::resource(&patient, Types::r4())).unwrap());
    assert!(crate::support::spent().saturating_sub(before).as_secs() < 5);
}

fn a_nul_is_no_fault_of_the_server(database: &TestDatabase) {
    let server = TestServer::start(database);
    let patient = json!({ "resourceType": "Patient", "identifier": [{ "system": "urn:s", "value": "a" }] });
    server.post("Patient", &patient).expect(201);
    for search in [
        "Patient?identifier=%00",
        "Patient?identifier=urn:s%7C%00",
        "Patient?gender=%00",
        "Patient?identifier:not=a,%00",
        "Patient?_tag=b,%00",
        "Patient?organization.type=%00",
        "Organization?_has:Patient:organization:identifier=%00",
        "Patient?_source=urn:%00",
    ] {
        let found = server.get(search).expect(200).json();
        assert_eq!(found["total"], 0, "{search}");
    }
    let also = server.get("Patient?identifier=a,%00").expect(200).json();
    assert_eq!(also["total"], 1);
    let asked = [("Content-Type", "application/x-www-form-urlencoded")];
    server.send("POST", "Patient/_search", &asked, Some(b"identifier=%00")).expect(200);
    let condition = [JSON, ("If-None-Exist", "identifier=urn:s|%00")];
    server.send("POST", "Patient", &condition, Some(patient.to_string().as_bytes())).expect(201);
}
