//! `kith check`: whether versions, current pointers, index rows, parties, references and the audit trail agree, and whether the file
//! can be read; `--repair` makes the index anew where it does not agree. Exit code 0 all agree, 1 something does not, 2 could not run.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::backup::{progress_bar, texts};
use super::{failure, say};
use crate::app;
use crate::config::{Flags, References, Settings};
use crate::fhir::codec::json as codec;
use crate::interactions::effects;
use crate::interactions::server::Server;
use crate::jobs;
use crate::problem::Problem;
use crate::search::references;
use crate::store::audit::checkpoint::read_public_key;
use crate::store::audit::verify::Trust;
use crate::store::check::{Content, Finding, Report, check};
use crate::store::{AuditRecord, Rows, StoreSettings, Stored};
use crate::telemetry;

/// So many disagreements are shown to people; machines get all.
const SHOWN: usize = 200;

/// What `kith check` takes.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Make the index of those resources anew whose rows are not what they should be
    #[arg(long)]
    pub repair: bool,
    /// text for people, json for machines
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
    /// Settings of the server.
    #[command(flatten)]
    pub flags: Flags,
}

/// How the report looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For machines: one JSON object.
    Json,
}

/// Runs the command and returns its exit code.
pub fn run(arguments: &CheckArguments) -> ExitCode {
    let mut settings = match super::settings(&arguments.flags) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    "error".clone_into(&mut settings.log_filter);
    telemetry::start(&settings);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Problem::internal);
    match runtime.and_then(|runtime| runtime.block_on(examine(settings, arguments.repair))) {
        Ok((report, repaired)) => show(arguments.format, &report, repaired),
        Err(problem) => failure("The database could not be checked:", &texts(&problem)),
    }
}

async fn examine(settings: Settings, repair: bool) -> Result<(Report, Option<usize>), Problem> {
    let store = StoreSettings::from(&settings);
    let trust = trust(&store)?;
    // References that lead nowhere may be allowed.
    let whole = settings.references_write == References::Enforce && settings.references_delete == References::Enforce;
    let bar = progress_bar();
    let mut tell = |what: &str, done: u64| {
        bar.set_position(done);
        bar.set_message(what.to_owned());
    };
    let (mut report, repaired) = match app::build(settings).await {
        Ok(server) => {
            let outcome = with_server(&server, &store, &trust, repair, &mut tell).await;
            server.store.close().await;
            outcome?
        }
        Err(problem) => {
            // A damaged file may not even open as a store.
            let mut report = check(&store, &trust, None, &mut tell).await?;
            report.findings.push(Finding {
                rule: "start",
                about: "the server".to_owned(),
                text: texts(&problem).join(" "),
            });
            (report, None)
        }
    };
    bar.finish_and_clear();
    report.findings.retain(|finding| whole || finding.rule != "reference");
    Ok((report, repaired))
}

async fn with_server(
    server: &Arc<Server>,
    store: &StoreSettings,
    trust: &Trust,
    repair: bool,
    tell: &mut dyn FnMut(&str, u64),
) -> Result<(Report, Option<usize>), Problem> {
    let current = server.latest();
    let read = |stored: &Stored| content(&current, stored);
    let report = check(store, trust, Some(&read), tell).await?;
    let repaired = if repair { Some(mend(server, &current, &report).await?) } else { None };
    Ok((report, repaired))
}

fn trust(store: &StoreSettings) -> Result<Trust, Problem> {
    let file = store.audit_key_file();
    let keys = if file.is_file() { vec![read_public_key(&file)?] } else { Vec::new() };
    Ok(Trust { keys, ..Trust::default() })
}

fn content(server: &Server, stored: &Stored) -> Result<Content, Problem> {
    let resource = codec::parse_stored(&stored.body)?;
    let rows = Rows { index: server.extractor.extract(&resource), parties: effects::parties(server, &resource) };
    Ok(Content { rows, references: references::local(&resource, &server.base) })
}

/// Indexes anew what is not indexed as it should be, in small transactions.
async fn mend(server: &Arc<Server>, current: &Server, report: &Report) -> Result<usize, Problem> {
    let record =
        |count: usize| AuditRecord { query: format!("count={count}"), ..jobs::record(server, "operation $reindex") };
    let mut mended = 0;
    for chunk in report.orphans.chunks(200) {
        server.store.rebuild_index(Vec::new(), chunk.to_vec(), record(chunk.len())).await?;
        mended += chunk.len();
    }
    for chunk in report.unindexed.chunks(50) {
        let mut rebuilt = Vec::with_capacity(chunk.len());
        for stored in chunk {
            rebuilt.push((stored.clone(), content(current, stored)?.rows));
        }
        mended += server.store.rebuild_index(rebuilt, Vec::new(), record(chunk.len())).await?;
    }
    Ok(mended)
}

fn show(format: Format, report: &Report, repaired: Option<usize>) -> ExitCode {
    say(&match format {
        Format::Text => text(report, repaired),
        Format::Json => json_text(report, repaired),
    });
    let left = report.findings.iter().any(|finding| repaired.is_none() || finding.rule != "index");
    if left { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

fn text(report: &Report, repaired: Option<usize>) -> String {
    let mut lines = vec![format!(
        "{} resources, {} versions and {} audit rows were looked at.",
        report.resources, report.versions, report.audit_rows
    )];
    let found = &report.findings;
    lines.extend(found.iter().take(SHOWN).map(|found| format!("{}: {}: {}.", found.rule, found.about, found.text)));
    if found.len() > SHOWN {
        lines.push(format!("… and {} more; --format json lists all.", found.len() - SHOWN));
    }
    lines.push(match (found.len(), repaired) {
        (0, _) => "All agree.".to_owned(),
        (count, None) if found.iter().any(|found| found.rule == "index") => {
            format!("{count} disagreements. --repair makes the index anew.")
        }
        (count, None) => format!("{count} disagreements."),
        (count, Some(repaired)) => format!("{count} disagreements; the index of {repaired} resources was made anew."),
    });
    lines.join("\n")
}

fn json_text(report: &Report, repaired: Option<usize>) -> String {
    let found: Vec<Value> = report
        .findings
        .iter()
        .map(|found| json!({ "rule": found.rule, "about": found.about, "text": found.text }))
        .collect();
    json!({
        "verdict": if found.is_empty() { "agrees" } else { "disagrees" },
        "resources": report.resources,
        "versions": report.versions,
        "auditRows": report.audit_rows,
        "repaired": repaired,
        "findings": found,
    })
    .to_string()
}
