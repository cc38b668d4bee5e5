//! SNOMED CT by a small release of our own making (`fixtures/terminology`): reading, constraints, membership, displays, versions.

use std::collections::HashMap;
use std::path::Path;

use kith::fhir::definitions::package::{Manifest, Package};
use kith::fhir::definitions::{Definitions, Filter};
use kith::terminology::snomed::ecl::Ecl;
use kith::terminology::snomed::{self, Builder, Edition, EditionVersion, Editions, FileKind, SYSTEM, image};
use kith::terminology::{Existence, Limits, Membership, Subsumption, Terminology, Unexpanded, implicit};
use serde_json::{Value, json};

use crate::support::shared_data;

/// The day and module that the release states itself.
pub const VERSION: &str = "http://snomed.info/sct/239999999106/version/20261001";

pub fn release() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/terminology/rf2")
}

/// The files of the release by kind.
fn files() -> Vec<(FileKind, String)> {
    let mut found = Vec::new();
    let mut open = vec![release()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if let Some(kind) = FileKind::of(path.file_name().unwrap().to_str().unwrap()) {
                found.push((kind, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

pub fn edition() -> Edition {
    let mut builder = Builder::default();
    for kind in FileKind::ALL {
        for (_, text) in files().iter().filter(|(of, _)| *of == kind) {
            text.lines().skip(1).for_each(|line| assert!(builder.row(kind, line), "{line}"));
        }
        builder.end(kind);
    }
    builder.finish(EditionVersion::default()).unwrap()
}

/// The concepts of the release by short names that this test gives their preferred terms.
fn terms(edition: &Edition) -> HashMap<String, String> {
    let names = [
        ("finding", "Example finding"),
        ("alone", "Feeling alone"),
        ("night", "Feeling alone at night"),
        ("crowd", "Feeling alone in a crowd"),
        ("knee-pain", "Sore knee"),
        ("left-knee-pain", "Severely sore left knee"),
        ("elbow-pain", "Sore elbow"),
        ("humour", "Melancholy humour"),
        ("activity", "Example activity"),
        ("walk", "Group walk in the neighbourhood"),
        ("garden", "Garden visit"),
        ("garden-walk", "Group walk through gardens"),
        ("dance", "Dance evening"),
        ("knee", "Knee of an example"),
        ("left-knee", "Left knee of an example"),
        ("elbow", "Elbow of an example"),
        ("site", "Example site"),
        ("severity", "Example severity"),
        ("mild", "Mild example"),
        ("severe", "Severe example"),
        ("set", "Example activities simple reference set"),
    ];
    let all = snomed_codes(edition);
    names.iter().map(|(name, term)| ((*name).to_owned(), all[*term].clone())).collect()
}

fn snomed_codes(edition: &Edition) -> HashMap<String, String> {
    let all = (0..u32::try_from(edition.len()).unwrap())
        .map(|at| (edition.display(at, None).unwrap_or_default().to_owned(), edition.id(at).to_string()));
    all.collect()
}

/// A text with the short names in `{}` replaced by identifiers.
fn with_codes(text: &str, terms: &HashMap<String, String>) -> String {
    terms.iter().fold(text.to_owned(), |text, (name, code)| text.replace(&format!("[{name}]"), code))
}

fn loaded(sets: &[Value]) -> Terminology {
    let package = Package::new(Manifest::default(), sets);
    let definitions = Definitions::embedded().with_packages(vec![package]).unwrap().into();
    Terminology::with_editions(definitions, Editions::from(edition()))
}

fn set(compose: Value) -> Value {
    json!({ "resourceType": "ValueSet", "url": "http://test.example/ValueSet/s", "status": "active", "compose": compose })
}

/// The preferred terms, by short names, of what filters take.
fn taken(compose: Value) -> Vec<String> {
    let terminology = loaded(&[set(compose)]);
    let definition = terminology.value_set("http://test.example/ValueSet/s").unwrap();
    let expansion = terminology.expand(&definition, Limits { work: 1000, filter: None }).unwrap();
    let terms = terms(&edition());
    let member = |code: &str| terminology.member("http://test.example/ValueSet/s", Some(SYSTEM), code);
    let expanded: Vec<&str> = expansion.entries.iter().map(|entry| entry.code.as_str()).collect();
    for code in terms.values() {
        let expected = if expanded.contains(&code.as_str()) { Membership::In } else { Membership::NotIn };
        assert_eq!(member(code), expected, "{code}: membership and expansion differ");
    }
    let mut names: Vec<String> = terms
        .iter()
        .filter(|(_, code)| expansion.entries.iter().any(|entry| entry.code == **code))
        .map(|(name, _)| name.clone())
        .collect();
    names.sort();
    names
}

fn constrained(ecl: &str) -> Vec<String> {
    let ecl = with_codes(ecl, &terms(&edition()));
    taken(
        json!({ "include": [{ "system": SYSTEM, "filter": [{ "property": "constraint", "op": "=", "value": ecl }] }] }),
    )
}

#[test]
fn a_release_is_read_whole() {
    let edition = edition();
    assert_eq!(edition.version().uri(), VERSION);
    assert_eq!((edition.len(), edition.reference_sets()), (28, 1));
    let terms = terms(&edition);
    let at = |name: &str| edition.find(&terms[name]).unwrap();
    assert_eq!(edition.display(at("walk"), None), Some("Group walk in the neighbourhood"));
    assert_eq!(edition.display(at("walk"), Some("en-US")), Some("Group walk in the neighborhood"));
    assert!(edition.is_active(at("walk")) && !edition.is_active(at("humour")));
    assert_eq!(edition.subsumption(at("activity"), at("garden-walk")), Subsumption::Subsumes);
    assert_eq!(edition.subsumption(at("garden-walk"), at("garden")), Subsumption::SubsumedBy);
    assert_eq!(edition.subsumption(at("garden"), at("walk")), Subsumption::NotSubsumed);
    // The extension takes this relationship back; the other one is stated, not inferred.
    assert_eq!(edition.subsumption(at("garden"), at("elbow")), Subsumption::NotSubsumed);
    assert_eq!(edition.related(at("elbow"), true).len(), 3);
}

#[test]
fn the_stored_form_is_the_same_edition_and_damage_is_found() {
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    let layout = image::write::<()>(edition(), &mut |piece| {
        pieces.push(piece);
        Ok(())
    });
    let (layout, whole) = (layout.unwrap(), pieces.concat());
    // In whatever pieces of eight bytes it comes.
    for size in [8, 64, whole.len()] {
        let mut reader = image::Reader::new(&layout).unwrap();
        whole.chunks(size).for_each(|piece| reader.push(piece));
        assert_eq!(reader.finish().unwrap(), edition());
    }
    let mut short = image::Reader::new(&layout).unwrap();
    short.push(&whole[..whole.len() - 8]);
    assert!(short.finish().is_none());
    let mut damaged = 0;
    for at in (0..whole.len()).step_by(97) {
        let mut other = whole.clone();
        other[at] ^= 0x80;
        let mut reader = image::Reader::new(&layout).unwrap();
        reader.push(&other);
        // What is not noticed must still be answered without a panic.
        match reader.finish() {
            None => damaged += 1,
            Some(edition) => drop(edition.related(0, false)),
        }
    }
    assert!(damaged > 3, "{damaged}");
    assert!(image::Reader::new(&layout.replace("\"form\":1", "\"form\":0")).is_none());
}

#[test]
fn operators_choose_from_the_hierarchy() {
    assert_eq!(constrained("<< [alone]"), ["alone", "crowd", "night"]);
    assert_eq!(constrained("descendantOrSelfOf [alone]"), ["alone", "crowd", "night"]);
    assert_eq!(constrained("< [alone] |Feeling alone|"), ["crowd", "night"]);
    assert_eq!(constrained("DescendantOf [activity]"), ["dance", "garden", "garden-walk", "walk"]);
    assert_eq!(constrained("<! [activity]"), ["dance", "garden", "walk"]);
    assert_eq!(constrained("<<! [garden]"), ["garden", "garden-walk"]);
    assert_eq!(constrained("> [garden-walk]"), ["activity", "garden", "walk"]);
    assert_eq!(constrained(">> [garden-walk]"), ["activity", "garden", "garden-walk", "walk"]);
    assert_eq!(constrained(">! [garden-walk]"), ["garden", "walk"]);
    assert_eq!(constrained(">>! [garden-walk]"), ["garden", "garden-walk", "walk"]);
    assert_eq!(constrained("!!> (<< [activity])"), ["activity"]);
    assert_eq!(constrained("!!< (<< [walk])"), ["garden-walk"]);
    assert_eq!(constrained("[humour]"), ["humour"]);
    assert_eq!(constrained("* MINUS (<< [finding] OR << [activity])").len(), 8);
}

#[test]
fn sets_are_combined() {
    assert_eq!(constrained("[alone] OR [walk] or [knee]"), ["alone", "knee", "walk"]);
    assert_eq!(constrained("<< [walk] AND << [garden]"), ["garden-walk"]);
    assert_eq!(constrained("<< [walk] , << [garden]"), ["garden-walk"]);
    assert_eq!(constrained("<< [activity] MINUS << [walk]"), ["activity", "dance", "garden"]);
    assert_eq!(constrained("(<< [activity] MINUS [dance]) AND /* visits */ (<< [garden] OR [walk])").len(), 3);
    assert_eq!(constrained("memberOf [set]"), ["dance", "garden", "walk"]);
    assert_eq!(constrained("^ [set] MINUS << [garden]"), ["dance", "walk"]);
    assert_eq!(constrained("^ (< 900000000000455006)"), ["dance", "garden", "walk"]);
}

#[test]
fn refinements_look_at_attributes() {
    assert_eq!(constrained("< [finding] : [site] = << [knee]"), ["knee-pain", "left-knee-pain"]);
    assert_eq!(constrained("< [finding] : [site] = [knee]"), ["knee-pain"]);
    assert_eq!(constrained("< [finding] : [site] != << [knee]"), ["elbow-pain"]);
    assert_eq!(constrained("< [finding] : [site] = *, [severity] = [mild]"), ["elbow-pain", "knee-pain"]);
    assert_eq!(constrained("< [finding] : { [site] = *, [severity] = * }"), ["elbow-pain", "left-knee-pain"]);
    assert_eq!(constrained("* : [site] = [elbow] OR [severity] = [severe]"), ["elbow-pain", "left-knee-pain"]);
    assert_eq!(constrained("< [finding] : [0..0] [site] = *"), ["alone", "crowd", "night"]);
    assert_eq!(constrained("* : [1..1] { ([site] OR [severity]) = * }").len(), 2);
    assert_eq!(constrained("* : [2..2] ([site] OR [severity]) = *").len(), 3);
    assert_eq!(constrained("* : R [site] = [elbow-pain]"), ["elbow"]);
    assert_eq!(constrained("< [finding] . [site]"), ["elbow", "knee", "left-knee"]);
    assert_eq!(constrained("<< [knee] : R [site] = (<< [finding] : [severity] = [severe])"), ["left-knee"]);
}

#[test]
fn what_is_not_evaluated_is_refused_by_name() {
    let refused = |text: &str| Ecl::parse(&with_codes(text, &terms(&edition()))).unwrap_err().to_string();
    for (text, says) in [
        ("<< [alone] {{ term = \"x\" }}", "filters and history supplements"),
        ("* : [site] = #5", "numbers"),
        ("* : [site] >= #5", "numbers"),
        ("* : [site] = \"a\"", "texts"),
        ("* : [site] = true", "booleans"),
        ("^ [mapTarget] [set]", "fields"),
        ("[alone] AND [walk] OR [knee]", "brackets"),
        ("[alone] MINUS [walk] MINUS [knee]", "brackets"),
        ("<< 12345", "not an identifier"),
        ("<< ", "expected"),
        ("(<< [alone]", ") is missing"),
        ("[alone] |term", "closing"),
        ("* : { { [site] = * } }", "within a group"),
        ("* : [2..1] [site] = *", "cardinality"),
        ("* : [site]", "= or !="),
        ("[alone] [walk]", "expected"),
        ("", "expected"),
    ] {
        assert!(refused(text).contains(says), "{text}: {}", refused(text));
    }
    assert!(Ecl::parse(&"(".repeat(100_000)).is_err() && Ecl::parse(&"<1.".repeat(1000)).is_err());
    let terminology = loaded(&[set(json!({ "include": [{ "system": SYSTEM,
        "filter": [{ "property": "constraint", "op": "=", "value": "* {{ active = 1 }}" }] }] }))]);
    let definition = terminology.value_set("http://test.example/ValueSet/s").unwrap();
    let refused = terminology.expand(&definition, Limits { work: 1000, filter: None }).unwrap_err();
    assert!(matches!(&refused, Unexpanded::Constraint(text) if text.contains("{{ }}")), "{refused:?}");
    let member = terminology.member("http://test.example/ValueSet/s", Some(SYSTEM), "1");
    assert!(matches!(member, Membership::Unknown { .. } | Membership::NotIn), "{member:?}");
}

#[test]
fn filters_and_imports_of_compose() {
    let terms = terms(&edition());
    let include = |property: &str, op: &str, value: &str| {
        let (property, value) = (with_codes(property, &terms), with_codes(value, &terms));
        json!({ "include": [{ "system": SYSTEM, "filter": [{ "property": property, "op": op, "value": value }] }] })
    };
    assert_eq!(taken(include("concept", "is-a", "[walk]")), ["garden-walk", "walk"]);
    assert_eq!(taken(include("concept", "descendent-of", "[walk]")), ["garden-walk"]);
    assert_eq!(taken(include("concept", "generalizes", "[garden]")), ["activity", "garden"]);
    assert_eq!(taken(include("concept", "in", "[set]")), ["dance", "garden", "walk"]);
    assert_eq!(taken(include("concept", "in", "^[set]")), ["dance", "garden", "walk"]);
    assert_eq!(taken(include("parent", "=", "[activity]")), ["dance", "garden", "walk"]);
    assert_eq!(taken(include("child", "=", "[garden-walk]")), ["garden", "walk"]);
    assert_eq!(taken(include("inactive", "=", "true")), ["humour"]);
    assert_eq!(taken(include("[severity]", "=", "[severe]")), ["left-knee-pain"]);
    assert!(taken(include("concept", "is-not-a", "[finding]")).contains(&"walk".to_owned()));
    let mut excluded = include("concept", "is-a", "[activity]");
    excluded["exclude"] = json!([{ "system": SYSTEM, "concept": [{ "code": terms["dance"] }] },
        { "system": SYSTEM, "filter": [{ "property": "concept", "op": "is-a", "value": terms["garden"] }] }]);
    assert_eq!(taken(excluded), ["activity", "walk"]);
    let mut active = json!({ "include": [{ "system": SYSTEM }], "inactive": false });
    assert_eq!(taken(active.clone()).len(), 20);
    active["inactive"] = json!(true);
    assert_eq!(taken(active).len(), 21);
    let walk = format!("http://snomed.info/sct?fhir_vs=isa/{}", terms["walk"]);
    let imported = json!({ "include": [{ "system": SYSTEM, "valueSet": [walk],
        "filter": [{ "property": "concept", "op": "is-a", "value": terms["garden"] }] }] });
    assert_eq!(taken(imported), ["garden-walk"]);
}

#[test]
fn implicit_value_sets_are_what_their_urls_say() {
    let terminology = loaded(&[]);
    let terms = terms(&edition());
    let count = |url: &str| {
        let url = with_codes(url, &terms);
        let definition = terminology.value_set(&url).unwrap_or_else(|| panic!("{url}"));
        terminology.expand(&definition, Limits { work: 1000, filter: None }).unwrap().entries.len()
    };
    assert_eq!(count("http://snomed.info/sct?fhir_vs"), 28);
    assert_eq!(count("http://snomed.info/sct?fhir_vs=isa/[alone]"), 3);
    assert_eq!(count("http://snomed.info/sct?fhir_vs=refset/[set]"), 3);
    assert_eq!(count("http://snomed.info/sct?fhir_vs=refset"), 1);
    assert_eq!(count("http://snomed.info/sct?fhir_vs=ecl/<<[alone] |Feeling alone|"), 3);
    assert_eq!(count("http://snomed.info/sct?fhir_vs=ecl/%3C%3C[alone]%20MINUS%20[night]"), 2);
    assert_eq!(count(&format!("{VERSION}?fhir_vs=isa/[alone]")), 3);
    assert_eq!(count("http://snomed.info/sct/239999999106?fhir_vs=isa/[alone]"), 3);
    let url = with_codes("http://snomed.info/sct?fhir_vs=isa/[alone]", &terms);
    assert_eq!(terminology.member(&url, Some(SYSTEM), &terms["night"]), Membership::In);
    let other = "http://snomed.info/sct/900000000000207008/version/20240101?fhir_vs";
    let definition = terminology.value_set(other).unwrap();
    let refused = terminology.expand(&definition, Limits { work: 1000, filter: None }).unwrap_err();
    assert!(matches!(&refused, Unexpanded::Missing(canonical) if canonical.contains("20240101")), "{refused:?}");
    for wrong in
        ["http://snomed.info/sct?fhir_vs=x/1", "http://snomed.info/sctx?fhir_vs", "http://snomed.info/sct?other"]
    {
        assert!(implicit::value_set(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn codes_beyond_the_edition_get_no_verdict() {
    let edition = edition();
    let terms = terms(&edition);
    assert_eq!(edition.code_exists(&terms["walk"]), Existence::Exists);
    // A wrong check digit, no concept, the namespace of the release.
    for missing in ["19999999104", "12", "abc", "299999999107"] {
        assert_eq!(edition.code_exists(missing), Existence::Missing, "{missing}");
    }
    // The international namespace, which the edition has two concepts of.
    assert!(snomed::has_check_digit("138875005"));
    assert_eq!(edition.code_exists("138875005"), Existence::Missing);
    // Another extension, and an expression.
    for unknown in ["1127581000000103", "73211009:363698007=39057004"] {
        assert_eq!(edition.code_exists(unknown), Existence::Unknown, "{unknown}");
    }
    let terminology = loaded(&[set(json!({ "include": [{ "system": SYSTEM,
        "filter": [{ "property": "concept", "op": "is-a", "value": terms["activity"] }] }] }))]);
    let member = |code: &str| terminology.member("http://test.example/ValueSet/s", Some(SYSTEM), code);
    let Membership::Unknown { missing } = member("1127581000000103") else { panic!("a verdict") };
    assert!(missing.contains("namespace 1000000"), "{missing}");
    assert_eq!(member("138875005"), Membership::NotIn);
}

#[test]
fn displays_may_be_any_active_description() {
    let edition = edition();
    let walk = edition.find(&terms(&edition)["walk"]).unwrap();
    for right in
        ["Health walk", "health  WALK", "Group walk in the neighborhood", "Group walk in the neighbourhood (procedure)"]
    {
        assert_eq!(edition.wrong_display(walk, right), None, "{right}");
    }
    assert_eq!(edition.wrong_display(walk, "Run"), Some("Group walk in the neighbourhood"));
    let alone = edition.find(&terms(&edition)["alone"]).unwrap();
    assert_eq!(edition.wrong_display(alone, "Is alone"), Some("Feeling alone"));
}

/// Every constraint that UK Core's value sets have is understood.
#[test]
fn constraints_of_uk_core_are_understood() {
    let Some(data) = shared_data() else { return };
    let mut count = 0;
    for file in crate::support::files(&data.join("uk-core/valuesets"), "xml") {
        let bytes = std::fs::read(&file).unwrap();
        let limits = kith::fhir::codec::Limits::default();
        let set = kith::fhir::codec::xml::parse(&bytes, &limits, kith::fhir::types::Types::r4()).unwrap();
        let set = kith::fhir::definitions::ValueSet::from_json(&set).unwrap();
        let filters: Vec<&Filter> = set.compose.include.iter().flat_map(|include| &include.filters).collect();
        for filter in filters.iter().filter(|filter| filter.property == "constraint") {
            Ecl::parse(&filter.value).unwrap_or_else(|error| panic!("{}: {error} in {}", file.display(), filter.value));
            count += 1;
        }
    }
    assert!(count > 60, "{count}");
}
