//! What the rules want to know about other resources, and what the shell has found. The rules never read anything:
//! they name it, the write path loads it inside its transaction and asks again.

use std::cell::RefCell;
use std::collections::HashMap;

use serde_json::Value;

/// Something to load, as current content (with `meta`), inside the transaction of the write.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Lookup {
    /// One resource by id; the answer has one item, or none where it does not exist or is deleted.
    Read {
        /// Resource type.
        resource_type: String,
        /// Logical id.
        id: String,
    },
    /// All resources of a type that match every criterion; criteria are FHIR search parameters
    /// (<https://hl7.org/fhir/R4/search.html>), values already escaped. A shell may cap the answer at [`Lookup::LIMIT`].
    Search {
        /// Resource type.
        resource_type: String,
        /// Search parameters and their values.
        criteria: Vec<(String, String)>,
    },
}

impl Lookup {
    /// How many matches of a search the rules can want at most.
    pub const LIMIT: usize = 200;

    /// A read.
    #[must_use]
    pub fn read(resource_type: &str, id: &str) -> Self {
        Self::Read { resource_type: resource_type.to_owned(), id: id.to_owned() }
    }

    /// A search.
    #[must_use]
    pub fn search(resource_type: &str, criteria: &[(&str, &str)]) -> Self {
        let criteria = criteria.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self::Search { resource_type: resource_type.to_owned(), criteria }
    }
}

/// Escapes a value for use in a search parameter (<https://hl7.org/fhir/R4/search.html#escaping>).
#[must_use]
pub fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for character in value.chars() {
        if matches!(character, ',' | '|' | '$' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// What has been loaded so far for one decision. `decide` notes here what it missed.
#[derive(Debug, Default)]
pub struct Loaded {
    found: HashMap<Lookup, Vec<Value>>,
    missing: RefCell<Vec<Lookup>>,
}

impl Loaded {
    /// Records the answer to a lookup.
    pub fn insert(&mut self, lookup: Lookup, resources: Vec<Value>) {
        self.found.insert(lookup, resources);
    }

    /// The answer to a lookup; none, and noted as missing, where it has not been loaded yet.
    pub(super) fn get(&self, lookup: &Lookup) -> Option<&[Value]> {
        let found = self.found.get(lookup).map(Vec::as_slice);
        if found.is_none() && !self.missing.borrow().contains(lookup) {
            self.missing.borrow_mut().push(lookup.clone());
        }
        found
    }

    /// The resource with this type and id; none where it is missing or not loaded yet.
    pub(super) fn read(&self, resource_type: &str, id: &str) -> Option<&Value> {
        self.get(&Lookup::read(resource_type, id))?.first()
    }

    /// The matches of a search; empty where none or not loaded yet.
    pub(super) fn search(&self, resource_type: &str, criteria: &[(&str, &str)]) -> &[Value] {
        self.get(&Lookup::search(resource_type, criteria)).unwrap_or_default()
    }

    /// What was asked for and is not there; forgets it.
    pub(super) fn take_missing(&self) -> Vec<Lookup> {
        self.missing.take()
    }
}
