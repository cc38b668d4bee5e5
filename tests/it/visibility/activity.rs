//! What a commissioner sees of referrals: figures, none of them small.

use serde_json::{Value, json};

use super::world::{World, patient, request};
use crate::support::{TestDatabase, over_http};

over_http!(a_commissioner_sees_figures_that_point_to_nobody);

fn a_commissioner_sees_figures_that_point_to_nobody(database: &TestDatabase) {
    let world = World::new(database);
    world.store(&[patient("ada")]);
    let asked = |number: usize, month: &str, code: &str| {
        let mut referral = request(&format!("r{number}-{month}"), "ada", "surgery");
        referral["authoredOn"] = json!(format!("{month}-10T09:00:00Z"));
        referral["code"] = json!({ "coding": [{ "system": "https://example.org/services", "code": code }] });
        referral
    };
    let march: Vec<Value> = (0..6).map(|number| asked(number, "2025-03", "walks")).collect();
    world.store(&march);
    world.store(&[asked(7, "2025-03", "kitchen"), asked(8, "2025-04", "walks")]);
    let report = world.get("board", "ServiceRequest/$activity?month=2025-03&month=2025-04").expect(200).json();
    assert_eq!(report["resourceType"], "MeasureReport");
    let strata = |group: usize| report["group"][group]["stratifier"][0]["stratum"].as_array().unwrap().clone();
    let service = |stratum: &Value| stratum["component"][1]["value"]["coding"][0]["code"].as_str().unwrap().to_owned();
    let counts: Vec<(String, Value)> =
        strata(0).iter().map(|stratum| (service(stratum), stratum["population"][0]["count"].clone())).collect();
    assert_eq!(counts, [("kitchen".to_owned(), Value::Null), ("walks".to_owned(), json!(6))]);
    assert_eq!(strata(1)[0]["population"][0]["_count"]["extension"][0]["valueCode"], "masked");
    assert!(!report.to_string().contains("ada"), "{report}");
    world.get("board", "ServiceRequest/$activity").expect(400);
    world.get("board", "ServiceRequest/$activity?month=2025").expect(400);
    world.get("surgery", "ServiceRequest/$activity?month=2025-03").expect(403);
    world.get("operator", "ServiceRequest/$activity?month=2025-03").expect(200);
}
