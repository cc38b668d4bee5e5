//! `kith terminology`: what an operator with a licence does with SNOMED CT. A release is read file by file, becomes an edition in
//! memory, and lies in the database in compressed pieces, where every process finds it. Each change is audited with the user who
//! runs the command.

mod list;
mod release;
mod write;

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{failure, say};
use crate::clock::Clock;
use crate::config::{Flags, Settings};
use crate::problem::{Kind, Problem};
use crate::store::{Store, StoreSettings};
use crate::terminology::Edition;
use crate::terminology::snomed::{Builder, EditionVersion, FileKind};

use release::Release;

/// `kith terminology …`.
#[derive(Debug, Subcommand)]
pub enum TerminologyCommand {
    /// Load a SNOMED CT release (RF2 snapshot): a folder, .zip or .tgz.
    Load(LoadArgs),
    /// List the loaded editions.
    List(ListArgs),
    /// Remove an edition.
    Remove(RemoveArgs),
}

/// What `kith terminology load` takes.
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// Release: a folder with everything below it, a .zip or a .tgz
    pub path: PathBuf,
    /// Module that names the edition, where the release is not to say so itself
    #[arg(long, value_name = "SCTID", default_value_t = 0)]
    pub module: u64,
    /// Day of the edition, YYYYMMDD, where the release is not to say so itself
    #[arg(long, value_name = "DAY", default_value_t = 0)]
    pub date: u32,
    /// Settings of the server.
    #[command(flatten)]
    pub flags: Flags,
}

/// What `kith terminology list` takes.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// One JSON object a line instead of text
    #[arg(long)]
    pub json: bool,
    /// Settings of the server.
    #[command(flatten)]
    pub flags: Flags,
}

/// What `kith terminology remove` takes.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// Version as `list` shows it
    pub version: String,
    /// Settings of the server.
    #[command(flatten)]
    pub flags: Flags,
}

/// Runs the command and returns its exit code.
pub fn run(command: &TerminologyCommand) -> ExitCode {
    let flags = match command {
        TerminologyCommand::Load(arguments) => &arguments.flags,
        TerminologyCommand::List(arguments) => &arguments.flags,
        TerminologyCommand::Remove(arguments) => &arguments.flags,
    };
    let settings = match super::settings(flags) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    match carry_out(command, &settings) {
        Ok(text) => say(&text),
        Err(problem) => {
            let lines: Vec<String> = problem.issues().iter().map(|issue| issue.text.clone()).collect();
            failure("This cannot be done:", &lines)
        }
    }
}

/// Carries the command out on the database of these settings; what it did, for people.
pub fn carry_out(command: &TerminologyCommand, settings: &Settings) -> Result<String, Problem> {
    // The release is read before the database is opened: a wrong one changes nothing.
    let edition = match command {
        TerminologyCommand::Load(arguments) => Some(read(arguments)?),
        _ => None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Problem::internal)?;
    runtime.block_on(async {
        let clock = Arc::new(Clock::System);
        let store = Store::open(&StoreSettings::from(settings), Arc::clone(&clock)).await?;
        let done = match (command, edition) {
            (TerminologyCommand::Load(_), Some(edition)) => write::load(&store, edition, &clock).await,
            (TerminologyCommand::Remove(arguments), _) => write::remove(&store, &arguments.version, &clock).await,
            (TerminologyCommand::List(arguments), _) => list::list(&store, arguments.json).await,
            (TerminologyCommand::Load(_), None) => Err(Problem::internal("the release was not read")),
        };
        store.close().await;
        done
    })
}

fn mistake(text: impl Into<String>) -> Problem {
    Problem::new(Kind::Invalid, text)
}

/// Reads a release into an edition, with a progress bar.
fn read(arguments: &LoadArgs) -> Result<Edition, Problem> {
    let release = Release::open(&arguments.path)?;
    let bar = progress_bar(release.bytes());
    let mut builder = Builder::default();
    for kind in FileKind::ALL {
        bar.set_message(kind.name());
        release.each(kind, &mut |name, file| rows(&mut builder, kind, name, file, &bar))?;
        builder.end(kind);
    }
    bar.finish_and_clear();
    if builder.concepts() == 0 {
        return Err(mistake(
            "There is no snapshot of a SNOMED CT release there (files such as Snapshot/Terminology/sct2_Concept_Snapshot_….txt).",
        ));
    }
    let given = EditionVersion { module: arguments.module, date: arguments.date };
    builder
        .finish(given)
        .ok_or_else(|| mistake("The release does not say which edition it is: give --module and --date."))
}

/// The longest row of a release.
const LONGEST: u64 = 1 << 20;

fn rows(
    builder: &mut Builder,
    kind: FileKind,
    name: &Path,
    file: &mut dyn BufRead,
    bar: &ProgressBar,
) -> Result<(), Problem> {
    let mut line = Vec::new();
    let mut number = 0_u64;
    loop {
        line.clear();
        let read = std::io::Read::take(&mut *file, LONGEST).read_until(b'\n', &mut line);
        let length = read.map_err(|error| mistake(format!("{} cannot be read: {error}", name.display())))?;
        if length == 0 {
            return Ok(());
        }
        bar.inc(length as u64);
        number += 1;
        // The first line has the names of the columns.
        let is_row = number == 1 || std::str::from_utf8(&line).is_ok_and(|line| builder.row(kind, line));
        if !is_row {
            return Err(mistake(format!("{}: line {number} is no row of {}.", name.display(), kind.name())));
        }
    }
}

/// On anything but a terminal it draws nothing.
fn progress_bar(bytes: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {msg} (about {eta} left)");
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}
