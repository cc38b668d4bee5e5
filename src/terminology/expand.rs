//! The codes of a value set in the order of its definition, with their texts (<https://hl7.org/fhir/R4/valueset-operation-expand.html>).
//! Bounded: a value set that would take more work than allowed is refused. Called by the operation `$expand`.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::expansion::{Entry, Expansion};
use super::filter::{self, Prepared};
use super::syntax;
use super::{CompiledCodeSystem, CompiledValueSet, Edition, Membership, Terminology, snomed};
use crate::fhir::definitions::{Compose, Concept, Expanded, Include, ListedConcept, ValueSet};

/// What bounds an expansion.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits<'a> {
    /// How many codes may be looked at on the way.
    pub work: usize,
    /// Only codes whose texts have every word of this, in any case, or that begin with it.
    pub filter: Option<&'a str>,
}

/// Why a value set cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unexpanded {
    /// It takes more work than is allowed.
    TooCostly,
    /// It uses this version of a code system (`system|version`), and the request asks for another one.
    Version(String),
    /// The codes of this system follow a grammar and have no end.
    Unlistable(String),
    /// This code system or value set is not loaded, or only a part of it.
    Missing(String),
    /// A filter on this code system cannot be answered.
    Filter(String),
    /// A filter on SNOMED CT cannot be answered; the text says why.
    Constraint(String),
}

impl Terminology {
    /// Expands a value set.
    pub fn expand(&self, definition: &ValueSet, limits: Limits<'_>) -> Result<Expansion, Unexpanded> {
        let mut work = Work { terminology: self, within: Vec::new(), left: limits.work, versions: BTreeSet::new() };
        let entries = work.value_set(definition)?;
        let mut expansion = Expansion { entries, versions: work.versions };
        if let Some(filter) = limits.filter {
            expansion.keep_matching(filter);
        }
        Ok(expansion)
    }
}

/// An expansion on its way.
struct Work<'t> {
    terminology: &'t Terminology,
    /// The value sets that are being expanded; one of them again adds nothing.
    within: Vec<String>,
    left: usize,
    versions: BTreeSet<String>,
}

type Entries = Result<Vec<Entry>, Unexpanded>;

impl Work<'_> {
    fn spend(&mut self, work: usize) -> Result<(), Unexpanded> {
        self.left = self.left.checked_sub(work).ok_or(Unexpanded::TooCostly)?;
        Ok(())
    }

    fn value_set(&mut self, definition: &ValueSet) -> Entries {
        if self.within.contains(&definition.url) {
            return Ok(Vec::new());
        }
        self.spend(1)?;
        if definition.compose.include.is_empty()
            && let Some(published) = &definition.expansion
        {
            return self.published(published);
        }
        self.within.push(definition.url.clone());
        let composed = self.composed(&definition.compose);
        self.within.pop();
        match (composed, &definition.expansion) {
            // The publisher has worked out what cannot be worked out here.
            (Err(Unexpanded::Missing(_) | Unexpanded::Filter(_) | Unexpanded::Constraint(_)), Some(published)) => {
                self.published(published)
            }
            (composed, _) => composed,
        }
    }

    fn composed(&mut self, compose: &Compose) -> Entries {
        let mut all: Vec<Entry> = Vec::new();
        for include in &compose.include {
            all.extend(self.clause(include)?);
        }
        if !compose.exclude.is_empty() {
            let rule = Compose { include: compose.exclude.clone(), ..Compose::default() };
            let out = self.terminology.compile(&ValueSet { compose: rule, ..ValueSet::default() });
            all = keep(all, &out, false)?;
        }
        if compose.inactive == Some(false) {
            all.retain(|entry| !entry.inactive);
        }
        let mut seen = std::collections::HashSet::new();
        all.retain(|entry| seen.insert((Arc::clone(&entry.system), entry.code.clone())));
        Ok(all)
    }

    /// One include; its parts are combined by "and".
    fn clause(&mut self, include: &Include) -> Entries {
        let mut others = include.value_sets.as_slice();
        let mut entries = match (&include.system, others) {
            (Some(system), _) => self.of_system(system, include)?,
            (None, [first, rest @ ..]) => {
                others = rest;
                let imported = self.terminology.value_set(first).ok_or_else(|| Unexpanded::Missing(first.clone()))?;
                self.value_set(&imported)?
            }
            (None, []) => Vec::new(),
        };
        for canonical in others {
            self.spend(entries.len())?;
            let other = self.terminology.compiled(canonical);
            entries = keep(entries, &*other.ok_or_else(|| Unexpanded::Missing(canonical.clone()))?, true)?;
        }
        Ok(entries)
    }

    fn of_system(&mut self, system: &str, include: &Include) -> Entries {
        let canonical = self.terminology.canonical_of(system, include.version.as_deref());
        if let Some(edition) = self.terminology.edition(&canonical) {
            self.check_version(system, &edition.version().uri())?;
            return self.of_snomed(&edition, include);
        }
        let compiled = self.terminology.system(&canonical);
        if let Some(version) = compiled.as_ref().and_then(|compiled| compiled.definition().version.as_deref()) {
            self.check_version(system, version)?;
            self.versions.insert(format!("{system}|{version}"));
        }
        let name: Arc<str> = system.into();
        if !include.concepts.is_empty() {
            self.spend(include.concepts.len())?;
            let entry = |listed: &ListedConcept| listed_entry(listed, &name, compiled.as_deref());
            return Ok(include.concepts.iter().map(entry).collect());
        }
        if include.filters.is_empty() && syntax::grammar(system).is_some() {
            return Err(Unexpanded::Unlistable(system.to_owned()));
        }
        let compiled = compiled.filter(|compiled| compiled.is_complete()).ok_or(Unexpanded::Missing(canonical))?;
        self.spend(compiled.len())?;
        let filters = filter::prepare(&compiled, &include.filters);
        let filters = filters.ok_or_else(|| Unexpanded::Filter(system.to_owned()))?;
        let mut entries = Vec::new();
        let walk = Walk { compiled: &compiled, system: &name, filters: &filters };
        walk.add(&compiled.definition().concepts, None, &mut entries);
        Ok(entries)
    }

    fn check_version(&self, system: &str, used: &str) -> Result<(), Unexpanded> {
        match self.terminology.versions.checked.get(system) {
            Some(wanted) if !super::is_named(&format!("{system}|{wanted}"), system, Some(used)) => {
                Err(Unexpanded::Version(format!("{system}|{used}")))
            }
            _ => Ok(()),
        }
    }

    fn of_snomed(&mut self, edition: &Arc<Edition>, include: &Include) -> Entries {
        let system: Arc<str> = snomed::SYSTEM.into();
        self.versions.insert(format!("{system}|{}", edition.version().uri()));
        if !include.concepts.is_empty() {
            self.spend(include.concepts.len())?;
            return Ok(include.concepts.iter().map(|listed| listed_concept(listed, &system, edition)).collect());
        }
        let concepts = snomed::select(edition, &include.filters).map_err(|unselected| match unselected {
            snomed::Unselected::Missing(missing) => Unexpanded::Missing(missing),
            snomed::Unselected::Filter(text) => Unexpanded::Constraint(text),
            snomed::Unselected::TooCostly => Unexpanded::TooCostly,
        })?;
        self.spend(concepts.len())?;
        Ok(concepts.iter().map(|at| snomed_entry(&system, edition, at)).collect())
    }

    fn published(&mut self, items: &[Expanded]) -> Entries {
        self.spend(items.len())?;
        let mut entries = Vec::new();
        for item in items {
            if let Some(code) = item.code.as_ref().filter(|_| !item.is_abstract) {
                let system: Arc<str> = item.system.as_str().into();
                let listed =
                    ListedConcept { code: code.clone(), display: item.display.clone(), designations: Vec::new() };
                entries.push(listed_entry(&listed, &system, self.terminology.system(&item.system).as_deref()));
            }
            entries.extend(self.published(&item.contains)?);
        }
        Ok(entries)
    }
}

/// Those that are (or are not) in a value set.
fn keep(entries: Vec<Entry>, set: &CompiledValueSet, wanted: bool) -> Entries {
    let mut kept = Vec::with_capacity(entries.len());
    for entry in entries {
        match set.member(Some(&entry.system), &entry.code) {
            Membership::Unknown { missing } => return Err(Unexpanded::Missing(missing)),
            answer => kept.extend(((answer == Membership::In) == wanted).then_some(entry)),
        }
    }
    Ok(kept)
}

fn snomed_entry(system: &Arc<str>, edition: &Arc<Edition>, at: u32) -> Entry {
    Entry {
        system: Arc::clone(system),
        code: edition.id(at).to_string(),
        display: edition.display(at, None).map(str::to_owned),
        designations: Vec::new(),
        inactive: !edition.is_active(at),
        is_abstract: false,
        parent: None,
        concept: Some((Arc::clone(edition), at)),
    }
}

fn listed_concept(listed: &ListedConcept, system: &Arc<str>, edition: &Arc<Edition>) -> Entry {
    match edition.find(&listed.code) {
        None => listed_entry(listed, system, None),
        Some(at) => {
            let own = snomed_entry(system, edition, at);
            Entry { display: listed.display.clone().or(own.display), designations: listed.designations.clone(), ..own }
        }
    }
}

fn listed_entry(listed: &ListedConcept, system: &Arc<str>, compiled: Option<&CompiledCodeSystem>) -> Entry {
    let concept = compiled.and_then(|compiled| compiled.concept(&listed.code));
    let own = || concept.and_then(|concept| concept.display.as_deref()).map(str::to_owned);
    Entry {
        system: Arc::clone(system),
        code: listed.code.clone(),
        display: listed.display.clone().or_else(own),
        designations: listed.designations.clone(),
        inactive: concept.is_some_and(super::CompiledConcept::is_inactive),
        is_abstract: concept.is_some_and(super::CompiledConcept::is_abstract),
        parent: None,
        concept: None,
    }
}

/// A walk through a code system in its own order.
struct Walk<'w> {
    compiled: &'w CompiledCodeSystem,
    system: &'w Arc<str>,
    filters: &'w [Prepared<'w>],
}

impl Walk<'_> {
    fn add(&self, concepts: &[Concept], parent: Option<&str>, entries: &mut Vec<Entry>) {
        for definition in concepts {
            let Some(concept) = self.compiled.concept(&definition.code) else { continue };
            let passes = self.filters.iter().all(|filter| filter.passes(concept));
            if passes {
                entries.push(Entry {
                    system: Arc::clone(self.system),
                    code: definition.code.clone(),
                    display: definition.display.clone(),
                    designations: definition.designations.clone(),
                    inactive: concept.is_inactive(),
                    is_abstract: concept.is_abstract(),
                    parent: parent.map(str::to_owned),
                    concept: None,
                });
            }
            let above = if passes { Some(definition.code.as_str()) } else { parent };
            self.add(&definition.concepts, above, entries);
        }
    }
}
