//! The registry of definitions: every package's definitions by canonical, parsed lazily. Immutable; an operator's packages
//! make a new registry that shares what was parsed.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::embedded;
use super::entry::{Entry, Parsed, Text};
use super::model::{CodeSystem, SearchParameter, StructureDefinition, ValueSet};
use super::package::Package;
use super::snapshot::{Resolver, Snapshot, generate};
use crate::fhir::types::Types;
use crate::problem::{Kind, Problem};

/// All definitions the server knows.
#[derive(Debug)]
pub struct Definitions {
    entries: Vec<Arc<Entry>>,
    by_url: HashMap<Box<str>, Vec<u32>>,
    snapshots: Vec<OnceLock<Arc<Snapshot>>>,
    search_parameters: OnceLock<HashMap<String, Vec<Arc<SearchParameter>>>>,
    profiles: OnceLock<HashMap<String, Vec<String>>>,
}

impl Definitions {
    /// FHIR R4, UK Core and Kith's own definitions, as embedded in the binary. Indexed once a process.
    pub fn embedded() -> Arc<Self> {
        static EMBEDDED: OnceLock<Arc<Definitions>> = OnceLock::new();
        Arc::clone(EMBEDDED.get_or_init(|| Arc::new(Self::index(embedded_entries()))))
    }

    /// A registry with these packages added. Where an unversioned canonical names several versions, the package added
    /// last wins; the base definitions of FHIR itself cannot be replaced.
    pub fn with_packages(&self, packages: Vec<Package>) -> Result<Self, Problem> {
        let mut entries = self.entries.clone();
        for package in packages {
            refuse_other_fhir_versions(&package)?;
            let name: Arc<str> = package.manifest.name.as_str().into();
            for text in package.definitions {
                let Some(entry) = Entry::new(Text::Loaded(text), &name) else { continue };
                refuse_broken_structure(&entry)?;
                if !self.is_core_structure(&entry.url) {
                    entries.push(Arc::new(entry));
                }
            }
        }
        Ok(Self::index(entries))
    }

    fn is_core_structure(&self, url: &str) -> bool {
        self.find("StructureDefinition", url).is_some_and(|(_, entry)| &*entry.package == embedded::CORE)
    }

    fn index(entries: Vec<Arc<Entry>>) -> Self {
        let mut by_url: HashMap<Box<str>, Vec<u32>> = HashMap::with_capacity(entries.len());
        for (entry, number) in entries.iter().zip(0..) {
            by_url.entry(entry.url.clone()).or_default().push(number);
        }
        let snapshots = entries.iter().map(|_| OnceLock::new()).collect();
        Self { entries, by_url, snapshots, search_parameters: OnceLock::new(), profiles: OnceLock::new() }
    }

    fn find(&self, resource_type: &str, canonical: &str) -> Option<(usize, &Arc<Entry>)> {
        let (url, version) = match canonical.split_once('|') {
            Some((url, version)) => (url, Some(version.split('#').next().unwrap_or(version))),
            None => (canonical.split('#').next().unwrap_or(canonical), None),
        };
        let candidates = self.by_url.get(url)?.iter().rev().filter_map(|&at| {
            let entry = self.entries.get(at as usize)?;
            (*entry.resource_type == *resource_type).then_some((at as usize, entry))
        });
        match version {
            None => candidates.clone().next(),
            // FHIR's own definitions pin everything to 4.0.1, also vocabulary that has versions of its own.
            Some(version) => candidates.clone().find(|(_, entry)| entry.has_version(version)).or_else(|| {
                candidates.into_iter().find(|(_, entry)| version == "4.0.1" && &*entry.package == embedded::CORE)
            }),
        }
    }

    /// The type, profile or extension with this canonical (`url` or `url|version`).
    #[must_use]
    pub fn structure(&self, canonical: &str) -> Option<Arc<StructureDefinition>> {
        match self.find("StructureDefinition", canonical)?.1.parsed() {
            Parsed::Structure(structure) => Some(Arc::clone(structure)),
            _ => None,
        }
    }

    /// All elements of a type, profile or extension, inherited ones included; generated at the first call. An unknown
    /// canonical, a circular base chain or a differential that fits no element is a problem.
    pub fn snapshot(&self, canonical: &str) -> Result<Arc<Snapshot>, Problem> {
        self.snapshot_within(canonical, &mut Vec::new())
    }

    fn snapshot_within(&self, canonical: &str, chain: &mut Vec<usize>) -> Result<Arc<Snapshot>, Problem> {
        let found = self.find("StructureDefinition", canonical);
        let Some((at, Parsed::Structure(structure))) = found.map(|(at, entry)| (at, entry.parsed())) else {
            return Err(Problem::new(
                Kind::NotFound,
                format!(
                    "No StructureDefinition with the canonical {canonical} is loaded. Add its package with --package."
                ),
            ));
        };
        let cache = self.snapshots.get(at);
        if let Some(snapshot) = cache.and_then(OnceLock::get) {
            return Ok(Arc::clone(snapshot));
        }
        if chain.contains(&at) {
            let text = format!("The StructureDefinition {canonical} is built on itself.");
            return Err(Problem::new(Kind::Unprocessable, text));
        }
        chain.push(at);
        let snapshot = generate(structure, &mut Chained { definitions: self, chain });
        chain.pop();
        let snapshot = Arc::new(snapshot?);
        Ok(cache.map_or_else(|| Arc::clone(&snapshot), |cache| Arc::clone(cache.get_or_init(|| Arc::clone(&snapshot)))))
    }

    /// The value set with this canonical.
    #[must_use]
    pub fn value_set(&self, canonical: &str) -> Option<Arc<ValueSet>> {
        match self.find("ValueSet", canonical)?.1.parsed() {
            Parsed::ValueSet(value_set) => Some(Arc::clone(value_set)),
            _ => None,
        }
    }

    /// The code system with this canonical.
    #[must_use]
    pub fn code_system(&self, canonical: &str) -> Option<Arc<CodeSystem>> {
        match self.find("CodeSystem", canonical)?.1.parsed() {
            Parsed::CodeSystem(code_system) => Some(Arc::clone(code_system)),
            _ => None,
        }
    }

    /// The search parameters of a resource type, those of Resource and DomainResource included, by code.
    #[must_use]
    pub fn search_parameters(&self, resource_type: &str) -> Vec<Arc<SearchParameter>> {
        let table = self.search_parameters.get_or_init(|| self.collect_search_parameters());
        let types = Types::r4();
        let mut names = Vec::new();
        let mut next = types.get(resource_type);
        while let Some(index) = next {
            let definition = types.definition(index);
            names.push(&*definition.name);
            next = definition.base;
        }
        let mut found: Vec<Arc<SearchParameter>> = Vec::new();
        for parameter in names.iter().filter_map(|name| table.get(*name)).flatten() {
            if found.iter().all(|known| known.code != parameter.code) {
                found.push(Arc::clone(parameter));
            }
        }
        found.sort_by(|a, b| a.code.cmp(&b.code));
        found
    }

    /// By base type, later packages first.
    fn collect_search_parameters(&self) -> HashMap<String, Vec<Arc<SearchParameter>>> {
        let mut table: HashMap<String, Vec<Arc<SearchParameter>>> = HashMap::new();
        for entry in self.entries.iter().rev().filter(|entry| &*entry.resource_type == "SearchParameter") {
            if let Parsed::SearchParameter(parameter) = entry.parsed() {
                for base in &parameter.base {
                    table.entry(base.clone()).or_default().push(Arc::clone(parameter));
                }
            }
        }
        table
    }

    /// The search parameter with this canonical; the parts of composites name theirs so.
    #[must_use]
    pub fn search_parameter(&self, canonical: &str) -> Option<Arc<SearchParameter>> {
        match self.find("SearchParameter", canonical)?.1.parsed() {
            Parsed::SearchParameter(parameter) => Some(Arc::clone(parameter)),
            _ => None,
        }
    }

    /// The names of all resource types.
    #[must_use]
    pub fn resource_types(&self) -> &[String] {
        Types::r4().resource_types()
    }

    /// True for the name of a resource type.
    #[must_use]
    pub fn is_resource_type(&self, name: &str) -> bool {
        Types::r4().is_resource_type(name)
    }

    /// Canonicals of the UK Core profiles that apply to every resource of a type.
    #[must_use]
    pub fn profiles_for_type(&self, resource_type: &str) -> &[String] {
        let table = self.profiles.get_or_init(|| super::by_type::general_profiles(self));
        table.get(resource_type).map_or(&[], Vec::as_slice)
    }

    /// The Questionnaire with this canonical.
    #[must_use]
    pub fn questionnaire(&self, canonical: &str) -> Option<Arc<Value>> {
        match self.find("Questionnaire", canonical)?.1.parsed() {
            Parsed::Other(value) => Some(Arc::clone(value)),
            _ => None,
        }
    }

    /// Any definition as JSON: a Questionnaire, a CompartmentDefinition, the facts of a profile.
    #[must_use]
    pub fn other(&self, resource_type: &str, canonical: &str) -> Option<Value> {
        let (_, entry) = self.find(resource_type, canonical)?;
        match entry.parsed() {
            Parsed::Other(value) => Some((**value).clone()),
            _ => entry.json(),
        }
    }

    /// Canonicals (`url|version`) of all definitions of a resource type, with the package each came with.
    pub fn canonicals<'a>(&'a self, resource_type: &'a str) -> impl Iterator<Item = (&'a str, String)> {
        let of_type = self.entries.iter().filter(move |entry| &*entry.resource_type == resource_type);
        of_type.map(|entry| {
            let canonical = match &entry.version {
                Some(version) => format!("{}|{version}", entry.url),
                None => entry.url.to_string(),
            };
            (&*entry.package, canonical)
        })
    }
}

/// Resolves what a snapshot needs while remembering which snapshots wait for it.
struct Chained<'a> {
    definitions: &'a Definitions,
    chain: &'a mut Vec<usize>,
}

impl Resolver for Chained<'_> {
    fn structure(&self, canonical: &str) -> Option<Arc<StructureDefinition>> {
        self.definitions.structure(canonical)
    }

    fn snapshot(&mut self, canonical: &str) -> Result<Arc<Snapshot>, Problem> {
        self.definitions.snapshot_within(canonical, self.chain)
    }
}

fn embedded_entries() -> Vec<Arc<Entry>> {
    let mut entries = Vec::new();
    // FHIR first, then UK Core, then our own: the order in which packages build on each other.
    for package in [embedded::CORE, embedded::UK_CORE, embedded::KITH] {
        let name: Arc<str> = package.into();
        for (_, text) in embedded::FILES.iter().filter(|(file, _)| embedded::is_definition_of(file, package)) {
            let texts: Box<dyn Iterator<Item = &'static str>> =
                if text.starts_with("{\"") { Box::new(text.lines()) } else { Box::new(std::iter::once(*text)) };
            entries.extend(texts.filter_map(|text| Entry::new(Text::Embedded(text), &name)).map(Arc::new));
        }
    }
    entries
}

fn refuse_broken_structure(entry: &Entry) -> Result<(), Problem> {
    if &*entry.resource_type != "StructureDefinition" || !matches!(entry.parsed(), Parsed::Broken) {
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
