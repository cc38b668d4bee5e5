//! The command line: one file per command, one line per command in `Command`. `main` calls [`main`].

pub mod audit;
pub mod backup;
pub mod bench;
pub mod check;
pub mod client;
pub mod conformance;
pub mod load;
pub mod package;
pub mod reindex;
pub mod restore;
pub mod rules;
pub mod serve;
pub mod terminology;
pub mod validate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{self, Flags, Settings};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "kith",
    version,
    about = "A FHIR R4 referral server for social prescribing in England",
    max_term_width = 100
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(Flags),
    /// Load resources from files into the database.
    Load(load::LoadArguments),
    /// Index stored resources anew.
    Reindex(reindex::ReindexArguments),
    /// Write all that the database holds to a file, while the server runs.
    Backup(backup::BackupArguments),
    /// Take a backup back into a database.
    Restore(restore::RestoreArguments),
    /// Check that the database agrees with itself, and mend its index.
    Check(check::CheckArguments),
    /// Import FHIR packages.
    #[command(subcommand)]
    Package(package::PackageCommand),
    /// Verify the audit trail.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Load and remove SNOMED CT.
    #[command(subcommand)]
    Terminology(terminology::TerminologyCommand),
    /// Register the systems that may ask for access tokens.
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// Play written-down behaviour against a server.
    #[command(subcommand)]
    Conformance(conformance::ConformanceCommand),
    /// Make data for load runs.
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// Validate files.
    Validate(validate::Arguments),
    /// Say what every validation rule finds, with an example.
    Rules(rules::Arguments),
}

/// Parses the arguments of this process, runs the command and returns its exit code (2 = could not run).
pub fn main() -> ExitCode {
    match CommandLine::parse().command {
        Command::Serve(flags) => serve::run(&flags),
        Command::Load(arguments) => load::run(&arguments),
        Command::Reindex(arguments) => reindex::run(&arguments),
        Command::Backup(arguments) => backup::run(&arguments),
        Command::Restore(arguments) => restore::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Package(command) => package::run(&command),
        Command::Audit(command) => audit::run(&command),
        Command::Terminology(command) => terminology::run(&command),
        Command::Client(command) => client::run(&command),
        Command::Bench(command) => bench::run(&command),
        Command::Conformance(command) => conformance::run(&command),
        Command::Validate(arguments) => validate::run(&arguments),
        Command::Rules(arguments) => rules::run(&arguments),
    }
}

/// The settings of this process, or exit code 2 after saying on standard error what is wrong with each.
pub fn settings(flags: &Flags) -> Result<Settings, ExitCode> {
    config::load(flags, |name| std::env::var(name).ok())
        .map_err(|mistakes| failure("These settings cannot be used:", &mistakes))
}

/// Says on standard error why a command cannot run, and returns exit code 2.
#[expect(clippy::print_stderr, reason = "a command talks to the person who called it")]
pub fn failure(heading: &str, lines: &[String]) -> ExitCode {
    eprintln!("kith: {heading}");
    for line in lines {
        eprintln!("  - {line}");
    }
    ExitCode::from(2)
}

/// Says on standard output what a command did, and returns exit code 0.
#[expect(clippy::print_stdout, reason = "a command talks to the person who called it")]
pub fn say(line: &str) -> ExitCode {
    println!("{line}");
    ExitCode::SUCCESS
}
