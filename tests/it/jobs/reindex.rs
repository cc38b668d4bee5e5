//! `$reindex`: asynchronous, with progress, over HTTP.

use serde_json::json;

use super::{found, patient, start, wait_until_done};
use crate::support::http::send;
use crate::support::process::{Process, command};
use crate::support::sql::execute;
use crate::support::{TestDatabase, over_http};

over_http!(
    rows_that_are_lost_are_made_anew,
    a_server_that_finds_older_rows_makes_them_anew,
    what_is_asked_wrongly_is_refused,
    a_request_can_be_cancelled,
    a_killed_server_goes_on_where_it_was,
    writers_and_the_walk_do_not_spoil_each_other,
    the_command_indexes_and_says_how_many,
);

fn break_index(database: &TestDatabase, sql: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert!(runtime.block_on(execute(database, sql)) > 0);
}

fn rows_that_are_lost_are_made_anew(database: &TestDatabase) {
    let server = start(database);
    for number in 0..120 {
        let id = format!("p{number}");
        server.put(&format!("Patient/{id}"), &patient(&id, "Flo")).expect(201);
    }
    server.put("Organization/o", &json!({ "resourceType": "Organization", "id": "o", "name": "Flowers" })).expect(201);
    break_index(database, "delete from index_string");
    assert_eq!(found(&server, "Patient?given=flo&_count=500").len(), 0);
    let prefer = [("Prefer", "respond-async")];
    let answer = server.send("POST", "$reindex?type=Patient", &prefer, None).expect(202);
    let status = answer.header("content-location").to_owned();
    assert!(status.starts_with(&server.base), "{status}");
    let (answer, progress) = wait_until_done(&status);
    let result = answer.expect(200).json();
    assert_eq!(result["resourceType"], "Parameters");
    assert_eq!(result["parameter"][0]["valueString"], "120 resources indexed");
    assert!(progress.iter().all(|text| !text.is_empty() && text.len() <= 100), "{progress:?}");
    assert_eq!(found(&server, "Patient?given=flo&_count=500").len(), 120);
    assert_eq!(found(&server, "Organization?name=flow").len(), 0, "only the type asked for");
    send("GET", &status, &[("Accept", "application/fhir+xml")], None).expect(200);

    let body = json!({ "resourceType": "Parameters", "parameter": [{ "name": "type", "valueCode": "Organization" }] });
    let status = server.post("$reindex", &body).expect(202).header("content-location").to_owned();
    wait_until_done(&status).0.expect(200);
    assert_eq!(found(&server, "Organization?name=flow"), ["o"]);
}

fn a_server_that_finds_older_rows_makes_them_anew(database: &TestDatabase) {
    let server = start(database);
    server.put("Patient/a", &patient("a", "Flo")).expect(201);
    server.put("Patient/b", &patient("b", "Bo")).expect(201);
    drop(server);
    // As an older version of the server leaves them: rows that this version would not make, and no number.
    break_index(database, "delete from index_string");
    break_index(database, "update resource set generation = 0");
    let server = start(database);
    while found(&server, "Patient?given=flo").is_empty() || found(&server, "Patient?given=bo").is_empty() {
        std::thread::yield_now();
    }
    assert_eq!(found(&server, "Patient?given=flo"), ["a"]);
}

fn what_is_asked_wrongly_is_refused(database: &TestDatabase) {
    let server = start(database);
    let answer = server.send("POST", "$reindex?type=Patiant", &[], None).expect(400);
    assert!(answer.text.contains("Did you mean Patient?"), "{}", answer.text);
    server.post("$reindex", &json!({ "resourceType": "Patient" })).expect(400);
    server.send("GET", "$reindex", &[], None).expect(405);
    server.get("$job-status").expect(400);
    server.get("$job-status?job=no-such").expect(404);
    server.delete("$job-status?job=no-such").expect(404);
}

fn a_request_can_be_cancelled(database: &TestDatabase) {
    let server = start(database);
    for number in 0..200 {
        let id = format!("p{number}");
        server.put(&format!("Patient/{id}"), &patient(&id, "Flo")).expect(201);
    }
    let status = server.send("POST", "$reindex", &[], None).expect(202).header("content-location").to_owned();
    let cancelled = send("DELETE", &status, &[], None);
    // It may have been done before.
    if cancelled.status == 202 {
        send("GET", &status, &[], None).expect(404);
        send("DELETE", &status, &[], None).expect(404);
    } else {
        cancelled.expect(404);
        send("GET", &status, &[], None).expect(200);
    }
    assert_eq!(found(&server, "Patient?given=flo&_count=500").len(), 200, "the index is whole either way");
}

/// Fills the database with people whose index is lost.
fn without_index(database: &TestDatabase, count: usize) {
    let server = start(database);
    let entry = |number: usize| {
        let id = format!("p{number}");
        json!({ "request": { "method": "PUT", "url": format!("Patient/{id}") }, "resource": patient(&id, "Flo") })
    };
    for first in (0..count).step_by(500) {
        let entries: Vec<_> = (first..count.min(first + 500)).map(entry).collect();
        server.post("", &json!({ "resourceType": "Bundle", "type": "batch", "entry": entries })).expect(200);
    }
    drop(server);
    break_index(database, "delete from index_string");
}

/// Done and total of a progress text.
fn done(progress: &str) -> usize {
    progress.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn a_killed_server_goes_on_where_it_was(database: &TestDatabase) {
    const COUNT: usize = 2000;
    without_index(database, COUNT);
    let process = Process::start(database, &["--jobs-poll", "40"]);
    let kicked = send("POST", &format!("{}/$reindex", process.base), &[], None).expect(202);
    let job = kicked.header("content-location").split_once("job=").unwrap().1.to_owned();
    let status = |base: &str| send("GET", &format!("{base}/$job-status?job={job}"), &[], None);
    let mut before = 0;
    while before == 0 {
        let answer = status(&process.base).expect(202);
        before = done(answer.header("x-progress"));
    }
    process.kill();
    // The lease of the dead process would end by itself; here it ends at once.
    break_index(database, "update job set locked_until = 0");
    let process = Process::start(database, &["--jobs-poll", "40"]);
    let mut first = None;
    let result = loop {
        let answer = status(&process.base);
        if answer.status != 202 {
            break answer.expect(200).json();
        }
        first = first.or_else(|| Some(done(answer.header("x-progress"))));
    };
    assert!(first.is_none_or(|first| first >= before), "{before} were done before, {first:?} after the restart");
    assert_eq!(result["parameter"][0]["valueString"], format!("{COUNT} resources indexed"));
    let count = send("GET", &format!("{}/Patient?given=flo&_summary=count", process.base), &[], None).json();
    assert_eq!(count["total"], COUNT);
    process.kill();
}

fn writers_and_the_walk_do_not_spoil_each_other(database: &TestDatabase) {
    without_index(database, 400);
    let server = start(database);
    let status = server.send("POST", "$reindex", &[], None).expect(202).header("content-location").to_owned();
    for number in (0..400).step_by(7) {
        let id = format!("p{number}");
        server.put(&format!("Patient/{id}"), &patient(&id, "Jo")).expect(200);
    }
    wait_until_done(&status).0.expect(200);
    let changed = (0..400).step_by(7).count();
    assert_eq!(found(&server, "Patient?given=jo&_count=500").len(), changed);
    assert_eq!(found(&server, "Patient?given=flo&_count=500").len(), 400 - changed);
}

fn the_command_indexes_and_says_how_many(database: &TestDatabase) {
    without_index(database, 120);
    let output = command(database, &["reindex"]).args(["Patient"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "120 resources indexed");
    let server = start(database);
    assert_eq!(found(&server, "Patient?given=flo&_count=500").len(), 120);
    let output = command(database, &["reindex"]).args(["Patiant"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}
