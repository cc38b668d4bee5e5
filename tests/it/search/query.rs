//! Parsing of query strings: what is understood, what is refused and how clearly.

use kith::fhir::issue::Severity;
use kith::search::kinds::Criterion;
use kith::search::kinds::reference::Target;
use kith::search::kinds::string::Text;
use kith::search::kinds::token::Token;
use kith::search::query::value::{Pieces, escape, split_raw, unescape};
use kith::search::query::{Condition, Handling, SortBy, Summary, Total};
use proptest::prelude::*;

use super::parsed;

fn conditions(search: &str) -> Vec<Condition> {
    parsed(search, Handling::Strict).unwrap().conditions
}

fn criteria(search: &str) -> Vec<Criterion> {
    match conditions(search).remove(0) {
        Condition::Rows(rows) => rows.any,
        other => panic!("{other:?}"),
    }
}

/// The texts of the issues of a refused search, with their places.
fn refused(search: &str, handling: Handling) -> Vec<(String, String)> {
    let problem = parsed(search, handling).unwrap_err();
    assert_eq!(problem.kind.status(), 400);
    let issues = problem.issues().iter();
    issues.map(|issue| (issue.expression.clone().unwrap_or_default(), issue.text.clone())).collect()
}

fn token(system: Option<&str>, code: Option<&str>) -> Criterion {
    Criterion::Token(Token { system: system.map(str::to_owned), code: code.map(str::to_owned) })
}

#[test]
fn tokens_have_system_and_code() {
    assert_eq!(criteria("Task?code=x"), [token(None, Some("x"))]);
    assert_eq!(criteria("Task?code=urn:s|x"), [token(Some("urn:s"), Some("x"))]);
    assert_eq!(criteria("Task?code=|x"), [token(Some(""), Some("x"))]);
    assert_eq!(criteria("Task?code=urn:s|"), [token(Some("urn:s"), None)]);
    assert_eq!(criteria("Task?code=a\\|b\\,c,d"), [token(None, Some("a|b,c")), token(None, Some("d"))]);
}

#[test]
fn plain_codes_have_the_system_of_their_binding() {
    assert_eq!(criteria("Task?status=requested"), [token(Some(""), Some("requested"))]);
    let full = criteria("Task?status=http://hl7.org/fhir/task-status|requested");
    assert_eq!(full, [token(Some(""), Some("requested"))]);
    assert_eq!(criteria("Task?status=urn:other|requested"), [token(Some("urn:other"), Some("requested"))]);
}

#[test]
fn references_know_their_types() {
    let local = |resource_type: Option<&str>, id: &str| {
        Criterion::Reference(Target::Local { resource_type: resource_type.map(str::to_owned), id: id.to_owned() })
    };
    assert_eq!(criteria("Task?patient=p"), [local(Some("Patient"), "p")]);
    assert_eq!(criteria("Task?owner=Organization/o"), [local(Some("Organization"), "o")]);
    assert_eq!(criteria("Task?owner:Organization=o"), [local(Some("Organization"), "o")]);
    assert_eq!(criteria("Task?owner=o"), [local(None, "o")]);
    assert_eq!(criteria("Task?owner=https://kith.example/fhir/Organization/o"), [local(Some("Organization"), "o")]);
    let elsewhere = "https://other.example/fhir/Organization/o";
    assert_eq!(criteria(&format!("Task?owner={elsewhere}")), [Criterion::Reference(Target::Url(elsewhere.to_owned()))]);
}

#[test]
fn strings_are_folded_unless_exact() {
    assert_eq!(criteria("Patient?family=O’NÉILL"), [Criterion::String(Text::Prefix("o'neill".to_owned()))]);
    assert_eq!(criteria("Patient?family:exact=Né"), [Criterion::String(Text::Exact("Né".to_owned()))]);
    assert_eq!(criteria("Patient?family:contains=EI"), [Criterion::String(Text::Contains("ei".to_owned()))]);
}

#[test]
fn result_parameters() {
    let query = parsed(
        "Task?_count=0&_sort=-authored-on,status,_id&_total=accurate&_summary=text&_elements=id,status&_include=Task:focus\
         &_revinclude:iterate=Provenance:target",
        Handling::Strict,
    )
    .unwrap();
    assert_eq!((query.count, query.total, query.summary), (Some(0), Some(Total::Accurate), Some(Summary::Text)));
    assert_eq!(query.elements, ["id", "status"]);
    assert!(query.sort[0].descending && !query.sort[1].descending);
    assert_eq!(query.sort[2].by, SortBy::Id);
    assert!(!query.includes[0].reverse && query.includes[1].reverse && query.includes[1].iterate);
    assert_eq!(query.understood.len(), 7);
}

#[test]
fn wildcards_include_every_reference() {
    let query = parsed("ServiceRequest?_include=ServiceRequest:*&_revinclude=*", Handling::Strict).unwrap();
    let follow = query.includes[0].follow.as_ref().unwrap();
    assert!(follow.codes.iter().any(|code| &**code == "requester"));
    assert!(follow.codes.len() > 8);
    assert!(query.includes[1].reverse && query.includes[1].follow.is_none());
}

#[test]
fn chains_go_through_the_named_or_the_fitting_types() {
    let chain = conditions("Task?focus:ServiceRequest.subject:Patient.name=x");
    let Condition::Chain(link, inner) = &chain[0] else { panic!("{chain:?}") };
    assert_eq!((link.source.as_str(), &*link.code, link.target.as_str()), ("Task", "focus", "ServiceRequest"));
    assert!(matches!(&**inner, Condition::Chain(link, _) if link.target == "Patient"));
    let has = conditions("Patient?_has:Task:patient:status=requested");
    assert!(matches!(&has[0], Condition::Has(link, _) if link.source == "Task" && link.target == "Patient"));
    let nested = conditions("Patient?_has:ServiceRequest:patient:_has:Task:focus:status=requested");
    assert!(matches!(&nested[0], Condition::Has(_, inner) if matches!(**inner, Condition::Has(..))));
}

#[test]
fn unknown_parameters_are_passed_over_or_refused() {
    let query = parsed("Task?stauts=requested&status=requested", Handling::Lenient).unwrap();
    assert_eq!(query.understood, [("status".to_owned(), "requested".to_owned())]);
    assert_eq!(query.warnings.len(), 1);
    assert_eq!(query.warnings[0].severity, Severity::Warning);
    assert!(query.warnings[0].text.contains("Did you mean status?"), "{}", query.warnings[0].text);
    let issues = refused("Task?stauts=requested", Handling::Strict);
    assert_eq!(issues[0].0, "http.query.stauts");
    assert!(issues[0].1.contains("Allowed: _content, _filter, _id,"), "{}", issues[0].1);
}

#[test]
fn what_is_wrong_is_always_refused_and_never_repeats_the_value() {
    for search in [
        "Task?authored-on=SECRET",
        "Task?authored-on=2020-13-01",
        "Task?_lastUpdated=SECRET",
        "Task?_id=SECRET!",
        "Task?_id=Task/SECRET",
        "Task?status:SECRET=x",
        "Task?status:in=SECRET",
        "Task?owner:SECRET=x",
        "Task?owner=SECRET/ /x",
        "Task?status=a,,SECRET",
        "Task?code=a|b|SECRET",
        "Task?_count=SECRET",
        "Task?_count=-1",
        "Task?_count=1&_count=2",
        "Task?_total=SECRET",
        "Task?_summary=SECRET",
        "Task?_elements=SECRET!",
        "Task?_include=SECRET",
        "Task?_include=Task:status",
        "Task?_include=Task:owner:SECRET",
        "Task?_include=Task:owner:Questionnaire",
        "Task?_sort=_score",
        "Task?_sort=-owner:SECRET",
        "Task?_sort=status,",
        "Task?status.x=SECRET",
        "Task?_filter=SECRET",
        "Task?_has:Task=SECRET",
        "Task?authored-on:exact=2020",
        "Observation?code-value-quantity=SECRET",
        "RiskAssessment?probability=SECRET",
        "Observation?value-quantity=1|SECRET",
        "Task?status:missing=SECRET",
    ] {
        let issues = refused(search, Handling::Lenient);
        for (place, text) in &issues {
            assert!(!text.contains("SECRET"), "{search}: {text}");
            assert!(place.starts_with("http.query"), "{search}: {place}");
        }
    }
}

#[test]
fn every_fault_is_reported() {
    assert_eq!(refused("Task?authored-on=x&_count=y&owner:zz=1&nothing=2", Handling::Strict).len(), 4);
}

#[test]
fn ambiguous_chains_ask_for_the_type() {
    let issues = refused("Task?focus.item.item.status=active", Handling::Strict);
    assert!(issues[0].1.contains("Say which type is meant"), "{}", issues[0].1);
    let Condition::Any(types) = &conditions("Task?focus.status=active")[0] else { panic!("not several") };
    assert!(types.len() > 50, "{}", types.len());
}

#[test]
fn chains_have_an_end() {
    let chain = |depth: usize| format!("Task?{}status=requested", "part-of:Task.".repeat(depth));
    conditions(&chain(8));
    let issues = refused(&chain(9), Handling::Lenient);
    assert!(issues[0].1.contains("at most 8 references deep"), "{}", issues[0].1);
}

fn name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "status",
        "_id",
        "owner",
        "owner.name",
        "focus:ServiceRequest.code",
        "_has:Task:focus:status",
        "_sort",
        "_count",
        "code:text",
        "authored-on",
        "_include",
        "_lastUpdated",
        "patient:identifier",
        "_has:",
        "a.b",
        ":",
        ".",
        "_tag:not",
    ]);
    prop_oneof![known.prop_map(str::to_owned), "\\PC{0,20}"]
}

proptest! {
    #[test]
    fn parsing_never_panics(pairs in prop::collection::vec((name(), "\\PC{0,24}"), 0..6), strict: bool) {
        let handling = if strict { Handling::Strict } else { Handling::Lenient };
        let registry = super::registry();
        let context = kith::search::query::Context { registry: &registry, base: super::BASE, now: super::NOW, handling };
        if let Ok(query) = kith::search::query::parse("Task", &pairs, &context) {
            let page = kith::search::sql::Page { query: &query, few: strict, after: None, limit: 10 };
            for kith::search::sql::Stage { statement, .. } in kith::search::sql::stages(&page) {
                let last = format!("${}", statement.binds.len());
                prop_assert!(statement.sql.contains(&last));
            }
        }
    }

    #[test]
    fn escaping_is_undone(text in "\\PC{0,30}") {
        prop_assert_eq!(unescape(&escape(&text)), text.clone());
        prop_assert_eq!(split_raw(&escape(&text), ',').len(), 1);
        prop_assert_eq!(Pieces::split(&escape(&text), '|').collect::<Vec<_>>(), vec![text]);
    }

    #[test]
    fn lists_are_taken_apart_as_they_were_put_together(items in prop::collection::vec("[a,$|\\\\]{0,6}", 1..5)) {
        let list: Vec<String> = items.iter().map(|item| escape(item)).collect();
        prop_assert_eq!(Pieces::split(&list.join(","), ',').collect::<Vec<_>>(), items);
    }
}
