//! The cases of `conformance/http/` and the journeys, played over HTTP on both databases; and what their files are made of.

use std::collections::BTreeSet;

use kith::clock::Clock;
use kith::conformance::{Http, Section, Suite, Verdict, report, sections};

use crate::support::http::TestServer;
use crate::support::{TestDatabase, over_http};

/// References are kept whole, as by default.
const DEFAULTS: [(&str, &str); 2] = [("references.write", "enforce"), ("references.delete", "enforce")];

/// How many sections are played at the same time.
const LANES: usize = 3;

fn every_case_passes(database: &TestDatabase) {
    let server = TestServer::start_with(database, &DEFAULTS);
    let sections = sections().unwrap();
    let suite = Suite::of(&mut Http::new(&server.base), &Clock::System, true).unwrap();
    let lanes: Vec<Vec<&Section>> =
        (0..LANES).map(|lane| sections.iter().skip(lane).step_by(LANES).collect()).collect();
    let reports: Vec<_> = std::thread::scope(|scope| {
        let play = |lane: Vec<&'_ Section>| {
            let mut http = Http::new(&server.base);
            lane.into_iter().flat_map(|section| suite.play(section, &mut http)).collect::<Vec<_>>()
        };
        let running: Vec<_> = lanes.into_iter().map(|lane| scope.spawn(move || play(lane))).collect();
        running.into_iter().flat_map(|lane| lane.join().unwrap()).collect()
    });
    let failed: Vec<_> = reports.into_iter().filter(|report| report.verdict != Verdict::Passed).collect();
    assert!(failed.is_empty(), "{}", report::text(&failed));
}

over_http!(every_case_passes);

#[test]
fn the_files_are_well_made() {
    let mut ids = BTreeSet::new();
    for section in sections().unwrap() {
        assert!(section.link.starts_with("https://hl7.org/fhir/R4/"), "{}", section.section);
        for case in &section.cases {
            assert!(ids.insert(case.id.clone()), "{} stands twice", case.id);
            assert!(!case.steps.is_empty(), "{} has no steps", case.id);
        }
        for step in section.setup.iter().chain(section.cases.iter().flat_map(|case| &case.steps)) {
            assert!(!step.expect.status.is_empty(), "{}: {} expects no status", section.section, step.title());
        }
    }
}
