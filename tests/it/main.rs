//! The one integration test binary; folders mirror `src/`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::allow_attributes,
    clippy::needless_pass_by_value,
    missing_docs,
    reason = "a test may fail loudly"
)]

mod abuse;
mod architecture;
mod clients;
mod command_line;
mod commands;
mod config;
mod conformance;
mod dependencies;
mod faults;
mod fhir;
mod fhirpath;
mod fuzz;
mod interactions;
mod jobs;
mod oauth;
mod operations;
mod package;
mod patch;
mod problem;
mod referral;
mod search;
mod store;
mod support;
mod telemetry;
mod terminology;
mod traces;
mod validate;
mod visibility;
