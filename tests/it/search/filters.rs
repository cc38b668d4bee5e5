//! `_filter`, `_list`, `_text` and `_content`: what they find on both databases, and the parser of filters.

use kith::search::query::Handling;
use kith::search::query::expression::{Filter, Operand, Operator, Step, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::parsed;
use super::world::{expect_all, expect_refused, store_all};
use crate::support::both;

fn resources() -> Vec<Value> {
    let patient = |id: &str, family: &str, given: &str, born: &str, words: &str| {
        json!({ "resourceType": "Patient", "id": id, "name": [{ "family": family, "given": [given] }], "birthDate": born,
            "text": { "status": "generated", "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>{words}</p></div>") } })
    };
    let task = |id: &str, status: &str, patient: &str, note: &str| {
        json!({ "resourceType": "Task", "id": id, "status": status, "intent": "order",
            "for": { "reference": format!("Patient/{patient}") }, "note": [{ "text": note }],
            "executionPeriod": { "start": "2026-03-01", "end": "2026-03-31" },
            "businessStatus": { "coding": [{ "system": "urn:b", "code": "waiting" }, { "system": "urn:b", "code": "called" }] } })
    };
    vec![
        patient("p1", "Petrova", "Anna", "1950-01-01", "Likes walking &amp; <b>singing</b>"),
        patient("p2", "Carpenter", "Peter", "1960-06-15", "Caf\u{e9} on Tuesdays"),
        patient("p3", "O'Neill", "Bea", "1970-12-31", "Nothing"),
        json!({ "resourceType": "Patient", "id": "p4" }),
        task("t1", "requested", "p1", "Prefers mornings at the allotment"),
        task("t2", "accepted", "p2", "Prefers the choir"),
        task("t3", "completed", "p2", "See https://example.org/choir for more"),
        json!({ "resourceType": "List", "id": "l1", "status": "current", "mode": "working",
            "entry": [{ "item": { "reference": "Patient/p1" } }, { "item": { "reference": "Task/t2" } },
                      { "item": { "reference": "Patient/p3" } }] }),
    ]
}

const TABLE: &[(&str, &[&str])] = &[
    // filters
    ("Patient?_filter=name co \"pet\"", &["p1", "p2"]),
    ("Patient?_filter=given eq \"peter\" and birthdate ge 1960-06-15", &["p2"]),
    ("Patient?_filter=given eq pete", &[]),
    ("Patient?_filter=family sw car or family ew ROVA", &["p1", "p2"]),
    ("Patient?_filter=family eq \"o’neill\"", &["p3"]),
    ("Patient?_filter=family ne petrova", &["p2", "p3"]),
    ("Patient?_filter=not (name co pet)", &["p3", "p4"]),
    ("Patient?_filter=name pr false", &["p4"]),
    ("Patient?_filter=name pr true and not (birthdate lt 1960)", &["p2", "p3"]),
    ("Patient?_filter=family eq petrova or family eq carpenter and birthdate ge 1955", &["p2"]),
    ("Patient?_filter=family eq petrova or (family eq carpenter and birthdate ge 1955)", &["p1", "p2"]),
    ("Patient?_filter=_id eq p1 or _id eq p4", &["p1", "p4"]),
    ("Patient?_filter=_lastUpdated gt 1970-01-01T00:00:02Z", &["p3", "p4"]),
    ("Patient?_filter=birthdate sa 1950-12&family=carpenter", &["p2"]),
    ("Task?_filter=patient.name co pet and status eq requested", &["t1"]),
    ("Task?_filter=patient[family eq carpenter].birthdate lt 1961", &["t2", "t3"]),
    ("Task?_filter=patient[family eq carpenter and name co x].birthdate lt 1961", &[]),
    ("Task?_filter=subject:Patient.given eq Anna", &["t1"]),
    ("Task?_filter=patient re Patient/p1", &["t1"]),
    ("Task?_filter=patient ne Patient/p1", &["t2", "t3"]),
    ("Task?_filter=status in http://hl7.org/fhir/ValueSet/task-status", &["t1", "t2", "t3"]),
    ("Task?_filter=status ni http://hl7.org/fhir/ValueSet/task-status", &[]),
    ("Task?_filter=status ss http://hl7.org/fhir/task-status|requested", &["t1"]),
    ("Task?_filter=business-status ne urn:b|waiting", &["t1", "t2", "t3"]),
    ("Task?_filter=period po 2026-03-15 and period ap 2026-03", &["t1", "t2", "t3"]),
    ("Task?_filter=period po 2026-04", &[]),
    ("Task?patient:Patient._filter=family eq petrova", &["t1"]),
    // lists
    ("Patient?_list=l1", &["p1", "p3"]),
    ("Task?_list=l1", &["t2"]),
    ("Patient?_list=l1&family=petrova", &["p1"]),
    ("Patient?_list=other", &[]),
    // words
    ("Patient?_text=singing", &["p1"]),
    ("Patient?_text=CAFE", &["p2"]),
    ("Patient?_text=strong", &[]),
    ("Patient?_text=walk", &[]),
    ("Patient?_text=walk*", &["p1"]),
    ("Patient?_text=singing walking", &["p1"]),
    ("Patient?_text=\"walking singing\"", &["p1"]),
    ("Patient?_text=\"singing walking\"", &[]),
    ("Patient?_text=(singing OR tuesdays) and not nothing", &["p1", "p2"]),
    ("Patient?_text=singing,nothing", &["p1", "p3"]),
    ("Patient?_content=petrova", &["p1"]),
    ("Patient?_content=petrova singing", &["p1"]),
    ("Patient?_content=O'Neill", &["p3"]),
    ("Patient?_content=http", &[]),
    ("Task?_content=prefers not choir", &["t1"]),
    ("Task?_content=choir", &["t2", "t3"]),
    ("Task?_content=prefers&status=accepted", &["t2"]),
    ("Patient?_has:Task:patient:_content=allotment", &["p1"]),
    ("Task?patient._text=singing", &["t1"]),
];

both! {
    async fn filters_lists_and_words_find_what_they_must(database) {
        let store = database.open().await;
        store_all(&store, &resources()).await;
        expect_all(&store, TABLE).await;
        store.close().await;
    }
}

#[test]
fn what_cannot_be_understood_is_refused_by_position() {
    let table = [
        ("Patient?_filter=name", "At character 5 of the filter a comparison: eq"),
        ("Patient?_filter=name is x", "At character 6 of the filter a comparison: eq"),
        ("Patient?_filter=name eq", "At character 8 of the filter a value"),
        ("Patient?_filter=(name eq x", "At character 11 of the filter `)`"),
        ("Patient?_filter=name eq x name eq y", "At character 11 of the filter `and`, `or` or the end"),
        ("Patient?_filter=name eq \"x", "At character 9 of the filter a text in double quotes"),
        ("Patient?_filter=nmae eq x", "Did you mean name?"),
        ("Patient?_filter=birthdate co 1950", "`co` does not apply to a date parameter"),
        ("Patient?_filter=gender gt male", "`gt` does not apply to a token parameter"),
        ("Patient?_filter=name pr maybe", "`pr` takes true or false"),
        ("Patient?_filter=birthdate eq never", "a date is YYYY"),
        ("Patient?_filter=name[given eq x] eq y", "What stands in brackets"),
        ("Patient?_filter=gender.name eq y", "Only reference parameters can be chained"),
        ("Patient?_filter:exact=name eq y", "does not apply to a special parameter"),
        ("Patient?_list=$current-problems", "no functional lists"),
        ("Patient?_text=(a", "Words are expected"),
        ("Patient?_text=a or", "Words are expected"),
        ("Patient?_content=?", "Words are expected"),
        ("Patient?_content:exact=a", "does not apply to a special parameter"),
        ("Patient?_sort=_content", "cannot be sorted by"),
    ];
    expect_refused(&table);
}

fn step(inner: impl Strategy<Value = Filter> + 'static) -> impl Strategy<Value = Step> {
    let condition = prop::option::weighted(0.2, inner.prop_map(Box::new));
    ("[a-z_][a-z0-9-]{0,6}(:[A-Z][a-z]{1,4})?", condition).prop_map(|(name, condition)| Step { name, condition })
}

fn compare(inner: impl Strategy<Value = Filter> + Clone + 'static) -> impl Strategy<Value = Filter> {
    let operators: Vec<Operator> = Operator::ALL.iter().map(|(_, operator)| *operator).collect();
    let operand = prop_oneof![
        any::<String>().prop_map(Operand::Text),
        "[A-Za-z0-9|:/.$-][A-Za-z0-9|:/.$\"-]{0,12}".prop_map(Operand::Bare),
    ];
    (prop::collection::vec(step(inner), 1..3), prop::sample::select(operators), operand)
        .prop_map(|(path, operator, operand)| Filter::Compare { path, operator, operand })
}

fn filter() -> impl Strategy<Value = Filter> {
    let leaf = compare(Just(Filter::Compare {
        path: vec![Step { name: "a".to_owned(), condition: None }],
        operator: Operator::Eq,
        operand: Operand::Bare("1".to_owned()),
    }));
    leaf.prop_recursive(4, 24, 2, |inner| {
        let pair = || (inner.clone().prop_map(Box::new), inner.clone().prop_map(Box::new));
        prop_oneof![
            pair().prop_map(|(left, right)| Filter::And(left, right)),
            pair().prop_map(|(left, right)| Filter::Or(left, right)),
            inner.clone().prop_map(|inner| Filter::Not(Box::new(inner))),
            compare(inner.clone()),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_reads_as_the_same_filter(filter in filter()) {
        prop_assert_eq!(parse(&filter.to_string()), Ok(filter));
    }

    #[test]
    fn reading_never_fails_without_a_position(text in any::<String>()) {
        if let Err(mistake) = parse(&text) {
            prop_assert!(mistake.position <= text.chars().count() + 1);
        }
    }

    #[test]
    fn almost_filters_are_read_or_refused(text in "(not|and|or|eq|co|name|a\\.b|\\(|\\)|\\[|\\]|\"| |x|1|\u{e9}){0,30}") {
        let _ = parse(&text);
        let _ = parsed(&format!("Patient?_filter={}", text.replace('&', "")), Handling::Strict);
    }
}
