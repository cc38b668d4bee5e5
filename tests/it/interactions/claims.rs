//! Every claim of the CapabilityStatement is tried: each resource type with each interaction, flag and search parameter, each
//! operation, format, patch format and compartment; and what is not claimed is refused. A new claim needs a trial here.

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::http::{Answer, JSON, TestServer};
use crate::support::minimal::Minimal;
use crate::support::{TestDatabase, over_http};

/// How many resource types are tried at the same time.
const LANES: usize = 3;
/// Search parameters in one request.
const AT_ONCE: usize = 6;

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn texts<'a>(value: &'a Value, member: &'a str) -> Vec<&'a str> {
    items(value).map(|item| item[member].as_str().unwrap()).collect()
}

/// Runs a check for every resource type of the statement, some at a time, and gathers what went wrong.
fn for_each_type(server: &TestServer, check: impl Fn(&Value) -> Vec<String> + Sync) {
    let statement = server.get("metadata").expect(200).json();
    let resources: Vec<&Value> = items(&statement["rest"][0]["resource"]).collect();
    assert!(resources.len() >= 146, "{}", resources.len());
    let check = &check;
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let lanes = resources.chunks(resources.len().div_ceil(LANES));
        let running: Vec<_> = lanes
            .map(|lane| scope.spawn(move || lane.iter().flat_map(|resource| check(resource)).collect::<Vec<_>>()))
            .collect();
        running.into_iter().flat_map(|lane| lane.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One resource type under trial.
struct Trial<'a> {
    server: &'a TestServer,
    name: &'a str,
    content: Value,
    wrong: Vec<String>,
}

impl Trial<'_> {
    fn expect(&mut self, what: &str, answer: Answer, status: u16) -> Answer {
        if answer.status != status {
            self.wrong.push(format!("{} {what}: {} instead of {status}: {}", self.name, answer.status, answer.text));
        }
        answer
    }

    fn put(&self, path: &str, headers: &[(&str, &str)], id: &str) -> Answer {
        let mut content = self.content.clone();
        content["id"] = json!(id);
        // Two SearchParameters must not have one url, nor one code for one type.
        if self.name == "SearchParameter" && id.ends_with("-new") {
            content["url"] = json!("https://kith.example/new");
            content["code"] = json!("x-new");
        } else if self.name == "SearchParameter" && id.ends_with("-extra") {
            content["url"] = json!("https://kith.example/extra");
            content["code"] = json!("x-extra");
        }
        let mut all = vec![JSON];
        all.extend_from_slice(headers);
        self.server.send("PUT", path, &all, Some(content.to_string().as_bytes()))
    }

    fn interaction(&mut self, code: &str, id: &str) {
        let (server, name) = (self.server, self.name.to_owned());
        let path = format!("{name}/{id}");
        match code {
            // Tried before the others, which need the resource, and after them.
            "create" | "delete" => {}
            "read" => {
                let found = self.expect(code, server.get(&path), 200).json();
                if found["resourceType"] != *name || found["id"] != id {
                    self.wrong.push(format!("{name} read: another resource"));
                }
            }
            "vread" => drop(self.expect(code, server.get(&format!("{path}/_history/1")), 200)),
            "update" => drop(self.expect(code, self.put(&path, &[("If-Match", "W/\"1\"")], id), 200)),
            "patch" => {
                let change = br#"[{ "op": "add", "path": "/language", "value": "en-GB" }]"#;
                let format = ("Content-Type", "application/json-patch+json");
                self.expect(code, server.send("PATCH", &path, &[format], Some(change)), 200);
            }
            "history-instance" => drop(self.expect(code, server.get(&format!("{path}/_history")), 200)),
            "history-type" => drop(self.expect(code, server.get(&format!("{name}/_history?_count=1")), 200)),
            "search-type" => {
                let found = self.expect(code, server.get(&format!("{name}?_id={id}")), 200).json();
                if items(&found["entry"]).count() != 1 {
                    self.wrong.push(format!("{name} search-type: {found}"));
                }
            }
            other => self.wrong.push(format!("{name} claims {other}, which this test cannot try")),
        }
    }

    fn flag(&mut self, flag: &str, value: &Value, id: &str) {
        let (server, name) = (self.server, self.name.to_owned());
        let by_id = format!("_id={id}");
        match (flag, value.as_str().unwrap_or_default()) {
            ("versioning", "versioned-update") => {
                self.expect(flag, self.put(&format!("{name}/{id}"), &[("If-Match", "W/\"99\"")], id), 412);
            }
            ("readHistory", _) => drop(self.expect(flag, server.get(&format!("{name}/{id}/_history/1")), 200)),
            ("updateCreate", _) => {
                self.expect(flag, self.put(&format!("{name}/{id}-new"), &[], &format!("{id}-new")), 201);
            }
            ("conditionalCreate", _) => {
                let body = self.content.to_string();
                let headers = [JSON, ("If-None-Exist", by_id.as_str())];
                self.expect(flag, server.send("POST", &name, &headers, Some(body.as_bytes())), 200);
            }
            ("conditionalRead", "full-support") => {
                let path = format!("{name}/{id}");
                let etag = server.get(&path).header("etag").to_owned();
                self.expect(flag, server.send("GET", &path, &[("If-None-Match", &etag)], None), 304);
                let later = ("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT");
                self.expect(flag, server.send("GET", &path, &[later], None), 304);
            }
            ("conditionalUpdate", _) => drop(self.expect(flag, self.put(&format!("{name}?{by_id}"), &[], id), 200)),
            ("conditionalDelete", "single" | "multiple") => {
                let extra = format!("{id}-extra");
                self.put(&format!("{name}/{extra}"), &[], &extra);
                let answer = server.delete(&format!("{name}?_id={extra}"));
                self.expect(flag, answer, 204);
                self.expect(flag, server.get(&format!("{name}/{extra}")), 410);
            }
            ("referencePolicy" | "searchInclude" | "searchRevInclude", _) => {}
            _ => self.wrong.push(format!("{name} claims {flag} {value}, which this test cannot try")),
        }
    }
}

/// Members of a resource's entry that claim nothing by themselves, or that have trials of their own.
const NO_FLAGS: &[&str] =
    &["type", "profile", "supportedProfile", "interaction", "searchParam", "operation", "documentation"];

fn each_interaction_and_flag_works(database: &TestDatabase) {
    let server = TestServer::start(database);
    let minimal = Minimal::new(server.server.definitions.clone());
    for_each_type(&server, |resource| {
        let name = resource["type"].as_str().unwrap();
        let content = minimal.resource(name);
        let mut trial = Trial { server: &server, name, content, wrong: Vec::new() };
        if name == "AuditEvent" {
            return made_by_the_server(trial, &texts(&resource["interaction"], "code"));
        }
        let created = trial.expect("create", server.post(name, &trial.content), 201);
        if created.status != 201 {
            return trial.wrong;
        }
        let id = created.json()["id"].as_str().unwrap().to_owned();
        let codes = texts(&resource["interaction"], "code");
        for code in &codes {
            trial.interaction(code, &id);
        }
        for (flag, value) in resource.as_object().unwrap() {
            if !NO_FLAGS.contains(&flag.as_str()) && *value != false {
                trial.flag(flag, value, &id);
            }
        }
        if codes.contains(&"delete") {
            let path = format!("{name}/{id}");
            trial.expect("delete", server.delete(&path), 204);
            trial.expect("read after delete", server.get(&path), 410);
        }
        for needed in ["create", "delete"] {
            if !codes.contains(&needed) {
                trial.wrong.push(format!("{name} offers {needed} without a claim"));
            }
        }
        trial.wrong
    });
}

/// A type that is read and searched, and never written.
fn made_by_the_server(mut trial: Trial<'_>, codes: &[&str]) -> Vec<String> {
    let (server, name) = (trial.server, trial.name);
    trial.expect("create", server.post(name, &trial.content), 405);
    trial.expect("delete", server.delete(&format!("{name}/x")), 405);
    assert_eq!(codes, ["read", "search-type"]);
    let found = server.get(&format!("{name}?_count=1")).expect(200).json();
    let id = found["entry"][0]["resource"]["id"].as_str().unwrap();
    trial.expect("read", server.get(&format!("{name}/{id}")), 200);
    trial.wrong
}

/// The definition of each search parameter by its canonical url.
fn definitions() -> HashMap<String, Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("profiles/hl7.fhir.r4.core/SearchParameter.jsonl");
    let text = std::fs::read_to_string(file).unwrap();
    let parse = |line| serde_json::from_str::<Value>(line).unwrap();
    text.lines().map(parse).map(|one| (one["url"].as_str().unwrap().to_owned(), one)).collect()
}

/// A value that a parameter of this type understands.
fn sample(name: &str, kind: &str, definition: &str, known: &HashMap<String, Value>) -> String {
    match (name, kind) {
        ("near", _) => "53.8|-1.5|5|km".to_owned(),
        ("_filter", _) => "_id%20eq%20x".to_owned(),
        (_, "date") => "2025-03-03".to_owned(),
        (_, "number" | "quantity") => "1".to_owned(),
        (_, "uri") => "https://kith.example/x".to_owned(),
        (_, "composite") => {
            let parts = items(&known[definition]["component"]).map(|component| {
                let definition = component["definition"].as_str().unwrap();
                sample("", known[definition]["type"].as_str().unwrap(), definition, known)
            });
            parts.collect::<Vec<_>>().join("$")
        }
        _ => "x".to_owned(),
    }
}

fn each_search_parameter_works(database: &TestDatabase) {
    let server = TestServer::start(database);
    let known = definitions();
    for_each_type(&server, |resource| {
        let name = resource["type"].as_str().unwrap();
        let parameters: Vec<String> = items(&resource["searchParam"])
            .map(|parameter| {
                let text = |member: &str| parameter[member].as_str().unwrap_or_default();
                format!("{}={}", text("name"), sample(text("name"), text("type"), text("definition"), &known))
            })
            .collect();
        let mut wrong = Vec::new();
        let strict = [("Prefer", "handling=strict")];
        for some in parameters.chunks(AT_ONCE) {
            let answer = server.send("GET", &format!("{name}?{}", some.join("&")), &strict, None);
            if answer.status != 200 {
                wrong.push(format!("{name}?{}: {}", some.join("&"), answer.text));
                continue;
            }
            let link = answer.json()["link"][0]["url"].as_str().unwrap().to_owned();
            for parameter in some.iter().filter_map(|text| text.split('=').next()) {
                if !link.contains(&format!("{parameter}=")) {
                    wrong.push(format!("{name}?{parameter}= is not in {link}"));
                }
            }
        }
        let unclaimed = server.send("GET", &format!("{name}?unclaimed-parameter=x"), &strict, None);
        if unclaimed.status != 400 {
            wrong.push(format!("{name} takes what it does not claim: {}", unclaimed.text));
        }
        wrong
    });
}

over_http!(each_interaction_and_flag_works, each_search_parameter_works);

/// Called with a parameter list that no operation needs, an operation that is there says so in any way but these.
const NOT_THERE: [u16; 3] = [404, 405, 501];

fn each_operation_is_there(database: &TestDatabase) {
    let server = TestServer::start(database);
    let patient = json!({ "resourceType": "Patient", "id": "x" });
    server.put("Patient/x", &patient).expect(201);
    let statement = server.get("metadata").expect(200).json();
    let rest = &statement["rest"][0];
    let parameters = json!({ "resourceType": "Parameters" });
    let mut operations: Vec<String> = texts(&rest["operation"], "name").iter().map(|name| format!("${name}")).collect();
    for name in items(&rest["resource"])
        .find(|resource| resource["type"] == "Patient")
        .into_iter()
        .flat_map(|resource| texts(&resource["operation"], "name"))
    {
        operations.push(format!("Patient/${name}"));
        operations.push(format!("Patient/x/${name}"));
    }
    assert!(!operations.is_empty());
    for name in operations {
        let statuses = [server.post(&name, &parameters).status, server.get(&name).status];
        let is_there = |status: &u16| !NOT_THERE.contains(status);
        // An operation that works on one resource is not there for the type, and the other way round.
        let elsewhere = if name.starts_with("Patient/x/") {
            name.replace("/x/", "/")
        } else {
            name.replace("Patient/", "Patient/x/")
        };
        let other = [server.post(&elsewhere, &parameters).status, server.get(&elsewhere).status];
        assert!(statuses.iter().chain(&other).any(is_there), "{name}: {statuses:?} {other:?}");
        assert!(statuses.iter().all(|status| *status < 500), "{name}: {statuses:?}");
    }
    for name in ["$unclaimed", "Patient/$unclaimed", "Patient/x/$unclaimed", "Observation/$unclaimed"] {
        assert!(NOT_THERE.contains(&server.post(name, &parameters).status), "{name}");
        assert!(NOT_THERE.contains(&server.get(name).status), "{name}");
    }
}

fn each_format_and_compartment_is_there(database: &TestDatabase) {
    let server = TestServer::start(database);
    let minimal = Minimal::new(server.server.definitions.clone());
    server.put("Patient/x", &json!({ "resourceType": "Patient", "id": "x" })).expect(201);
    let statement = server.get("metadata").expect(200).json();
    for format in items(&statement["format"]).map(|format| format.as_str().unwrap()) {
        let wanted = format.rsplit(['+', '/']).next().unwrap().to_owned();
        let answer = server.get(&format!("Patient/x?_format={}", format.replace('+', "%2B"))).expect(200);
        assert!(answer.header("content-type").contains(&wanted), "{format}: {}", answer.header("content-type"));
    }
    server.get("Patient/x?_format=text/turtle").expect(406);
    server.send("GET", "Patient/x", &[("Accept", "text/turtle")], None).expect(406);
    for format in items(&statement["patchFormat"]).map(|format| format.as_str().unwrap()) {
        let body = match format {
            "application/json-patch+json" => r#"[{ "op": "test", "path": "/id", "value": "x" }]"#,
            "application/fhir+json" => r#"{ "resourceType": "Parameters" }"#,
            "application/fhir+xml" => r#"<Parameters xmlns="http://hl7.org/fhir"/>"#,
            other => panic!("{other} is claimed, which this test cannot try"),
        };
        let answer = server.send("PATCH", "Patient/x", &[("Content-Type", format)], Some(body.as_bytes()));
        assert!(matches!(answer.status, 200 | 400 | 422), "{format}: {} {}", answer.status, answer.text);
    }
    let merge = ("Content-Type", "application/merge-patch+json");
    server.send("PATCH", "Patient/x", &[merge], Some(b"{}")).expect(415);
    let compartments: Vec<&str> = items(&statement["rest"][0]["compartment"]).filter_map(Value::as_str).collect();
    for canonical in &compartments {
        let code = canonical.rsplit('/').next().unwrap();
        let names = texts(&statement["rest"][0]["resource"], "type");
        let centre = names.into_iter().find(|name| name.eq_ignore_ascii_case(code)).unwrap();
        let mut content = minimal.resource(centre);
        content["id"] = json!("x");
        server.put(&format!("{centre}/x"), &content);
        server.get(&format!("{centre}/x/*")).expect(200);
    }
    server.get("Organization/x/*").expect(404);
    for (method, path) in [
        ("DELETE", ""),
        ("PUT", ""),
        ("PATCH", ""),
        ("POST", "metadata"),
        ("DELETE", "_history"),
        ("POST", "Patient/_history"),
        ("POST", "Patient/x"),
        ("PUT", "Patient/x/_history/1"),
        ("DELETE", "Patient/x/_history"),
    ] {
        server.send(method, path, &[JSON], Some(b"{}")).expect(405);
    }
}

over_http!(each_operation_is_there, each_format_and_compartment_is_there);
