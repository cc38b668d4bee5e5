//! `kith package`: what an operator or developer does with FHIR packages. Installed packages lie in the database, so that all
//! processes on it agree; a running server takes them up within `jobs.poll`.

mod add;
mod check;
mod import;
mod list;
mod remove;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;

pub use add::Add;
pub use check::Check;
pub use import::Import;
pub use list::List;
pub use remove::Remove;

use super::client::DatabaseArgs;
use crate::clock::Clock;
use crate::config::Flags;
use crate::fhir::definitions::package::Manifest;
use crate::problem::Problem;
use crate::store::{AuditRecord, Installed, Store, StoreSettings};

/// The commands below `kith package`.
#[derive(Debug, Subcommand)]
pub enum PackageCommand {
    /// List the packages that the server works by.
    List(List),
    /// Add packages, with those they need.
    Add(Add),
    /// Remove a package.
    Remove(Remove),
    /// Compile every definition and report those that cannot be used.
    Check(Check),
    /// Turn full FHIR definitions into the compact facts that this server embeds.
    Import(Import),
}

/// What a command says, and its exit code.
struct Said {
    text: String,
    code: ExitCode,
}

impl From<String> for Said {
    fn from(text: String) -> Self {
        Self { text, code: ExitCode::SUCCESS }
    }
}

/// Runs one of the package commands. Exit code 2 where it could not.
pub fn run(command: &PackageCommand) -> ExitCode {
    let done = match command {
        PackageCommand::Import(import) => import.run().map(Said::from),
        PackageCommand::List(list) => on_store(&list.database, async |store, _| list.run(store).await),
        PackageCommand::Add(add) => on_store(&add.database, async |store, clock| add.run(store, clock).await),
        PackageCommand::Remove(remove) => {
            on_store(&remove.database, async |store, clock| remove.run(store, clock).await)
        }
        PackageCommand::Check(check) => on_store(&check.database, async |store, _| check.run(store).await),
    };
    match done {
        Ok(Said { text, code }) => {
            super::say(&text);
            code
        }
        Err(problem) => {
            let lines: Vec<String> = problem.issues().iter().map(|issue| issue.text.clone()).collect();
            super::failure("This cannot be done:", &lines)
        }
    }
}

fn on_store(
    database: &DatabaseArgs,
    work: impl AsyncFnOnce(&Store, &Clock) -> Result<Said, Problem>,
) -> Result<Said, Problem> {
    let pairs: Vec<(&'static str, &str)> = database.database.iter().map(|url| ("database", url.as_str())).collect();
    let settings = crate::config::load(&Flags::of(&pairs), |name| std::env::var(name).ok())
        .map_err(|mistakes| Problem::new(crate::problem::Kind::Invalid, mistakes.join("\n  - ")))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Problem::internal)?;
    runtime.block_on(async {
        let clock = Arc::new(Clock::System);
        let store = Store::open(&StoreSettings::from(&settings), Arc::clone(&clock)).await?;
        let done = work(&store, &clock).await;
        store.close().await;
        done
    })
}

/// What an installed package says of itself.
fn manifest(installed: &Installed) -> Manifest {
    let value = serde_json::from_str(&installed.manifest).unwrap_or_default();
    Manifest { name: installed.name.clone(), version: installed.version.clone(), ..Manifest::from_json(&value) }
}

/// The audit record of a change by the person who runs the command.
fn record(interaction: &str, package: &str, clock: &Clock) -> AuditRecord {
    AuditRecord {
        recorded: clock.now(),
        interaction: interaction.to_owned(),
        status: 200,
        request_id: clock.new_id(),
        client: "kith package".to_owned(),
        user: std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_default(),
        resource_id: package.to_owned(),
        address: "local".to_owned(),
        ..AuditRecord::default()
    }
}
