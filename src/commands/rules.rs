//! `kith rules`: prints what every validation rule finds, with an example and the issue that it raises.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::app::rules;
use crate::fhir::suggest;
use crate::validate::catalogue::{self, Entry};

/// What `kith rules` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Ids of rules; all rules where none is given.
    pub rules: Vec<String>,
    /// How the page looks.
    #[arg(long, value_enum, default_value_t = Format::Markdown)]
    pub format: Format,
}

/// How the page looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Markdown,
    /// For programs: an array of rules.
    Json,
}

/// Prints the page. Exit code 2 where there is no such rule.
pub fn run(arguments: &Arguments) -> ExitCode {
    let unknown: Vec<String> =
        arguments.rules.iter().filter(|rule| catalogue::find(rule).is_none()).map(|rule| missing(rule)).collect();
    if !unknown.is_empty() {
        return super::failure("these rules cannot be shown:", &unknown);
    }
    let wanted = |entry: &&Entry| arguments.rules.is_empty() || arguments.rules.contains(&entry.id);
    match rules::shown(catalogue::all().iter().filter(wanted)) {
        Err(problem) => super::failure("the rules cannot be shown:", &[problem.to_string()]),
        Ok(shown) => super::say(
            match arguments.format {
                Format::Markdown => rules::markdown(&shown),
                Format::Json => serde_json::to_string_pretty(&rules::json(&shown)).unwrap_or_default(),
            }
            .trim_end(),
        ),
    }
}

fn missing(rule: &str) -> String {
    let ids = catalogue::all().iter().map(|entry| entry.id.as_str());
    let hint = suggest::nearest(rule, ids).map_or_else(String::new, |near| format!(" Did you mean {near}?"));
    format!("{rule} is not in the list.{hint} Invariants are described by the definition that has them.")
}
