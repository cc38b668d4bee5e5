//! `kith package list`: the packages that the server works by, embedded ones first.

use clap::Args;
use serde_json::json;

use super::{Said, manifest};
use crate::commands::client::DatabaseArgs;
use crate::fhir::definitions::Definitions;
use crate::fhir::definitions::package::Manifest;
use crate::fhir::temporal;
use crate::problem::Problem;
use crate::store::{Installed, Store};

/// What `kith package list` takes.
#[derive(Debug, Args)]
pub struct List {
    /// One JSON object a line instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
}

impl List {
    pub(super) async fn run(&self, store: &Store) -> Result<Said, Problem> {
        let embedded = Definitions::embedded_packages();
        let installed = store.packages().await?;
        let embedded = embedded.iter().map(|manifest| self.line(manifest, None));
        let installed = installed.iter().map(|package| self.line(&manifest(package), Some(package)));
        Ok(embedded.chain(installed).collect::<Vec<_>>().join("\n").into())
    }

    fn line(&self, manifest: &Manifest, installed: Option<&Installed>) -> String {
        let added = installed.map(|package| temporal::format_instant(package.added));
        let count = installed.map(|package| package.definitions);
        let needs: Vec<String> =
            manifest.dependencies.iter().map(|(name, version)| format!("{name}#{version}")).collect();
        if self.json {
            let mut line = json!({ "name": manifest.name, "version": manifest.version, "dependencies": needs });
            line["embedded"] = json!(installed.is_none());
            if let (Some(added), Some(count)) = (added, count) {
                (line["added"], line["definitions"]) = (json!(added), json!(count));
            }
            return line.to_string();
        }
        let state = match (added, count) {
            (Some(added), Some(count)) => format!("{count} definitions, added {added}"),
            _ => "embedded".to_owned(),
        };
        let needs = if needs.is_empty() { String::new() } else { format!("\n    needs {}", needs.join(", ")) };
        format!("{}#{} {state}{needs}", manifest.name, manifest.version)
    }
}
