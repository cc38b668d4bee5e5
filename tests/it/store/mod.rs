//! The store on both databases.

mod resources;
mod samples;
mod statements;
