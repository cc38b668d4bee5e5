//! Validation: the rules one by one, the UK Core examples, the official examples, hostile input.

mod allocations;
mod compile;
mod fixtures;
mod hostile;
mod hostile_definitions;
mod levels;
mod official;
mod questionnaire;
mod reference_cases;
mod rules;
mod sharing;
mod slicing;
mod snapshots;
mod support;
mod uk_core;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use kith::fhir::definitions::Definitions;
use kith::validate::{Settings, Validator};

/// One validator of the embedded definitions for all tests.
pub fn validator() -> &'static Validator {
    static VALIDATOR: OnceLock<Validator> = OnceLock::new();
    VALIDATOR.get_or_init(|| Validator::new(Definitions::embedded(), Settings::default()).unwrap())
}

/// One validator with Kith's own profiles applied to referrals, as the server has it.
pub fn referral_validator() -> &'static Validator {
    static VALIDATOR: OnceLock<Validator> = OnceLock::new();
    VALIDATOR.get_or_init(|| Validator::new(Definitions::embedded(), kith::app::validation(&BTreeMap::new())).unwrap())
}
