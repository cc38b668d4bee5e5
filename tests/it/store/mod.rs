//! The store on both databases.

pub mod audit;
mod freshness;
mod kill;
mod processes;
mod resources;
mod samples;
mod statements;
