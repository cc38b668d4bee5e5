//! The store on both databases.

mod audit;
mod resources;
mod samples;
mod statements;
