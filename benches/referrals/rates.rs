//! What the server answers at 32 connections: each kind of request beside reads and the health check.

use std::time::{Duration, Instant};

use kith::commands::bench::Data;
use serde_json::{Value, json};

use crate::client::{Request, rate};
use crate::owner;
use crate::server::Server;

const WIDTH: usize = 32;

fn get(path: String) -> Request {
    ("GET", path, String::new())
}

fn without_id(mut resource: Value) -> Value {
    resource.as_object_mut().unwrap().remove("id");
    resource
}

/// Patient, ServiceRequest and Task that name each other.
fn transaction(data: &Data, number: u32) -> String {
    let urn = |last: u8| format!("urn:uuid:00000000-0000-4000-8000-00000000000{last}");
    let (patient, mut request, mut task) = (data.patient(number), data.request(number), data.task(number));
    request["subject"]["reference"] = urn(1).into();
    request["status"] = "active".into();
    task["focus"]["reference"] = urn(2).into();
    task["for"]["reference"] = urn(1).into();
    task["status"] = "requested".into();
    for name in ["statusReason", "output"] {
        task.as_object_mut().unwrap().remove(name);
    }
    let entry = |full_url: u8, resource: Value| {
        let request = json!({ "method": "POST", "url": resource["resourceType"] });
        json!({ "fullUrl": urn(full_url), "resource": without_id(resource), "request": request })
    };
    json!({ "resourceType": "Bundle", "type": "transaction",
        "entry": [entry(1, patient), entry(2, request), entry(3, task)] })
    .to_string()
}

/// Makes the request of a number.
type Make<'a> = Box<dyn Fn(u64) -> Request + Sync + 'a>;

/// Measures and prints.
pub fn run(data: &Data, server: &Server, seconds: Duration) {
    let number = |number: u64, many: u32| u32::try_from(number % u64::from(many)).unwrap();
    let create = |of: u64| {
        let mut request = without_id(data.request(number(of, 1000)));
        request["status"] = "active".into();
        ("POST", "/fhir/ServiceRequest".to_owned(), request.to_string())
    };
    let bundles: Vec<String> = (0..200).map(|of| transaction(data, of)).collect();
    let creates: Vec<Request> = (0..200).map(create).collect();
    let validate = data.request(0).to_string();
    let kinds: [(&str, Make<'_>); 7] = [
        ("health check", Box::new(|_| get("/health/live".to_owned()))),
        ("read by id, buffered audit", Box::new(|_| get("/fhir/Task/task-0000042".to_owned()))),
        ("read of 500 Tasks in turn", Box::new(|of| get(format!("/fhir/Task/task-{:07}", of % 500)))),
        ("Task?owner&status&_sort&_include, 20", Box::new(|of| get(owner(data, number(of, 80))))),
        (
            "Task?owner&status, 20",
            Box::new(|of| {
                let owner = 220 + of % 80;
                get(format!("/fhir/Task?owner=Organization/organisation-{owner}&status=requested&_count=20"))
            }),
        ),
        ("create", Box::new(|of| creates[usize::try_from(of % 200).unwrap()].clone())),
        (
            "transaction of three",
            Box::new(|of| ("POST", "/fhir".to_owned(), bundles[usize::try_from(of % 200).unwrap()].clone())),
        ),
    ];
    println!("  {WIDTH} connections: requests per second, microseconds of server processor each");
    let measure = |name: &str, request: &(dyn Fn(u64) -> Request + Sync)| {
        let (begin, used) = (Instant::now(), server.processor_time());
        let count = rate(&server.address, WIDTH, seconds, &|of| request(of)) as f64;
        let (rate, each) = (count / begin.elapsed().as_secs_f64(), (server.processor_time() - used) / count);
        println!("  {name:<40} {rate:>8.0} {each:>8.0}");
    };
    for (name, request) in &kinds {
        measure(name, request);
    }
    measure("$validate", &|_| ("POST", "/fhir/ServiceRequest/$validate".to_owned(), validate.clone()));
}
