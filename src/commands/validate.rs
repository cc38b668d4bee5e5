//! `kith validate`: checks files, folders and NDJSON against FHIR R4, UK Core, Kith's own profiles and any package the
//! operator adds, on every core, and reports every issue: for people with line numbers and a table by rule, for programs one
//! OperationOutcome a line, for code hosts SARIF.

mod input;
mod report;
mod sarif;
mod totals;
mod worker;

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::app;
use crate::config::RuleLevel;
use crate::fhir::suggest;
use crate::problem::{Kind, Problem};
use crate::referral;
use crate::validate::{Options, Validator};

use input::{Input, Inputs};
use totals::Totals;
use worker::Done;

/// What to validate, against what.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Resources as JSON, XML or NDJSON, Bundles too; folders of them. `-` reads standard input.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Canonical url of a profile that every resource must meet, besides those it declares.
    #[arg(long, value_name = "URL")]
    pub profile: Vec<String>,
    /// A FHIR package (.tgz, folder or Bundle file) whose definitions count too.
    #[arg(long, value_name = "FILE")]
    pub package: Vec<PathBuf>,
    /// Level of a rule or invariant: error, warning, information or off. `kith rules` lists the rules.
    #[arg(long, value_name = "RULE=LEVEL", value_delimiter = ',', value_parser = level)]
    pub severity: Vec<(String, RuleLevel)>,
    /// List the elements that profiles mark as mustSupport, those that are there and those that are not.
    #[arg(long)]
    pub must_support: bool,
    /// How to report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Threads; 0 = one per core.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub threads: u16,
}

/// How to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: one OperationOutcome a line for each resource.
    Json,
    /// For code hosts and editors: SARIF 2.1.0.
    Sarif,
}

fn level(text: &str) -> Result<(String, RuleLevel), String> {
    let (rule, level) = text.split_once('=').ok_or("must be RULE=LEVEL, for example dom-6=off")?;
    Ok((rule.trim().to_owned(), RuleLevel::parse(level.trim())?))
}

/// Validates the files. Exit code 0: all are valid; 1: at least one is not; 2: could not run.
pub fn run(arguments: &Arguments) -> ExitCode {
    match prepared(arguments).and_then(|(validator, files)| validate_all(arguments, &validator, files)) {
        Ok(totals) if totals.invalid == 0 => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(problem) => {
            let lines: Vec<String> = problem.issues().iter().map(|issue| issue.text.clone()).collect();
            super::failure("validation could not run:", &lines)
        }
    }
}

/// The validator and the files, once everything that the arguments name is there.
fn prepared(arguments: &Arguments) -> Result<(Validator, Vec<PathBuf>), Problem> {
    let levels: BTreeMap<String, RuleLevel> = arguments.severity.iter().cloned().collect();
    let validator = Validator::new(app::definitions(&arguments.package)?, app::validation(&levels))?;
    validator.check_levels()?;
    let unknown = arguments.profile.iter().filter(|canonical| validator.schemas().profile_index(canonical).is_none());
    let unknown: Vec<String> = unknown.map(|canonical| not_loaded(&validator, canonical)).collect();
    if !unknown.is_empty() {
        return Err(Problem::new(Kind::Invalid, unknown.join("\n")));
    }
    Ok((validator, input::find(&arguments.files)?))
}

fn not_loaded(validator: &Validator, canonical: &str) -> String {
    let known: Vec<String> =
        validator.definitions().canonicals("StructureDefinition").map(|(_, canonical)| canonical).collect();
    let urls = known.iter().filter_map(|canonical| canonical.split('|').next());
    let hint = suggest::nearest_url(canonical, urls).map_or_else(String::new, |near| format!(" Did you mean {near}?"));
    format!("Profile {canonical} is not loaded.{hint} Add its package with --package.")
}

fn validate_all(arguments: &Arguments, validator: &Validator, files: Vec<PathBuf>) -> Result<Totals, Problem> {
    let options =
        Options { profiles: arguments.profile.clone(), must_support: arguments.must_support, ..Options::default() };
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let threads = match usize::from(arguments.threads) {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        count => count,
    };
    let work = |input: &Input| {
        let (issues, lines) = input.validate(|resource| {
            let mut issues = validator.validate(resource, &options);
            issues.extend(referral::check(resource));
            issues
        });
        let report = match arguments.format {
            Format::Text => report::text(input, &issues, lines.as_ref(), colour),
            Format::Json => report::json(input, &issues, lines.as_ref()),
            Format::Sarif => sarif::results(input, &issues, lines.as_ref()),
        };
        Done { size: input.size(), issues, report }
    };
    let mut report = Report { format: arguments.format, totals: Totals::default(), last: String::new() };
    let bar = progress_bar(&files);
    report.begin()?;
    worker::run(Inputs::new(files), threads, work, |done| {
        bar.inc(u64::try_from(done.size).unwrap_or(0));
        bar.suspend(|| report.take(done))
    })?;
    bar.finish_and_clear();
    report.end()
}

/// Shows bytes read; on anything but a terminal it draws nothing.
fn progress_bar(files: &[PathBuf]) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bytes = files.iter().filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum();
    let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} (about {eta} left)");
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}

/// The report as it is written to standard output.
struct Report {
    format: Format,
    totals: Totals,
    /// What waits for the next part, which decides whether a comma stands between.
    last: String,
}

impl Report {
    fn begin(&self) -> Result<(), Problem> {
        if self.format == Format::Sarif { write(&sarif::head()) } else { Ok(()) }
    }

    fn take(&mut self, done: Done) -> Result<(), Problem> {
        self.totals.add(&done.issues);
        if self.format == Format::Sarif {
            if done.report.is_empty() {
                return Ok(());
            }
            return write(&std::mem::replace(&mut self.last, done.report));
        }
        write(&done.report)
    }

    fn end(self) -> Result<Totals, Problem> {
        match self.format {
            Format::Text if self.totals.resources > 1 => write(&self.totals.text())?,
            Format::Json | Format::Text => {}
            Format::Sarif => {
                write(self.last.trim_end().trim_end_matches(','))?;
                write(&sarif::tail(self.totals.by_rule.keys().map(String::as_str)))?;
            }
        }
        Ok(self.totals)
    }
}

fn write(text: &str) -> Result<(), Problem> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Problem::new(Kind::Internal, format!("The report cannot be written: {error}")))
}
