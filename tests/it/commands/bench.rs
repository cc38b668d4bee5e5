//! `kith bench data`: the same data for the same seed, all of it valid, and `kith load --import`, which takes it.

use std::collections::BTreeMap;

use kith::commands::bench::{Data, ORGANISATIONS, write_all, write_folder};
use kith::commands::load::{BundleHandling, Format, LoadArguments, Report, load};
use kith::config::{self, Flags};
use serde_json::Value;

use crate::support::http::TestServer;
use crate::support::{TestDatabase, over_http};

fn lines(data: &Data) -> String {
    let mut bytes = Vec::new();
    write_all(data, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn imported(database: &TestDatabase, import: bool) -> Report {
    let folder = database.folder().join("data");
    write_folder(&Data::new(7, 60), &folder).unwrap();
    let key = database.folder().join("audit-key.pem").display().to_string();
    let flags = [("database", database.url.as_str()), ("sqlite.synchronous", "normal"), ("audit.key", key.as_str())];
    let settings = config::load(&Flags::of(&flags), |_| None).unwrap();
    let paths = vec![folder];
    let (format, bundles) = (Format::Text, BundleHandling::Unpack);
    load(&LoadArguments { paths, format, bundles, at_once: 16, import, flags: Flags::of(&[]) }, settings).unwrap()
}

#[test]
fn the_same_seed_makes_the_same_data() {
    assert_eq!(lines(&Data::new(7, 60)), lines(&Data::new(7, 60)));
    assert_ne!(lines(&Data::new(7, 60)), lines(&Data::new(8, 60)));
    let counts = lines(&Data::new(7, 60)).lines().fold(BTreeMap::<String, u32>::new(), |mut counts, line| {
        let resource: Value = serde_json::from_str(line).unwrap();
        *counts.entry(resource["resourceType"].as_str().unwrap().to_owned()).or_default() += 1;
        counts
    });
    let expected = [("Organization", ORGANISATIONS), ("Patient", 12), ("ServiceRequest", 60), ("Task", 60)];
    assert_eq!(counts, expected.map(|(name, count)| (name.to_owned(), count)).into());
}

#[test]
fn no_two_patients_share_an_nhs_number() {
    let data = Data::new(1, 100_000);
    let mut numbers: Vec<String> = (0..data.patients())
        .map(|number| data.patient(number)["identifier"][0]["value"].as_str().unwrap().to_owned())
        .collect();
    assert!(numbers.iter().all(|number| number.len() == 10));
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 20_000);
}

fn an_import_takes_referrals_as_far_as_they_have_come(database: &TestDatabase) {
    let report = imported(database, true);
    assert!(report.refused.is_empty(), "{}", report.to_text());
    assert_eq!(report.created, 300 + 12 + 60 + 60);
    let server = TestServer::start(database);
    let completed = server.get("Task?status=completed&_summary=count").expect(200).json()["total"].as_u64().unwrap();
    assert!(completed > 0);
    // Nothing followed from them.
    assert_eq!(server.get("Provenance?_summary=count").expect(200).json()["total"], 0);
}

fn without_import_the_rules_apply(database: &TestDatabase) {
    let report = imported(database, false);
    assert!(report.to_json()["refusedByRule"]["referral-transition"].is_u64(), "{}", report.to_text());
    assert!(report.types["Patient"] == 12 && report.types["Task"] < 60, "{}", report.to_text());
}

over_http!(an_import_takes_referrals_as_far_as_they_have_come, without_import_the_rules_apply);
