//! `_summary`, `_elements` and what comes of resources that are not whole (<https://hl7.org/fhir/R4/search.html#summary>).

use serde_json::{Value, json};

use crate::support::http::TestServer;
use crate::support::{TestDatabase, over_http};

fn observation() -> Value {
    json!({
        "resourceType": "Observation",
        "id": "weight",
        "text": { "status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Weight</div>" },
        "status": "final",
        "code": { "text": "weight", "coding": [{ "system": "https://example.org/codes", "code": "w" }] },
        "effectiveDateTime": "2026-01-02",
        "valueQuantity": { "value": 70.5, "unit": "kg" },
        "note": [{ "text": "shoes on", "time": "2026-01-02" }],
        "component": [{ "code": { "text": "left" }, "valueString": "a", "interpretation": [{ "text": "b" }] }],
    })
}

fn names(resource: &Value) -> Vec<&str> {
    resource.as_object().unwrap().keys().map(String::as_str).collect()
}

fn a_read_shows_what_is_asked_for(database: &TestDatabase) {
    let server = TestServer::start(database);
    server.put("Observation/weight", &observation()).expect(201);
    let read = |query: &str| server.get(&format!("Observation/weight?{query}")).expect(200).json();
    let always = ["resourceType", "id", "meta"];
    let cases: [(&str, &[&str]); 7] = [
        ("_summary=true", &["status", "code", "effectiveDateTime", "valueQuantity", "component"]),
        ("_summary=text", &["text", "status", "code"]),
        ("_summary=data", &["status", "code", "effectiveDateTime", "valueQuantity", "note", "component"]),
        ("_elements=value", &["status", "code", "valueQuantity"]),
        ("_elements=note.text,effective[x]", &["status", "code", "effectiveDateTime", "note"]),
        ("_elements=Observation.code.text", &["status", "code"]),
        ("_elements=nothing", &["status", "code"]),
    ];
    for (query, expected) in cases {
        let found = read(query);
        assert_eq!(names(&found), always.iter().chain(expected).copied().collect::<Vec<_>>(), "{query}");
        assert_eq!(found["meta"]["tag"][0]["code"], "SUBSETTED", "{query}");
        assert_eq!(found["meta"]["versionId"], "1", "{query}");
    }
    assert_eq!(names(&read("_summary=true")["component"][0]), ["code", "valueString"]);
    assert_eq!(read("_elements=note.text")["note"], json!([{ "text": "shoes on" }]));
    assert_eq!(read("_elements=Observation.code.text")["code"], json!({ "text": "weight" }));
    let whole = read("_summary=false");
    assert_eq!(whole.get("note"), observation().get("note"));
    assert!(whole["meta"].get("tag").is_none());
    let version = server.get("Observation/weight/_history/1?_elements=note").expect(200);
    assert_eq!(version.header("etag"), "W/\"1\"");
    assert_eq!(names(&version.json()), ["resourceType", "id", "meta", "status", "code", "note"]);
    let found = server.get("Observation?_elements=note.text").expect(200).json();
    assert_eq!(found["entry"][0]["resource"]["note"], json!([{ "text": "shoes on" }]));
    let xml = server.get("Observation/weight?_summary=text&_format=xml").expect(200);
    assert!(xml.text.contains("SUBSETTED") && !xml.text.contains("70.5"), "{}", xml.text);
}

fn what_contradicts_itself_is_refused(database: &TestDatabase) {
    let server = TestServer::start(database);
    server.put("Observation/weight", &observation()).expect(201);
    for query in ["_summary=count", "_summary=some", "_summary=true&_elements=code", "_elements=", "_elements=a;b"] {
        let refused = server.get(&format!("Observation/weight?{query}")).expect(400).json();
        let place = refused["issue"][0]["expression"][0].as_str().unwrap().to_owned();
        assert!(place.starts_with("http.query._"), "{query}: {place}");
    }
}

fn a_part_does_not_replace_the_whole(database: &TestDatabase) {
    let server = TestServer::start(database);
    server.put("Observation/weight", &observation()).expect(201);
    let part = server.get("Observation/weight?_elements=note").expect(200).json();
    let refused = server.put("Observation/weight", &part).expect(422).json();
    assert_eq!(refused["issue"][0]["expression"][0], "Observation.meta.tag");
    assert_eq!(server.get("Observation/weight").json()["valueQuantity"]["value"].to_string(), "70.5");
}

over_http!(a_read_shows_what_is_asked_for, what_contradicts_itself_is_refused, a_part_does_not_replace_the_whole);
