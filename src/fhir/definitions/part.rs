//! Definitions ready to be added to a registry: a package, or a resource that a client has stored. Made once; every registry
//! that has it shares what was parsed of it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::embedded;
use super::entry::{Entry, Parsed, Text};
use super::import::{compact_line, facts};
use super::package::Package;
use super::{Definitions, import};
use crate::problem::{Kind, Problem};

/// Definitions that are added to a registry together.
#[derive(Debug, Clone, Default)]
pub struct Part {
    pub(super) entries: Vec<Arc<Entry>>,
}

impl Part {
    /// The definitions of a package. Err: the package is for another version of FHIR, or a StructureDefinition cannot be read;
    /// what FHIR itself defines is passed over.
    pub fn of_package(package: Package) -> Result<Self, Problem> {
        refuse_other_fhir_versions(&package)?;
        let name: Arc<str> = package.manifest.name.as_str().into();
        let mut entries = Vec::with_capacity(package.definitions.len());
        for text in package.definitions {
            let Some(entry) = Entry::new(Text::Loaded(text), &name) else { continue };
            refuse_broken_structure(&entry)?;
            if !is_core_structure(&entry) {
                entries.push(Arc::new(entry));
            }
        }
        Ok(Self { entries })
    }

    /// A definition that a client has stored; empty for what has no canonical url, cannot be read, or is FHIR's own.
    #[must_use]
    pub fn of_resource(resource: &Value) -> Self {
        const STORED: &str = "stored";
        let text = match resource.get("resourceType").and_then(Value::as_str) {
            // Of these more is asked than the facts: designations, the narrative aside.
            Some("ValueSet" | "CodeSystem" | "ConceptMap") => compact_line(&import::without_narrative(resource)),
            _ => match facts(resource, import::Others::Keep) {
                Some(facts) => compact_line(&facts),
                None => return Self::default(),
            },
        };
        let entry = Entry::new(Text::Loaded(text.into_boxed_str()), &STORED.into());
        let entry = entry.filter(|entry| !is_core_structure(entry) && !is_own(entry));
        Self {
            entries: entry
                .filter(|entry| !matches!(entry.parsed(), Parsed::Broken))
                .map(Arc::new)
                .into_iter()
                .collect(),
        }
    }

    /// As [`Part::of_resource`], for a definition that is only tried: where it states no version it is given one, so that its
    /// canonical means no other.
    #[must_use]
    pub fn on_trial(resource: &Value) -> Self {
        if resource.get("version").is_some() {
            return Self::of_resource(resource);
        }
        let mut named = resource.clone();
        named["version"] = json!("on-trial");
        Self::of_resource(&named)
    }

    /// Canonical (`url|version`) of each definition with its resource type.
    pub fn canonicals(&self) -> impl Iterator<Item = (&str, String)> {
        self.entries.iter().map(|entry| (&*entry.resource_type, entry.canonical()))
    }

    /// How many definitions there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// True where there is nothing to add.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// True for the definitions that FHIR R4 itself publishes below its own address; nothing stored takes their place.
fn is_own(entry: &Entry) -> bool {
    entry.url.starts_with("http://hl7.org/fhir/") && is_core(entry)
}

fn is_core_structure(entry: &Entry) -> bool {
    &*entry.resource_type == "StructureDefinition" && is_core(entry)
}

fn is_core(entry: &Entry) -> bool {
    let embedded = Definitions::embedded();
    let known = embedded.by_url.get(&entry.url).into_iter().flatten();
    let mut known = known.filter_map(|at| embedded.entries.get(*at as usize));
    known.any(|known| known.resource_type == entry.resource_type && &*known.package == embedded::CORE)
}

fn refuse_broken_structure(entry: &Entry) -> Result<(), Problem> {
    if &*entry.resource_type != "StructureDefinition" || entry.is_structure() {
        return Ok(());
    }
    let text = format!(
        "The StructureDefinition {} in package {} cannot be read: it needs kind, type and url, and a known kind.",
        entry.url, entry.package
    );
    Err(Problem::new(Kind::Unprocessable, text))
}

fn refuse_other_fhir_versions(package: &Package) -> Result<(), Problem> {
    let versions = &package.manifest.fhir_versions;
    if versions.is_empty() || versions.iter().any(|version| version.starts_with("4.0")) {
        return Ok(());
    }
    let text = format!("The package {} is for FHIR {}, not for FHIR 4.0.", package.manifest.name, versions.join(", "));
    Err(Problem::new(Kind::Invalid, text))
}
