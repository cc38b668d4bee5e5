//! Canonical references taken apart and put together.

use kith::fhir::canonical::Canonical;

#[test]
fn url_version_and_fragment_are_found() {
    let table = [
        ("https://a.example/x", "https://a.example/x", None, None),
        ("https://a.example/x|1.0", "https://a.example/x", Some("1.0"), None),
        ("https://a.example/x|1.0#part", "https://a.example/x", Some("1.0"), Some("part")),
        ("https://a.example/x#part", "https://a.example/x", None, Some("part")),
        ("#contained", "", None, Some("contained")),
        ("https://a.example/x|", "https://a.example/x", None, None),
    ];
    for (text, url, version, fragment) in table {
        assert_eq!(Canonical::parse(text), Canonical { url, version, fragment }, "{text}");
    }
}

#[test]
fn it_writes_what_it_read() {
    for text in ["https://a.example/x", "https://a.example/x|1.0#part", "#contained"] {
        assert_eq!(Canonical::parse(text).to_string(), text);
    }
}
