//! The store on both databases.

pub mod audit;
mod freshness;
mod kill;
mod processes;
mod resources;
pub mod samples;
mod statements;
