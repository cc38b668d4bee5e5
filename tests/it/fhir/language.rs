//! Language tags by BCP 47.

use kith::fhir::language::{is_tag, nearest};

/// The examples of RFC 5646, appendix A, among others.
#[test]
fn well_formed_tags() {
    for tag in [
        "de",
        "fr",
        "ja",
        "i-enochian",
        "zh-Hant",
        "sr-Cyrl",
        "zh-cmn-Hans-CN",
        "cmn-Hans-CN",
        "zh-yue-HK",
        "yue-HK",
        "sl-rozaj",
        "sl-rozaj-biske",
        "de-CH-1901",
        "sl-IT-nedis",
        "hy-Latn-IT-arevela",
        "de-DE",
        "en-US",
        "es-419",
        "de-CH-x-phonebk",
        "az-Arab-x-AZE-derbend",
        "x-whatever",
        "qaa-Qaaa-QM-x-southern",
        "en-US-u-islamcal",
        "zh-CN-a-myext-x-private",
        "en-a-myext-b-another",
        "en-GB-oed",
        "SGN-be-fr",
        "no-bok",
        "zh-min-nan",
        "en-gb",
        "EN-GB",
        "cy-GB",
    ] {
        assert!(is_tag(tag), "{tag}");
    }
}

#[test]
fn what_is_no_tag() {
    for tag in [
        "",
        "-",
        "e",
        "en_GB",
        "en-",
        "-en",
        "en--GB",
        "de-419-DE",
        "a-DE",
        "x",
        "x-",
        "en-x",
        "en-a",
        "en-a-x",
        "english-language-tag",
        "123",
        "en GB",
        "en-GB ",
        "ünglisch",
        "en-GB-toolongsubtag",
        "i-none",
        "x-toolongtag",
        "en.UTF-8",
        "abcdefghi",
    ] {
        assert!(!is_tag(tag), "{tag}");
    }
    assert!(!is_tag(&"en-".repeat(100_000)));
}

#[test]
fn the_tag_that_was_meant() {
    assert_eq!(nearest("en_GB").as_deref(), Some("en-GB"));
    assert_eq!(nearest("en_GB.UTF-8").as_deref(), Some("en-GB"));
    assert_eq!(nearest(" en GB").as_deref(), Some("en-GB"));
    assert_eq!(nearest("123"), None);
}
