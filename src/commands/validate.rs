//! `kith validate`: checks files against FHIR R4, UK Core, Kith's own profiles and any package the operator adds, and
//! reports every issue: for people with line numbers, for programs one OperationOutcome a line.

mod input;
mod report;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::app;
use crate::fhir::issue::{Issue, operation_outcome};
use crate::problem::{Kind, Problem};
use crate::validate::{Options, Validator};

use input::Input;

/// What to validate, against what.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Resources as JSON, XML or NDJSON; Bundles too. `-` reads standard input.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Canonical url of a profile that every resource must meet, besides those it declares.
    #[arg(long, value_name = "URL")]
    pub profile: Vec<String>,
    /// A FHIR package (.tgz, folder or Bundle file) whose definitions count too.
    #[arg(long, value_name = "FILE")]
    pub package: Vec<PathBuf>,
    /// How to report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// How to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: one OperationOutcome a line for each resource.
    Json,
}

/// Validates the files. Exit code 0: all are valid; 1: at least one is not; 2: could not run.
pub fn run(arguments: &Arguments) -> ExitCode {
    let validator = match validator(arguments) {
        Ok(validator) => validator,
        Err(problem) => return could_not_run(&problem),
    };
    let unknown: Vec<String> = arguments
        .profile
        .iter()
        .filter(|canonical| validator.schemas().profile_index(canonical).is_none())
        .map(|canonical| format!("Profile {canonical} is not loaded. Add its package with --package."))
        .collect();
    if !unknown.is_empty() {
        return super::failure("these profiles cannot be used:", &unknown);
    }
    let options = Options { profiles: arguments.profile.clone(), ..Options::default() };
    let mut out = std::io::stdout().lock();
    match validate_all(arguments, &validator, &options, &mut out) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(problem) => could_not_run(&problem),
    }
}

fn cannot_write(error: impl std::fmt::Display) -> Problem {
    Problem::new(Kind::Internal, format!("The report cannot be written: {error}"))
}

fn could_not_run(problem: &Problem) -> ExitCode {
    let lines: Vec<String> = problem.issues().iter().map(|issue| issue.text.clone()).collect();
    super::failure("validation could not run:", &lines)
}

fn validator(arguments: &Arguments) -> Result<Validator, Problem> {
    Validator::new(app::definitions(&arguments.package)?, app::validation())
}

/// True where everything is valid.
fn validate_all(
    arguments: &Arguments,
    validator: &Validator,
    options: &Options,
    out: &mut impl Write,
) -> Result<bool, Problem> {
    let mut totals = report::Totals::default();
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    for file in &arguments.files {
        for input in Input::read(file)? {
            let (issues, positions) = input.validate(|resource| validator.validate(resource, options));
            totals.add(&issues);
            let written = match arguments.format {
                Format::Json => writeln!(out, "{}", operation_outcome(&issues)),
                Format::Text => report::write(out, &input.name, &issues, positions.as_ref(), colour),
            };
            written.map_err(cannot_write)?;
        }
    }
    if arguments.format == Format::Text && totals.resources > 1 {
        totals.write(out).map_err(cannot_write)?;
    }
    out.flush().map_err(cannot_write)?;
    Ok(totals.invalid == 0)
}

/// Errors and warnings of a list.
fn count(issues: &[Issue]) -> (usize, usize) {
    let errors = issues.iter().filter(|issue| issue.is_error()).count();
    let warnings = issues.iter().filter(|issue| issue.severity == crate::fhir::issue::Severity::Warning).count();
    (errors, warnings)
}
