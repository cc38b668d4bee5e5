//! Kith, a FHIR R4 referral server for social prescribing in England. This file is the map; modules lower in the list
//! never import modules above them (a test in `tests/it/architecture.rs` enforces it).

pub mod commands;

pub mod app;

pub mod jobs;
pub mod oauth;
pub mod operations;

pub mod interactions;

pub mod access;
pub mod conformance;
pub mod package;
pub mod patch;
pub mod referral;
pub mod store;

pub mod search;
pub mod validate;

pub mod terminology;

pub mod fhirpath;

pub mod fhir;

pub mod telemetry;

pub mod clock;
pub mod config;
pub mod problem;
