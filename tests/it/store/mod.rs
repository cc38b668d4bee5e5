//! The store on both databases.

pub mod audit;
mod audit_keeping;
mod freshness;
mod kill;
mod processes;
mod resources;
pub mod samples;
mod statements;
