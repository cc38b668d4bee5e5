//! Code systems and value sets: whether a code is in a value set, whether a code system has it. Compiled to hash tables at
//! first use and kept; answers come from memory. Called by validation, FHIRPath `memberOf` and search.
//! <https://hl7.org/fhir/R4/terminology-module.html>

mod check;
mod code_system;
mod compile;
mod expand;
mod expansion;
mod filter;
mod listing;
mod lookup;
mod selected;
pub mod snomed;
mod stored;
pub mod supplement;
mod syntax;
pub mod translate;
mod value_set;
pub mod versions;

use std::sync::{Arc, PoisonError, RwLock};

use crate::fhir::definitions::{Changed, CodeSystem, Definitions, ValueSet};
use crate::fhir::hash::TextMap;

pub use check::{Asked, Verdict};
pub use code_system::{CompiledCodeSystem, CompiledConcept, Existence};
pub use expand::{Limits, Unexpanded};
pub use expansion::{Entry, Expansion, Shown};
pub use listing::{Listed, Unlisted};
pub use lookup::Subsumption;
pub use snomed::{Edition, Editions, implicit};
pub use stored::{Stored, is_named};
pub use syntax::LANGUAGES;
pub use value_set::CompiledValueSet;
pub use versions::Versions;

/// Whether a code is in a value set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Membership {
    /// It is.
    In,
    /// It is not.
    NotIn,
    /// Nobody here can say.
    Unknown {
        /// The code system or value set that would be needed.
        missing: String,
    },
}

type Kept<T> = RwLock<TextMap<String, Arc<T>>>;

/// All code systems and value sets of one registry of definitions.
#[derive(Debug)]
pub struct Terminology {
    definitions: Arc<Definitions>,
    editions: Editions,
    stored: Stored,
    versions: Versions,
    systems: Arc<Kept<CompiledCodeSystem>>,
    value_sets: Arc<Kept<CompiledValueSet>>,
}

impl Terminology {
    /// Nothing is compiled yet.
    #[must_use]
    pub fn new(definitions: Arc<Definitions>) -> Self {
        Self::with_editions(definitions, Editions::default())
    }

    /// The same with editions of SNOMED CT.
    #[must_use]
    pub fn with_editions(definitions: Arc<Definitions>, editions: Editions) -> Self {
        let (stored, versions) = (Stored::default(), Versions::default());
        Self { definitions, editions, stored, versions, systems: Arc::default(), value_sets: Arc::default() }
    }

    /// The edition of SNOMED CT that a canonical names, such as `http://snomed.info/sct`; none where it is not loaded.
    #[must_use]
    pub fn edition(&self, canonical: &str) -> Option<Arc<Edition>> {
        self.editions.find(canonical)
    }

    /// The editions of SNOMED CT that are loaded.
    #[must_use]
    pub const fn editions(&self) -> &Editions {
        &self.editions
    }

    /// The same with definitions that this server stores; they are used where `definitions` has none. What was compiled so far
    /// is shared as far as it cannot depend on them.
    #[must_use]
    pub fn with_stored(&self, stored: Stored) -> Self {
        let value_sets = if stored.is_empty() { Arc::clone(&self.value_sets) } else { Arc::default() };
        Self {
            definitions: Arc::clone(&self.definitions),
            editions: self.editions.clone(),
            stored,
            versions: Versions::default(),
            systems: Arc::clone(&self.systems),
            value_sets,
        }
    }

    /// The same for a request that asks for versions of code systems.
    #[must_use]
    pub fn with_versions(self, versions: Versions) -> Self {
        let value_sets = if versions.is_empty() { self.value_sets } else { Arc::default() };
        Self { versions, value_sets, ..self }
    }

    /// The canonical of a code system in the version that a clause names and the request allows.
    fn canonical_of(&self, system: &str, named: Option<&str>) -> String {
        self.versions.canonical(system, named)
    }

    /// The same over a registry that succeeds the definitions: what was compiled stays as far as it is still true.
    #[must_use]
    pub fn succeeding(&self, definitions: Arc<Definitions>, changed: &Changed) -> Self {
        Self {
            systems: unchanged(&self.systems, changed),
            value_sets: unchanged(&self.value_sets, changed),
            ..Self::with_editions(definitions, self.editions.clone())
        }
    }

    /// Whether a code is in a value set. Without a system any system of the set will do, as for elements of type `code`.
    #[must_use]
    pub fn member(&self, value_set: &str, system: Option<&str>, code: &str) -> Membership {
        match self.compiled(value_set) {
            Some(set) => set.member(system, code),
            None => Membership::Unknown { missing: value_set.to_owned() },
        }
    }

    /// Whether a code follows the grammar by which its system defines its codes; none where the system has no grammar.
    #[must_use]
    pub fn is_well_formed(system: &str, code: &str) -> Option<bool> {
        syntax::grammar(system).map(|grammar| grammar.accepts(code))
    }

    /// Whether a code system has a code. Where it is not loaded, or in part only, its grammar decides, if it has one.
    #[must_use]
    pub fn code_exists(&self, system: &str, code: &str) -> Existence {
        if let Some(edition) = self.edition(system) {
            return edition.code_exists(code);
        }
        let listed = self.system(system).map_or(Existence::Unknown, |system| system.code_exists(code));
        match Self::is_well_formed(system, code) {
            Some(true) if listed == Existence::Unknown => Existence::Exists,
            Some(false) if listed == Existence::Unknown => Existence::Missing,
            _ => listed,
        }
    }

    /// A value set, compiled; none where it is not loaded.
    #[must_use]
    pub fn compiled(&self, canonical: &str) -> Option<Arc<CompiledValueSet>> {
        if implicit::is_one(canonical) {
            // Anybody may ask for any of these without end: they are not kept.
            return self.value_set(canonical).map(|definition| Arc::new(self.compile(&definition)));
        }
        keep(&self.value_sets, canonical, || compile::value_set(self, canonical, &mut compile::Walk::new()))
    }

    /// A code system, compiled; none where it is not loaded.
    #[must_use]
    pub fn system(&self, url: &str) -> Option<Arc<CompiledCodeSystem>> {
        if let Some(given) = self.stored.given(url) {
            return Some(given);
        }
        let kept = keep(&self.systems, url, || self.definitions.code_system(url).as_ref().map(CompiledCodeSystem::new));
        kept.or_else(|| self.stored.system(url))
    }

    /// A value set that is not among the definitions, compiled.
    #[must_use]
    pub fn compile(&self, definition: &ValueSet) -> CompiledValueSet {
        compile::compile(self, definition)
    }

    /// The definition of a value set; none where it is not loaded.
    #[must_use]
    pub fn value_set(&self, canonical: &str) -> Option<Arc<ValueSet>> {
        if let Some(definition) = implicit::value_set(canonical) {
            return ValueSet::from_json(&definition).map(Arc::new);
        }
        self.definitions.value_set(canonical).or_else(|| self.stored.value_set(canonical))
    }

    /// The definition of a code system; none where it is not loaded.
    #[must_use]
    pub fn code_system(&self, canonical: &str) -> Option<Arc<CodeSystem>> {
        self.definitions.code_system(canonical).or_else(|| self.stored.code_system(canonical))
    }
}

/// What is kept and does not depend on what changed.
fn unchanged<T>(kept: &Kept<T>, changed: &Changed) -> Arc<Kept<T>> {
    let kept = kept.read().unwrap_or_else(PoisonError::into_inner);
    let same = kept.iter().filter(|(key, _)| !changed.touches(key));
    Arc::new(RwLock::new(same.map(|(key, made)| (key.clone(), Arc::clone(made))).collect()))
}

/// What is kept under a key, made where it is not there yet. Two threads may make it at once; the first is kept. What
/// there is not is not remembered: keys come from input too.
fn keep<T>(kept: &Kept<T>, key: &str, make: impl FnOnce() -> Option<T>) -> Option<Arc<T>> {
    if let Some(found) = kept.read().unwrap_or_else(PoisonError::into_inner).get(key) {
        return Some(Arc::clone(found));
    }
    let new = Arc::new(make()?);
    let mut table = kept.write().unwrap_or_else(PoisonError::into_inner);
    Some(Arc::clone(table.entry(key.to_owned()).or_insert(new)))
}

/// How an operator gets what is missing, for people.
#[must_use]
pub fn how_to_load(missing: &str) -> &'static str {
    if missing.starts_with(snomed::SYSTEM) {
        "Load a SNOMED CT release that has it: kith terminology load."
    } else {
        "Load a package that has it (--package), or store it as a resource with this canonical url."
    }
}
