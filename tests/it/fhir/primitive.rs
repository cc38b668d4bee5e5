//! Every primitive against its published R4 pattern (generated and mutated texts), and the rules that patterns cannot say.

use std::sync::OnceLock;

use kith::fhir::primitive::{Fault, PrimitiveKind, check, check_text};
use proptest::prelude::*;
use proptest::string::string_regex;
use regex::Regex;
use serde_json::{Value, json};

const YEAR: &str = "([0-9]([0-9]([0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)";
const CLOCK: &str = r"([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?";
const ZONE: &str = r"(Z|(\+|-)((0[0-9]|1[0-3]):[0-5][0-9]|14:00))";

/// The patterns as the R4 StructureDefinitions state them; `\s` and `\S` mean XML white space there.
fn pattern(kind: PrimitiveKind) -> String {
    let month_day = "(0[1-9]|1[0-2])(-(0[1-9]|[1-2][0-9]|3[0-1])";
    let published = match kind {
        PrimitiveKind::Date => format!("{YEAR}(-{month_day})?)?"),
        PrimitiveKind::DateTime => format!("{YEAR}(-{month_day}(T{CLOCK}{ZONE})?)?)?"),
        PrimitiveKind::Instant => format!("{YEAR}-(0[1-9]|1[0-2])-(0[1-9]|[1-2][0-9]|3[0-1])T{CLOCK}{ZONE}"),
        PrimitiveKind::Time => CLOCK.to_owned(),
        PrimitiveKind::Base64Binary => r"(\s*([0-9a-zA-Z\+/=]){4}\s*)+".to_owned(),
        PrimitiveKind::Code => r"\S+(\s\S+)*".to_owned(),
        PrimitiveKind::Id => r"[A-Za-z0-9\-\.]{1,64}".to_owned(),
        PrimitiveKind::Oid => r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+".to_owned(),
        PrimitiveKind::Uuid => "urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}".to_owned(),
        PrimitiveKind::Uri | PrimitiveKind::Url | PrimitiveKind::Canonical => r"\S*".to_owned(),
        PrimitiveKind::Integer => "-?([0]|([1-9][0-9]*))".to_owned(),
        PrimitiveKind::PositiveInt => "[1-9][0-9]*".to_owned(),
        PrimitiveKind::UnsignedInt => "[0]|([1-9][0-9]*)".to_owned(),
        PrimitiveKind::Decimal => r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?".to_owned(),
        _ => r"[ \r\n\t\S]+".to_owned(),
    };
    published.replace(r"[ \r\n\t\S]", "(?s:.)").replace(r"\S", r"[^ \t\r\n]").replace(r"\s", r"[ \t\r\n]")
}

const KINDS: [PrimitiveKind; 19] = [
    PrimitiveKind::Integer,
    PrimitiveKind::PositiveInt,
    PrimitiveKind::UnsignedInt,
    PrimitiveKind::Decimal,
    PrimitiveKind::String,
    PrimitiveKind::Code,
    PrimitiveKind::Id,
    PrimitiveKind::Uri,
    PrimitiveKind::Url,
    PrimitiveKind::Canonical,
    PrimitiveKind::Oid,
    PrimitiveKind::Uuid,
    PrimitiveKind::Markdown,
    PrimitiveKind::Base64Binary,
    PrimitiveKind::Instant,
    PrimitiveKind::Date,
    PrimitiveKind::DateTime,
    PrimitiveKind::Time,
    PrimitiveKind::Date,
];

fn regexes() -> &'static Vec<(PrimitiveKind, Regex)> {
    static REGEXES: OnceLock<Vec<(PrimitiveKind, Regex)>> = OnceLock::new();
    REGEXES.get_or_init(|| {
        KINDS.iter().map(|kind| (*kind, Regex::new(&format!("^(?:{})$", pattern(*kind))).unwrap())).collect()
    })
}

/// What the pattern lets through and the type does not: the reasons why our check is stricter.
fn refused_for_another_reason(kind: PrimitiveKind, text: &str) -> bool {
    let control = |character: char| character < ' ' || matches!(character, '\u{FFFE}' | '\u{FFFF}');
    match kind {
        PrimitiveKind::Date | PrimitiveKind::DateTime | PrimitiveKind::Instant => {
            text.get(..10).is_some_and(|day| day.parse::<jiff::civil::Date>().is_err())
        }
        PrimitiveKind::Integer | PrimitiveKind::PositiveInt | PrimitiveKind::UnsignedInt => {
            text.parse::<i32>().is_err()
        }
        PrimitiveKind::Base64Binary => {
            let bare: String = text.split_ascii_whitespace().collect();
            let data = bare.trim_end_matches('=');
            bare.len() - data.len() > 2 || data.contains('=')
        }
        PrimitiveKind::Uri | PrimitiveKind::Url | PrimitiveKind::Canonical => text.is_empty() || text.contains(control),
        PrimitiveKind::Code => text.replace(['\t', '\n', '\r'], "").contains(control),
        _ => {
            text.trim_matches([' ', '\t', '\r', '\n']).is_empty()
                || text.replace(['\t', '\n', '\r'], "").contains(control)
        }
    }
}

fn number(text: &str) -> Option<Value> {
    let bare = !text.contains([' ', '\t', '\n', '\r']);
    serde_json::from_str(text).ok().filter(|value: &Value| bare && value.is_number())
}

fn accepts(kind: PrimitiveKind, text: &str) -> bool {
    match kind {
        PrimitiveKind::Integer | PrimitiveKind::PositiveInt | PrimitiveKind::UnsignedInt | PrimitiveKind::Decimal => {
            number(text).is_some_and(|number| check(kind, &number).is_ok())
        }
        _ => check_text(kind, text).is_ok(),
    }
}

fn agrees(kind: PrimitiveKind, regex: &Regex, text: &str) {
    let expected = regex.is_match(text) && !refused_for_another_reason(kind, text);
    assert_eq!(accepts(kind, text), expected, "{kind:?} {text:?}");
}

/// A text of the pattern of some kind, perhaps with one character replaced, inserted or removed.
fn near_miss() -> impl Strategy<Value = String> {
    let texts = proptest::sample::select(&KINDS[..]).prop_flat_map(|kind| string_regex(&pattern(kind)).unwrap());
    let odd =
        proptest::sample::select(vec!['0', '1', '6', '9', '-', '+', '.', ':', 'T', 'Z', ' ', '\n', '=', 'a', 'é']);
    (texts, any::<proptest::sample::Index>(), odd, 0..4_u8).prop_map(|(text, index, odd, change)| {
        let mut characters: Vec<char> = text.chars().collect();
        if change == 0 || characters.is_empty() {
            return text;
        }
        let position = index.index(characters.len());
        match change {
            1 => characters[position] = odd,
            2 => characters.insert(position, odd),
            _ => drop(characters.remove(position)),
        }
        characters.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn agrees_with_the_published_patterns(text in near_miss()) {
        for (kind, regex) in regexes() {
            agrees(*kind, regex, &text);
        }
    }

    #[test]
    fn never_panics(text in any::<String>()) {
        for (kind, regex) in regexes() {
            agrees(*kind, regex, &text);
        }
    }
}

#[test]
fn each_kind_wants_its_json_kind() {
    let kinds =
        |value: Value| KINDS.into_iter().filter(move |kind| !matches!(check(*kind, &value), Err(Fault::JsonKind(_))));
    assert_eq!(kinds(json!(1)).count(), 4);
    assert_eq!(kinds(json!("1")).count(), 15);
    assert_eq!(kinds(json!(null)).count(), 0);
    assert_eq!(kinds(json!({})).count() + kinds(json!(["a"])).count(), 0);
    assert_eq!(check(PrimitiveKind::Boolean, &json!(true)), Ok(()));
    assert!(matches!(check(PrimitiveKind::Boolean, &json!("true")), Err(Fault::JsonKind(_))));
}

#[test]
fn the_rules_that_patterns_cannot_say() {
    let table = [
        (PrimitiveKind::Date, "2024-02-29", true),
        (PrimitiveKind::Date, "2023-02-29", false),
        (PrimitiveKind::Date, "1900-02-29", false),
        (PrimitiveKind::Date, "2000-02-29", true),
        (PrimitiveKind::Date, "0000", false),
        (PrimitiveKind::Date, "0001-01-01", true),
        (PrimitiveKind::DateTime, "2026-11-21T23:59:60Z", true),
        (PrimitiveKind::DateTime, "2026-11-21T24:00:00Z", false),
        (PrimitiveKind::DateTime, "2026-11-21T10:00:00", false),
        (PrimitiveKind::DateTime, "2026-11-21T10:00Z", false),
        (PrimitiveKind::DateTime, "2026-11-21T", false),
        (PrimitiveKind::DateTime, "2026-11-21T10:00:00+14:01", false),
        (PrimitiveKind::Instant, "2026-11-21", false),
        (PrimitiveKind::Id, "", false),
        (PrimitiveKind::String, " \n\t", false),
        (PrimitiveKind::String, "a\u{1}", false),
        (PrimitiveKind::String, "a\u{FFFF}", false),
        (PrimitiveKind::String, "é\u{FEFF}", true),
        (PrimitiveKind::Base64Binary, "QUJD\nREVG", true),
        (PrimitiveKind::Base64Binary, "QUI=", true),
        (PrimitiveKind::Base64Binary, "QQ==\n", true),
        (PrimitiveKind::Base64Binary, "Q===", false),
        (PrimitiveKind::Base64Binary, "QUI=QUJD", false),
        (PrimitiveKind::Integer, "2147483648", false),
        (PrimitiveKind::Integer, "-2147483648", true),
        (PrimitiveKind::Integer, "1.0", false),
        (PrimitiveKind::Integer, "1e2", false),
        (PrimitiveKind::PositiveInt, "0", false),
        (PrimitiveKind::Decimal, "1E-400", true),
    ];
    for (kind, text, expected) in table {
        assert_eq!(accepts(kind, text), expected, "{kind:?} {text:?}");
    }
}

#[test]
fn a_string_may_have_a_million_characters_and_no_more() {
    let longest = "é".repeat(kith::fhir::primitive::MAX_STRING_LENGTH);
    assert_eq!(check_text(PrimitiveKind::Markdown, &longest), Ok(()));
    assert!(check_text(PrimitiveKind::String, &format!("{longest}e")).is_err());
}
