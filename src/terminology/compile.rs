//! A value set's definition into its compiled form: whole systems, listed codes, filters, imports, exclusions; an
//! expansion that came with the definition where the rule cannot be worked out here.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::fhir::definitions::{Expanded, Include, ValueSet};

use super::Terminology;
use super::code_system::{CompiledCodeSystem, CompiledConcept};
use super::filter;
use super::selected::{self, Selected};
use super::snomed::{self, Edition, Unselected};
use super::syntax::{self, Grammar};
use super::value_set::{CompiledValueSet, Unloaded};

/// More imports within imports than this are a circle.
const MAX_IMPORTS: usize = 16;

/// How many codes and clauses are looked at for one value set: imports of imports can repeat each other without end.
const MOST_WORK: usize = 1_000_000;

/// The way to where the compiler is.
pub(super) struct Walk {
    within: Vec<String>,
    left: usize,
}

impl Walk {
    pub(super) const fn new() -> Self {
        Self { within: Vec::new(), left: MOST_WORK }
    }

    /// Spends work; false where none is left.
    fn spend(&mut self, work: usize) -> bool {
        let enough = self.left > work;
        self.left = self.left.saturating_sub(work);
        enough
    }
}

/// What a clause or a set comes to before it is put into tables.
#[derive(Debug, Default, Clone)]
struct Draft {
    codes: BTreeSet<(String, String)>,
    grammars: Vec<(String, Grammar)>,
    selected: Vec<Selected>,
    unloaded: Vec<Unloaded>,
}

/// Compiles a value set; none where it is not loaded. The value set of a whole code system needs no definition.
pub(super) fn value_set(terminology: &Terminology, canonical: &str, walk: &mut Walk) -> Option<CompiledValueSet> {
    let definition = terminology.value_set(canonical)?;
    let (draft, excluded) = draft(terminology, &definition, walk);
    Some(tables(terminology, draft, &excluded))
}

/// Compiles a value set that is not among the definitions.
pub(super) fn compile(terminology: &Terminology, definition: &ValueSet) -> CompiledValueSet {
    let (draft, excluded) = draft(terminology, definition, &mut Walk::new());
    tables(terminology, draft, &excluded)
}

/// What is in, and what is out again.
fn draft(terminology: &Terminology, definition: &ValueSet, walk: &mut Walk) -> (Draft, Draft) {
    if walk.within.contains(&definition.url) {
        return (Draft::default(), Draft::default());
    }
    if walk.within.len() > MAX_IMPORTS || !walk.spend(1) {
        return (Draft::unknown(&definition.url), Draft::default());
    }
    walk.within.push(definition.url.clone());
    let mut all = Draft::default();
    for include in &definition.compose.include {
        all.add(clause(terminology, include, walk));
    }
    let mut out = Draft::default();
    for exclude in &definition.compose.exclude {
        out.add(clause(terminology, exclude, walk));
    }
    walk.within.pop();
    all.remove(&out);
    if definition.compose.inactive == Some(false) {
        all.codes.retain(|(system, code)| !is_inactive(terminology, system, code));
        all.selected.iter_mut().for_each(|part| part.retain(Edition::is_active));
    }
    if let Some(expansion) = &definition.expansion
        && (!all.unloaded.is_empty() || definition.compose.include.is_empty())
    {
        // The publisher has worked out what cannot be worked out here.
        all.unloaded.clear();
        add_expansion(expansion, &mut all);
    }
    (all, out)
}

fn add_expansion(items: &[Expanded], draft: &mut Draft) {
    for item in items {
        if let Some(code) = item.code.as_ref().filter(|_| !item.is_abstract) {
            draft.codes.insert((item.system.clone(), code.clone()));
        }
        add_expansion(&item.contains, draft);
    }
}

fn is_inactive(terminology: &Terminology, system: &str, code: &str) -> bool {
    if let Some(edition) = terminology.edition(system) {
        return edition.find(code).is_some_and(|at| !edition.is_active(at));
    }
    terminology.system(system).is_some_and(|system| system.concept(code).is_some_and(CompiledConcept::is_inactive))
}

impl Draft {
    /// Nothing is known of a value set.
    fn unknown(canonical: &str) -> Self {
        Self { unloaded: vec![Unloaded { system: None, missing: canonical.to_owned() }], ..Self::default() }
    }

    fn add(&mut self, other: Self) {
        self.codes.extend(other.codes);
        self.grammars.extend(other.grammars);
        other.selected.into_iter().for_each(|part| selected::add(&mut self.selected, part));
        for part in other.unloaded {
            if !self.unloaded.contains(&part) {
                self.unloaded.push(part);
            }
        }
    }

    /// What is in both. A part that cannot be listed may have any code of the other.
    fn intersect(self, other: Self) -> Self {
        let both = |code: &(String, String), other: &Self| {
            other.codes.contains(code) || other.grammar_has(code) || other.selection_has(&code.0, &code.1)
        };
        let mut codes: BTreeSet<_> = self.codes.iter().filter(|code| both(code, &other)).cloned().collect();
        codes.extend(other.codes.iter().filter(|code| both(code, &self)).cloned());
        let grammars = self.grammars.into_iter().filter(|grammar| other.grammars.contains(grammar)).collect();
        let mut selected = self.selected;
        for part in &mut selected {
            part.retain(|edition, at| other.selected.iter().any(|other| other.has(edition, at)));
        }
        let mut unloaded = self.unloaded;
        unloaded.extend(other.unloaded);
        Self { codes, grammars, selected, unloaded }
    }

    /// Takes out what is excluded.
    fn remove(&mut self, out: &Self) {
        self.codes.retain(|code| !out.codes.contains(code) && !out.selection_has(&code.0, &code.1));
        let listed: Vec<&str> =
            out.codes.iter().filter(|(system, _)| system == snomed::SYSTEM).map(|(_, code)| code.as_str()).collect();
        for part in &mut self.selected {
            let listed: BTreeSet<u32> = listed.iter().filter_map(|code| part.edition.find(code)).collect();
            part.retain(|edition, at| !listed.contains(&at) && !out.selected.iter().any(|out| out.has(edition, at)));
        }
    }

    fn selection_has(&self, system: &str, code: &str) -> bool {
        self.selected.iter().any(|part| part.contains(system, code))
    }

    fn grammar_has(&self, (system, code): &(String, String)) -> bool {
        self.grammars.iter().any(|(known, grammar)| known == system && grammar.accepts(code))
    }
}

/// One include or exclude; its parts are combined by "and".
fn clause(terminology: &Terminology, include: &Include, walk: &mut Walk) -> Draft {
    let mut result = include.system.as_deref().map(|system| of_system(terminology, system, include, walk));
    for canonical in &include.value_sets {
        let imported = match terminology.value_set(canonical) {
            Some(definition) => draft(terminology, &definition, walk).0,
            None => Draft::unknown(canonical),
        };
        result = Some(match result {
            Some(result) => result.intersect(imported),
            None => imported,
        });
    }
    result.unwrap_or_default()
}

fn of_system(terminology: &Terminology, system: &str, include: &Include, walk: &mut Walk) -> Draft {
    let mut draft = Draft::default();
    if !include.concepts.is_empty() {
        draft.codes.extend(include.concepts.iter().map(|concept| (system.to_owned(), concept.code.clone())));
        return draft;
    }
    let canonical = terminology.canonical_of(system, include.version.as_deref());
    let missing = || vec![Unloaded { system: Some(system.to_owned()), missing: canonical.clone() }];
    if include.filters.is_empty()
        && let Some(grammar) = syntax::grammar(system)
    {
        draft.grammars.push((system.to_owned(), grammar));
        return draft;
    }
    if let Some(edition) = terminology.edition(&canonical) {
        return of_snomed(&edition, include);
    }
    match terminology.system(&canonical) {
        None => draft.unloaded = missing(),
        Some(compiled) => {
            if !walk.spend(compiled.len()) {
                return Draft::unknown(system);
            }
            if !add_filtered(&compiled, system, include, &mut draft) || !compiled.is_complete() {
                draft.unloaded = missing();
            }
        }
    }
    draft
}

/// What the filters of a clause take of SNOMED CT.
fn of_snomed(edition: &Arc<Edition>, include: &Include) -> Draft {
    let missing = match snomed::select(edition, &include.filters) {
        Ok(concepts) => {
            return Draft { selected: vec![Selected::new(Arc::clone(edition), concepts)], ..Draft::default() };
        }
        Err(Unselected::Missing(missing)) => missing,
        Err(Unselected::Filter(_) | Unselected::TooCostly) => snomed::SYSTEM.to_owned(),
    };
    Draft { unloaded: vec![Unloaded { system: Some(snomed::SYSTEM.to_owned()), missing }], ..Draft::default() }
}

/// Adds the concepts that pass every filter. False where a filter cannot be answered.
fn add_filtered(compiled: &CompiledCodeSystem, system: &str, include: &Include, draft: &mut Draft) -> bool {
    let Some(filters) = filter::prepare(compiled, &include.filters) else { return false };
    let passing = compiled.concepts().filter(|concept| filters.iter().all(|filter| filter.passes(concept)));
    draft.codes.extend(passing.map(|concept| (system.to_owned(), concept.code.to_string())));
    true
}

/// The canonical of a code system in the version that a clause asks for.
pub(super) fn versioned(system: &str, version: Option<&str>) -> String {
    version.map_or_else(|| system.to_owned(), |version| format!("{system}|{version}"))
}

fn tables(terminology: &Terminology, draft: Draft, excluded: &Draft) -> CompiledValueSet {
    let mut set = CompiledValueSet {
        grammars: draft.grammars,
        selected: draft.selected,
        unloaded: draft.unloaded,
        ..CompiledValueSet::default()
    };
    for (system, code) in draft.codes {
        let at = set.system_position(&system);
        if terminology.system(&system).is_some_and(|system| !system.is_case_sensitive()) {
            set.folded.entry(code.to_lowercase().into()).or_default().push(at);
        }
        set.codes.entry(code.into()).or_default().push(at);
    }
    for (system, code) in &excluded.codes {
        let at = set.system_position(system);
        set.excluded.entry(code.as_str().into()).or_default().push(at);
    }
    set
}

impl CompiledValueSet {
    fn system_position(&mut self, system: &str) -> u16 {
        let found = self.systems.iter().position(|known| known == system).unwrap_or_else(|| {
            self.systems.push(system.to_owned());
            self.systems.len() - 1
        });
        u16::try_from(found).unwrap_or(u16::MAX)
    }
}
