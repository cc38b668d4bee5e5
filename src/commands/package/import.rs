//! `kith package import`: full FHIR definitions become the compact facts that this server embeds.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use crate::fhir::definitions::import::{Closure, Others, facts, reach};
use crate::fhir::definitions::package::Manifest;
use crate::package::{self, Layout, Limits};
use crate::problem::{Kind, Problem};

/// What to import, and how.
#[derive(Debug, Args)]
pub struct Import {
    /// Folders of definitions, Bundle files, single definitions or FHIR package archives (.tgz); JSON or XML.
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
    /// Folder to write to.
    #[arg(long)]
    pub out: PathBuf,
    /// One file for each definition instead of one for each resource type.
    #[arg(long)]
    pub files: bool,
    /// Keep only value sets and code systems that bindings of these strengths reach.
    #[arg(long, value_delimiter = ',', value_name = "STRENGTHS")]
    pub closure: Vec<String>,
    /// Largest terminology definition, in bytes of facts, that example and preferred bindings may bring in.
    #[arg(long, default_value_t = 60_000, value_name = "BYTES")]
    pub closure_limit: usize,
    /// Further folders of definitions whose bindings and value sets count for the closure.
    #[arg(long, value_name = "FOLDER")]
    pub roots: Vec<PathBuf>,
    /// Package name, where the source has no package.json.
    #[arg(long)]
    pub name: Option<String>,
    /// Package version, where the source has no package.json.
    #[arg(long, value_name = "VERSION")]
    pub package_version: Option<String>,
    /// A package this one needs, as name#version, where the source has no package.json.
    #[arg(long, value_name = "NAME#VERSION")]
    pub dependency: Vec<String>,
}

impl Import {
    /// Reads, trims, selects and writes; returns a line that says what was written.
    pub fn run(&self) -> Result<String, Problem> {
        let mut manifest = Manifest::default();
        let mut definitions = Vec::new();
        for path in &self.paths {
            let found = package::read(path, &Limits::default(), &mut |resource| {
                definitions.extend(facts(&resource, Others::Drop));
            })?;
            if !found.name.is_empty() {
                manifest = found;
            }
        }
        if definitions.is_empty() {
            return Err(Problem::new(Kind::Invalid, "No FHIR definitions were found there."));
        }
        self.complete(&mut manifest);
        if !self.closure.is_empty() {
            definitions = self.select(definitions)?;
        }
        let layout = if self.files { Layout::Files } else { Layout::Lines };
        let repeated = package::write(&self.out, &manifest, &definitions, layout)?;
        let written = definitions.len() - repeated;
        let note =
            if repeated > 0 { format!(" ({repeated} with a url seen before passed over)") } else { String::new() };
        Ok(format!("{written} definitions written to {}{note}", self.out.display()))
    }

    fn complete(&self, manifest: &mut Manifest) {
        if let Some(name) = &self.name {
            manifest.name.clone_from(name);
        }
        if let Some(version) = &self.package_version {
            manifest.version.clone_from(version);
        }
        if manifest.fhir_versions.is_empty() {
            manifest.fhir_versions = vec!["4.0.1".to_owned()];
        }
        for dependency in &self.dependency {
            let (name, version) = dependency.split_once('#').unwrap_or((dependency, ""));
            manifest.dependencies.push((name.to_owned(), version.to_owned()));
        }
    }

    fn select(&self, definitions: Vec<Value>) -> Result<Vec<Value>, Problem> {
        let mut roots = Vec::new();
        for folder in &self.roots {
            package::read(folder, &Limits::default(), &mut |resource| roots.push(resource))?;
        }
        let closure = Closure { strengths: self.closure.clone(), limit: self.closure_limit };
        let reached = reach(&definitions, &roots, &closure);
        let is_wanted = |definition: &Value| {
            let text = |name: &str| definition.get(name).and_then(Value::as_str).unwrap_or_default();
            match text("resourceType") {
                "ValueSet" | "CodeSystem" => reached.contains(text("url")),
                "StructureDefinition" | "SearchParameter" | "CompartmentDefinition" | "OperationDefinition" => true,
                _ => false,
            }
        };
        Ok(definitions.into_iter().filter(is_wanted).collect())
    }
}
