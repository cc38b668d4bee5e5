//! The referral rules, decided on resources in memory.

mod actors;
mod duplicates;
mod effects;
mod lifecycle;
mod parties;
mod profiles;
mod task;
mod world;
