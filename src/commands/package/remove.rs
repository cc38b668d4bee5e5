//! `kith package remove`: a package goes, unless another one needs it.

use clap::Args;

use super::{Said, manifest, record};
use crate::clock::Clock;
use crate::commands::client::DatabaseArgs;
use crate::problem::{Kind, Problem};
use crate::store::{Installed, Store};

/// What `kith package remove` takes.
#[derive(Debug, Args)]
pub struct Remove {
    /// NAME#VERSION, or NAME where one version is installed
    package: String,
    /// Remove it although other packages need it
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
}

impl Remove {
    pub(super) async fn run(&self, store: &Store, clock: &Clock) -> Result<Said, Problem> {
        let installed = store.packages().await?;
        let found = self.find(&installed)?;
        let (name, version) = (found.name.clone(), found.version.clone());
        let still_there = installed.iter().any(|other| other.name == name && other.version != version);
        let needed_by: Vec<String> = installed
            .iter()
            .filter(|other| manifest(other).dependencies.iter().any(|(needed, _)| *needed == name))
            .map(|other| format!("{}#{}", other.name, other.version))
            .collect();
        if !needed_by.is_empty() && !still_there && !self.force {
            let text = format!("Other packages need it: {}. Remove these first, or use --force.", needed_by.join(", "));
            return Err(Problem::new(Kind::BusinessRule, text));
        }
        let record = record("package-remove", &format!("{name}#{version}"), clock);
        let text = format!("Package {name}#{version} is removed.");
        let write = store.write(move |tx| {
            let (name, version, record) = (name.clone(), version.clone(), record.clone());
            Box::pin(async move {
                tx.remove_package(&name, &version).await?;
                Ok(((), vec![record]))
            })
        });
        write.await?;
        Ok(text.into())
    }

    fn find<'i>(&self, installed: &'i [Installed]) -> Result<&'i Installed, Problem> {
        let (name, version) = match self.package.split_once('#') {
            Some((name, version)) => (name, Some(version)),
            None => (self.package.as_str(), None),
        };
        let mut fitting = installed
            .iter()
            .filter(|package| package.name == name && version.is_none_or(|version| package.version == version));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(Problem::new(Kind::NotFound, "No such package is installed. See kith package list.")),
            (Some(_), Some(_)) => {
                Err(Problem::new(Kind::Invalid, "Several versions are installed: name one as NAME#VERSION."))
            }
        }
    }
}
