//! `kith audit export`: writes the audit trail as JSON lines, from where the last export ended. Exit code 0 written, 2 could not
//! run.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::commands::{failure, settings};
use crate::config::Flags;
use crate::problem::{Kind, Problem};
use crate::store::StoreSettings;
use crate::store::audit::export::{Positions, export};
use crate::store::audit::line::Line;

/// What `kith audit export` takes.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Database to export from: sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE [default: as for serve]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// File to write; it must not be there yet [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// File that says where the last export ended; read where it is there, and written anew when everything is on the disk
    #[arg(long, value_name = "FILE")]
    position: Option<PathBuf>,
}

/// Runs the command and returns its exit code.
pub fn run(arguments: &ExportArgs) -> ExitCode {
    let pairs: Vec<(&'static str, &str)> = arguments.database.iter().map(|url| ("database", url.as_str())).collect();
    let settings = match settings(&Flags::of(&pairs)) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    match write(arguments, &StoreSettings::from(&settings)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => failure(
            "The audit trail could not be exported:",
            &problem.issues().iter().map(|issue| issue.text.clone()).collect::<Vec<_>>(),
        ),
    }
}

fn write(arguments: &ExportArgs, settings: &StoreSettings) -> Result<(), Problem> {
    let mut positions = arguments.position.as_deref().map(read_positions).transpose()?.unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Problem::internal)?;
    if let Some(path) = &arguments.out {
        // An export is never written over another one.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut file = file.map_err(|error| cannot_use(path, &error))?;
        let mut sink = |lines: &[Line]| put(&mut file, lines).map_err(|error| cannot_use(path, &error));
        runtime.block_on(export(settings, &mut positions, &mut sink))?;
        file.sync_all().map_err(|error| cannot_use(path, &error))?;
    } else {
        let mut output = std::io::stdout().lock();
        let mut sink = |lines: &[Line]| put(&mut output, lines).map_err(|error| cannot_use(Path::new("-"), &error));
        runtime.block_on(export(settings, &mut positions, &mut sink))?;
    }
    match &arguments.position {
        Some(path) => write_positions(path, &positions),
        None => Ok(()),
    }
}

fn put(output: &mut impl Write, lines: &[Line]) -> std::io::Result<()> {
    let mut text = String::new();
    for line in lines {
        text.push_str(&line.text());
        text.push('\n');
    }
    output.write_all(text.as_bytes()).and_then(|()| output.flush())
}

fn read_positions(path: &Path) -> Result<Positions, Problem> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| {
            Problem::new(Kind::Invalid, format!("{} does not say where an export ended.", path.display()))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Positions::new()),
        Err(error) => Err(cannot_use(path, &error)),
    }
}

/// Replaces the file as a whole, so that a crash leaves the old one or the new one.
fn write_positions(path: &Path, positions: &Positions) -> Result<(), Problem> {
    let text = serde_json::to_string(positions).map_err(Problem::internal)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let written = std::fs::File::create(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&beside, path)).map_err(|error| cannot_use(path, &error))
}

fn cannot_use(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(Kind::Unavailable, format!("{} cannot be used: {error}", path.display()))
}
