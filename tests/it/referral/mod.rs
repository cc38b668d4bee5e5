//! The referral rules, decided on resources in memory.

mod actors;
mod claims;
mod duplicates;
mod effects;
mod fixtures;
mod invariants;
mod journeys;
mod lifecycle;
mod over_http;
mod parties;
mod profiles;
mod task;
mod world;
