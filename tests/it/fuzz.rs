//! The bodies of the fuzz targets (`fuzz/`), each on some hundred inputs made of the words of its language.

#[path = "../../fuzz/bodies.rs"]
mod bodies;

use proptest::prelude::*;

/// Text of these words, now and then another character.
fn text(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        12 => prop::sample::select(words).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

const CODE: &[&str] = &[
    "mg", "kg", "MMOL", "l", "L", "hr", "mmHg", "m[Hg]", "[lb_av]", "[", "]", "(", ")", "{", "}", ".", "/", "10*",
    "10^", "2", "-", "+", "%", "en", "GB", "_", "x", "-", "Latn", "419", "@", " ",
];

const QUERY: &[&str] = &[
    "&",
    "=",
    ",",
    "|",
    "\\",
    "$",
    ":",
    ".",
    "code",
    "status",
    "subject",
    "patient",
    "Patient",
    "name",
    "value-quantity",
    "date",
    "_lastUpdated",
    "_sort",
    "-",
    "_count",
    "_include",
    "_revinclude",
    "Task",
    "iterate",
    "_has",
    "_filter",
    "missing",
    "exact",
    "not",
    "of-type",
    "above",
    "in",
    "true",
    "ge",
    "ap",
    "2026-01",
    "1.5e3",
    "mg",
    "http://loinc.org",
    " eq ",
    " and ",
    "(",
    ")",
    "_elements",
    "_summary",
    "_total",
    "component-code-value-quantity",
    "identifier",
    "_id",
    "1",
];
const FILTER: &[&str] = &[
    "status",
    "code",
    "subject",
    "owner.name",
    "value-quantity",
    "date",
    "name",
    "_lastUpdated",
    " ",
    " eq ",
    " ne ",
    " co ",
    " sw ",
    " ew ",
    " gt ",
    " ge ",
    " pr ",
    " in ",
    " re ",
    " po ",
    " ss ",
    " and ",
    " or ",
    "not ",
    "not",
    "(",
    ")",
    "[",
    "]",
    ".",
    "\"",
    "\\",
    "\"a b\"",
    "true",
    "2026-01",
    "1.5",
    "http://loinc.org|1-8",
    "Patient/p",
    "\\u00e9",
];
const DATE: &[&str] = &[
    "2026",
    "-",
    "02",
    "30",
    "29",
    "T",
    ":",
    "23",
    "60",
    "24",
    ".",
    "999999999",
    "Z",
    "+",
    "14:00",
    "0000",
    "9999",
    "00",
];
const FHIRPATH: &[&str] = &[
    "name",
    ".",
    "given",
    "(",
    ")",
    "where",
    "select",
    "repeat",
    "$this",
    "$index",
    "%resource",
    "'a'",
    "\"",
    "`",
    "=",
    "!~",
    "and",
    "implies",
    "@2026-01",
    "@T10",
    "T",
    "1",
    ".5",
    "'mg'",
    " ",
    "[",
    "]",
    "{}",
    "is",
    "as",
    "Patient",
    "exists",
    "resolve",
    "matches",
    "aggregate",
    "$total",
    "iif",
    ",",
    "+",
    "-",
    "*",
    "/",
    "div",
    "mod",
    "|",
    "&",
    "ofType",
    "days",
    "\\u00e9",
    "/*",
    "//",
];
const ECL: &[&str] = &[
    "<<",
    "<",
    ">",
    ">>",
    "<!",
    "!!>",
    "^",
    "memberOf",
    "descendantOf",
    "*",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "0..1",
    ":",
    ",",
    ".",
    "=",
    "!=",
    "R",
    " AND ",
    " or ",
    " MINUS ",
    "116680003",
    "39999999107",
    "|term|",
    "|",
    "/*",
    "*/",
    "{{",
    "#5",
    "\"",
    " ",
];
const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"a\"",
    "\"b\"",
    "\"",
    "1",
    "-",
    "0",
    ".5",
    "1E5",
    "e+400",
    "true",
    "null",
    " ",
    "\\u0000",
    "\\ud800",
    "\\udc00",
    "\\n",
    "\"resourceType\"",
    "\"Patient\"",
    "\u{feff}",
];
const XML: &[&str] = &[
    "<Patient xmlns=\"http://hl7.org/fhir\">",
    "</Patient>",
    "<name>",
    "</name>",
    "<family value=\"a\"/>",
    "<id value=\"p\"/>",
    "<text><status value=\"generated\"/>",
    "</text>",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\">",
    "</div>",
    "<b>",
    "</b>",
    "<extension url=\"urn:e\">",
    "</extension>",
    "<valueString value=\"&#233;\"/>",
    "<valueDecimal value=\"1.50\"/>",
    "&amp;",
    "<!--a-->",
    "<?xml version=\"1.0\"?>",
    "<!DOCTYPE a>",
    "<![CDATA[a]]>",
    "<contained>",
    "</contained>",
    " ",
    "a",
    "<",
    "\"",
    "<deceasedBoolean value=\"true\" id=\"x\"/>",
    "&#x1F600;",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn query_strings(text in text(QUERY)) {
        bodies::query(text.as_bytes());
    }

    #[test]
    fn filters(text in text(FILTER)) {
        bodies::filter(text.as_bytes());
    }

    #[test]
    fn units_and_language_tags(text in text(CODE)) {
        bodies::code(text.as_bytes());
    }

    #[test]
    fn dates(text in text(DATE)) {
        bodies::date(text.as_bytes());
    }

    #[test]
    fn fhirpath_sources(text in text(FHIRPATH)) {
        bodies::fhirpath(text.as_bytes());
    }

    #[test]
    fn expression_constraints(text in text(ECL)) {
        bodies::ecl(text.as_bytes());
    }

    #[test]
    fn json(text in text(JSON)) {
        bodies::json(text.as_bytes());
    }

    #[test]
    fn xml(text in text(XML)) {
        bodies::xml(text.as_bytes());
    }

    #[test]
    fn patches(bytes in prop::collection::vec(any::<u8>(), 0..96)) {
        bodies::patch(&bytes);
    }

    #[test]
    fn instances_against_every_profile(bytes in prop::collection::vec(any::<u8>(), 0..192)) {
        bodies::validate(&bytes);
    }

    #[test]
    fn snapshots_of_differentials(bytes in prop::collection::vec(any::<u8>(), 0..96)) {
        bodies::snapshot(&bytes);
    }
}
