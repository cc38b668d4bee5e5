//! Code systems and value sets: whether a code is in a value set, whether a code system has it. Compiled to hash tables at
//! first use and kept; answers come from memory. Called by validation, FHIRPath `memberOf` and search.
//! <https://hl7.org/fhir/R4/terminology-module.html>

mod code_system;
mod compile;
mod filter;
mod listing;
mod syntax;
mod value_set;

use std::sync::{Arc, PoisonError, RwLock};

use crate::fhir::definitions::Definitions;
use crate::fhir::hash::TextMap;

pub use code_system::{CompiledCodeSystem, Existence};
pub use listing::{Listed, Unlisted};
pub use value_set::CompiledValueSet;

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
    systems: Kept<CompiledCodeSystem>,
    value_sets: Kept<CompiledValueSet>,
}

impl Terminology {
    /// Nothing is compiled yet.
    #[must_use]
    pub fn new(definitions: Arc<Definitions>) -> Self {
        Self { definitions, systems: RwLock::default(), value_sets: RwLock::default() }
    }

    /// Whether a code is in a value set. Without a system any system of the set will do, as for elements of type `code`.
    #[must_use]
    pub fn member(&self, value_set: &str, system: Option<&str>, code: &str) -> Membership {
        match self.compiled(value_set) {
            Some(set) => set.member(system, code),
            None => Membership::Unknown { missing: value_set.to_owned() },
        }
    }

    /// Whether a code system has a code.
    #[must_use]
    pub fn code_exists(&self, system: &str, code: &str) -> Existence {
        self.system(system).map_or(Existence::Unknown, |system| system.code_exists(code))
    }

    /// A value set, compiled; none where it is not loaded.
    #[must_use]
    pub fn compiled(&self, canonical: &str) -> Option<Arc<CompiledValueSet>> {
        keep(&self.value_sets, canonical, || compile::value_set(self, canonical, &mut Vec::new()))
    }

    /// A code system, compiled; none where it is not loaded.
    #[must_use]
    pub fn system(&self, url: &str) -> Option<Arc<CompiledCodeSystem>> {
        keep(&self.systems, url, || {
            let definition = self.definitions.code_system(url)?;
            Some(CompiledCodeSystem::new(&definition))
        })
    }

    pub(crate) fn definitions(&self) -> &Definitions {
        &self.definitions
    }
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
