//! The store on both databases.

pub mod audit;
mod kill;
mod resources;
mod samples;
mod statements;
