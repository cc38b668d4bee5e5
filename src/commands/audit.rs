//! `kith audit verify`: walks the audit trail, in the database or in exported files, and says whether it is intact. Exit code 0
//! intact, 1 broken, 2 could not run. `kith audit export` is in `export`.

mod export;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::{failure, say};
use crate::clock::Micros;
use crate::config::{Flags, Settings};
use crate::fhir::temporal::DateTime;
use crate::problem::{Kind, Problem};
use crate::store::audit::checkpoint::{Checkpoint, read_public_key};
use crate::store::audit::verify::{Report, Trust, verify_files};
use crate::store::{StoreSettings, verify_audit};

/// `kith audit …`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Recompute every hash chain and check the signed checkpoints.
    Verify(VerifyArgs),
    /// Write the audit trail as JSON lines, from where the last export ended.
    Export(export::ExportArgs),
}

/// What `kith audit verify` takes.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Database to verify: sqlite:FILE or postgres://USER:PASSWORD@HOST/DATABASE [default: as for serve]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Ed25519 key (PEM, private or public) that must have signed the checkpoints [default: the server's own key file]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// File outside the database to which the server appended checkpoints [default: the setting audit.checkpoints]
    #[arg(long, value_name = "FILE")]
    checkpoints: Option<PathBuf>,
    /// Exported files to verify instead of a database, the oldest first
    #[arg(long, value_name = "FILE", num_args = 1..)]
    file: Vec<PathBuf>,
    /// Recompute what follows the last checkpoint before this date or instant, and take earlier rows as they were signed
    #[arg(long, value_name = "DATE")]
    since: Option<String>,
    /// text for people, json for machines
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// How the report looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For machines: one JSON object.
    Json,
}

/// Runs the command and returns its exit code.
pub fn run(command: &AuditCommand) -> ExitCode {
    let arguments = match command {
        AuditCommand::Verify(arguments) => arguments,
        AuditCommand::Export(arguments) => return export::run(arguments),
    };
    let pairs: Vec<(&'static str, &str)> = arguments.database.iter().map(|url| ("database", url.as_str())).collect();
    let settings = match super::settings(&Flags::of(&pairs)) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    match verify(arguments, &settings) {
        Ok(report) => {
            let place = if arguments.file.is_empty() { settings.database.as_str() } else { "exported files" };
            show(arguments.format, place, &report)
        }
        Err(problem) => failure(
            "The audit trail could not be verified:",
            &problem.issues().iter().map(|i| i.text.clone()).collect::<Vec<_>>(),
        ),
    }
}

fn verify(arguments: &VerifyArgs, settings: &Settings) -> Result<Report, Problem> {
    let trust = trust(arguments, settings)?;
    if !arguments.file.is_empty() {
        return verify_files(&arguments.file, &trust);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Problem::internal)?;
    runtime.block_on(verify_audit(&StoreSettings::from(settings), &trust))
}

fn trust(arguments: &VerifyArgs, settings: &Settings) -> Result<Trust, Problem> {
    let default = StoreSettings::from(settings).audit_key_file();
    let keys = match &arguments.key {
        Some(path) => vec![read_public_key(path)?],
        None if default.is_file() => vec![read_public_key(&default)?],
        None => Vec::new(),
    };
    let file = arguments.checkpoints.as_ref().or(settings.audit_checkpoints.as_ref());
    let mut checkpoints = Vec::new();
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Problem::new(Kind::Invalid, format!("The file of checkpoints {} cannot be read: {error}", path.display()))
        })?;
        for (number, line) in (1..).zip(text.lines()) {
            checkpoints.push(Checkpoint::from_line(line).ok_or_else(|| {
                let text = format!("Line {number} of {} is not a checkpoint.", path.display());
                Problem::new(Kind::Invalid, text)
            })?);
        }
    }
    let since = match &arguments.since {
        Some(text) => Some(instant(text)?),
        None => None,
    };
    Ok(Trust { keys, checkpoints, since })
}

/// The first instant of a date, or an instant.
fn instant(text: &str) -> Result<Micros, Problem> {
    let date =
        DateTime::parse(text).map_err(|fault| Problem::new(Kind::Invalid, format!("--since: {}.", fault.text())))?;
    Ok(date.interval().0)
}

fn show(format: Format, database: &str, report: &Report) -> ExitCode {
    say(&match format {
        Format::Text => text(database, report),
        Format::Json => json(report),
    });
    if report.breaks.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn text(database: &str, report: &Report) -> String {
    let Report { chains, rows, checkpoints, unsigned, own_keys, breaks, removed, cut } = report;
    // A URL can hold a password.
    let shown = database.split_once('@').map_or(database, |(_, place)| place);
    let mut lines =
        vec![format!("Audit trail of {shown}: {rows} rows, {chains} chains, {checkpoints} signed checkpoints.")];
    if *own_keys {
        lines.push(
            "The checkpoints were checked with the keys that the database itself names; give --key to rely on another."
                .to_owned(),
        );
    }
    if *removed > 0 {
        lines.push(format!("{removed} older rows were removed by retention, as signed statements say."));
    }
    if *cut > 0 {
        lines.push(format!("{cut} chains begin before these files; of them the files hold a later part."));
    }
    for found in breaks {
        lines.push(format!("BROKEN: chain {}, row {}: {}.", found.chain, found.sequence, found.reason));
    }
    if breaks.is_empty() {
        lines.push(format!("Intact. {unsigned} rows are newer than the last signed checkpoint of their chain."));
    } else {
        lines.push(format!("{} of {chains} chains are broken.", breaks.len()));
    }
    lines.join("\n")
}

fn json(report: &Report) -> String {
    let breaks: Vec<_> = report
        .breaks
        .iter()
        .map(|found| json!({ "chain": found.chain, "sequence": found.sequence, "reason": found.reason }))
        .collect();
    json!({
        "verdict": if report.breaks.is_empty() { "intact" } else { "broken" },
        "chains": report.chains,
        "rows": report.rows,
        "checkpoints": report.checkpoints,
        "unsigned": report.unsigned,
        "removed": report.removed,
        "cut": report.cut,
        "keys": if report.own_keys { "database" } else { "file" },
        "breaks": breaks,
    })
    .to_string()
}
