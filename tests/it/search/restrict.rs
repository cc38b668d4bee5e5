//! What a caller may see restricts the matches and everything that chains, `_has` and inclusions go through.

use kith::search::query::{Condition, Handling, Query, Restrictions};
use kith::search::sql::{Page, Round, count, identities, include, stages};
use kith::store::Store;
use serde_json::{Value, json};

use super::parsed;
use super::world::store_all;
use crate::support::both;

fn resources() -> Vec<Value> {
    let of = |n: u8| json!({ "reference": format!("Patient/p{n}") });
    (1..=2)
        .flat_map(|n| {
            [
                json!({ "resourceType": "Patient", "id": format!("p{n}"), "active": true }),
                json!({ "resourceType": "ServiceRequest", "id": format!("s{n}"), "status": "active", "subject": of(n) }),
                json!({ "resourceType": "Task", "id": format!("t{n}"), "status": "requested", "for": of(n),
                    "focus": { "reference": format!("ServiceRequest/s{n}") } }),
            ]
        })
        .collect()
}

/// Only the first patient and the first Task may be seen.
fn restrictions() -> Restrictions {
    let mut restrictions = Restrictions::none();
    restrictions.restrict("Patient", Condition::Id(vec!["p1".to_owned()]));
    restrictions.restrict("Task", Condition::Id(vec!["t1".to_owned()]));
    restrictions
}

fn restricted(search: &str) -> Query {
    restrictions().apply(parsed(search, Handling::Strict).unwrap())
}

async fn found(store: &Store, search: &str) -> Vec<String> {
    let query = restricted(search);
    let page = Page { query: &query, few: true, after: None, limit: 50 };
    let mut all = Vec::new();
    for stage in stages(&page) {
        all.extend(store.search(&stage.statement).await.unwrap().into_iter().map(|found| found.stored.id.clone()));
    }
    assert_eq!(store.count(&count(&query)).await.unwrap(), i64::try_from(all.len()).unwrap(), "{search}");
    all
}

both! {
    async fn restrictions_reach_all_that_a_search_goes_through(database) {
        let store = database.open().await;
        store_all(&store, &resources()).await;
        for (search, expected) in [
            ("Patient", vec!["p1"]),
            ("Task?status=requested", vec!["t1"]),
            ("Task?_id=t2", vec![]),
            ("ServiceRequest", vec!["s1", "s2"]),
            ("ServiceRequest?subject:Patient.active=true", vec!["s1"]),
            ("ServiceRequest?subject.active=true&_sort=-_id", vec!["s1"]),
            ("ServiceRequest?_has:Task:focus:status=requested", vec!["s1"]),
            ("ServiceRequest?_has:Task:focus:patient._id=p1,p2", vec!["s1"]),
            ("ServiceRequest?subject:Patient._has:Task:patient:status=requested", vec!["s1"]),
            ("ServiceRequest?subject:Patient.active:not=false", vec!["s1"]),
        ] {
            assert_eq!(found(&store, search).await, expected, "{search}");
        }
        store.close().await;
    }

    async fn restrictions_reach_what_comes_with_the_matches(database) {
        let store = database.open().await;
        store_all(&store, &resources()).await;
        let requests = store.search(&stages(&Page { query: &parsed("ServiceRequest", Handling::Strict).unwrap(),
            few: true, after: None, limit: 50 }).remove(0).statement).await.unwrap();
        let keys: Vec<i64> = requests.iter().map(|found| found.stored.key).collect();
        let restrictions = restrictions();
        let query = parsed("ServiceRequest?_include=*&_revinclude=*", Handling::Strict).unwrap();
        let includes: Vec<_> = query.includes.iter().collect();
        let round = Round { seeds: &keys, known: &keys, restrictions: &restrictions, limit: 50 };
        let brought = store.search(&include(&includes, &round).unwrap()).await.unwrap();
        assert_eq!(brought.iter().map(|found| found.stored.id.as_str()).collect::<Vec<_>>(), ["p1", "t1"]);
        let named = ["p1", "p2"].map(|id| ("Patient".to_owned(), id.to_owned()));
        let named = store.search(&identities(&named, &restrictions, 50).unwrap()).await.unwrap();
        assert_eq!(named.iter().map(|found| found.stored.id.as_str()).collect::<Vec<_>>(), ["p1"]);
        store.close().await;
    }
}
