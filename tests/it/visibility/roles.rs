//! What each role sees of a small world, read and searched.

use serde_json::json;

use super::world::{World, patient, request, task};
use crate::support::{TestDatabase, over_http};

over_http!(a_provider_sees_what_its_tasks_bring, a_referrer_sees_what_it_referred, a_commissioner_sees_the_directory);

/// Two patients of the surgery, one of the practice; Tasks for walks, kitchen and the pool.
fn populated(database: &TestDatabase) -> World {
    let world = World::new(database);
    world.store(&[
        patient("ada"),
        patient("bashir"),
        patient("cleo"),
        request("r-walks", "ada", "surgery"),
        request("r-kitchen", "bashir", "surgery"),
        request("r-pool", "cleo", "practice"),
        task("t-walks", ("r-walks", "ada"), "surgery", Some("walks"), "requested"),
        task("t-kitchen", ("r-kitchen", "bashir"), "surgery", Some("kitchen"), "requested"),
        task("t-pool", ("r-pool", "cleo"), "practice", None, "requested"),
    ]);
    world
}

fn a_provider_sees_what_its_tasks_bring(database: &TestDatabase) {
    let world = populated(database);
    assert_eq!(world.found("walks", "Task"), ["t-pool", "t-walks"]);
    assert_eq!(world.found("kitchen", "Task"), ["t-kitchen", "t-pool"]);
    assert_eq!(world.found("walks", "ServiceRequest"), ["r-pool", "r-walks"]);
    assert_eq!(world.found("walks", "Patient"), ["ada", "cleo"]);
    assert_eq!(world.found("walks", "Task?patient=Patient/bashir"), [""; 0]);
    assert_eq!(world.found("walks", "Organization").len(), 5);
    for (path, status) in [
        ("Task/t-walks", 200),
        ("Task/t-pool", 200),
        ("Task/t-kitchen", 404),
        ("ServiceRequest/r-walks", 200),
        ("ServiceRequest/r-kitchen", 404),
        ("Patient/ada", 200),
        ("Patient/bashir", 404),
        ("Patient/nobody", 404),
        ("Organization/surgery", 200),
        ("Basic/x", 404),
    ] {
        world.get("walks", path).expect(status);
    }
    let shown = world.get("walks", "Patient/ada").expect(200).json();
    assert_eq!(shown["name"][0]["family"], "Thistlewood");
    assert_eq!(shown["meta"]["tag"][0]["code"], "SUBSETTED");
    for element in ["identifier", "maritalStatus"] {
        assert!(shown.get(element).is_none(), "{shown}");
    }
    world.get("walks", "Patient?identifier=9449305552").expect(403);
    world.get("walks", "Task?patient.identifier=9449305552").expect(403);
    world.get("walks", "Patient?_sort=identifier").expect(403);
}

fn a_referrer_sees_what_it_referred(database: &TestDatabase) {
    let world = populated(database);
    assert_eq!(world.found("surgery", "Task"), ["t-kitchen", "t-walks"]);
    assert_eq!(world.found("surgery", "ServiceRequest"), ["r-kitchen", "r-walks"]);
    assert_eq!(world.found("surgery", "Patient"), ["ada", "bashir"]);
    assert_eq!(world.found("practice", "Task"), ["t-pool"]);
    world.get("practice", "Patient/ada").expect(404);
    let outcome = json!({
        "resourceType": "Observation", "status": "final", "code": { "text": "Wellbeing" }, "valueInteger": 7,
        "subject": { "reference": "Patient/ada" }, "basedOn": [{ "reference": "ServiceRequest/r-walks" }],
    });
    let written = world.send("walks", "POST", "Observation", Some(&outcome)).expect(201).json();
    let path = format!("Observation/{}", written["id"].as_str().unwrap());
    for (client, status) in [("walks", 200), ("surgery", 200), ("practice", 404), ("kitchen", 404), ("thornby", 404)] {
        world.get(client, &path).expect(status);
    }
}

fn a_commissioner_sees_the_directory(database: &TestDatabase) {
    let world = populated(database);
    for resource_type in ["Task", "ServiceRequest", "Patient", "Observation"] {
        assert_eq!(world.found("board", resource_type), [""; 0], "{resource_type}");
    }
    assert_eq!(world.found("board", "Organization").len(), 5);
    world.get("board", "Task/t-walks").expect(404);
}
