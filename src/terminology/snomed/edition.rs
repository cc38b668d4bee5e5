//! An edition of SNOMED CT in memory: columns by concept, in the order of identifiers. Made by [`super::Builder`] or read back
//! from its stored form ([`super::image`]).

use super::SYSTEM;
use super::concept_set::Bits;
use super::identifier;
use crate::terminology::Existence;

/// Lists of one item type, one list for each concept: `starts[n]..starts[n + 1]` of `items` are those of concept n.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lists<T> {
    pub(super) starts: Vec<u32>,
    pub(super) items: Vec<T>,
}

impl<T> Lists<T> {
    /// The items of a concept.
    pub(super) fn of(&self, at: u32) -> &[T] {
        self.items.get(self.range(at)).unwrap_or_default()
    }

    pub(super) fn range(&self, at: u32) -> std::ops::Range<usize> {
        let start = |at: usize| self.starts.get(at).copied().unwrap_or_default() as usize;
        start(at as usize)..start(at as usize + 1)
    }
}

/// Which edition, of which day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EditionVersion {
    /// The module that names the edition.
    pub module: u64,
    /// The day as YYYYMMDD.
    pub date: u32,
}

impl EditionVersion {
    /// The version as FHIR writes it (<https://hl7.org/fhir/R4/snomedct.html>).
    #[must_use]
    pub fn uri(self) -> String {
        format!("{SYSTEM}/{}/version/{:08}", self.module, self.date)
    }
}

/// An edition. Concepts are known by their position; [`Edition::find`] finds it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Edition {
    pub(super) version: EditionVersion,
    pub(super) ids: Vec<u64>,
    pub(super) active: Bits,
    /// Concepts that are sufficiently defined.
    pub(super) defined: Bits,
    pub(super) times: Vec<u32>,
    /// Positions in `module_ids`.
    pub(super) modules: Vec<u16>,
    pub(super) module_ids: Vec<u64>,
    pub(super) parents: Lists<u32>,
    pub(super) children: Lists<u32>,
    pub(super) attributes: Attributes,
    pub(super) texts: Texts,
    pub(super) refset_ids: Vec<u64>,
    pub(super) refsets: Lists<u32>,
    /// Namespaces of which there are concepts; made anew when an edition is read.
    pub(super) namespaces: Vec<u32>,
}

/// Relationships that are not is-a: `types`, `targets` and `groups` by concept.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) targets: Lists<u32>,
    /// Positions in `type_concepts`.
    pub(super) types: Vec<u16>,
    pub(super) type_concepts: Vec<u32>,
    pub(super) groups: Vec<u16>,
}

/// Active descriptions by concept, the preferred one first.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Texts {
    /// Where each begins in `arena`.
    pub(super) offsets: Lists<u32>,
    pub(super) lengths: Vec<u16>,
    /// Bits of [`super::texts`].
    pub(super) kinds: Vec<u8>,
    /// Language codes, two letters packed in a number.
    pub(super) languages: Vec<u16>,
    pub(super) arena: Vec<u8>,
}

/// One relationship of a concept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attribute {
    /// The concept that names it.
    pub(super) name: u32,
    pub(super) value: u32,
    pub(super) group: u16,
}

impl Edition {
    /// Which edition it is.
    #[must_use]
    pub const fn version(&self) -> EditionVersion {
        self.version
    }

    /// How many concepts it has, inactive ones included.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ids.len()
    }

    /// True where it has none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// How many descriptions it has.
    #[must_use]
    pub const fn descriptions(&self) -> usize {
        self.texts.lengths.len()
    }

    /// How many reference sets it has.
    #[must_use]
    pub const fn reference_sets(&self) -> usize {
        self.refset_ids.len()
    }

    /// How many relationships it has, is-a included.
    #[must_use]
    pub const fn relationships(&self) -> usize {
        self.parents.items.len() + self.attributes.types.len()
    }

    /// The position of a concept.
    #[must_use]
    pub fn find(&self, code: &str) -> Option<u32> {
        identifier::number(code).and_then(|id| self.position(id))
    }

    pub(super) fn position(&self, id: u64) -> Option<u32> {
        self.ids.binary_search(&id).ok().and_then(|at| u32::try_from(at).ok())
    }

    /// The identifier of a concept.
    #[must_use]
    pub fn id(&self, at: u32) -> u64 {
        self.ids.get(at as usize).copied().unwrap_or_default()
    }

    /// True where a concept is in use.
    #[must_use]
    pub fn is_active(&self, at: u32) -> bool {
        self.active.contains(at)
    }

    /// True where a code that is not there would be there if it existed: it is no concept identifier at all, or one of a
    /// namespace that the edition has concepts of. Expressions (`73211009:...`) are never covered.
    #[must_use]
    pub fn covers(&self, code: &str) -> bool {
        match identifier::concept(code) {
            Some(id) => identifier::namespace(id).is_none_or(|space| self.namespaces.binary_search(&space).is_ok()),
            None => !code.contains([':', '+', '=', '|', ',']),
        }
    }

    /// Whether the edition has a code.
    #[must_use]
    pub fn code_exists(&self, code: &str) -> Existence {
        match self.find(code) {
            Some(_) => Existence::Exists,
            None if self.covers(code) => Existence::Missing,
            None => Existence::Unknown,
        }
    }

    /// What would have to be loaded for an answer on a code that the edition does not cover.
    #[must_use]
    pub fn beyond(&self, code: &str) -> String {
        let space = identifier::concept(code).and_then(identifier::namespace);
        space.map_or_else(
            || format!("{SYSTEM} for expressions"),
            |space| format!("{SYSTEM} with the extension of namespace {space}"),
        )
    }

    pub(super) fn attributes_of(&self, at: u32) -> impl Iterator<Item = Attribute> + '_ {
        let all = &self.attributes;
        all.targets.range(at).filter_map(|index| {
            let name = *all.type_concepts.get(usize::from(*all.types.get(index)?))?;
            Some(Attribute { name, value: *all.targets.items.get(index)?, group: *all.groups.get(index)? })
        })
    }

    /// The members of a reference set; none where it is not loaded.
    pub(super) fn reference_set(&self, id: u64) -> Option<&[u32]> {
        let at = self.refset_ids.binary_search(&id).ok()?;
        Some(self.refsets.of(u32::try_from(at).ok()?))
    }

    /// Makes what is derived from the identifiers.
    pub(super) fn complete(&mut self) {
        let mut spaces: Vec<u32> = self.ids.iter().filter_map(|id| identifier::namespace(*id)).collect();
        spaces.sort_unstable();
        spaces.dedup();
        self.namespaces = spaces;
    }
}
