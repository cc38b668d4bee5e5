//! The JSON reader: agrees with serde_json on what both take, refuses what FHIR forbids, says where, never panics.

use kith::fhir::codec::Limits;
use kith::fhir::codec::json::{parse, to_bytes};
use kith::problem::Kind;
use proptest::prelude::*;
use serde_json::Value;

fn refusal(text: &[u8]) -> String {
    let problem = parse(text, &Limits::default()).expect_err("must be refused");
    assert_eq!(problem.kind, Kind::Invalid);
    problem.issues()[0].text.clone()
}

#[test]
fn numbers_keep_their_text_and_members_their_order() {
    let text = br#"{"z":1.00,"a":[1E5,-0,0.10e-07,123456789012345678901234567890.5],"m":{"b":null,"a":true}}"#;
    let value = parse(text, &Limits::default()).unwrap();
    assert_eq!(String::from_utf8(to_bytes(&value)).unwrap(), String::from_utf8_lossy(text));
}

#[test]
fn faults_name_line_and_column() {
    let table: &[(&[u8], &str)] = &[
        (b"", "line 1, column 1: the JSON text ends"),
        (b"{\n  \"a\": 1,\n  \"a\": 2}", "line 3, column 3: the name \"a\" stands twice"),
        (b"{\"a\":1,\"\\u0061\":2}", "line 1, column 8: the name \"a\" stands twice"),
        (b"{\"Jane Doe\":1,\"Jane Doe\":2}", "line 1, column 15: the name (a name that is no"),
        (b"{\"a\":1} x", "line 1, column 9: something follows"),
        (b"{\"a\" 1}", "line 1, column 6: this is not JSON: expected a colon"),
        (b"{\"a\":1,}", "line 1, column 8: this is not JSON: expected a name"),
        (b"[1,]", "line 1, column 4: this is not JSON: expected a value"),
        (b"{\"\xC3\xA9\":\"a\nb\"}", "line 1, column 8: a control character"),
        (b"{\"a\":\"\\u0000\"}", "line 1, column 7: the character U+0000"),
        (b"{\"a\":\"\\ud800x\"}", "line 1, column 7: this escape"),
        (b"{\"a\":\"\\x\"}", "line 1, column 7: this escape"),
        (b"[01]", "line 1, column 2: this is not a number"),
        (b"[1.]", "line 1, column 2: this is not a number"),
        (b"nul", "line 1, column 1: this is not JSON"),
        (b"\"\xFF\"", "The text is not valid UTF-8 at line 1, column 2"),
        (b"\xFF\xFE{\0}\0", "The text is UTF-16"),
        (b"<Patient/>", "line 1, column 1: this is not JSON"),
    ];
    for (text, expected) in table {
        let found = refusal(text);
        assert!(found.starts_with(expected), "{}: {found}", String::from_utf8_lossy(text));
    }
}

#[test]
fn a_byte_order_mark_is_skipped() {
    assert_eq!(parse(b"\xEF\xBB\xBF{}", &Limits::default()).unwrap(), serde_json::json!({}));
}

#[test]
fn size_and_depth_are_limited() {
    let limits = Limits { depth: 3, bytes: 100 };
    assert!(parse(b"[{\"a\":[{\"a\":[{}]}]}]", &limits).is_ok());
    let deep = parse(b"[[[[[[[]]]]]]]", &limits).unwrap_err();
    assert!(deep.issues()[0].text.contains("more than 3 levels"), "{deep}");
    assert_eq!(parse(&[b' '; 101], &limits).unwrap_err().kind, Kind::TooLarge);
    let bomb = [vec![b'['; 1_000_000], vec![b']'; 1_000_000]].concat();
    assert!(refusal(&bomb).contains("levels deep"));
    let bomb = "{\"a\":".repeat(1_000_000);
    assert!(refusal(bomb.as_bytes()).contains("levels deep"));
}

/// serde_json reads an object of this name as a number; it is an object like any other.
#[test]
fn no_name_has_a_hidden_meaning() {
    let text = br#"{"$serde_json::private::Number":"1 or 2"}"#;
    assert!(parse(text, &Limits::default()).unwrap().is_object());
}

fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?(e[+-][0-9]{1,3})?",
        any::<String>().prop_map(|text| Value::String(text.replace('\0', "")).to_string()),
        "\"(\\\\u[0-9a-cA-C][0-9a-f]{2}[1-9a-f]|\\\\n|[a-z])*\"",
    ];
    leaf.prop_recursive(6, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(" , "))),
            proptest::collection::vec(inner, 0..5).prop_map(|items| {
                let members: Vec<String> =
                    items.iter().enumerate().map(|(index, item)| format!("\"k{index}\" :\n{item}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn agrees_with_serde_json(text in json_text()) {
        let ours = parse(text.as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(&ours, &serde_json::from_str::<Value>(&text).unwrap());
        let written = to_bytes(&ours);
        prop_assert_eq!(parse(&written, &Limits::default()).unwrap(), ours);
    }

    #[test]
    fn refuses_what_serde_json_refuses(text in json_text(), index in any::<proptest::sample::Index>(), odd in "[\\[\\]{}\",:0-9e.+\\\\a\u{1}-]") {
        let mut characters: Vec<char> = text.chars().collect();
        let position = index.index(characters.len());
        characters[position] = odd.chars().next().unwrap();
        let broken: String = characters.into_iter().collect();
        let theirs = serde_json::from_str::<Value>(&broken);
        let ours = parse(broken.as_bytes(), &Limits::default());
        if theirs.is_err() {
            prop_assert!(ours.is_err(), "{}", broken);
        }
        if let (Ok(theirs), Ok(ours)) = (theirs, ours) {
            // Only the text of exponents differs: serde_json writes 1e5 as 1e+5.
            let same = serde_json::from_slice::<Value>(&to_bytes(&ours)).unwrap();
            prop_assert_eq!(same, theirs);
        }
    }

    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes, &Limits::default());
    }
}
