//! Kith, a FHIR R4 referral server for social prescribing in England. This file is the map; modules lower in the list
//! never import modules above them (a test in `tests/it/architecture.rs` enforces it).

pub mod clock;
pub mod commands;
pub mod config;
pub mod fhir;
pub mod fhirpath;
pub mod package;
pub mod problem;
pub mod referral;
pub mod search;
pub mod store;
