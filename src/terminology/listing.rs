//! What a search by value set or by hierarchy asks for: codes by system. Called by the search parameters' modifiers `:in`,
//! `:above`, `:below`, which need a list where membership alone needs an answer.

use std::collections::{BTreeMap, HashSet};

use super::compile::compile;
use super::{CompiledCodeSystem, CompiledValueSet, Terminology};
use super::{snomed, syntax};
use crate::fhir::definitions::{Compose, Include, ValueSet};

/// Codes of one system that belong to a value set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The system; empty for codes without one.
    pub system: String,
    /// The codes; none where every code of the system belongs to it.
    pub codes: Option<Vec<String>>,
}

/// Why a value set cannot be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlisted {
    /// It is not loaded.
    NotFound,
    /// It depends on codes that are not loaded, or excludes some from a system that cannot be listed.
    Incomplete,
    /// It has more codes than were asked for.
    TooMany,
}

/// More imports within imports than this are a circle.
const DEEPEST: usize = 8;

impl Terminology {
    /// The codes of a value set by system, `most` at the most.
    pub fn list(&self, canonical: &str, most: usize) -> Result<Vec<Listed>, Unlisted> {
        let definition = self.value_set(canonical).ok_or(Unlisted::NotFound)?;
        let compiled = self.compiled(canonical).ok_or(Unlisted::NotFound)?;
        self.listed(&definition, &compiled, most, 0)
    }

    /// The codes of a value set that is not among the definitions.
    pub fn list_of(&self, definition: &ValueSet, most: usize) -> Result<Vec<Listed>, Unlisted> {
        self.listed(definition, &compile(self, definition), most, 0)
    }

    /// A code with those below it in its system; none where the system is not loaded or has not the code.
    #[must_use]
    pub fn with_descendants(&self, system: &str, code: &str) -> Option<Vec<String>> {
        if let Some(edition) = self.edition(system) {
            return Some(edition.related(edition.find(code)?, false));
        }
        self.related(system, code, |system, code| system.below(code, true))
    }

    /// A code with those above it in its system; none where the system is not loaded or has not the code.
    #[must_use]
    pub fn with_ancestors(&self, system: &str, code: &str) -> Option<Vec<String>> {
        if let Some(edition) = self.edition(system) {
            return Some(edition.related(edition.find(code)?, true));
        }
        self.related(system, code, |system, code| system.above(code, true))
    }

    fn related(
        &self,
        system: &str,
        code: &str,
        found: impl Fn(&CompiledCodeSystem, &str) -> HashSet<Box<str>>,
    ) -> Option<Vec<String>> {
        let system = self.system(system)?;
        let code = &*system.concept(code)?.code;
        let all = found(&system, code);
        let mut codes: Vec<String> = system.codes().filter(|code| all.contains(*code)).map(str::to_owned).collect();
        codes.sort_unstable();
        Some(codes)
    }

    fn listed(
        &self,
        definition: &ValueSet,
        compiled: &CompiledValueSet,
        most: usize,
        depth: usize,
    ) -> Result<Vec<Listed>, Unlisted> {
        if compiled.is_complete() && compiled.grammars.is_empty() {
            return by_system(compiled, most);
        }
        if !definition.compose.exclude.is_empty() || depth > DEEPEST {
            return Err(Unlisted::Incomplete);
        }
        let mut all = Vec::new();
        for include in &definition.compose.include {
            all.extend(self.included(include, most, depth)?);
        }
        let count: usize = all.iter().map(|listed| listed.codes.as_ref().map_or(1, Vec::len)).sum();
        if count > most { Err(Unlisted::TooMany) } else { Ok(all) }
    }

    fn included(&self, include: &Include, most: usize, depth: usize) -> Result<Vec<Listed>, Unlisted> {
        match (&include.system, include.value_sets.as_slice()) {
            (Some(system), []) if !include.concepts.is_empty() => {
                let codes = include.concepts.iter().map(|concept| concept.code.clone()).collect();
                Ok(vec![Listed { system: system.clone(), codes: Some(codes) }])
            }
            (Some(system), []) if include.filters.is_empty() => Ok(vec![self.whole(system)]),
            (Some(_), []) => {
                let compiled = compile(self, &only(include));
                if compiled.is_complete() { by_system(&compiled, most) } else { Err(Unlisted::Incomplete) }
            }
            (None, [canonical]) => {
                let definition = self.value_set(canonical).ok_or(Unlisted::Incomplete)?;
                let compiled = self.compiled(canonical).ok_or(Unlisted::Incomplete)?;
                self.listed(&definition, &compiled, most, depth + 1)
            }
            _ => Err(Unlisted::Incomplete),
        }
    }

    /// A whole system: by its codes where they are few and known, else by its name.
    fn whole(&self, system: &str) -> Listed {
        let loaded = self.system(system).filter(|loaded| loaded.is_complete() && syntax::grammar(system).is_none());
        let codes = loaded.map(|loaded| loaded.codes().map(str::to_owned).collect());
        Listed { system: system.to_owned(), codes }
    }
}

/// A value set of one include.
fn only(include: &Include) -> ValueSet {
    ValueSet {
        url: String::new(),
        version: None,
        name: String::new(),
        status: String::new(),
        compose: Compose { include: vec![include.clone()], ..Compose::default() },
        expansion: None,
    }
}

fn by_system(compiled: &CompiledValueSet, most: usize) -> Result<Vec<Listed>, Unlisted> {
    let mut systems: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (count, (system, code)) in compiled.members().enumerate() {
        if count >= most {
            return Err(Unlisted::TooMany);
        }
        systems.entry(system).or_default().push(code.to_owned());
    }
    let mut listed: Vec<Listed> = Vec::new();
    for part in &compiled.selected {
        let system = snomed::SYSTEM;
        if part.is_whole() {
            listed.push(Listed { system: system.to_owned(), codes: None });
            continue;
        }
        let codes = systems.entry(system).or_default();
        if part.concepts.len() + codes.len() > most {
            return Err(Unlisted::TooMany);
        }
        codes.extend(part.codes());
    }
    let sorted = |mut codes: Vec<String>| {
        codes.sort_unstable();
        Some(codes)
    };
    listed
        .extend(systems.into_iter().map(|(system, codes)| Listed { system: system.to_owned(), codes: sorted(codes) }));
    Ok(listed)
}
