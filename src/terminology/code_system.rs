//! A code system in memory: its codes, their displays, and the hierarchy that filters ask about.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use crate::fhir::definitions::{CodeSystem, Concept, ConceptProperty, Content};

use crate::fhir::hash::CodeMap;

/// Whether a code system has a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existence {
    /// It has.
    Exists,
    /// It has not, and it is complete.
    Missing,
    /// The system is not loaded, or only a part of it.
    Unknown,
}

/// One code.
#[derive(Debug)]
pub struct CompiledConcept {
    /// As the system writes it.
    pub code: Box<str>,
    /// Its text.
    pub display: Option<Box<str>>,
    /// The codes directly above it.
    pub parents: Vec<Box<str>>,
    /// Its properties.
    pub properties: Arc<[ConceptProperty]>,
}

/// A code system, compiled.
#[derive(Debug)]
pub struct CompiledCodeSystem {
    /// Canonical url.
    pub url: String,
    complete: bool,
    case_sensitive: bool,
    concepts: CodeMap<CompiledConcept>,
    definition: Arc<CodeSystem>,
}

impl CompiledCodeSystem {
    pub(super) fn new(definition: &Arc<CodeSystem>) -> Self {
        let mut system = Self {
            url: definition.url.clone(),
            complete: definition.content == Content::Complete,
            case_sensitive: definition.case_sensitive,
            concepts: CodeMap::default(),
            definition: Arc::clone(definition),
        };
        for concept in &definition.concepts {
            system.add(concept, None);
        }
        system.add_children();
        system
    }

    fn add(&mut self, concept: &Concept, parent: Option<&str>) {
        let mut parents: Vec<Box<str>> = parent.map(Box::from).into_iter().collect();
        let stated =
            concept.properties.iter().filter(|property| matches!(property.code.as_str(), "subsumedBy" | "parent"));
        parents.extend(stated.filter_map(|property| property.value.as_str()).map(Box::from));
        let compiled = CompiledConcept {
            code: concept.code.as_str().into(),
            display: concept.display.as_deref().map(Box::from),
            parents,
            properties: Arc::clone(&concept.properties),
        };
        // A code with several parents may stand below each of them.
        match self.concepts.entry(self.key(&concept.code)) {
            Entry::Vacant(free) => drop(free.insert(compiled)),
            Entry::Occupied(mut known) => known.get_mut().parents.extend(compiled.parents),
        }
        for child in &concept.concepts {
            self.add(child, Some(&concept.code));
        }
    }

    /// Some systems say what is below a code rather than what is above.
    fn add_children(&mut self) {
        let is_child = |property: &&ConceptProperty| property.code == "child";
        let children = |concept: &CompiledConcept| -> Vec<(Box<str>, Box<str>)> {
            let named = concept.properties.iter().filter(is_child).filter_map(|property| property.value.as_str());
            named.map(|child| (child.into(), concept.code.clone())).collect()
        };
        let pairs: Vec<(Box<str>, Box<str>)> = self.concepts.values().flat_map(children).collect();
        for (child, parent) in pairs {
            let key = self.key(&child);
            if let Some(concept) = self.concepts.get_mut(&key)
                && !concept.parents.contains(&parent)
            {
                concept.parents.push(parent);
            }
        }
    }

    fn key(&self, code: &str) -> Box<str> {
        if self.case_sensitive { code.into() } else { code.to_lowercase().into() }
    }

    /// A code of the system.
    #[must_use]
    pub fn concept(&self, code: &str) -> Option<&CompiledConcept> {
        if self.case_sensitive { self.concepts.get(code) } else { self.concepts.get(&*code.to_lowercase()) }
    }

    /// Whether the system has a code.
    #[must_use]
    pub fn code_exists(&self, code: &str) -> Existence {
        match self.concept(code) {
            Some(_) => Existence::Exists,
            None if self.complete && !self.concepts.is_empty() => Existence::Missing,
            None => Existence::Unknown,
        }
    }

    /// The right display, where the given one is another; case and spaces do not count.
    #[must_use]
    pub fn wrong_display(&self, code: &str, display: &str) -> Option<&str> {
        let right = self.concept(code)?.display.as_deref()?;
        if right == display {
            return None;
        }
        let plain = |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
        (plain(right) != plain(display)).then_some(right)
    }

    /// How many codes are loaded.
    #[must_use]
    pub fn len(&self) -> usize {
        self.concepts.len()
    }

    /// True where no code is loaded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.concepts.is_empty()
    }

    /// True where all codes are loaded.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// True where codes differ by case.
    #[must_use]
    pub fn is_case_sensitive(&self) -> bool {
        self.case_sensitive
    }

    /// All codes, in no order.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.concepts.values().map(|concept| &*concept.code)
    }

    /// All concepts, in no order.
    pub fn concepts(&self) -> impl Iterator<Item = &CompiledConcept> {
        self.concepts.values()
    }

    /// The codes below a code, with itself where `or_self`. Circles in the hierarchy end.
    #[must_use]
    pub fn below(&self, code: &str, or_self: bool) -> HashSet<Box<str>> {
        let mut children: HashMap<&str, Vec<&str>> = HashMap::new();
        for concept in self.concepts() {
            for parent in &concept.parents {
                children.entry(self.written(parent)).or_default().push(&concept.code);
            }
        }
        reach(self.written(code), or_self, |code| children.get(code).cloned().unwrap_or_default())
    }

    /// The codes above a code, with itself where `or_self`.
    #[must_use]
    pub fn above(&self, code: &str, or_self: bool) -> HashSet<Box<str>> {
        let parents = |code: &str| {
            let concept = self.concept(code);
            concept.map_or_else(Vec::new, |concept| concept.parents.iter().map(|parent| self.written(parent)).collect())
        };
        reach(self.written(code), or_self, parents)
    }

    /// A code as the system writes it.
    pub(super) fn written<'a>(&'a self, code: &'a str) -> &'a str {
        self.concept(code).map_or(code, |concept| &concept.code)
    }

    /// The definition it was compiled from.
    #[must_use]
    pub fn definition(&self) -> &CodeSystem {
        &self.definition
    }

    pub(super) fn shared_definition(&self) -> Arc<CodeSystem> {
        Arc::clone(&self.definition)
    }
}

impl CompiledConcept {
    /// True where the code is not in use any more.
    #[must_use]
    pub fn is_inactive(&self) -> bool {
        self.properties.iter().any(|property| match property.code.as_str() {
            "inactive" => property.value == Value::Bool(true),
            "status" => matches!(property.value.as_str(), Some("retired" | "inactive")),
            _ => false,
        })
    }

    /// True where the code groups others and is not meant to be chosen.
    #[must_use]
    pub fn is_abstract(&self) -> bool {
        let names = |code: &str| matches!(code, "notSelectable" | "abstract");
        self.properties.iter().any(|property| names(&property.code) && property.value == Value::Bool(true))
    }
}

/// All that can be reached from a code.
fn reach<'a>(start: &'a str, with_start: bool, next: impl Fn(&'a str) -> Vec<&'a str>) -> HashSet<Box<str>> {
    let mut found: HashSet<Box<str>> = HashSet::new();
    let mut open = vec![start];
    while let Some(code) = open.pop() {
        for other in next(code) {
            if found.insert(other.into()) {
                open.push(other);
            }
        }
    }
    if with_start {
        found.insert(start.into());
    } else {
        found.remove(start);
    }
    found
}
