//! A driver that makes requests from what the server itself says it offers (`openapi.json`, the CapabilityStatement) and breaks
//! them at random: no answer may be a fault of the server. A few thousand in a plain test run; `KITH_FUZZ_REQUESTS=200000`
//! makes it long, `KITH_FUZZ_BASE` aims it at a server that runs elsewhere, `KITH_FUZZ_SEED` makes other requests.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use ureq::Agent;

use crate::support::TestDatabase;
use crate::support::http::TestServer;

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % bound
    }

    fn one_in(&mut self, chance: usize) -> bool {
        self.below(chance) == 0
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Values that have a meaning somewhere, or look as if they had.
const VALUES: &[&str] = &[
    "",
    "a",
    "1",
    "-1",
    "0.1e-5",
    "99999999999999999999",
    "true",
    "2026-11-21",
    "2026-02-30",
    "ge2026",
    "lt1e400",
    "2026-11-21T10:00:00Z",
    "Patient/a",
    "Patient?name=x",
    "Patient/a/_history/1",
    "https://example.org/x|1.0",
    "|",
    "||",
    "a|b|c",
    ",",
    ",,,",
    "$",
    "\\",
    "\\,",
    "*",
    "**",
    "%",
    "%00",
    "\u{0}",
    "\u{1f600}",
    "é",
    "' or 1=1 --",
    "\"",
    "<script>",
    "{{7*7}}",
    "${x}",
    "(",
    ")",
    "((((",
    "name eq",
    "name eq \"x\" and not",
    "Task:owner",
    "Task:*",
    "*:*",
    "Patient:general-practitioner:Organization",
    "_id",
    "-_lastUpdated",
    "-,-",
    "54.6|-3.1|1|km",
    "54|x|1",
    "accurate",
    "summary",
    "text",
    "count",
    "data",
    "false",
    "00000000-0000-0000-0000-000000000000",
    "urn:uuid:x",
    "#a",
    "5.4|http://unitsofmeasure.org|mg",
    "~5",
    "ap5",
    "http://snomed.info/sct|871731000000106",
    "in",
    "not-in",
    "NaN",
    "Infinity",
    "1e999",
    "0x10",
    "١",
    "\r\nX: y",
    "..",
    "../..",
];

const MODIFIERS: &[&str] = &[
    "",
    "",
    "",
    ":exact",
    ":contains",
    ":missing",
    ":not",
    ":identifier",
    ":of-type",
    ":above",
    ":below",
    ":in",
    ":text",
    ":Patient",
    ":iterate",
    ".name",
    ".identifier",
    ":Patient.name",
    ":nonsense",
];

/// Resources to begin with.
fn samples() -> Vec<Value> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/valid");
    crate::support::files(&folder, "json")
        .iter()
        .map(|file| serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap())
        .collect()
}

/// Breaks something somewhere in a resource.
fn mutate(random: &mut Random, value: &mut Value) {
    let scalar = |random: &mut Random| match random.below(7) {
        0 => Value::Null,
        1 => json!({}),
        2 => json!([]),
        3 => json!(random.below(1000)),
        4 => json!(true),
        _ => json!(*random.pick(VALUES)),
    };
    match value {
        Value::Object(map) if !map.is_empty() && !random.one_in(12) => {
            let keys: Vec<String> = map.keys().cloned().collect();
            let key = random.pick(&keys).clone();
            match random.below(12) {
                0 => drop(map.shift_remove(&key)),
                1 => drop(map.insert(format!("_{key}"), scalar(random))),
                2 => drop(map.insert((*random.pick(VALUES)).to_owned(), scalar(random))),
                3 => map[&key] = scalar(random),
                4 => map[&key] = json!([map[&key].clone(), map[&key].clone()]),
                _ => mutate(random, &mut map[&key]),
            }
        }
        Value::Array(items) if !items.is_empty() && !random.one_in(12) => {
            let place = random.below(items.len());
            if random.one_in(6) { items.push(Value::Null) } else { mutate(random, &mut items[place]) }
        }
        other => *other = scalar(random),
    }
}

struct Driver {
    paths: Vec<(String, Vec<String>)>,
    types: Vec<String>,
    /// Codes of search parameters by type.
    parameters: BTreeMap<String, Vec<String>>,
    samples: Vec<Value>,
    /// Addresses of resources that were made.
    known: Vec<(String, String)>,
}

impl Driver {
    fn new(agent: &Agent, base: &str) -> Self {
        let get = |path: &str| -> Value {
            let mut answer = agent.get(format!("{base}/{path}")).call().unwrap();
            serde_json::from_str(&answer.body_mut().with_config().limit(64 << 20).read_to_string().unwrap()).unwrap()
        };
        let (description, statement) = (get("openapi.json"), get("metadata"));
        let paths = description["paths"].as_object().unwrap().iter().map(|(path, item)| {
            let methods =
                item.as_object().unwrap().keys().filter(|key| *key != "parameters").map(|key| key.to_uppercase());
            (path.clone(), methods.collect())
        });
        let texts = |value: &Value, name: &str| -> Vec<String> {
            value.as_array().into_iter().flatten().map(|item| item[name].as_str().unwrap().to_owned()).collect()
        };
        let resources = statement["rest"][0]["resource"].as_array().unwrap();
        Self {
            paths: paths.collect(),
            types: texts(&statement["rest"][0]["resource"], "type"),
            parameters: resources
                .iter()
                .map(|item| (item["type"].as_str().unwrap().to_owned(), texts(&item["searchParam"], "name")))
                .collect(),
            samples: samples(),
            known: vec![("Patient".to_owned(), "a".to_owned())],
        }
    }

    fn query(&self, random: &mut Random, name: &str) -> String {
        let steering = [
            "_count",
            "_sort",
            "_include",
            "_revinclude",
            "_summary",
            "_elements",
            "_total",
            "_has",
            "_filter",
            "_format",
            "_pretty",
            "_since",
            "_at",
            "_list",
            "_contained",
            "_type",
            "page",
            "mode",
            "url",
            "code",
            "system",
            "profile",
            "filter",
            "offset",
        ];
        let codes = self.parameters.get(name).map_or(&[][..], Vec::as_slice);
        let mut pairs = Vec::new();
        for _ in 0..random.below(4) {
            let key = if codes.is_empty() || random.one_in(3) {
                if random.one_in(4) {
                    "_has:Task:patient:status".to_owned()
                } else {
                    (*random.pick(&steering)).to_owned()
                }
            } else {
                format!("{}{}", random.pick(codes), random.pick(MODIFIERS))
            };
            let value: String = (0..=random.below(3)).map(|_| *random.pick(VALUES)).collect::<Vec<_>>().join(",");
            let encoded = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC).to_string();
            pairs.push(format!(
                "{key}={}",
                if random.one_in(20) { value.replace(['\0', '\r', '\n', ' '], "") } else { encoded }
            ));
        }
        pairs.join("&")
    }

    /// Method, address below the base, content type, body.
    #[expect(clippy::too_many_lines, reason = "one draw after the other")]
    fn request(&self, random: &mut Random) -> (String, String, &'static str, Vec<u8>) {
        let (path, methods) = random.pick(&self.paths);
        let known = random.pick(&self.known).clone();
        let name = if random.one_in(2) { known.0.clone() } else { random.pick(&self.types).clone() };
        let id = if random.one_in(2) { known.1 } else { (*random.pick(&["a", "x.y", "-", "none"])).to_owned() };
        let version = (*random.pick(&["1", "2", "0", "99999999999", "x"])).to_owned();
        let mut place = path
            .replace("{type}", &name)
            .replace("{compartment}", "Patient")
            .replace("{id}", &id)
            .replace("{version}", &version);
        if random.one_in(30) {
            let encoded =
                percent_encoding::utf8_percent_encode(random.pick::<&str>(VALUES), percent_encoding::NON_ALPHANUMERIC)
                    .to_string();
            place = format!("{place}/{encoded}");
        }
        let method = if random.one_in(40) { "PATCH".to_owned() } else { random.pick(methods).clone() };
        if method == "GET" || method == "DELETE" || random.one_in(4) {
            place = format!("{place}?{}", self.query(random, &name));
        }
        if method == "GET" || method == "DELETE" {
            return (method, place, "", Vec::new());
        }
        if path.ends_with("_search") {
            return (method, place, "application/x-www-form-urlencoded", self.query(random, &name).into_bytes());
        }
        let fitting: Vec<&Value> =
            self.samples.iter().filter(|sample| sample["resourceType"] == name.as_str()).collect();
        let mut body = if method == "PATCH" {
            json!([{ "op": random.pick(&["add", "replace", "remove", "test", "move", "copy"]), "path": format!("/{}", random.pick(VALUES)), "value": random.pick(VALUES) }])
        } else if path.contains('$') {
            json!({ "resourceType": "Parameters", "parameter": [{ "name": random.pick(&["resource", "meta", "url", "code", "system", "mode", "coding"]), "valueString": random.pick(VALUES) }] })
        } else if let (false, false) = (fitting.is_empty(), random.one_in(5)) {
            (*random.pick(&fitting)).clone()
        } else if random.one_in(2) {
            random.pick(&self.samples).clone()
        } else {
            json!({ "resourceType": name })
        };
        if method == "PUT" && random.one_in(2) {
            body["id"] = id.into();
        }
        for _ in 0..random.below(4) {
            mutate(random, &mut body);
        }
        let mut bytes = body.to_string().into_bytes();
        if random.one_in(15) && !bytes.is_empty() {
            let at = random.below(bytes.len());
            bytes[at] = u8::try_from(random.below(256)).unwrap();
        }
        let kind = if method == "PATCH" {
            "application/json-patch+json"
        } else {
            *random.pick(&[
                "application/fhir+json",
                "application/fhir+json",
                "application/fhir+json",
                "application/fhir+xml",
            ])
        };
        (method, place, kind, bytes)
    }
}

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn drive(base: &str, requests: usize, seed: u64) -> BTreeMap<u16, usize> {
    let config = Agent::config_builder().http_status_as_error(false).allow_non_standard_methods(true);
    let agent = Agent::new_with_config(config.timeout_global(Some(std::time::Duration::from_mins(2))).build());
    let mut driver = Driver::new(&agent, base);
    let (mut random, mut statuses, mut faults) = (Random(seed), BTreeMap::new(), Vec::new());
    for _ in 0..requests {
        let (method, place, kind, body) = driver.request(&mut random);
        let header = random.one_in(10).then(|| {
            *random.pick(&["If-Match", "If-None-Match", "If-None-Exist", "If-Modified-Since", "Prefer", "Accept"])
        });
        let attempt = || {
            let mut builder = ureq::http::Request::builder().method(method.as_str()).uri(format!("{base}{place}"));
            if !kind.is_empty() {
                builder = builder.header("Content-Type", kind);
            }
            if let Some(header) = header {
                builder = builder.header(header, "W/\"1\"");
            }
            // An address that the client itself refuses to send is none.
            if kind.is_empty() {
                builder.body(()).ok().map(|request| agent.run(request))
            } else {
                builder.body(body.as_slice()).ok().map(|request| agent.run(request))
            }
        };
        // A connection that the server closed after a refusal is opened anew.
        let Some(sent) = attempt().map(|sent| sent.or_else(|_| attempt().unwrap())) else { continue };
        let mut answer = sent.unwrap_or_else(|error| panic!("{error}: {method} {place}"));
        let status = answer.status().as_u16();
        *statuses.entry(status).or_default() += 1;
        if status == 201
            && let Some(location) = answer.headers().get("location")
        {
            let parts: Vec<&str> = location.to_str().unwrap().rsplit('/').collect();
            if driver.known.len() < 500 && parts.len() > 3 {
                driver.known.push((parts[3].to_owned(), parts[2].to_owned()));
            }
        }
        let text = answer.body_mut().with_config().limit(64 << 20).read_to_string().unwrap_or_default();
        if status >= 500 && status != 501 {
            faults.push(format!("{status} {method} {place} {kind} {}\n  {text}", String::from_utf8_lossy(&body)));
            if faults.len() > 20 {
                break;
            }
        }
    }
    assert!(faults.is_empty(), "{statuses:?}\n{}", faults.join("\n"));
    statuses
}

fn run(database: Option<TestDatabase>) {
    let Some(database) = database else { return };
    let requests = setting("KITH_FUZZ_REQUESTS").map_or(1500, |number| number.parse().unwrap());
    let seed = setting("KITH_FUZZ_SEED").map_or(0x9e37_79b9_7f4a_7c15, |number| number.parse().unwrap());
    let statuses = if let Some(base) = setting("KITH_FUZZ_BASE") {
        drive(&base, requests, seed)
    } else {
        let server = TestServer::start_with(&database, &[("log.filter", "off")]);
        drive(&server.base, requests, seed ^ u64::from(database.is_postgres()))
    };
    eprintln!("{requests} requests: {statuses:?}");
    assert!(statuses.keys().filter(|status| **status < 300).count() >= 2, "{statuses:?}");
}

#[test]
fn no_request_makes_a_fault_on_sqlite() {
    run(Some(TestDatabase::sqlite()));
}

#[test]
fn no_request_makes_a_fault_on_postgres() {
    run(TestDatabase::postgres());
}
