//! Prefixes of dates and numbers against an independent reading of the specification: a date is a set of days, a number counts
//! thousandths (<https://hl7.org/fhir/R4/search.html#prefix>).

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::world::{ids, store_all};
use crate::support::both;

const PREFIXES: [&str; 9] = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"];

/// Days of the years 2023 (365), 2024 (366) and 2025, counted from 0.
const MONTHS: [i32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// A date of some precision: its text, its first day, its last day.
type Days = (String, i32, i32);

/// An observation: what it says, its first and last day, its value in thousandths.
type Row = (Value, i32, i32, i32);

fn length(year: i32, month: usize) -> i32 {
    MONTHS[month] + i32::from(year == 2024 && month == 1)
}

fn days(year: i32, month: usize, day: i32, precision: u8) -> Days {
    let before: i32 = (2023..year).map(|year| if year == 2024 { 366 } else { 365 }).sum();
    let start: i32 = before + (0..month).map(|month| length(year, month)).sum::<i32>();
    let day = day.min(length(year, month));
    match precision {
        0 => (format!("{year}"), before, before + if year == 2024 { 365 } else { 364 }),
        1 => (format!("{year}-{:02}", month + 1), start, start + length(year, month) - 1),
        _ => (format!("{year}-{:02}-{day:02}", month + 1), start + day - 1, start + day - 1),
    }
}

fn date() -> impl Strategy<Value = Days> {
    (2023..2026_i32, 0..12_usize, 1..32_i32, 0..3_u8)
        .prop_map(|(year, month, day, precision)| days(year, month, day, precision))
}

/// What an Observation says: the element and its first and last day, and a value in thousandths.
fn observation() -> impl Strategy<Value = Row> {
    let period = (prop::option::of(date()), prop::option::of(date()));
    let when = prop_oneof![
        date().prop_map(|(text, from, to)| (json!({ "effectiveDateTime": text }), from, to)),
        period
            .prop_map(|(start, end)| {
                let from = start.as_ref().map_or(i32::MIN, |(_, from, _)| *from);
                let to = end.as_ref().map_or(i32::MAX, |(_, _, to)| *to);
                let text = |date: Option<Days>| date.map(|(text, ..)| text);
                (json!({ "effectivePeriod": { "start": text(start), "end": text(end) } }), from, to)
            })
            .prop_filter("a period has an end and does not end before it begins", |(_, from, to)| {
                from <= to && (*from > i32::MIN || *to < i32::MAX)
            }),
    ];
    (when, -60..60_i32).prop_map(|((when, from, to), value)| (when, from, to, value * 250))
}

/// Every number of thousandths with up to `places` digits behind the point.
fn decimal(thousandths: i32, places: usize) -> String {
    let sign = if thousandths < 0 { "-" } else { "" };
    let (whole, rest) = (thousandths.abs() / 1000, thousandths.abs() % 1000);
    let fraction = format!("{rest:03}");
    if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{}", &fraction[..places]) }
}

fn resource(id: usize, (when, _, _, value): &(Value, i32, i32, i32)) -> Value {
    let number: Value = serde_json::from_str(&decimal(*value, 3)).unwrap();
    let mut resource =
        json!({ "resourceType": "Observation", "id": format!("o{id:03}"), "valueQuantity": { "value": number } });
    let members = when.as_object().unwrap().clone();
    resource.as_object_mut().unwrap().extend(members.into_iter().map(|(name, mut member)| {
        if let Some(period) = member.as_object_mut() {
            period.retain(|_, end| !end.is_null());
        }
        (name, member)
    }));
    resource
}

fn date_holds(prefix: &str, (from, to): (i32, i32), (first, last): (i32, i32)) -> bool {
    let contained = first <= from && to <= last;
    match prefix {
        "" | "eq" => contained,
        "ne" => !contained,
        "gt" => to > last,
        "lt" => from < first,
        "ge" => to > last || contained,
        "le" => from < first || contained,
        "sa" => from > last,
        _ => to < first,
    }
}

fn number_holds(prefix: &str, value: i32, asked: i32, places: usize) -> bool {
    let half = [500, 50, 5][places];
    let equal = asked - half <= value && value < asked + half;
    match prefix {
        "" | "eq" => equal,
        "ne" => !equal,
        "gt" | "sa" => value > asked,
        "lt" | "eb" => value < asked,
        "ge" => value >= asked,
        _ => value <= asked,
    }
}

fn generate<S: Strategy>(strategy: S, count: usize, seed: u8) -> Vec<S::Value> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

both! {
    async fn prefixes_mean_what_the_specification_says(database) {
        let store = database.open().await;
        let all = generate(observation(), 120, 3);
        let resources: Vec<Value> = all.iter().enumerate().map(|(id, one)| resource(id, one)).collect();
        store_all(&store, &resources).await;
        let expected = |holds: &dyn Fn(&Row) -> bool| -> Vec<String> {
            all.iter().enumerate().filter(|(_, one)| holds(one)).map(|(id, _)| format!("o{id:03}")).collect()
        };
        for (number, (text, first, last)) in generate(date(), 45, 5).into_iter().enumerate() {
            let prefix = PREFIXES[number % PREFIXES.len()];
            let mut found = ids(&store, &format!("Observation?date={prefix}{text}"), 100).await;
            found.sort();
            let right = expected(&|(_, from, to, _)| date_holds(prefix, (*from, *to), (first, last)));
            assert_eq!(found, right, "date={prefix}{text}");
        }
        for (number, (value, places)) in generate((-150..150_i32, 0..3_usize), 45, 7).into_iter().enumerate() {
            let prefix = PREFIXES[number % PREFIXES.len()];
            let asked = value * [1000, 100, 10][places];
            let search = format!("Observation?value-quantity={prefix}{}", decimal(asked, places));
            let mut found = ids(&store, &search, 100).await;
            found.sort();
            assert_eq!(found, expected(&|(.., value)| number_holds(prefix, *value, asked, places)), "{search}");
        }
        store.close().await;
    }
}
