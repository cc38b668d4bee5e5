//! `kith backup`: writes all that the database holds to one file, as one moment shows it, while servers go on writing. Exit
//! code 0 written, 2 could not run.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, IsTerminal};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{failure, say};
use crate::clock::Clock;
use crate::config::{Flags, Settings};
use crate::fhir::temporal::format_instant;
use crate::problem::{Kind, Problem};
use crate::store::backup::{Contents, Progress, backup};
use crate::store::{AuditRecord, Store, StoreSettings};
use crate::telemetry;

/// What `kith backup` takes.
#[derive(Debug, Args)]
pub struct BackupArguments {
    /// The file to write, which must not be there yet, or a folder, in which the file is named by the time
    #[arg(value_name = "PATH")]
    pub path: PathBuf,
    /// Settings of the server.
    #[command(flatten)]
    pub flags: Flags,
}

/// Runs the command and returns its exit code.
pub fn run(arguments: &BackupArguments) -> ExitCode {
    let mut settings = match super::settings(&arguments.flags) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    "error".clone_into(&mut settings.log_filter);
    telemetry::start(&settings);
    match save(&arguments.path, &settings) {
        Ok((path, contents)) => say(&text(&path, &contents)),
        Err(problem) => failure("No backup was made:", &texts(&problem)),
    }
}

/// What a problem says, line by line.
pub(super) fn texts(problem: &Problem) -> Vec<String> {
    problem.issues().iter().map(|issue| issue.text.clone()).collect()
}

fn save(path: &Path, settings: &Settings) -> Result<(PathBuf, Contents), Problem> {
    let clock = Clock::System;
    let path = if path.is_dir() { path.join(name(&clock)) } else { path.to_owned() };
    if path.exists() {
        let text = format!("{} is there already; a backup never replaces a file.", path.display());
        return Err(Problem::new(Kind::Conflict, text));
    }
    let mut partial = path.clone().into_os_string();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let written = write(&partial, &path, settings, clock);
    if written.is_err() {
        // It may never have come to be.
        let _ = std::fs::remove_file(&partial);
    }
    written.map(|contents| (path, contents))
}

/// The file gets its name when all of it is on the disk: whatever has the name is whole.
fn write(partial: &Path, path: &Path, settings: &Settings, clock: Clock) -> Result<Contents, Problem> {
    let cannot = |error: std::io::Error| {
        Problem::new(Kind::Unavailable, format!("{} cannot be written: {error}", path.display()))
    };
    // What is in it is as confidential as the database.
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(partial).map_err(cannot)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Problem::internal)?;
    let bar = progress_bar();
    let store = StoreSettings::from(settings);
    let (out, contents) =
        runtime.block_on(backup(&store, &clock, BufWriter::new(file), &mut |progress| show(&bar, progress)))?;
    bar.finish_and_clear();
    let file = out.into_inner().map_err(|error| cannot(error.into_error()))?;
    file.sync_all().map_err(cannot)?;
    std::fs::rename(partial, path).map_err(cannot)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(cannot)?;
    if contents.is_current() {
        runtime.block_on(note(store, clock, "operation $backup"))?;
    }
    Ok(contents)
}

/// Whoever makes a backup has seen everything, and whoever takes one back has changed everything: the audit trail says so.
pub(super) async fn note(settings: StoreSettings, clock: Clock, interaction: &str) -> Result<(), Problem> {
    let record = AuditRecord {
        recorded: clock.now(),
        interaction: interaction.to_owned(),
        status: 200,
        request_id: clock.new_id(),
        client: "kith".to_owned(),
        address: "local".to_owned(),
        ..AuditRecord::default()
    };
    let store = Store::open(&StoreSettings { readers: 1, writers: 1, ..settings }, std::sync::Arc::new(clock)).await?;
    let noted = store.audit(record).await;
    store.close().await;
    noted
}

fn name(clock: &Clock) -> String {
    let instant = format_instant(clock.now());
    let digits: String =
        instant.chars().take_while(|c| *c != '.').filter(|c| c.is_ascii_digit() || *c == 'T').collect();
    format!("kith-{digits}Z.backup.gz")
}

fn text(path: &Path, contents: &Contents) -> String {
    let mut lines = vec![format!(
        "{}: {} rows of {} tables, schema {}, as of {}.",
        path.display(),
        contents.rows(),
        contents.parts.len(),
        contents.head.schema,
        contents.head.made
    )];
    lines.push(
        "It holds patient data and the keys that sign access tokens: keep it as safe as the database. The key that signs the audit \
         trail is not in it: keep that file elsewhere, and put it back before a restored server starts."
            .to_owned(),
    );
    lines.join("\n")
}

pub(super) fn show(bar: &ProgressBar, progress: Progress<'_>) {
    bar.set_length(progress.total.max(progress.done));
    bar.set_position(progress.done);
    bar.set_message(progress.what.to_owned());
}

/// On anything but a terminal it draws nothing.
pub(super) fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} (about {eta} left)");
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}
