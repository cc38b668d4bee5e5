//! `:above` and `:below` on references to what is part of something, on both databases.

use serde_json::{Value, json};

use super::world::{expect_all, expect_refused, store_all};
use crate::support::both;

fn resources() -> Vec<Value> {
    let part = |id: &str, of: &str| json!({ "resourceType": "Location", "id": id, "partOf": { "reference": format!("Location/{of}") } });
    let service = |id: &str, at: &str| {
        let location = json!([{ "reference": format!("Location/{at}") }]);
        json!({ "resourceType": "HealthcareService", "id": id, "name": id, "location": location })
    };
    vec![
        json!({ "resourceType": "Location", "id": "borough" }),
        part("ward", "borough"),
        part("hall", "ward"),
        part("round", "about"),
        part("about", "round"),
        service("garden", "borough"),
        service("choir", "ward"),
        service("walks", "hall"),
        service("ring", "about"),
        service("nobodys", "lost"),
    ]
}

const TABLE: &[(&str, &[&str])] = &[
    ("HealthcareService?location:below=Location/borough", &["choir", "garden", "walks"]),
    ("HealthcareService?location:below=ward", &["choir", "walks"]),
    ("HealthcareService?location:above=hall", &["choir", "garden", "walks"]),
    ("HealthcareService?location:above=Location/ward", &["choir", "garden"]),
    ("HealthcareService?location:below=Location/round", &["ring"]),
    ("HealthcareService?location:above=Location/round", &["ring"]),
    ("HealthcareService?location:below=Location/elsewhere", &[]),
    ("HealthcareService?location:below=Location/lost", &["nobodys"]),
    ("HealthcareService?location:below=ward&name=walks", &["walks"]),
    ("HealthcareService?location:below=hall,about", &["ring", "walks"]),
    ("Location?partof:below=borough", &["hall", "ward"]),
    ("Location?_has:HealthcareService:location:location:below=ward", &["hall", "ward"]),
];

both! {
    async fn relatives_are_found_at_any_depth(database) {
        let store = database.open().await;
        store_all(&store, &resources()).await;
        expect_all(&store, TABLE).await;
        store.close().await;
    }
}

#[test]
fn what_has_no_hierarchy_is_refused() {
    expect_refused(&[
        ("Task?owner:below=somebody", "rite `Type/id`"),
        ("Task?owner:below=Patient/p", "the hierarchies of Location and Organization, not of Patient"),
        ("HealthcareService?location:above=https://elsewhere.example/Location/1", "a resource of this server"),
        ("HealthcareService?location:near=x", ":above, :below"),
    ]);
}
