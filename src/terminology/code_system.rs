//! A code system in memory: its codes, their displays, and the hierarchy that filters ask about.

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
    pub properties: Vec<ConceptProperty>,
}

/// A code system, compiled.
#[derive(Debug)]
pub struct CompiledCodeSystem {
    /// Canonical url.
    pub url: String,
    complete: bool,
    case_sensitive: bool,
    concepts: CodeMap<CompiledConcept>,
}

impl CompiledCodeSystem {
    pub(super) fn new(definition: &CodeSystem) -> Self {
        let mut system = Self {
            url: definition.url.clone(),
            complete: definition.content == Content::Complete,
            case_sensitive: definition.case_sensitive,
            concepts: CodeMap::default(),
        };
        for concept in &definition.concepts {
            system.add(concept, None);
        }
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
            properties: concept.properties.clone(),
        };
        self.concepts.insert(self.key(&concept.code), compiled);
        for child in &concept.concepts {
            self.add(child, Some(&concept.code));
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

    /// Whether a code is below another (or is it, where `or_self`). Circles in the hierarchy end.
    #[must_use]
    pub fn is_below(&self, code: &str, above: &str, or_self: bool) -> bool {
        if code == above {
            return or_self;
        }
        let mut open: Vec<&str> = vec![code];
        let mut seen: Vec<&str> = Vec::new();
        while let Some(code) = open.pop() {
            let parents = self.concept(code).map(|concept| concept.parents.as_slice()).unwrap_or_default();
            for parent in parents {
                if &**parent == above {
                    return true;
                }
                if !seen.contains(&&**parent) {
                    seen.push(parent);
                    open.push(parent);
                }
            }
        }
        false
    }
}
