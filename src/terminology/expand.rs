//! The codes of a value set in the order of its definition, with their texts (<https://hl7.org/fhir/R4/valueset-operation-expand.html>).
//! Bounded: a value set that would take more work than allowed is refused. Called by the operation `$expand`.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::{Value, json};

use super::compile::versioned;
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
    /// The codes of this system follow a grammar and have no end.
    Unlistable(String),
    /// This code system or value set is not loaded, or only a part of it.
    Missing(String),
    /// A filter on this code system cannot be answered.
    Filter(String),
    /// A filter on SNOMED CT cannot be answered; the text says why.
    Constraint(String),
}

/// One code of an expansion.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The code system.
    pub system: Arc<str>,
    /// The code.
    pub code: String,
    /// Its text.
    pub display: Option<String>,
    /// Further texts.
    pub designations: Vec<Value>,
    /// Not in use any more.
    pub inactive: bool,
    /// Not meant to be chosen.
    pub is_abstract: bool,
    /// The code that it stands below.
    parent: Option<String>,
    /// Where it is a concept of SNOMED CT, it brings its descriptions when it is shown.
    concept: Option<(Arc<Edition>, u32)>,
}

/// The codes of a value set.
#[derive(Debug, Clone, Default)]
pub struct Expansion {
    /// In the order of the definition, each once.
    pub entries: Vec<Entry>,
    /// The code systems in the versions that were used, as `url|version`.
    pub versions: BTreeSet<String>,
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

impl Expansion {
    /// Keeps the codes whose texts have every word of a filter, in any case, or whose code begins with it.
    fn keep_matching(&mut self, filter: &str) {
        let filter = filter.trim().to_lowercase();
        let words: Vec<&str> = filter.split_whitespace().collect();
        self.entries.retain(|entry| {
            let mut texts: Vec<String> = entry.display.iter().map(|text| text.to_lowercase()).collect();
            let values = entry.designations.iter().filter_map(|designation| designation.get("value")?.as_str());
            texts.extend(values.map(str::to_lowercase));
            entry.code.to_lowercase().starts_with(&filter)
                || texts.iter().any(|text| words.iter().all(|word| text.contains(word)))
                || entry.concept.as_ref().is_some_and(|(edition, at)| edition.has_words(*at, &words))
        });
    }

    /// The codes as ValueSet.expansion.contains, those below others within them where `nested`.
    #[must_use]
    pub fn contains(&self, range: std::ops::Range<usize>, how: Shown<'_>) -> Vec<Value> {
        let entries = self.entries.get(range).unwrap_or_default();
        let mut below: Vec<Vec<usize>> = vec![Vec::new(); entries.len()];
        let mut roots = Vec::new();
        let mut known: HashMap<(&str, &str), usize> = HashMap::new();
        for (at, entry) in entries.iter().enumerate() {
            let parent = entry.parent.as_deref().filter(|_| how.nested);
            match parent.and_then(|parent| known.get(&(&*entry.system, parent))) {
                // A parent stands before what is below it, so this ends.
                Some(parent) => below.get_mut(*parent).map_or((), |list| list.push(at)),
                None => roots.push(at),
            }
            known.insert((&entry.system, &entry.code), at);
        }
        let tree = Tree { entries, below: &below, how };
        roots.into_iter().filter_map(|at| tree.show(at)).collect()
    }
}

/// How an expansion is shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shown<'a> {
    /// Codes below others stand within them.
    pub nested: bool,
    /// With all texts of each code.
    pub designations: bool,
    /// The language of the text that is shown, where there is one in it.
    pub language: Option<&'a str>,
}

struct Tree<'e> {
    entries: &'e [Entry],
    below: &'e [Vec<usize>],
    how: Shown<'e>,
}

impl Tree<'_> {
    fn show(&self, at: usize) -> Option<Value> {
        let entry = self.entries.get(at)?;
        let mut shown = json!({ "system": &*entry.system });
        if entry.is_abstract {
            shown["abstract"] = json!(true);
        }
        if entry.inactive {
            shown["inactive"] = json!(true);
        }
        shown["code"] = json!(entry.code);
        if let Some(display) = entry.display_in(self.how.language) {
            shown["display"] = json!(display);
        }
        if self.how.designations {
            let own = entry.concept.as_ref().map(|(edition, at)| edition.designations(*at, None));
            let all: Vec<Value> = entry.designations.iter().cloned().chain(own.into_iter().flatten()).collect();
            if !all.is_empty() {
                shown["designation"] = Value::Array(all);
            }
        }
        let below: Vec<Value> = self.below.get(at)?.iter().filter_map(|at| self.show(*at)).collect();
        if !below.is_empty() {
            shown["contains"] = Value::Array(below);
        }
        Some(shown)
    }
}

impl Entry {
    /// The text of the code, in a language where one is asked for and there is one.
    fn display_in(&self, language: Option<&str>) -> Option<&str> {
        let asked = language.and_then(|language| {
            let of_snomed = self.concept.as_ref().and_then(|(edition, at)| edition.display(*at, Some(language)));
            designated(&self.designations, language).or(of_snomed)
        });
        asked.or(self.display.as_deref())
    }
}

/// The designation in a language (`en` where there is none in `en-GB`).
pub(super) fn designated<'d>(designations: &'d [Value], language: &str) -> Option<&'d str> {
    let is_in = |designation: &&Value, language: &str| {
        designation.get("language").and_then(Value::as_str).is_some_and(|own| own.eq_ignore_ascii_case(language))
    };
    let plain = language.split('-').next().unwrap_or_default();
    let found =
        [language, plain].iter().find_map(|language| designations.iter().find(|stated| is_in(stated, language)));
    found?.get("value")?.as_str()
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
        let canonical = versioned(system, include.version.as_deref());
        if let Some(edition) = self.terminology.edition(&canonical) {
            return self.of_snomed(&edition, include);
        }
        let compiled = self.terminology.system(&canonical);
        if let Some(version) = compiled.as_ref().and_then(|compiled| compiled.definition().version.as_deref()) {
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
