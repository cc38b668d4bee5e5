//! Code systems and value sets that clients have stored on the server, or sent with a request; the caller reads them.

use std::sync::Arc;

use super::CompiledCodeSystem;
use crate::fhir::canonical::Canonical;
use crate::fhir::definitions::{CodeSystem, ValueSet};

/// Definitions beside those of the packages.
#[derive(Debug, Default)]
pub struct Stored {
    value_sets: Vec<Arc<ValueSet>>,
    systems: Vec<Arc<CompiledCodeSystem>>,
    given: Vec<Arc<CompiledCodeSystem>>,
}

impl Stored {
    /// Adds a value set.
    pub fn add_value_set(&mut self, definition: ValueSet) {
        self.value_sets.push(Arc::new(definition));
    }

    /// Adds a code system.
    pub fn add_code_system(&mut self, definition: CodeSystem) {
        self.systems.push(Arc::new(CompiledCodeSystem::new(&Arc::new(definition))));
    }

    /// Adds a code system that a request is about, or that it adds to: it stands before all others with its url.
    pub fn give_code_system(&mut self, definition: CodeSystem) {
        self.given.push(Arc::new(CompiledCodeSystem::new(&Arc::new(definition))));
    }

    /// True where there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.value_sets.is_empty() && self.systems.is_empty() && self.given.is_empty()
    }

    pub(super) fn given(&self, canonical: &str) -> Option<Arc<CompiledCodeSystem>> {
        let is_it = |system: &&Arc<CompiledCodeSystem>| {
            is_named(canonical, &system.url, system.definition().version.as_deref())
        };
        self.given.iter().find(is_it).map(Arc::clone)
    }

    pub(super) fn value_set(&self, canonical: &str) -> Option<Arc<ValueSet>> {
        let is_it = |set: &&Arc<ValueSet>| is_named(canonical, &set.url, set.version.as_deref());
        self.value_sets.iter().find(is_it).map(Arc::clone)
    }

    pub(super) fn system(&self, canonical: &str) -> Option<Arc<CompiledCodeSystem>> {
        let is_it = |system: &&Arc<CompiledCodeSystem>| {
            is_named(canonical, &system.url, system.definition().version.as_deref())
        };
        self.systems.iter().find(is_it).map(Arc::clone)
    }

    pub(super) fn code_system(&self, canonical: &str) -> Option<Arc<CodeSystem>> {
        self.system(canonical).map(|system| system.shared_definition())
    }
}

/// Whether a canonical names a definition: its url, and its version or the beginning of it where one is asked for.
#[must_use]
pub fn is_named(canonical: &str, url: &str, version: Option<&str>) -> bool {
    let canonical = Canonical::parse(canonical);
    let begins = |wanted: &str| {
        let rest = version.and_then(|version| version.strip_prefix(wanted));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    };
    canonical.url == url && canonical.version.is_none_or(begins)
}
