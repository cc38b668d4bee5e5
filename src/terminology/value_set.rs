//! A value set in memory: its codes by table, and what it has that cannot be listed.

use super::Membership;
use super::selected::Selected;
use super::snomed;
use super::syntax::Grammar;
use crate::fhir::hash::CodeMap;

/// A value set, compiled.
#[derive(Debug, Default)]
pub struct CompiledValueSet {
    /// Systems of the codes; the tables hold positions in this list.
    pub(super) systems: Vec<String>,
    /// Each code with the systems it is in.
    pub(super) codes: CodeMap<Vec<u16>>,
    /// Codes of systems in which case does not count, in lower case.
    pub(super) folded: CodeMap<Vec<u16>>,
    /// Whole systems with a grammar.
    pub(super) grammars: Vec<(String, Grammar)>,
    /// Codes that are out although a grammar or an unloaded part may have them.
    pub(super) excluded: CodeMap<Vec<u16>>,
    /// Sets of SNOMED CT concepts.
    pub(super) selected: Vec<Selected>,
    /// Systems of which the set has codes that are not loaded; `*` with the canonical of a set that is not.
    pub(super) unloaded: Vec<Unloaded>,
}

/// A part of a value set that is not loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unloaded {
    /// Its system; none where any code may be in it.
    pub(super) system: Option<String>,
    /// The code system or value set that would be needed.
    pub(super) missing: String,
}

impl CompiledValueSet {
    /// Whether a code is in the set. Without a system any system will do.
    #[must_use]
    pub fn member(&self, system: Option<&str>, code: &str) -> Membership {
        if self.listed(&self.codes, system, code)
            || (!self.folded.is_empty() && self.listed(&self.folded, system, &code.to_lowercase()))
        {
            return Membership::In;
        }
        if self.listed(&self.excluded, system, code) {
            return Membership::NotIn;
        }
        let is_asked = |known: &str| system.is_none_or(|system| system == known);
        if self.grammars.iter().any(|(known, grammar)| is_asked(known) && grammar.accepts(code)) {
            return Membership::In;
        }
        let of_snomed = self.of_snomed(system, code);
        if of_snomed != Membership::NotIn {
            return of_snomed;
        }
        let unloaded = self.unloaded.iter().find(|part| part.system.as_deref().is_none_or(is_asked));
        unloaded.map_or(Membership::NotIn, |part| Membership::Unknown { missing: part.missing.clone() })
    }

    fn of_snomed(&self, system: Option<&str>, code: &str) -> Membership {
        let mut answer = Membership::NotIn;
        if system.is_none_or(|system| system == snomed::SYSTEM) {
            for part in &self.selected {
                match part.member(code) {
                    Membership::In => return Membership::In,
                    Membership::NotIn => {}
                    unknown @ Membership::Unknown { .. } => answer = unknown,
                }
            }
        }
        answer
    }

    fn listed(&self, table: &CodeMap<Vec<u16>>, system: Option<&str>, code: &str) -> bool {
        table.get(code).is_some_and(|systems| match system {
            None => true,
            Some(system) => {
                systems.iter().any(|at| self.systems.get(usize::from(*at)).is_some_and(|known| known == system))
            }
        })
    }

    /// True where the set has every language tag.
    #[must_use]
    pub fn has_all_languages(&self) -> bool {
        self.grammars.iter().any(|(_, grammar)| *grammar == Grammar::Language)
    }

    /// The codes that are listed, in no order.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.codes.keys().map(|code| &**code)
    }

    /// True where every code of the set is listed or follows a grammar.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unloaded.is_empty()
    }

    /// The listed codes with their systems, in no order.
    pub fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.codes.iter().flat_map(|(code, systems)| {
            systems.iter().filter_map(|at| Some((self.systems.get(usize::from(*at))?.as_str(), &**code)))
        })
    }
}
