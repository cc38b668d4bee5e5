//! Resources in a store, searched as the server does it: parse, write SQL, follow the pages.

use bytes::Bytes;
use kith::search::extract::Extractor;
use kith::search::query::{Condition, Handling};
use kith::search::sql::{FEW, Page, Position, count, estimate, stages};
use kith::store::{Found, NewResource, Party, Store};
use serde_json::Value;

use super::{BASE, parsed, registry};

/// Stores resources in this order; the nth was last changed at the nth second of 1970. A `party` property, which FHIR does not
/// have, names an organisation that takes part.
pub async fn store_all(store: &Store, resources: &[Value]) {
    let extractor = Extractor::new(registry(), BASE);
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let new = |(second, resource): (i64, &Value)| NewResource {
        resource_type: text(resource, "resourceType"),
        id: text(resource, "id"),
        version: 1,
        last_updated: second * 1_000_000,
        method: "POST",
        patient: String::new(),
        author: String::new(),
        body: Bytes::from(resource.to_string()),
        rows: extractor.extract(resource),
        parties: resource["party"]
            .as_str()
            .map(|organisation| Party { organisation: organisation.to_owned(), role: "provider".to_owned() })
            .into_iter()
            .collect(),
    };
    let all: Vec<NewResource> = (1..).zip(resources).map(new).collect();
    store
        .write(move |tx| {
            let all = all.clone();
            Box::pin(async move {
                for new in all {
                    tx.create(new).await?;
                }
                Ok(((), Vec::new()))
            })
        })
        .await
        .unwrap();
}

/// One page (even limits ask for an estimate first, so that both ways are taken): at most `limit` matches, nearest to the position
/// first, and where the next page on the same way begins, if there may be one.
pub async fn page(
    store: &Store,
    search: &str,
    restrictions: &[Condition],
    after: Option<&Position>,
    limit: u32,
) -> (Vec<Found>, Option<Position>) {
    let mut query = parsed(search, Handling::Strict).unwrap();
    query.conditions.extend_from_slice(restrictions);
    let mut few = false;
    if let Some(estimate) = estimate(&query).filter(|_| after.is_none() && limit.is_multiple_of(2)) {
        few = store.count(&estimate).await.unwrap() <= FEW;
    }
    let (mut found, mut position) = (Vec::new(), None);
    for stage in stages(&Page { query: &query, few, after, limit }) {
        for one in store.search(&stage.statement).await.unwrap() {
            if found.len() < limit as usize {
                position = Some(at(stage.number, &one, after.is_some_and(|after| after.backwards)));
                found.push(one);
            }
        }
    }
    let more = found.len() == limit as usize;
    (found, position.filter(|_| more))
}

fn at(stage: usize, one: &Found, backwards: bool) -> Position {
    Position { stage, values: one.sort.clone(), key: one.stored.key, backwards }
}

/// The ids of all pages of a search; asserts that the way back from the last of them leads through the same ones.
pub async fn ids(store: &Store, search: &str, limit: u32) -> Vec<String> {
    let (mut all, mut after, mut last) = (Vec::new(), None, None);
    loop {
        let (found, next) = page(store, search, &[], after.as_ref(), limit).await;
        all.extend(found.into_iter().map(|found| found.stored.id.clone()));
        match next {
            Some(next) => (after, last) = (Some(next.clone()), Some(next)),
            None => break,
        }
    }
    let mut back = last.map(|last| Position { backwards: true, ..last });
    let (mut ahead, full) = (Vec::new(), all.len() / limit as usize * limit as usize);
    while let Some(position) = back {
        let (found, next) = page(store, search, &[], Some(&position), limit).await;
        ahead.splice(..0, found.into_iter().rev().map(|found| found.stored.id.clone()));
        back = next;
    }
    assert_eq!(ahead, all[..full.saturating_sub(1)], "the way back of {search}");
    all
}

/// The number of matches.
pub async fn total(store: &Store, search: &str) -> i64 {
    let query = parsed(search, Handling::Strict).unwrap();
    store.count(&count(&query)).await.unwrap()
}

/// Asserts that each search of a table finds these resources, a page of three after another, and counts as many.
pub async fn expect_all(store: &Store, table: &[(&str, &[&str])]) {
    for (search, expected) in table {
        let mut found = ids(store, search, 3).await;
        found.sort();
        assert_eq!(found, *expected, "{search}");
        assert_eq!(total(store, search).await, i64::try_from(expected.len()).unwrap(), "total of {search}");
    }
}

/// Asserts that each search of a table is refused (400) with a text that has these words, strict or lenient.
pub fn expect_refused(table: &[(&str, &str)]) {
    for (search, expected) in table {
        for handling in [Handling::Strict, Handling::Lenient] {
            let problem = parsed(search, handling).unwrap_err();
            assert_eq!(problem.kind.status(), 400, "{search}");
            let texts: Vec<&str> = problem.issues().iter().map(|issue| issue.text.as_str()).collect();
            assert!(texts.iter().any(|text| text.contains(expected)), "{search}: {texts:?}");
        }
    }
}
