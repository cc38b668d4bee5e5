//! Histories and labels of a type and of the whole server: each client sees what is its own, in entries, totals and pages.

use serde_json::{Value, json};

use super::world::{World, patient, request, task};
use crate::support::{TestDatabase, over_http};

over_http!(
    a_history_has_what_is_ones_own,
    a_hidden_version_is_neither_shown_nor_counted,
    a_history_shows_what_a_search_shows,
    labels_in_use_are_those_of_ones_own,
);

fn populated(database: &TestDatabase) -> World {
    let world = World::new(database);
    let accepted = |id: &str, focus: &str, requester: &str, owner: &str| {
        task(id, (focus, focus), requester, Some(owner), "accepted")
    };
    world.store(&[
        patient("r1"),
        patient("r2"),
        request("r1", "r1", "surgery"),
        request("r2", "r2", "practice"),
        accepted("t1", "r1", "surgery", "walks"),
        accepted("t2", "r2", "practice", "kitchen"),
    ]);
    world
}

/// What a history shows, as `Type/id/version`, newest first, and its total.
fn history(world: &World, client: &str, path: &str) -> (Vec<String>, Value) {
    let bundle = world.get(client, path).expect(200).json();
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let name = |entry: &Value| {
        let url = entry["fullUrl"].as_str().unwrap().replace(&format!("{}/", world.server.base), "");
        format!("{url}/{}", entry["response"]["etag"].as_str().unwrap().trim_matches(['W', '/', '"']))
    };
    (entries.iter().map(name).collect(), bundle["total"].clone())
}

/// Without the directory, which everybody sees.
fn own(world: &World, client: &str) -> Vec<String> {
    let (mut all, _) = history(world, client, "_history?_count=500");
    all.retain(|name| !name.starts_with("Organization/"));
    all
}

fn a_history_has_what_is_ones_own(database: &TestDatabase) {
    let world = populated(database);
    assert_eq!(own(&world, "walks"), ["Task/t1/1", "ServiceRequest/r1/1", "Patient/r1/1"]);
    assert_eq!(own(&world, "surgery"), ["Task/t1/1", "ServiceRequest/r1/1", "Patient/r1/1"]);
    assert_eq!(own(&world, "kitchen"), ["Task/t2/1", "ServiceRequest/r2/1", "Patient/r2/1"]);
    assert_eq!(own(&world, "board"), [""; 0]);
    let (all, total) = history(&world, "board", "_history?_count=500");
    assert_eq!(total, all.len());
    assert_eq!(history(&world, "walks", "Task/_history"), (vec!["Task/t1/1".to_owned()], json!(1)));
    assert_eq!(history(&world, "walks", "Task/_history?_summary=count").1, json!(1));
    assert_eq!(history(&world, "board", "Task/_history"), (vec![], json!(0)));
    assert_eq!(history(&world, "operator", "Task/_history").1, json!(2));
    let shown = world.get("walks", "Patient/_history").expect(200).json();
    assert!(shown["entry"][0]["resource"].get("maritalStatus").is_none(), "{shown}");
    let future = world.get("walks", "Task/_history?_since=2999-01-01T00:00:00Z").expect(200).json();
    assert_eq!(future["total"], 0);
}

fn a_hidden_version_is_neither_shown_nor_counted(database: &TestDatabase) {
    let world = populated(database);
    let note = |number: i64, label: &str| {
        json!({
            "resourceType": "Observation", "id": "note", "status": "final", "code": { "text": "Note" },
            "subject": { "reference": "Patient/r1" }, "valueInteger": number,
            "meta": { "security": [{ "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": label }] },
        })
    };
    let mut handed = task("t1", ("r1", "r1"), "surgery", Some("walks"), "accepted");
    handed["input"] = json!([{ "type": { "text": "note" }, "valueReference": { "reference": "Observation/note" } }]);
    world.store(&[note(1, "N"), note(2, "R"), note(3, "R"), note(4, "N"), note(5, "R"), note(6, "N"), handed]);
    for path in ["Observation/_history", "Observation/note/_history"] {
        let names = ["Observation/note/6", "Observation/note/4", "Observation/note/1"].map(str::to_owned).to_vec();
        assert_eq!(history(&world, "walks", path), (names.clone(), json!(3)));
        assert_eq!(history(&world, "walks", &format!("{path}?_summary=count")).1, json!(3));
        assert_eq!(history(&world, "surgery", path).1, json!(6));
        let (first, total) = history(&world, "walks", &format!("{path}?_count=2"));
        assert_eq!((first.as_slice(), total), (&names[..2], json!(3)));
        let page = world.get("walks", &format!("{path}?_count=2")).expect(200).json();
        let next = page["link"].as_array().unwrap().iter().find(|link| link["relation"] == "next").unwrap();
        let next = next["url"].as_str().unwrap().replace(&format!("{}/", world.server.base), "");
        assert_eq!(history(&world, "walks", &next), (vec![names[2].clone()], json!(3)));
    }
}

fn a_history_shows_what_a_search_shows(database: &TestDatabase) {
    let world = populated(database);
    assert_eq!(history(&world, "walks", "ServiceRequest/_history").1, json!(1));
    world.store(&[task("t1", ("r1", "r1"), "surgery", Some("kitchen"), "accepted")]);
    for (client, versions, tasks) in [("walks", 0, 0), ("kitchen", 3, 2), ("surgery", 2, 1)] {
        assert_eq!(history(&world, client, "Task/_history").1, json!(versions), "{client}");
        assert_eq!(world.found(client, "Task").len(), tasks, "{client}");
    }
    world.send("operator", "DELETE", "Task/t1", None).expect(204);
    assert_eq!(history(&world, "surgery", "Task/_history").1, json!(0));
    assert_eq!(history(&world, "operator", "Task/_history").1, json!(4));
}

fn labels_in_use_are_those_of_ones_own(database: &TestDatabase) {
    let world = populated(database);
    for (id, requester, owner) in [("r1", "surgery", "walks"), ("r2", "practice", "kitchen")] {
        let mut tagged = task(&id.replace('r', "t"), (id, id), requester, Some(owner), "accepted");
        tagged["meta"] = json!({ "tag": [{ "system": "https://example.org/tags", "code": owner }], "profile": [format!("https://example.org/{owner}")] });
        world.store(&[tagged]);
    }
    for path in ["$meta", "Task/$meta"] {
        let meta = world.get("walks", path).expect(200).json()["parameter"][0]["valueMeta"].clone();
        assert_eq!(meta["tag"], json!([{ "system": "https://example.org/tags", "code": "walks" }]), "{path}");
        assert!(!meta.to_string().contains("kitchen"), "{meta}");
        let all = world.get("operator", path).expect(200).json()["parameter"][0]["valueMeta"]["tag"].clone();
        assert_eq!(all.as_array().unwrap().len(), 2);
    }
    let nothing = world.get("board", "Task/$meta").expect(200).json()["parameter"][0]["valueMeta"].clone();
    assert_eq!(nothing, json!({}), "{nothing}");
}
