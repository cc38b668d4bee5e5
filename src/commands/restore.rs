//! `kith restore`: takes a backup back into a database of either kind. Exit code 0 restored (or, with `--verify`, good), 1 the
//! backup is not good, 2 could not run.

use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::backup::{note, progress_bar, show, texts};
use super::{failure, say};
use crate::clock::Clock;
use crate::config::{Flags, Settings};
use crate::problem::{Kind, Problem};
use crate::store::StoreSettings;
use crate::store::audit::checkpoint::read_public_key;
use crate::store::audit::verify::{Report, Trust};
use crate::store::backup::{Contents, Restore, restore};
use crate::telemetry;

/// What `kith restore` takes.
#[derive(Debug, Args)]
pub struct RestoreArguments {
    /// The backup
    #[arg(value_name = "FILE")]
    pub path: PathBuf,
    /// Replace what the database holds
    #[arg(long)]
    pub overwrite: bool,
    /// Only verify the backup: its checksums and the audit trail in it
    #[arg(long)]
    pub verify: bool,
    /// Ed25519 key (PEM, private or public) that must have signed the audit trail [default: the keys in the backup]
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Settings of the server.
    #[command(flatten)]
    pub flags: Flags,
}

/// Runs the command and returns its exit code.
pub fn run(arguments: &RestoreArguments) -> ExitCode {
    let mut settings = match super::settings(&arguments.flags) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    "error".clone_into(&mut settings.log_filter);
    telemetry::start(&settings);
    match take_back(arguments, &settings) {
        Ok((contents, report)) => say(&text(arguments, &settings, &contents, &report)),
        Err(problem) if problem.kind == Kind::Invalid => {
            failure("The backup is not good, and nothing was changed:", &texts(&problem));
            ExitCode::from(1)
        }
        Err(problem) => failure("Nothing was restored:", &texts(&problem)),
    }
}

fn take_back(arguments: &RestoreArguments, settings: &Settings) -> Result<(Contents, Report), Problem> {
    let path = &arguments.path;
    let open = || {
        File::open(path)
            .map_err(|error| Problem::new(Kind::NotFound, format!("{} cannot be read: {error}", path.display())))
    };
    let trust = Trust {
        keys: arguments.key.iter().map(|path| read_public_key(path)).collect::<Result<_, _>>()?,
        ..Trust::default()
    };
    let how = Restore { overwrite: arguments.overwrite, verify_only: arguments.verify, trust };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Problem::internal)?;
    let store = StoreSettings::from(settings);
    let bar = progress_bar();
    let restored = runtime.block_on(restore(&store, &Clock::System, open, &how, &mut |progress| show(&bar, progress)));
    bar.finish_and_clear();
    let restored = restored?;
    if !arguments.verify {
        runtime.block_on(note(store, Clock::System, "operation $restore"))?;
    }
    Ok(restored)
}

fn text(arguments: &RestoreArguments, settings: &Settings, contents: &Contents, report: &Report) -> String {
    let done = if arguments.verify {
        "is good".to_owned()
    } else {
        format!("is restored to {}", StoreSettings::from(settings).location())
    };
    let mut lines = vec![format!(
        "The backup of {} {done}: {} rows of {} tables; audit trail of {} rows in {} chains intact, {} signatures good.",
        contents.head.made,
        contents.rows(),
        contents.parts.len(),
        report.rows,
        report.chains,
        report.checkpoints
    )];
    if report.own_keys && report.checkpoints > 0 {
        lines.push(
            "The signatures were checked with the keys in the backup itself; give --key to rely on another.".to_owned(),
        );
    }
    lines.join("\n")
}
