//! `kith conformance run`: plays the cases of `conformance/http/` and the referral journeys against a running server. Exit code 0
//! nothing failed, 1 something did, 2 could not run.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{failure, say};
use crate::clock::Clock;
use crate::conformance::{CaseReport, Http, Journey, Section, Suite, report, sections};

/// `kith conformance …`.
#[derive(Debug, Subcommand)]
pub enum ConformanceCommand {
    /// Play cases against a FHIR server: it must be a test server, they write to it.
    Run(RunArgs),
}

/// What `kith conformance run` takes.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Base address of the server, over plain HTTP
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080/fhir")]
    base_url: String,
    /// Only this section; can be given several times
    #[arg(long, value_name = "NAME")]
    section: Vec<String>,
    /// Header to send with each request, such as 'Authorization: Bearer …'; can be given several times
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    header: Vec<(String, String)>,
    /// text on standard output, or junit=FILE; can be given several times
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = Report::parse)]
    report: Vec<Report>,
    /// Leave on the server what the cases created
    #[arg(long)]
    keep: bool,
    /// Section files (.toml) and journey files (.json) [default: those that come with Kith]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// How to say what became of the cases.
#[derive(Debug, Clone)]
enum Report {
    Text,
    Junit(PathBuf),
}

impl Report {
    fn parse(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text == "text" => Ok(Self::Text),
            Some(("junit", file)) if !file.is_empty() => Ok(Self::Junit(PathBuf::from(file))),
            _ => Err("must be text or junit=FILE".to_owned()),
        }
    }

    fn write(&self, reports: &[CaseReport]) -> Result<(), String> {
        match self {
            Self::Text => {
                say(report::text(reports).trim_end());
                Ok(())
            }
            Self::Junit(file) => std::fs::write(file, report::junit(reports))
                .map_err(|error| format!("{} cannot be written: {error}", file.display())),
        }
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("must be NAME: VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Runs the command and returns its exit code.
pub fn run(command: &ConformanceCommand) -> ExitCode {
    let ConformanceCommand::Run(arguments) = command;
    match play(arguments) {
        Ok(reports) => {
            let written: Result<(), String> = arguments.report.iter().try_for_each(|report| report.write(&reports));
            match written {
                Ok(()) => ExitCode::from(u8::from(report::counts(&reports).1 > 0)),
                Err(mistake) => failure("The report cannot be made:", &[mistake]),
            }
        }
        Err(mistake) => failure("The cases cannot be played:", &[mistake]),
    }
}

fn play(arguments: &RunArgs) -> Result<Vec<CaseReport>, String> {
    let sections = chosen(arguments)?;
    let clock = Clock::System;
    let mut server = Http::new(&arguments.base_url);
    for (name, value) in &arguments.header {
        server = server.with_header(name, value);
    }
    let suite = Suite::of(&mut server, &clock, arguments.keep)?;
    Ok(sections.iter().flat_map(|section| suite.play(section, &mut server)).collect())
}

fn chosen(arguments: &RunArgs) -> Result<Vec<Section>, String> {
    let mut sections = if arguments.files.is_empty() {
        sections()?
    } else {
        arguments.files.iter().map(|path| read(path)).collect::<Result<_, _>>()?
    };
    let names: Vec<String> = sections.iter().map(|section| section.section.clone()).collect();
    if let Some(unknown) = arguments.section.iter().find(|name| !names.contains(name)) {
        return Err(format!("there is no section {unknown}; there are {}", names.join(", ")));
    }
    if !arguments.section.is_empty() {
        sections.retain(|section| arguments.section.contains(&section.section));
    }
    Ok(sections)
}

fn read(path: &Path) -> Result<Section, String> {
    let open = |path: &Path| std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let text = open(path)?;
    let section = if path.extension().is_some_and(|extension| extension == "toml") {
        Section::parse(&text)
    } else {
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        Journey::parse(&text, |name| open(&folder.join(name))).map(|journey| Section::of_journeys(vec![journey]))
    };
    section.map_err(|error| format!("{}: {error}", path.display()))
}
