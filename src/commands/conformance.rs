//! `kith conformance run`: plays referral journeys against a running server. Exit code 0 all as written, 1 not, 2 could not run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{failure, say};
use crate::clock::Clock;
use crate::conformance::{Http, Journey, Played, journeys, play};

/// `kith conformance …`.
#[derive(Debug, Subcommand)]
pub enum ConformanceCommand {
    /// Play referral journeys against a server: it must be a test server, the journeys write to it.
    Run(RunArgs),
}

/// What `kith conformance run` takes.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Base address of the server, over plain HTTP
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080/fhir")]
    base_url: String,
    /// Journey files [default: the seven that come with Kith]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Runs the command and returns its exit code.
pub fn run(command: &ConformanceCommand) -> ExitCode {
    let ConformanceCommand::Run(arguments) = command;
    let journeys =
        if arguments.files.is_empty() { journeys() } else { arguments.files.iter().map(|path| read(path)).collect() };
    match journeys {
        Ok(journeys) => play_all(&journeys, &arguments.base_url),
        Err(mistake) => failure("The journeys cannot be read:", &[mistake]),
    }
}

fn play_all(journeys: &[Journey], base: &str) -> ExitCode {
    let clock = Clock::System;
    let mut server = Http::new(base);
    let run = clock.new_id();
    let mut failed = 0;
    for journey in journeys {
        let played = play(journey, &mut server, &run, &clock);
        failed += usize::from(!played.failures().is_empty());
        say(&report(journey, &played));
    }
    say(&format!("{} of {} journeys went as written.", journeys.len() - failed, journeys.len()));
    ExitCode::from(u8::from(failed > 0))
}

fn report(journey: &Journey, played: &Played) -> String {
    let failures = played.failures();
    let verdict = if failures.is_empty() { "ok" } else { "FAILED" };
    let (done, all) = (played.steps.len(), journey.steps.len());
    let mut lines = vec![format!("{verdict:6} {} - {} ({done} of {all} steps)", journey.journey, journey.title)];
    lines.extend(failures.iter().map(|failure| format!("       {failure}")));
    lines.join("\n")
}

fn read(path: &Path) -> Result<Journey, String> {
    let open = |path: &Path| std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let journey = Journey::parse(&open(path)?, |name| open(&folder.join(name)));
    journey.map_err(|error| format!("{}: {error}", path.display()))
}
