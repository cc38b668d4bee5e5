//! `_sort` on every type of parameter against a naive model: several keys, both directions, missing values last, any page size.

use kith::store::Store;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::world::{ids, store_all};
use crate::support::both;

/// Each type with its parameters; a parameter may have several values where its element repeats.
const TYPES: &[(&str, &[(&str, usize)])] = &[
    ("Observation", &[("date", 1), ("category", 2), ("performer", 2), ("value-quantity", 1)]),
    ("RiskAssessment", &[("probability", 2), ("date", 1), ("identifier", 1)]),
    ("Questionnaire", &[("url", 1), ("title", 1), ("status", 1)]),
    ("Patient", &[("family", 2), ("birthdate", 1), ("general-practitioner", 2), ("active", 1)]),
];

/// Values of one resource, by parameter; every value is a rank, and what is stored is in the order of ranks.
type Values = Vec<Vec<u8>>;

fn resource(resource_type: &str, id: &str, values: &Values) -> Value {
    let at = |place: usize| values.get(place).cloned().unwrap_or_default();
    let all = |place: usize, make: &dyn Fn(u8) -> Value| at(place).into_iter().map(make).collect::<Vec<_>>();
    let one = |place: usize, make: &dyn Fn(u8) -> Value| at(place).first().map_or(Value::Null, |rank| make(*rank));
    let day = |rank: u8| json!(format!("2026-01-{:02}", rank + 1));
    let practitioner = |rank: u8| json!({ "reference": format!("Practitioner/d{rank}") });
    let mut resource = match resource_type {
        "Observation" => json!({ "effectiveDateTime": one(0, &day), "performer": all(2, &practitioner),
            "category": all(1, &|rank| json!({ "coding": [{ "system": "urn:c", "code": format!("c{rank}") }] })),
            "valueQuantity": one(3, &|rank| json!({ "value": rank, "code": "kg", "system": "urn:u" })) }),
        "RiskAssessment" => json!({ "occurrenceDateTime": one(1, &day),
            "prediction": all(0, &|rank| json!({ "probabilityDecimal": f64::from(rank) / 10.0 })),
            "identifier": all(2, &|rank| json!({ "system": "urn:i", "value": format!("i{rank}") })) }),
        "Questionnaire" => json!({ "url": one(0, &|rank| json!(format!("urn:q:{rank}"))),
            "title": one(1, &|rank| json!(format!("Título {rank}"))), "status": one(2, &|rank| json!(format!("s{rank}"))) }),
        _ => json!({ "name": all(0, &|rank| json!({ "family": format!("Ñame {rank}") })), "birthDate": one(1, &day),
            "generalPractitioner": all(2, &practitioner), "active": one(3, &|rank| json!(rank % 2 == 1)) }),
    };
    let members = resource.as_object_mut().unwrap();
    members.retain(|_, value| !value.is_null());
    members.insert("resourceType".to_owned(), json!(resource_type));
    members.insert("id".to_owned(), json!(id));
    resource
}

fn values(resource_type: usize) -> impl Strategy<Value = Values> {
    let parameters = TYPES[resource_type].1;
    let each: Vec<_> = parameters.iter().map(|(_, most)| prop::collection::vec(0_u8..5, 0..=*most).boxed()).collect();
    each
}

/// Sort keys by place in the parameters; beyond them lie `_id` and `_lastUpdated`.
fn keys(resource_type: usize) -> impl Strategy<Value = Vec<(usize, bool)>> {
    prop::collection::vec((0..TYPES[resource_type].1.len() + 2, any::<bool>()), 1..4)
}

fn generate<S: Strategy>(strategy: S, count: usize, seed: u8) -> Vec<S::Value> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

fn text(resource_type: usize, keys: &[(usize, bool)], condition: &str) -> String {
    let (name, parameters) = TYPES[resource_type];
    let code = |place: usize| match place.checked_sub(parameters.len()) {
        None => parameters[place].0,
        Some(0) => "_id",
        Some(_) => "_lastUpdated",
    };
    let keys: Vec<String> =
        keys.iter().map(|(place, down)| format!("{}{}", if *down { "-" } else { "" }, code(*place))).collect();
    format!("{name}?_sort={}{condition}", keys.join(","))
}

/// The places of the resources in the order that is asked for; resources were stored in the order of their ids.
fn expected(resource_type: usize, keys: &[(usize, bool)], all: &[Values]) -> Vec<String> {
    let (name, parameters) = TYPES[resource_type];
    let rank = |at: usize, place: usize, down: bool| -> Option<usize> {
        let ranks = all[at].get(place).filter(|_| place < parameters.len());
        let of_boolean = |rank: &u8| if parameters[place].0 == "active" { rank % 2 } else { *rank };
        match ranks {
            None => Some(at),
            Some(ranks) if down => ranks.iter().map(of_boolean).max().map(usize::from),
            Some(ranks) => ranks.iter().map(of_boolean).min().map(usize::from),
        }
    };
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by(|a, b| {
        let by_keys = keys.iter().map(|(place, down)| match (rank(*a, *place, *down), rank(*b, *place, *down)) {
            (None, None) => std::cmp::Ordering::Equal,
            (None, _) => std::cmp::Ordering::Greater,
            (_, None) => std::cmp::Ordering::Less,
            (Some(a), Some(b)) if *down => b.cmp(&a),
            (Some(a), Some(b)) => a.cmp(&b),
        });
        let ties = if keys[0].1 { b.cmp(a) } else { a.cmp(b) };
        by_keys.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then).then(ties)
    });
    order.into_iter().map(|at| format!("{}{at:02}", &name[..1])).collect()
}

async fn filled(store: &Store, resource_type: usize) -> Vec<Values> {
    let all = generate(values(resource_type), 30, 5 + u8::try_from(resource_type).unwrap());
    let name = TYPES[resource_type].0;
    let resources: Vec<Value> =
        all.iter().enumerate().map(|(at, values)| resource(name, &format!("{}{at:02}", &name[..1]), values)).collect();
    store_all(store, &resources).await;
    all
}

both! {
    async fn every_order_agrees_with_the_model(database) {
        let store = database.open().await;
        for (resource_type, (_, keyed)) in TYPES.iter().enumerate() {
            let all = filled(&store, resource_type).await;
            let single = (0..keyed.len() + 2).flat_map(|place| [vec![(place, false)], vec![(place, true)]]);
            let several = generate(keys(resource_type), 20, 17);
            for (number, keys) in single.chain(several).enumerate() {
                let condition = ["", "&_lastUpdated=ge1969"][number % 2];
                let search = text(resource_type, &keys, condition);
                let found = ids(&store, &search, [3, 7, 8, 100][number % 4]).await;
                assert_eq!(found, expected(resource_type, &keys, &all), "{search}");
            }
        }
        store.close().await;
    }
}
