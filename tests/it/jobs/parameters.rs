//! Search parameters that an operator stores as SearchParameter resources, over HTTP.

use serde_json::{Value, json};

use super::{found, listed, nickname, patient, start, wait_until_gone, wait_until_listed};
use crate::support::http::TestServer;
use crate::support::{TestDatabase, over_http};

over_http!(
    a_parameter_finds_what_was_there_before_and_what_comes_after,
    a_draft_is_not_searchable_until_it_is_active,
    a_retired_or_deleted_parameter_is_gone,
    a_changed_expression_is_indexed_anew,
    what_cannot_work_is_refused_with_the_reason,
    a_transaction_can_bring_a_parameter_and_its_first_resource,
    another_process_learns_of_it,
    it_is_there_after_a_restart,
);

fn a_parameter_finds_what_was_there_before_and_what_comes_after(database: &TestDatabase) {
    let server = start(database);
    server.put("Patient/before", &patient("before", "Flo")).expect(201);
    let strict = [("Prefer", "handling=strict")];
    server.send("GET", "Patient?nickname=flo", &strict, None).expect(400);
    server.post("SearchParameter", &nickname()).expect(201);
    wait_until_listed(&server, "Patient", "nickname");
    server.put("Patient/after", &patient("after", "Florrie")).expect(201);
    server.put("Patient/other", &patient("other", "Bo")).expect(201);
    assert_eq!(found(&server, "Patient?nickname=flo"), ["after", "before"]);
    assert_eq!(found(&server, "Patient?nickname:exact=Flo"), ["before"]);
    server.put("Patient/before", &patient("before", "Jo")).expect(200);
    assert_eq!(found(&server, "Patient?nickname=flo"), ["after"]);
    assert!(!listed(&server, "Practitioner").contains(&"nickname".to_owned()));
}

fn a_draft_is_not_searchable_until_it_is_active(database: &TestDatabase) {
    let server = start(database);
    server.put("Patient/a", &patient("a", "Flo")).expect(201);
    let mut draft = nickname();
    draft["id"] = json!("nickname");
    draft["status"] = json!("draft");
    server.put("SearchParameter/nickname", &draft).expect(201);
    let answer = server.get("Patient?nickname=flo").expect(400);
    assert!(answer.text.contains("draft"), "{}", answer.text);
    assert!(!listed(&server, "Patient").contains(&"nickname".to_owned()));
    draft["status"] = json!("active");
    server.put("SearchParameter/nickname", &draft).expect(200);
    wait_until_listed(&server, "Patient", "nickname");
    assert_eq!(found(&server, "Patient?nickname=flo"), ["a"]);
}

fn a_retired_or_deleted_parameter_is_gone(database: &TestDatabase) {
    let server = start(database);
    server.put("Patient/a", &patient("a", "Flo")).expect(201);
    for end in ["retire", "delete"] {
        let mut definition = nickname();
        definition["id"] = json!("nickname");
        let put = server.put("SearchParameter/nickname", &definition);
        assert!(matches!(put.status, 200 | 201), "{}", put.text);
        wait_until_listed(&server, "Patient", "nickname");
        assert_eq!(found(&server, "Patient?nickname=flo"), ["a"]);
        if end == "retire" {
            definition["status"] = json!("retired");
            server.put("SearchParameter/nickname", &definition).expect(200);
        } else {
            server.delete("SearchParameter/nickname").expect(204);
        }
        assert!(!listed(&server, "Patient").contains(&"nickname".to_owned()), "gone with the answer to the write");
        server.send("GET", "Patient?nickname=flo", &[("Prefer", "handling=strict")], None).expect(400);
    }
}

fn a_changed_expression_is_indexed_anew(database: &TestDatabase) {
    let server = start(database);
    let mut person = patient("a", "Flo");
    person["name"].as_array_mut().unwrap().push(json!({ "use": "maiden", "given": ["Sal"] }));
    server.put("Patient/a", &person).expect(201);
    let mut definition = nickname();
    definition["id"] = json!("nickname");
    server.put("SearchParameter/nickname", &definition).expect(201);
    wait_until_listed(&server, "Patient", "nickname");
    definition["expression"] = json!("Patient.name.where(use = 'maiden').given");
    server.put("SearchParameter/nickname", &definition).expect(200);
    wait_until_listed(&server, "Patient", "nickname");
    assert_eq!(found(&server, "Patient?nickname=flo"), Vec::<String>::new());
    assert_eq!(found(&server, "Patient?nickname=sal"), ["a"]);
}

#[track_caller]
fn refused(server: &TestServer, change: impl Fn(&mut Value), element: &str, words: &str) {
    let mut definition = nickname();
    change(&mut definition);
    let answer = server.post("SearchParameter", &definition).expect(422).json();
    let issues = answer["issue"].as_array().unwrap();
    let named = issues.iter().any(|issue| {
        issue["expression"][0].as_str().is_some_and(|at| at.starts_with(element))
            && issue["diagnostics"].as_str().is_some_and(|text| text.contains(words))
    });
    assert!(named, "{element} {words}: {answer}");
}

fn what_cannot_work_is_refused_with_the_reason(database: &TestDatabase) {
    let server = start(database);
    let element = "SearchParameter.expression";
    refused(&server, |it| it["expression"] = json!("Patient.name.where("), element, "Patient");
    refused(&server, |it| it["expression"] = json!("Patient.shoeSize"), element, "shoeSize");
    refused(&server, |it| it["expression"] = json!("Practitioner.name"), element, "Patient");
    refused(&server, |it| it["expression"] = json!("Patient.birthDate"), element, "string");
    refused(&server, |it| drop(it.as_object_mut().unwrap().remove("expression")), element, "nothing can be indexed");
    refused(&server, |it| it["base"] = json!(["Person", "Patiant"]), "SearchParameter.base", "");
    refused(&server, |it| it["code"] = json!("birthdate"), "SearchParameter.code", "already");
    refused(&server, |it| it["code"] = json!("_id"), "SearchParameter.code", "letter");
    refused(&server, |it| it["code"] = json!("a:b"), "SearchParameter.code", "letter");
    refused(&server, |it| it["type"] = json!("special"), "SearchParameter.type", "special");
    refused(&server, |it| it["type"] = json!("composite"), element, "component");
    refused(&server, |it| it["xpathUsage"] = json!("phonetic"), "SearchParameter.xpathUsage", "normal");
    let standard = "http://hl7.org/fhir/SearchParameter/Patient-active";
    refused(&server, |it| it["url"] = json!(standard), "SearchParameter.url", "FHIR");
    server.post("SearchParameter", &nickname()).expect(201);
    refused(&server, |_| {}, "SearchParameter.url", "url");
    refused(&server, |it| it["url"] = json!("https://example.org/other"), "SearchParameter.code", "nickname");
    let mut elsewhere = nickname();
    elsewhere["url"] = json!("https://example.org/practitioner-nickname");
    elsewhere["base"] = json!(["Practitioner"]);
    elsewhere["expression"] = json!("Practitioner.name.where(use = 'nickname').given");
    server.post("SearchParameter", &elsewhere).expect(201);
    let mut retired = nickname();
    retired["status"] = json!("retired");
    server.post("SearchParameter", &retired).expect(201);
}

fn a_transaction_can_bring_a_parameter_and_its_first_resource(database: &TestDatabase) {
    let server = start(database);
    let entry = |method: &str, url: &str, resource: Value| json!({ "request": { "method": method, "url": url }, "resource": resource });
    let bundle = json!({
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            entry("POST", "SearchParameter", nickname()),
            entry("PUT", "Patient/a", patient("a", "Flo")),
        ],
    });
    server.post("", &bundle).expect(200);
    wait_until_listed(&server, "Patient", "nickname");
    assert_eq!(found(&server, "Patient?nickname=flo"), ["a"]);
}

fn another_process_learns_of_it(database: &TestDatabase) {
    let servers = [start(database), start(database)];
    servers[1].put("Patient/before", &patient("before", "Flo")).expect(201);
    servers[0].post("SearchParameter", &nickname()).expect(201);
    // The other one may not know of it yet: what it stores is found all the same.
    servers[1].put("Patient/during", &patient("during", "Flo")).expect(201);
    for server in &servers {
        wait_until_listed(server, "Patient", "nickname");
    }
    servers[1].put("Patient/after", &patient("after", "Flo")).expect(201);
    for server in &servers {
        assert_eq!(found(server, "Patient?nickname=flo"), ["after", "before", "during"]);
    }
    let ids = servers[0].get("SearchParameter?code=nickname").expect(200).json();
    let id = ids["entry"][0]["resource"]["id"].as_str().unwrap().to_owned();
    servers[1].delete(&format!("SearchParameter/{id}")).expect(204);
    for server in &servers {
        wait_until_gone(server, "Patient", "nickname");
    }
}

fn it_is_there_after_a_restart(database: &TestDatabase) {
    let server = start(database);
    server.put("Patient/a", &patient("a", "Flo")).expect(201);
    server.post("SearchParameter", &nickname()).expect(201);
    wait_until_listed(&server, "Patient", "nickname");
    drop(server);
    let server = start(database);
    assert!(listed(&server, "Patient").contains(&"nickname".to_owned()), "at once: it is indexed already");
    assert_eq!(found(&server, "Patient?nickname=flo"), ["a"]);
}
