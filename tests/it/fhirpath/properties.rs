//! Properties: nothing panics, everything ends, printing and parsing are inverse.

use kith::fhir::types::Types;
use kith::fhirpath::syntax::{Kind, Operator, Tree};
use kith::fhirpath::{Context, Expression, Item, function_names, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

fn patient() -> Value {
    json!({
        "resourceType": "Patient", "id": "p",
        "contained": [{ "resourceType": "Organization", "id": "o", "name": "Practice" }],
        "active": true, "birthDate": "1974-12", "multipleBirthInteger": 3,
        "name": [{ "use": "official", "family": "Chalmers", "given": ["Peter", "James"] }, { "given": [null, "Jim"],
            "_given": [{ "extension": [{ "url": "http://example.org/e", "valueDecimal": 1.50 }] }, null] }],
        "telecom": [{ "system": "phone", "value": "1", "period": { "start": "2001-05-06T10:00:00Z" } }],
        "managingOrganization": { "reference": "#o" }
    })
}

/// Evaluates whatever compiles; the result does not matter.
fn run(source: &str) {
    let Ok(expression) = Expression::compile(source) else { return };
    let patient = patient();
    let mut context = Context::new(&patient, 0);
    context.limits.steps = 50_000;
    context.limits.items = 2_000;
    context.limits.text = 10_000;
    let focus = Item::resource(&patient, Types::r4());
    let _ = expression.evaluate(&context, focus.clone());
    let _ = expression.holds(&context, focus);
    let _ = expression.check(Types::r4().get("Patient").unwrap());
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "name", "given", "telecom", "period", "Patient", "value", "contains", "div", "is", "ünï", "a b",
    ])
    .prop_map(str::to_owned)
}

fn literal() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Empty),
        Just(Kind::This),
        Just(Kind::Index),
        Just(Kind::Total),
        any::<bool>().prop_map(Kind::Boolean),
        any::<u16>().prop_map(|number| Kind::Number(number.to_string())),
        (any::<u16>(), 0_u16..100).prop_map(|(whole, part)| Kind::Number(format!("{whole}.{part}"))),
        "[ -~\u{e9}]{0,6}".prop_map(Kind::Text),
        (1970_u16..2030, 1_u8..13).prop_map(|(year, month)| Kind::Temporal(format!("{year}-{month:02}"))),
        (0_u8..24).prop_map(|hour| Kind::Temporal(format!("2026-11-21T{hour:02}:30+01:00"))),
        (any::<u16>(), any::<bool>()).prop_map(|(number, calendar)| Kind::Quantity {
            number: number.to_string(),
            unit: if calendar { "days" } else { "mg" }.to_owned(),
            calendar,
        }),
        prop::sample::select(vec!["resource", "context", "ucum", "ext-x", "unknown"])
            .prop_map(|name| Kind::Variable(name.to_owned())),
        word().prop_map(|name| Kind::Member { base: None, name }),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    let names: Vec<&'static str> = function_names().collect();
    let leaf = literal().prop_map(|kind| Tree::new(0, kind));
    leaf.prop_recursive(5, 40, 3, move |inner| {
        let boxed = inner.clone().prop_map(Box::new).boxed();
        let operator = prop::sample::select(Operator::ALL.to_vec());
        prop_oneof![
            (boxed.clone(), word()).prop_map(|(base, name)| Kind::Member { base: Some(base), name }),
            (
                prop::option::of(boxed.clone()),
                prop::sample::select(names.clone()),
                prop::collection::vec(inner.clone(), 0..3)
            )
                .prop_map(|(base, name, arguments)| Kind::Call { base, name: name.to_owned(), arguments }),
            (boxed.clone(), boxed.clone()).prop_map(|(base, index)| Kind::Indexer { base, index }),
            (any::<bool>(), boxed.clone()).prop_map(|(minus, operand)| Kind::Polarity { minus, operand }),
            (operator, boxed.clone(), boxed.clone()).prop_map(|(operator, left, right)| Kind::Binary {
                operator,
                left,
                right
            }),
            prop::collection::vec(inner.prop_filter("flat", |tree| !matches!(tree.kind, Kind::Union(_))), 2..4)
                .prop_map(Kind::Union),
            (any::<bool>(), boxed).prop_map(|(is, operand)| Kind::Type {
                is,
                operand,
                name: vec!["Quantity".to_owned()]
            }),
        ]
        .prop_map(|kind| Tree::new(0, kind))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_parsed_or_refused(source in "\\PC{0,60}") {
        run(&source);
    }

    #[test]
    fn any_sequence_of_tokens_is_parsed_or_refused(tokens in prop::collection::vec(prop::sample::select(vec![
        "name", "given", ".", "(", ")", "[", "]", "0", "1.5", "'a'", "@2015-02", "@T14:30", "and", "or", "is", "as", "|", "=",
        "~", "<", ">=", "-", "+", "*", "/", "&", "$this", "%resource", "where", "exists", "descendants()", "{}", "Quantity",
        ",", "days", "'", "`", "@", "%", "\\", "é", "iif", "repeat", "children()", "matches('('", "in", "contains", "not()",
    ]), 0..14)) {
        run(&tokens.join(" "));
        run(&tokens.concat());
    }

    #[test]
    fn what_is_printed_parses_to_the_same(tree in tree()) {
        let printed = tree.to_string();
        let parsed = parse(&printed);
        prop_assert_eq!(parsed.as_ref(), Ok(&tree), "{}", printed);
    }

    #[test]
    fn every_evaluation_ends(tree in tree()) {
        run(&tree.to_string());
    }
}
