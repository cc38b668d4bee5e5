//! The registry of definitions: every package's definitions by canonical, parsed lazily. Immutable; more definitions make a
//! new registry that shares what was parsed, see `succession`.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::embedded;
use super::entry::{Entry, Parsed, Text};
use super::model::{CodeSystem, SearchParameter, StructureDefinition, ValueSet};
use super::package::Manifest;
use super::snapshot::{Resolver, Snapshot, generate};
use crate::fhir::types::Types;
use crate::problem::{Kind, Problem};

/// All definitions the server knows.
#[derive(Debug)]
pub struct Definitions {
    pub(super) entries: Vec<Arc<Entry>>,
    /// Positions by url, the preferred one of each resource type last.
    pub(super) by_url: HashMap<Arc<str>, Vec<u32>>,
    pub(super) snapshots: Vec<OnceLock<Arc<Snapshot>>>,
    search_parameters: OnceLock<HashMap<String, Vec<Arc<SearchParameter>>>>,
    profiles: OnceLock<HashMap<String, Vec<String>>>,
}

impl Definitions {
    /// FHIR R4, UK Core and Kith's own definitions, as embedded in the binary. Indexed once a process.
    pub fn embedded() -> Arc<Self> {
        static EMBEDDED: OnceLock<Arc<Definitions>> = OnceLock::new();
        Arc::clone(EMBEDDED.get_or_init(|| {
            let mut embedded = Self::with_capacity(0);
            embedded.add(embedded_entries());
            Arc::new(embedded)
        }))
    }

    /// What the embedded packages say of themselves.
    #[must_use]
    pub fn embedded_packages() -> Vec<Manifest> {
        let names = [embedded::CORE, embedded::UK_CORE, embedded::KITH];
        let texts = names.map(|name| embedded::text(&format!("{name}/package.json")));
        texts
            .iter()
            .filter_map(|text| serde_json::from_str(text).ok())
            .map(|value| Manifest::from_json(&value))
            .collect()
    }

    pub(super) fn with_capacity(count: usize) -> Self {
        Self {
            entries: Vec::with_capacity(count),
            by_url: HashMap::with_capacity(count),
            snapshots: Vec::with_capacity(count),
            search_parameters: OnceLock::new(),
            profiles: OnceLock::new(),
        }
    }

    pub(super) fn find(&self, resource_type: &str, canonical: &str) -> Option<(usize, &Arc<Entry>)> {
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
            Some(version) => {
                let first = |is_it: &dyn Fn(&Entry) -> bool| candidates.clone().find(|(_, entry)| is_it(entry));
                first(&|entry| entry.version.as_deref() == Some(version))
                    .or_else(|| first(&|entry| entry.has_version(version)))
                    .or_else(|| first(&|entry| version == "4.0.1" && &*entry.package == embedded::CORE))
            }
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

    /// Generates the snapshot of a definition without keeping it, and says what stands against it, as [`Self::snapshot`] does.
    pub fn try_snapshot(&self, canonical: &str) -> Result<(), Problem> {
        match self.find("StructureDefinition", canonical).map(|(at, entry)| (at, entry.parsed())) {
            Some((at, Parsed::Structure(structure)))
                if self.snapshots.get(at).is_none_or(|cell| cell.get().is_none()) =>
            {
                generate(structure, &mut Chained { definitions: self, chain: &mut vec![at] }).map(|_| ())
            }
            _ => self.snapshot(canonical).map(|_| ()),
        }
    }

    /// The snapshot of a definition that may not be among these; what it builds on is.
    pub fn snapshot_of(&self, structure: &Arc<StructureDefinition>) -> Result<Snapshot, Problem> {
        generate(structure, &mut Chained { definitions: self, chain: &mut Vec::new() })
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
        of_type.map(|entry| (&*entry.package, entry.canonical()))
    }

    /// Canonical (`url|version`) of every StructureDefinition, in the order in which they were added, with its url and whether
    /// the url alone means it.
    pub(crate) fn structures(&self) -> impl Iterator<Item = (String, &str, bool)> {
        const STRUCTURE: &str = "StructureDefinition";
        let all = self.entries.iter().enumerate().filter(|(_, entry)| &*entry.resource_type == STRUCTURE);
        all.map(|(at, entry)| {
            let is_preferred = self.find(STRUCTURE, &entry.url).is_some_and(|(preferred, _)| preferred == at);
            (entry.canonical(), &*entry.url, is_preferred)
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
