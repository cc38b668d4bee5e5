//! Random data and random searches against a naive model: the same matches in the same order, whatever the page size, with
//! writes in between.

use kith::store::Store;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::world::{ids, page, store_all};
use crate::support::both;

/// What the model knows of a Task.
#[derive(Debug, Clone)]
struct Task {
    id: String,
    status: &'static str,
    owner: Option<u8>,
    day: Option<u8>,
    business: Vec<u8>,
}

fn task() -> impl Strategy<Value = Task> {
    let status = prop::sample::select(vec!["requested", "accepted", "completed"]);
    let business = prop::collection::vec(0_u8..4, 0..3);
    (status, prop::option::of(0_u8..3), prop::option::of(1_u8..10), business)
        .prop_map(|(status, owner, day, business)| Task { id: String::new(), status, owner, day, business })
}

fn resource(task: &Task) -> Value {
    let mut value = json!({ "resourceType": "Task", "id": task.id, "status": task.status, "intent": "order" });
    if let Some(owner) = task.owner {
        value["owner"] = json!({ "reference": format!("Organization/o{owner}") });
    }
    if let Some(day) = task.day {
        value["authoredOn"] = json!(format!("2026-01-{day:02}"));
    }
    let codings =
        task.business.iter().map(|code| json!({ "system": format!("urn:{}", code % 2), "code": format!("b{code}") }));
    value["businessStatus"] = json!({ "coding": codings.collect::<Vec<_>>() });
    value
}

/// A condition: its query text and what it means.
#[derive(Debug, Clone)]
enum Clause {
    Status(Vec<&'static str>),
    NotStatus(&'static str),
    Owner(u8),
    NoOwner(bool),
    From(u8),
    Business(u8),
    System(u8),
}

fn clause() -> impl Strategy<Value = Clause> {
    let status = || prop::sample::select(vec!["requested", "accepted", "completed", "failed"]);
    prop_oneof![
        prop::collection::vec(status(), 1..3).prop_map(Clause::Status),
        status().prop_map(Clause::NotStatus),
        (0_u8..4).prop_map(Clause::Owner),
        any::<bool>().prop_map(Clause::NoOwner),
        (0_u8..11).prop_map(Clause::From),
        (0_u8..5).prop_map(Clause::Business),
        (0_u8..3).prop_map(Clause::System),
    ]
}

impl Clause {
    fn text(&self) -> String {
        match self {
            Self::Status(any) => format!("status={}", any.join(",")),
            Self::NotStatus(status) => format!("status:not={status}"),
            Self::Owner(owner) => format!("owner=Organization/o{owner}"),
            Self::NoOwner(missing) => format!("owner:missing={missing}"),
            Self::From(day) => format!("authored-on=ge2026-01-{:02}", day + 1),
            Self::Business(code) => format!("business-status=b{code}"),
            Self::System(system) => format!("business-status=urn:{system}|"),
        }
    }

    fn holds(&self, task: &Task) -> bool {
        match self {
            Self::Status(any) => any.contains(&task.status),
            Self::NotStatus(status) => task.status != *status,
            Self::Owner(owner) => task.owner == Some(*owner),
            Self::NoOwner(missing) => task.owner.is_none() == *missing,
            Self::From(day) => task.day.is_some_and(|authored| authored > *day),
            Self::Business(code) => task.business.contains(code),
            Self::System(system) => task.business.iter().any(|code| code % 2 == *system),
        }
    }
}

/// A sort key and how the model orders by it: missing values last, ties by id.
#[derive(Debug, Clone, Copy)]
enum Key {
    Day,
    Status,
    Business,
    Id,
}

impl Key {
    const fn code(self) -> &'static str {
        match self {
            Self::Day => "authored-on",
            Self::Status => "status",
            Self::Business => "business-status",
            Self::Id => "_id",
        }
    }

    fn value(self, task: &Task, descending: bool) -> Option<String> {
        let business = task.business.iter().map(|code| format!("b{code}"));
        match self {
            Self::Day => task.day.map(|day| format!("{day:02}")),
            Self::Status => Some(task.status.to_owned()),
            Self::Business if descending => business.max(),
            Self::Business => business.min(),
            Self::Id => Some(task.id.clone()),
        }
    }
}

type Search = (Vec<Clause>, Vec<(Key, bool)>);

fn search() -> impl Strategy<Value = Search> {
    let key = prop::sample::select(vec![Key::Day, Key::Status, Key::Business, Key::Id]);
    (prop::collection::vec(clause(), 0..3), prop::collection::vec((key, any::<bool>()), 0..3))
}

fn text((clauses, keys): &Search) -> String {
    let keys: Vec<String> =
        keys.iter().map(|(key, descending)| format!("{}{}", if *descending { "-" } else { "" }, key.code())).collect();
    let sort = (!keys.is_empty()).then(|| format!("_sort={}", keys.join(",")));
    format!("Task?{}", clauses.iter().map(Clause::text).chain(sort).collect::<Vec<_>>().join("&"))
}

/// The model's answer; resources were stored in the order of their ids, so keys follow ids.
fn expected((clauses, keys): &Search, tasks: &[Task]) -> Vec<String> {
    let mut found: Vec<&Task> = tasks.iter().filter(|task| clauses.iter().all(|clause| clause.holds(task))).collect();
    let down = keys.first().is_some_and(|(_, descending)| *descending);
    found.sort_by(|a, b| {
        let by_keys =
            keys.iter().map(|(key, descending)| match (key.value(a, *descending), key.value(b, *descending)) {
                (None, None) => std::cmp::Ordering::Equal,
                (None, _) => std::cmp::Ordering::Greater,
                (_, None) => std::cmp::Ordering::Less,
                (Some(a), Some(b)) if *descending => b.cmp(&a),
                (Some(a), Some(b)) => a.cmp(&b),
            });
        let ties = if down { b.id.cmp(&a.id) } else { a.id.cmp(&b.id) };
        by_keys.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then).then(ties)
    });
    found.into_iter().map(|task| task.id.clone()).collect()
}

fn generate<S: Strategy>(strategy: S, count: usize, seed: u8) -> Vec<S::Value> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

async fn filled(store: &Store, count: usize) -> Vec<Task> {
    let mut tasks = generate(task(), count, 7);
    for (number, task) in tasks.iter_mut().enumerate() {
        task.id = format!("t{number:03}");
    }
    store_all(store, &tasks.iter().map(resource).collect::<Vec<_>>()).await;
    tasks
}

both! {
    async fn every_search_agrees_with_the_model(database) {
        let store = database.open().await;
        let tasks = filled(&store, 60).await;
        for (number, search) in generate(search(), 90, 11).iter().enumerate() {
            let found = ids(&store, &text(search), [3, 7, 8, 100][number % 4]).await;
            assert_eq!(found, expected(search, &tasks), "{}", text(search));
        }
        store.close().await;
    }

    async fn pages_have_no_gaps_and_no_doubles_while_others_write(database) {
        let store = database.open().await;
        let tasks = filled(&store, 40).await;
        for (round, search) in generate(search(), 25, 13).iter().enumerate() {
            let (mut seen, mut after, mut number) = (Vec::new(), None, 0);
            loop {
                let (found, next) = page(&store, &text(search), &[], after.as_ref(), 3).await;
                seen.extend(found.into_iter().map(|found| found.stored.id.clone()));
                let Some(next) = next else { break };
                after = Some(next);
                number += 1;
                if number < 4 {
                    let new = Task { id: format!("x{round:03}{number}"), ..tasks[number].clone() };
                    store_all(&store, &[resource(&new)]).await;
                }
            }
            let mut distinct = seen.clone();
            distinct.sort();
            distinct.dedup();
            assert_eq!(distinct.len(), seen.len(), "doubles in {}", text(search));
            let old: Vec<String> = seen.into_iter().filter(|id| id.starts_with('t')).collect();
            assert_eq!(old, expected(search, &tasks), "{}", text(search));
        }
        store.close().await;
    }
}
