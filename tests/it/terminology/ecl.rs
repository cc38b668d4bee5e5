//! Expression constraints made at random: what is written is read back as the set that it means.

use std::sync::OnceLock;

use kith::fhir::definitions::{Definitions, ValueSet};
use kith::terminology::snomed::SYSTEM;
use kith::terminology::{Edition, Editions, Limits, Terminology};
use proptest::prelude::*;
use serde_json::json;

use super::snomed::edition;

fn terminology() -> &'static (Terminology, Vec<u64>) {
    static LOADED: OnceLock<(Terminology, Vec<u64>)> = OnceLock::new();
    LOADED.get_or_init(|| {
        let edition: Edition = edition();
        let ids = (0..u32::try_from(edition.len()).unwrap()).map(|at| edition.id(at)).collect();
        (Terminology::with_editions(Definitions::embedded(), Editions::from(edition)), ids)
    })
}

/// The codes that a constraint takes.
fn taken(constraint: &str) -> Vec<String> {
    let filter = json!([{ "property": "constraint", "op": "=", "value": constraint }]);
    let set = json!({ "url": "urn:s", "compose": { "include": [{ "system": SYSTEM, "filter": filter }] } });
    let set = ValueSet::from_json(&set).unwrap();
    let expansion = terminology().0.expand(&set, Limits { work: 1000, filter: None });
    expansion
        .unwrap_or_else(|refused| panic!("{constraint}: {refused:?}"))
        .entries
        .into_iter()
        .map(|entry| entry.code)
        .collect()
}

/// A constraint of operators, concepts and brackets.
fn constraint() -> impl Strategy<Value = String> {
    let operator =
        prop::sample::select(vec!["", "<", "<<", ">", ">>", "<!", ">!", "<<!", "descendantOf ", "ANCESTORORSELFOF "]);
    let concept = with_operator(&operator);
    concept.prop_recursive(4, 24, 3, |inner| {
        (prop::collection::vec(inner, 2..4), prop::sample::select(vec![" AND ", " or ", ","]))
            .prop_map(|(parts, joint)| parts.iter().map(|part| format!("({part})")).collect::<Vec<_>>().join(joint))
    })
}

fn with_operator(operator: &(impl Strategy<Value = &'static str> + Clone + 'static)) -> BoxedStrategy<String> {
    (operator.clone(), any::<prop::sample::Index>(), any::<bool>())
        .prop_map(|(operator, index, term)| {
            let id = index.get(&terminology().1);
            format!("{operator}{id}{}", if term { " |a term| " } else { "" })
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn sets_obey_their_laws(left in constraint(), right in constraint()) {
        let (both, either) = (taken(&format!("({left}) AND ({right})")), taken(&format!("({left}) OR ({right})")));
        let (minus, left, right) = (taken(&format!("({left}) MINUS ({right})")), taken(&left), taken(&right));
        prop_assert_eq!(both.len() + either.len(), left.len() + right.len());
        prop_assert_eq!(minus.len() + both.len(), left.len());
        prop_assert!(both.iter().all(|code| left.contains(code) && right.contains(code)));
        prop_assert!(minus.iter().all(|code| left.contains(code) && !right.contains(code)));
    }

    #[test]
    fn what_is_below_is_above_the_other_way(index in any::<prop::sample::Index>()) {
        let id = index.get(&terminology().1);
        for code in taken(&format!("< {id}")) {
            let above = taken(&format!("> {code}"));
            prop_assert!(above.contains(&id.to_string()));
        }
    }
}
