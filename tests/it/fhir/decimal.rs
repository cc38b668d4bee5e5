//! Decimals: order against exact arithmetic, precision, and the span of values that a text stands for.

use std::cmp::Ordering;

use kith::fhir::decimal::Decimal;
use proptest::prelude::*;
use rust_decimal::Decimal as Exact;

fn decimal(text: &str) -> Decimal<'_> {
    Decimal::parse(text).unwrap()
}

#[test]
fn order_ignores_precision() {
    let equal = [
        ("1.0", "1.00"),
        ("100", "1e2"),
        ("-0", "0.00"),
        ("0.1", "1E-1"),
        ("120e-1", "12"),
        ("0e999999999999999", "0"),
    ];
    for (left, right) in equal {
        assert_eq!(decimal(left).compare(&decimal(right)), Ordering::Equal, "{left} {right}");
    }
    let rising = ["-1e400", "-10", "-9.99", "-1e-400", "0", "1e-400", "0.1", "0.11", "9.9", "10", "10.000001", "1e400"];
    for pair in rising.windows(2) {
        assert_eq!(decimal(pair[0]).compare(&decimal(pair[1])), Ordering::Less, "{pair:?}");
        assert_eq!(decimal(pair[1]).compare(&decimal(pair[0])), Ordering::Greater, "{pair:?}");
    }
}

#[test]
fn the_text_says_how_precise_a_value_is() {
    let table =
        [("1.00", 2, 3, true), ("0.010", 3, 2, false), ("1e2", -2, 1, true), ("100", 0, 3, true), ("0.00", 2, 1, true)];
    for (text, scale, digits, whole) in table {
        let value = decimal(text);
        assert_eq!((value.scale(), value.significant_digits(), value.is_whole()), (scale, digits, whole), "{text}");
        assert_eq!(value.text(), text);
    }
}

#[test]
fn a_text_stands_for_the_values_that_round_to_it() {
    let table = [
        ("100", "99.5", "100.5"),
        ("100.00", "99.995", "100.005"),
        ("-1.0", "-1.05", "-0.95"),
        ("0", "-0.5", "0.5"),
        ("0.00", "-0.005", "0.005"),
        ("1e2", "5e1", "15e1"),
    ];
    for (text, low, high) in table {
        assert_eq!(decimal(text).significance(), (low.to_owned(), high.to_owned()), "{text}");
    }
}

#[test]
fn other_texts_are_refused() {
    for text in ["", "-", "+1", "01", "1.", ".5", "1e", "1e+", "1 ", "NaN", "0x1", "1.2.3", "1e2.5", "--1", "１"] {
        assert!(Decimal::parse(text).is_none(), "{text}");
    }
}

proptest! {
    #[test]
    fn order_agrees_with_exact_arithmetic(left in "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,9})?", right in "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,9})?") {
        let expected = left.parse::<Exact>().unwrap().cmp(&right.parse::<Exact>().unwrap());
        prop_assert_eq!(decimal(&left).compare(&decimal(&right)), expected);
    }

    #[test]
    fn the_span_lies_around_the_value(text in "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,2})?") {
        let (low, high) = decimal(&text).significance();
        prop_assert_eq!(decimal(&low).compare(&decimal(&text)), Ordering::Less);
        prop_assert_eq!(decimal(&text).compare(&decimal(&high)), Ordering::Less);
    }
}
