//! The store on both databases.

pub mod audit;
mod resources;
mod samples;
mod statements;
