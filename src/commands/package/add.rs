//! `kith package add`: packages with those they need go into the database. Dependencies are looked for among what is given,
//! what lies in the folders of `--from`, and what is installed; what is missing is named.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Said, check, manifest, record};
use crate::clock::Clock;
use crate::commands::client::DatabaseArgs;
use crate::fhir::definitions::Part;
use crate::fhir::definitions::package::{Manifest, Package};
use crate::package::dependencies::{self, Resolved};
use crate::package::{self, installed};
use crate::problem::{Kind, Problem};
use crate::store::{AuditRecord, Installed, Store};

/// The largest package, compressed, that the database takes.
const LARGEST: usize = 64 << 20;

/// What `kith package add` takes.
#[derive(Debug, Args)]
pub struct Add {
    /// Packages: FHIR package archives (.tgz) or folders of definitions, JSON or XML
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Where needed packages are looked for: packages, or folders with packages in them
    #[arg(long, value_name = "PATH")]
    from: Vec<PathBuf>,
    /// Add them although packages they need are missing
    #[arg(long)]
    allow_missing: bool,
    /// Name of the package, where the source has no package.json
    #[arg(long)]
    name: Option<String>,
    /// Version of the package, where the source has no package.json
    #[arg(long, value_name = "VERSION")]
    package_version: Option<String>,
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
}

impl Add {
    pub(super) async fn run(&self, store: &Store, clock: &Clock) -> Result<Said, Problem> {
        let present = store.packages().await?;
        let resolved = self.resolve(&present)?;
        if !resolved.missing.is_empty() && !self.allow_missing {
            let text = format!(
                "These packages are needed and nowhere to be found: {}. Say with --from where they are, or use --allow-missing.",
                resolved.missing.join(", ")
            );
            return Err(Problem::new(Kind::NotFound, text));
        }
        let mut lines: Vec<String> = resolved.notes.iter().map(|note| format!("Note: {note}")).collect();
        lines.extend(resolved.missing.iter().map(|missing| format!("Missing: {missing}")));
        let mut parts = check::installed_parts(store).await?;
        let mut added = Vec::new();
        for package in resolved.packages {
            let manifest = package.manifest.clone();
            if present.iter().any(|known| (&known.name, &known.version) == (&manifest.name, &manifest.version)) {
                lines.push(format!("{}#{} is installed already.", manifest.name, manifest.version));
                continue;
            }
            added.push(prepared(&package, clock)?);
            parts.push((format!("{}#{}", manifest.name, manifest.version), Part::of_package(package)?));
        }
        for (package, _, _) in &added {
            lines.push(format!("{}#{} is added: {} definitions.", package.name, package.version, package.definitions));
        }
        let names: Vec<String> = added.iter().map(|(it, ..)| format!("{}#{}", it.name, it.version)).collect();
        let failing = check::failing(&parts, |name| names.iter().any(|added| added == name))?;
        if !failing.is_empty() {
            lines.push(format!("{} definitions cannot be used; kith package check names them.", failing.len()));
        }
        write(store, added).await?;
        Ok(lines.join("\n").into())
    }

    fn resolve(&self, present: &[Installed]) -> Result<Resolved, Problem> {
        let given: Result<Vec<Package>, Problem> = self.paths.iter().map(|path| self.load(path)).collect();
        let installed: Vec<Manifest> = present.iter().map(manifest).collect();
        dependencies::resolve(given?, &dependencies::candidates(&self.from)?, &installed)
    }

    fn load(&self, path: &Path) -> Result<Package, Problem> {
        let mut package = package::load(path)?;
        let manifest = &mut package.manifest;
        if manifest.name.is_empty() {
            manifest.name = self.name.clone().ok_or_else(|| {
                let text = format!("{} has no package.json: give the package a name with --name.", path.display());
                Problem::new(Kind::Invalid, text)
            })?;
        }
        if manifest.version.is_empty() {
            manifest.version = self.package_version.clone().unwrap_or_else(|| "0.0.0".to_owned());
        }
        Ok(package)
    }
}

/// An installed package: what is listed of it, its content, the audit record of its addition.
type Addition = (Installed, Vec<u8>, AuditRecord);

fn prepared(package: &Package, clock: &Clock) -> Result<Addition, Problem> {
    let manifest = &package.manifest;
    let content = installed::content(package)?;
    if content.len() > LARGEST {
        let text = format!("The package {} is too large: {LARGEST} bytes, compressed, are taken.", manifest.name);
        return Err(Problem::new(Kind::TooLarge, text));
    }
    let listed = Installed {
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        added: clock.now(),
        definitions: i64::try_from(package.len()).unwrap_or(i64::MAX),
        manifest: manifest.to_json().to_string(),
    };
    let record = record("package-add", &format!("{}#{}", manifest.name, manifest.version), clock);
    Ok((listed, content, record))
}

async fn write(store: &Store, added: Vec<Addition>) -> Result<(), Problem> {
    let added = std::sync::Arc::new(added);
    let write = store.write(move |tx| {
        let added = std::sync::Arc::clone(&added);
        Box::pin(async move {
            let mut records = Vec::new();
            for (package, content, record) in added.iter() {
                tx.add_package(package, content).await?;
                records.push(record.clone());
            }
            Ok(((), records))
        })
    });
    write.await
}
