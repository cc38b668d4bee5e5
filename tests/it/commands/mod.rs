//! Commands as a person runs them: the built binary, its output and exit codes.

mod audit;
mod backup;
mod bench;
mod check;
mod client;
mod load;
mod package;
pub mod terminology;
mod validate;
