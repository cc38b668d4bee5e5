//! history at instance, type and system level (<https://hl7.org/fhir/R4/http.html#history>).

use serde_json::{Value, json};

use crate::support::http::{TestServer, send};
use crate::support::{TestDatabase, over_http};

fn put(server: &TestServer, resource_type: &str, id: &str, language: &str) {
    let status = if resource_type == "Basic" { json!({ "code": { "text": "note" } }) } else { json!({}) };
    let mut content = json!({ "resourceType": resource_type, "id": id, "language": language });
    content.as_object_mut().unwrap().extend(status.as_object().unwrap().clone());
    let answer = server.put(&format!("{resource_type}/{id}"), &content);
    assert!(matches!(answer.status, 200 | 201), "{}", answer.text);
}

/// `method url status` of every entry.
fn lines(bundle: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entries = bundle["entry"].as_array().map(Vec::as_slice).unwrap_or_default();
    entries
        .iter()
        .map(|entry| {
            let request = &entry["request"];
            format!("{} {} {}", text(&request["method"]), text(&request["url"]), text(&entry["response"]["status"]))
        })
        .collect()
}

fn next(bundle: &Value) -> Option<String> {
    let links = bundle["link"].as_array().unwrap();
    links.iter().find(|link| link["relation"] == "next").map(|link| link["url"].as_str().unwrap().to_owned())
}

fn every_level_shows_its_versions(database: &TestDatabase) {
    let server = TestServer::start(database);
    put(&server, "Patient", "a", "en");
    put(&server, "Basic", "b", "en");
    put(&server, "Patient", "a", "de");
    let created = server.post("Patient", &json!({ "resourceType": "Patient" })).expect(201).json();
    server.delete("Patient/a").expect(204);
    put(&server, "Patient", "a", "fr");
    let system = server.get("_history").expect(200).json();
    assert_eq!(system["type"], "history");
    assert_eq!(system["total"], 6);
    assert_eq!(
        lines(&system),
        [
            "PUT Patient/a 201",
            "DELETE Patient/a 204",
            "POST Patient 201",
            "PUT Patient/a 200",
            "PUT Basic/b 201",
            "PUT Patient/a 201"
        ]
    );
    let patients = server.get("Patient/_history").expect(200).json();
    assert_eq!(patients["total"], 5);
    assert!(lines(&patients).iter().all(|line| line.contains("Patient")));
    let one = server.get("Patient/a/_history").expect(200).json();
    assert_eq!(lines(&one), ["PUT Patient/a 201", "DELETE Patient/a 204", "PUT Patient/a 200", "PUT Patient/a 201"]);
    let deletion = &one["entry"][1];
    assert!(deletion.get("resource").is_none());
    assert_eq!(deletion["fullUrl"], format!("{}/Patient/a", server.base));
    assert_eq!(deletion["response"]["etag"], "W/\"3\"");
    let newest = &one["entry"][0];
    assert_eq!(newest["resource"]["language"], "fr");
    assert_eq!(newest["response"]["lastModified"], newest["resource"]["meta"]["lastUpdated"]);
    assert_eq!(system["entry"][2]["resource"], created);
    assert_eq!(server.get("Observation/_history").expect(200).json()["total"], 0);
    server.get("Patient/nobody/_history").expect(404);
    server.get("Pateint/_history").expect(404);
}

fn pages_stay_as_they_are_while_others_write(database: &TestDatabase) {
    let server = TestServer::start(database);
    for number in 0..7 {
        put(&server, "Patient", &format!("p{number}"), "en");
    }
    for start in ["_history", "Patient/_history"] {
        let mut url = format!("{}/{start}?_count=3", server.base);
        let mut seen = Vec::new();
        let before = server.get(&format!("{start}?_count=0")).json()["total"].as_i64().unwrap();
        loop {
            let page = send("GET", &url, &[], None).expect(200).json();
            assert_eq!(page["total"], before);
            for entry in page["entry"].as_array().unwrap() {
                seen.push(format!("{} {}", entry["fullUrl"], entry["response"]["etag"]));
            }
            put(&server, "Patient", "p3", &format!("x-{}", seen.len()));
            let Some(link) = next(&page) else { break };
            assert!(!link.contains("lastUpdated"), "{link}");
            url = link;
        }
        assert_eq!(i64::try_from(seen.len()).unwrap(), before);
        let mut distinct = seen.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), seen.len(), "{seen:?}");
    }
}

fn a_paging_link_belongs_to_its_history(database: &TestDatabase) {
    let server = TestServer::start(database);
    put(&server, "Patient", "a", "en");
    put(&server, "Patient", "a", "de");
    let page = server.get("Patient/_history?_count=1").expect(200).json();
    let link = next(&page).unwrap();
    let token = link.split_once("_page=").unwrap().1;
    server.get(&format!("Patient/_history?_page={token}")).expect(200);
    server.get(&format!("_history?_page={token}")).expect(400);
    server.get(&format!("Patient/a/_history?_page={token}")).expect(400);
    server.get(&format!("Patient/_history?_since=2020-01-01T00:00:00Z&_page={token}")).expect(400);
    server.get("Patient/_history?_page=AAAA").expect(400);
}

fn since_and_at_choose_versions(database: &TestDatabase) {
    let server = TestServer::start(database);
    put(&server, "Patient", "a", "en");
    put(&server, "Patient", "a", "de");
    put(&server, "Patient", "a", "fr");
    let all = server.get("Patient/a/_history").expect(200).json();
    let made = |at: usize| all["entry"][at]["response"]["lastModified"].as_str().unwrap().to_owned();
    let ask = |query: &str| server.get(&format!("Patient/a/_history?{query}")).expect(200).json();
    assert_eq!(lines(&ask(&format!("_since={}", made(1)))).len(), 2);
    assert_eq!(ask("_since=2999-01-01T00:00:00Z")["total"], 0);
    let at = ask(&format!("_at={}", made(1)));
    assert_eq!(at["total"], 1);
    assert_eq!(at["entry"][0]["resource"]["language"], "de");
    assert_eq!(ask("_at=2999")["entry"][0]["resource"]["language"], "fr");
    assert_eq!(ask("_at=2999")["total"], 1);
    assert_eq!(ask("_at=1999-12-31")["total"], 0);
    let day = &made(0)[..10];
    assert_eq!(ask(&format!("_at={day}"))["total"], 3);
    let system = server.get(&format!("_history?_at={}", made(1))).expect(200).json();
    assert_eq!(system["entry"][0]["resource"]["language"], "de");
    for wrong in ["_since=yesterday", "_since=2020-01-01", "_at=now", "_count=-1", "_count=1&_count=2", "_sort=code"] {
        server.get(&format!("Patient/a/_history?{wrong}")).expect(400);
    }
}

fn unknown_parameters_are_passed_over_or_refused(database: &TestDatabase) {
    let server = TestServer::start(database);
    put(&server, "Patient", "a", "en");
    let lenient = server.get("Patient/_history?_count=5&colour=red").expect(200).json();
    assert_eq!(lenient["link"][0]["url"], format!("{}/Patient/_history?_count=5", server.base));
    let strict = server.send("GET", "Patient/_history?colour=red", &[("Prefer", "handling=strict")], None).expect(400);
    assert_eq!(strict.json()["issue"][0]["expression"][0], "http.query.colour");
    server.send("POST", "Patient/_history", &[], None).expect(405);
    server.send("POST", "_history", &[], None).expect(405);
}

fn a_part_of_each_version_can_be_asked_for(database: &TestDatabase) {
    let server = TestServer::start(database);
    let content = json!({ "resourceType": "Patient", "id": "a", "language": "en", "active": true, "gender": "female" });
    server.put("Patient/a", &content).expect(201);
    let bundle = server.get("Patient/_history?_elements=gender").expect(200).json();
    let resource = &bundle["entry"][0]["resource"];
    assert_eq!(resource["gender"], "female");
    assert!(resource.get("language").is_none());
    assert_eq!(resource["meta"]["tag"][0]["code"], "SUBSETTED");
    let count = server.get("Patient/_history?_summary=count").expect(200).json();
    assert_eq!((&count["total"], count.get("entry")), (&json!(1), None));
    let xml = server.get("_history?_format=xml&_pretty=true").expect(200);
    assert!(xml.text.contains("\n      <Patient>"), "{}", xml.text);
}

over_http!(
    every_level_shows_its_versions,
    pages_stay_as_they_are_while_others_write,
    a_paging_link_belongs_to_its_history,
    since_and_at_choose_versions,
    unknown_parameters_are_passed_over_or_refused,
    a_part_of_each_version_can_be_asked_for,
);
