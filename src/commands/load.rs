//! `kith load`: brings resources from files into the database by the same write path as HTTP, so that each is validated,
//! indexed and audited. Exit code 0 all stored, 1 some refused, 2 could not run.

mod bundle;
mod report;
mod source;
mod worker;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{failure, say};
use crate::access::Caller;
use crate::app;
use crate::config::{Flags, References, Settings, ValidationMode};
use crate::problem::Problem;
use crate::telemetry;

pub use report::Report;
pub use source::{BundleHandling, Reading};

/// What `kith load` takes.
#[derive(Debug, Args)]
pub struct LoadArguments {
    /// Files (.json, .xml, .ndjson, .jsonl, each also .gz; .tgz archives) and folders of them
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// How the summary looks: text for people, json for machines
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// Bundles that are collections or search results: unpack stores their resources, keep stores the Bundle. Batches and
    /// transactions are always carried out; documents, messages and histories are always kept
    #[arg(long, value_name = "HOW", default_value = "unpack")]
    pub bundles: BundleHandling,
    /// Resources worked on at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub at_once: u16,
    /// Take referrals as far as they have come elsewhere: they are validated, but neither the lifecycle nor the search for
    /// duplicates is applied and nothing follows from them; the audit trail says import
    #[arg(long)]
    pub import: bool,
    /// Settings of the server.
    #[command(flatten)]
    pub flags: Flags,
}

/// How the summary looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For machines: one JSON object.
    Json,
}

/// Runs the command and returns its exit code.
pub fn run(arguments: &LoadArguments) -> ExitCode {
    let mut settings = match super::settings(&arguments.flags) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    // What is refused stands in the summary; only faults of the server are worth a line among the progress.
    "error".clone_into(&mut settings.log_filter);
    telemetry::start(&settings);
    match load(arguments, settings) {
        Ok(report) => {
            say(&match arguments.format {
                Format::Text => report.to_text(),
                Format::Json => report.to_json().to_string(),
            });
            if report.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
        }
        Err(problem) => {
            let texts: Vec<String> = problem.issues().iter().map(|issue| issue.text.clone()).collect();
            failure("Nothing could be loaded:", &texts)
        }
    }
}

/// Loads everything and says what became of it. Fails where a path is not there or the database cannot be opened; what is
/// wrong with a resource stands in the report.
pub fn load(arguments: &LoadArguments, mut settings: Settings) -> Result<Report, Problem> {
    let files = source::find(&arguments.paths)?;
    let reading = Reading {
        depth: settings.depth_limit,
        leniently: settings.validation == ValidationMode::Report,
        bundles: arguments.bundles,
    };
    // Files come in any order, and a set may speak of what is not in it.
    settings.references_write = References::Allow;
    let caller = Caller {
        client: "kith load".to_owned(),
        address: "local".to_owned(),
        imports: arguments.import,
        authority: crate::access::Authority::Open,
        ..Caller::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Problem::internal)?;
    runtime.block_on(async move {
        let server = app::build(settings).await?;
        let bar = progress_bar(source::size(&files));
        let report = worker::run(&server, files, reading, &caller, usize::from(arguments.at_once), &bar).await;
        bar.finish_and_clear();
        server.store.analyze().await?;
        server.store.close().await;
        Ok(report)
    })
}

/// Shows bytes read; on anything but a terminal it draws nothing.
fn progress_bar(bytes: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {msg} (about {eta} left)");
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}
