//! `kith package check`: every definition is compiled, and those that cannot be used are reported with their reasons. Says
//! also how long that took and how much memory all definitions need.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;

use super::{Said, manifest};
use crate::app;
use crate::commands::client::DatabaseArgs;
use crate::fhir::definitions::{Definitions, Part};
use crate::fhir::issue::Issue;
use crate::package::{self, dependencies, installed};
use crate::problem::Problem;
use crate::store::Store;
use crate::validate::{Validator, admission};

/// What `kith package check` takes.
#[derive(Debug, Args)]
pub struct Check {
    /// Packages that are not installed; without any those that are installed are checked
    paths: Vec<PathBuf>,
    /// Where packages that these need are looked for, besides those that are installed
    #[arg(long, value_name = "PATH")]
    from: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
}

/// A definition that cannot be used, and why.
pub(super) type Failing = (String, Vec<Issue>);

impl Check {
    pub(super) async fn run(&self, store: &Store) -> Result<Said, Problem> {
        let mut parts = installed_parts(store).await?;
        let mut lines = Vec::new();
        let known = parts.len();
        if !self.paths.is_empty() {
            let given: Result<Vec<_>, Problem> = self.paths.iter().map(|path| package::load(path)).collect();
            let present: Vec<_> = store.packages().await?.iter().map(manifest).collect();
            let resolved = dependencies::resolve(given?, &dependencies::candidates(&self.from)?, &present)?;
            lines.extend(resolved.notes.iter().map(|note| format!("Note: {note}")));
            lines.extend(resolved.missing.iter().map(|missing| format!("Missing: {missing}")));
            for package in resolved.packages {
                let name = format!("{}#{}", package.manifest.name, package.manifest.version);
                parts.push((name, Part::of_package(package)?));
            }
        }
        // What is given is checked; without that what is installed.
        let first = if self.paths.is_empty() { 0 } else { known };
        let checked: Vec<String> = parts.iter().skip(first).map(|(name, _)| name.clone()).collect();
        let begun = Instant::now();
        let failing = failing(&parts, |name| checked.iter().any(|checked| checked == name))?;
        for (canonical, issues) in &failing {
            lines.push(canonical.clone());
            lines.extend(
                issues.iter().map(|issue| {
                    format!("  - {}: {}", issue.expression.as_deref().unwrap_or("definition"), issue.text)
                }),
            );
        }
        let count: usize = parts.iter().filter(|(name, _)| checked.contains(name)).map(|(_, part)| part.len()).sum();
        let memory = resident().map_or_else(String::new, |megabytes| format!(", {megabytes} MB of memory"));
        lines.push(format!(
            "{count} definitions of {} packages compiled in {} ms{memory}; {} cannot be used.",
            checked.len(),
            begun.elapsed().as_millis(),
            failing.len()
        ));
        let code = if failing.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) };
        Ok(Said { text: lines.join("\n"), code })
    }
}

/// The installed packages, ready to be added to a registry.
pub(super) async fn installed_parts(store: &Store) -> Result<Vec<(String, Part)>, Problem> {
    let mut parts = Vec::new();
    for package in store.packages().await? {
        if let Some(content) = store.package_content(&package.name, &package.version).await? {
            let part = installed::part(&package.name, &content)?;
            parts.push((format!("{}#{}", package.name, package.version), part));
        }
    }
    Ok(parts)
}

/// What cannot be used of the packages for which `is_checked` holds, beside all the others.
pub(super) fn failing(parts: &[(String, Part)], is_checked: impl Fn(&str) -> bool) -> Result<Vec<Failing>, Problem> {
    let definitions = Arc::new(Definitions::embedded().with_parts(parts.iter().map(|(_, part)| part)));
    let validator = Validator::new(definitions, app::validation(&BTreeMap::new()))?;
    let mut failing = Vec::new();
    for (_, part) in parts.iter().filter(|(name, _)| is_checked(name)) {
        for (resource_type, canonical) in part.canonicals() {
            let issues = admission::compile(&validator, resource_type, &canonical);
            if !issues.is_empty() {
                failing.push((canonical, issues));
            }
        }
    }
    Ok(failing)
}

/// Megabytes of memory of its own that this process holds, where the operating system tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kilobytes| kilobytes / 1024)
}
