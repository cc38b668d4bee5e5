//! The part of a value set that is a set of concepts of a SNOMED CT edition, beside the parts that are lists of codes.

use std::sync::Arc;

use super::Membership;
use super::snomed::{ConceptSet, Edition, SYSTEM};

/// Concepts of one edition.
#[derive(Debug, Clone)]
pub(super) struct Selected {
    pub(super) edition: Arc<Edition>,
    pub(super) concepts: Arc<ConceptSet>,
}

impl Selected {
    pub(super) fn new(edition: Arc<Edition>, concepts: ConceptSet) -> Self {
        Self { edition, concepts: Arc::new(concepts) }
    }

    /// Whether a code is in it; unknown where the edition has not the extension that the code is of.
    pub(super) fn member(&self, code: &str) -> Membership {
        match self.edition.find(code) {
            Some(at) if self.concepts.contains(at) => Membership::In,
            None if !self.edition.covers(code) => Membership::Unknown { missing: self.edition.beyond(code) },
            _ => Membership::NotIn,
        }
    }

    pub(super) fn contains(&self, system: &str, code: &str) -> bool {
        system == SYSTEM && self.member(code) == Membership::In
    }

    /// Whether a concept of an edition, this one or another, is in it.
    pub(super) fn has(&self, edition: &Edition, at: u32) -> bool {
        if std::ptr::eq(Arc::as_ptr(&self.edition), edition) {
            return self.concepts.contains(at);
        }
        self.member(&edition.id(at).to_string()) == Membership::In
    }

    /// Keeps the concepts (by code) for which a condition holds.
    pub(super) fn retain(&mut self, holds: impl Fn(&Edition, u32) -> bool) {
        let edition = &self.edition;
        self.concepts = Arc::new(self.concepts.filtered(edition.len(), |at| holds(edition, at)));
    }

    /// True where every concept of the edition is in it.
    pub(super) fn is_whole(&self) -> bool {
        self.concepts.len() == self.edition.len()
    }

    /// The codes in the order of their numbers.
    pub(super) fn codes(&self) -> impl Iterator<Item = String> + '_ {
        self.concepts.iter().map(|at| self.edition.id(at).to_string())
    }
}

/// Adds a part to others; parts of one edition become one.
pub(super) fn add(parts: &mut Vec<Selected>, part: Selected) {
    match parts.iter_mut().find(|known| Arc::ptr_eq(&known.edition, &part.edition)) {
        Some(known) => known.concepts = Arc::new(known.concepts.or(&part.concepts, part.edition.len())),
        None => parts.push(part),
    }
}
