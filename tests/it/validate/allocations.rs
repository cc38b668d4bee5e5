//! How often validation asks for memory, once the schemas that it needs are compiled: a ceiling for each input that the
//! benchmarks measure. What allocates more has become slower.

#[path = "../../../benches/inputs/mod.rs"]
mod inputs;

use std::path::Path;

use allocation_counter::measure;
use kith::fhir::codec::{Limits, json};
use kith::validate::Options;
use serde_json::Value;

use super::referral_validator;

fn sample(name: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/valid").join(name);
    json::parse(&std::fs::read(file).unwrap(), &Limits::default()).unwrap()
}

/// Input, most allocations of one validation, its issues included.
const CEILINGS: [(&str, u64); 6] = [
    ("ServiceRequest-ada-walking.json", 40),
    ("Patient-ada-thistlewood.json", 30),
    ("Task-completed.json", 50),
    ("Bundle-direct-referral.json", 320),
    ("questionnaire of 50 items", 2_200),
    ("message of 100 entries", 4_000),
];

#[test]
fn validation_asks_for_little_memory() {
    let options = Options::default();
    let validator = referral_validator();
    let mut found = Vec::new();
    let mut wrong = false;
    for (name, most) in CEILINGS {
        let resource = match name {
            "questionnaire of 50 items" => inputs::questionnaire(),
            "message of 100 entries" => inputs::message(),
            file => sample(file),
        };
        let issues = validator.validate(&resource, &options);
        let errors: Vec<_> = issues.iter().filter(|issue| issue.is_error()).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
        let measured = measure(|| drop(validator.validate(&resource, &options)));
        wrong |= measured.count_total > most;
        found.push(format!(
            "{name}: {} allocations, {} bytes, {} issues",
            measured.count_total,
            measured.bytes_total,
            issues.len()
        ));
    }
    assert!(!wrong, "{}", found.join("\n"));
}
