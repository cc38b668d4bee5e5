//! Rows of a release into an [`Edition`]. Files come in this order: concepts, language reference sets, descriptions, relationships,
//! reference sets; each step leaves only what the next ones need, so that memory stays near the size of the edition. Of several
//! rows of one component (a release of several packages) the latest counts.

use std::collections::HashMap;

use super::concept_set::Bits;
use super::edition::{Edition, EditionVersion, Lists};
use super::identifier;
use super::texts::{self, FULL_NAME};

/// `is a`.
const IS_A: u64 = 116_680_003;

/// Collects the rows of a release.
#[derive(Debug, Default)]
pub struct Builder {
    concepts: Vec<Concept>,
    module_numbers: HashMap<u64, u16>,
    edition: Edition,
    /// Description ids with the bits of their acceptability: `id << 4 | bits`.
    acceptability: Vec<u64>,
    descriptions: Vec<Description>,
    relationships: Vec<Relationship>,
    /// Components that are not active, with the time since when.
    ended: Vec<(u64, u32)>,
    members: Vec<(u64, u32)>,
    modules: Vec<Dependency>,
}

#[derive(Debug)]
pub(super) struct Concept {
    pub(super) id: u64,
    pub(super) time: u32,
    pub(super) module: u64,
    pub(super) active: bool,
    pub(super) defined: bool,
}

#[derive(Debug)]
struct Description {
    id: u64,
    time: u32,
    concept: u32,
    offset: u32,
    length: u16,
    language: u16,
    kind: u8,
}

#[derive(Debug)]
struct Relationship {
    id: u64,
    time: u32,
    source: u32,
    target: u32,
    name: u32,
    group: u16,
}

/// A module that needs another one.
#[derive(Debug)]
pub(super) struct Dependency {
    pub(super) module: u64,
    pub(super) date: u32,
    pub(super) needs: u64,
}

/// What stands in the row of a relationship.
#[derive(Debug)]
pub(super) struct RelationshipRow {
    pub(super) id: u64,
    pub(super) time: u32,
    pub(super) active: bool,
    pub(super) source: u64,
    pub(super) target: u64,
    pub(super) group: u16,
    pub(super) name: u64,
}

/// What stands in the row of a description.
#[derive(Debug)]
pub(super) struct DescriptionRow<'r> {
    pub(super) id: u64,
    pub(super) time: u32,
    pub(super) active: bool,
    pub(super) concept: u64,
    pub(super) language: &'r str,
    pub(super) full_name: bool,
    pub(super) text: &'r str,
}

impl Builder {
    pub(super) fn add_concept(&mut self, concept: Concept) {
        self.concepts.push(concept);
    }

    pub(super) fn add_dependency(&mut self, dependency: Dependency) {
        self.modules.push(dependency);
    }

    /// Notes how acceptable a description is in a language.
    pub(super) fn add_acceptability(&mut self, description: u64, bits: u8) {
        self.acceptability.push((description << 4) | u64::from(bits));
    }

    pub(super) fn add_description(&mut self, row: &DescriptionRow<'_>) {
        if !row.active {
            self.ended.push((row.id, row.time));
            return;
        }
        let arena = &mut self.edition.texts.arena;
        let place =
            (self.edition.ids.binary_search(&row.concept), u32::try_from(arena.len()), u16::try_from(row.text.len()));
        let (Ok(concept), Ok(offset), Ok(length)) = place else { return };
        let Ok(concept) = u32::try_from(concept) else { return };
        arena.extend_from_slice(row.text.as_bytes());
        let kind = if row.full_name { FULL_NAME } else { 0 } | self.bits_of(row.id);
        let language = texts::pack(row.language);
        self.descriptions.push(Description { id: row.id, time: row.time, concept, offset, length, language, kind });
    }

    fn bits_of(&self, description: u64) -> u8 {
        let first = self.acceptability.partition_point(|known| known >> 4 < description);
        let own = self.acceptability.iter().skip(first).take_while(|known| **known >> 4 == description);
        own.fold(0, |bits, known| bits | (known & 15) as u8)
    }

    pub(super) fn add_relationship(&mut self, row: &RelationshipRow) {
        if !row.active {
            self.ended.push((row.id, row.time));
            return;
        }
        let position = |id: u64| self.edition.position(id);
        let (Some(source), Some(target), Some(name)) = (position(row.source), position(row.target), position(row.name))
        else {
            return;
        };
        let (id, time, group) = (row.id, row.time, row.group);
        self.relationships.push(Relationship { id, time, source, target, name, group });
    }

    pub(super) fn add_member(&mut self, reference_set: u64, component: u64) {
        if identifier::is_concept(component)
            && let Some(at) = self.edition.position(component)
        {
            self.members.push((reference_set, at));
        }
    }

    /// Ends the concepts: everything later refers to their positions.
    pub(super) fn end_concepts(&mut self) {
        let mut concepts = std::mem::take(&mut self.concepts);
        concepts.sort_unstable_by_key(|concept| (concept.id, std::cmp::Reverse(concept.time)));
        concepts.dedup_by_key(|concept| concept.id);
        self.edition.active = Bits::none(concepts.len());
        self.edition.defined = Bits::none(concepts.len());
        for (concept, at) in concepts.iter().zip(0..) {
            self.edition.ids.push(concept.id);
            self.edition.times.push(concept.time);
            let module = self.module_number(concept.module);
            self.edition.modules.push(module);
            if concept.active {
                self.edition.active.insert(at);
            }
            if concept.defined {
                self.edition.defined.insert(at);
            }
        }
    }

    fn module_number(&mut self, module: u64) -> u16 {
        let known = &mut self.edition.module_ids;
        *self.module_numbers.entry(module).or_insert_with(|| {
            known.push(module);
            u16::try_from(known.len() - 1).unwrap_or(u16::MAX)
        })
    }

    /// Ends the language reference sets: descriptions come next.
    pub(super) fn end_languages(&mut self) {
        self.acceptability.sort_unstable();
    }

    /// Ends the descriptions.
    pub(super) fn end_descriptions(&mut self) {
        self.acceptability = Vec::new();
        let ended = self.take_ended();
        let mut all = std::mem::take(&mut self.descriptions);
        all.sort_unstable_by_key(|row| (row.id, std::cmp::Reverse(row.time)));
        all.dedup_by_key(|row| row.id);
        all.retain(|row| !is_ended(&ended, row.id, row.time));
        all.sort_unstable_by_key(|row| (row.concept, texts::rank(row.kind), row.id));
        let texts = &mut self.edition.texts;
        texts.offsets.starts = starts(self.edition.ids.len(), all.iter().map(|row| row.concept));
        for row in &all {
            texts.offsets.items.push(row.offset);
            texts.lengths.push(row.length);
            texts.kinds.push(row.kind);
            texts.languages.push(row.language);
        }
    }

    /// Ends the relationships.
    pub(super) fn end_relationships(&mut self) {
        let ended = self.take_ended();
        let mut all = std::mem::take(&mut self.relationships);
        all.sort_unstable_by_key(|row| (row.id, std::cmp::Reverse(row.time)));
        all.dedup_by_key(|row| row.id);
        all.retain(|row| !is_ended(&ended, row.id, row.time));
        let is_a = self.edition.position(IS_A);
        let is_parent = |row: &Relationship| Some(row.name) == is_a;
        let count = self.edition.ids.len();
        let mut pairs: Vec<(u32, u32)> =
            all.iter().filter(|row| is_parent(row)).map(|row| (row.source, row.target)).collect();
        self.edition.parents = lists(count, &mut pairs);
        for pair in &mut pairs {
            *pair = (pair.1, pair.0);
        }
        self.edition.children = lists(count, &mut pairs);
        all.retain(|row| !is_parent(row));
        all.sort_unstable_by_key(|row| (row.source, row.group, row.name, row.target));
        self.end_attributes(&all);
    }

    fn end_attributes(&mut self, all: &[Relationship]) {
        let attributes = &mut self.edition.attributes;
        attributes.targets.starts = starts(self.edition.ids.len(), all.iter().map(|row| row.source));
        let mut names: HashMap<u32, u16> = HashMap::new();
        for row in all {
            let name = *names.entry(row.name).or_insert_with(|| {
                attributes.type_concepts.push(row.name);
                u16::try_from(attributes.type_concepts.len() - 1).unwrap_or(u16::MAX)
            });
            attributes.types.push(name);
            attributes.targets.items.push(row.target);
            attributes.groups.push(row.group);
        }
    }

    fn take_ended(&mut self) -> Vec<(u64, u32)> {
        let mut ended = std::mem::take(&mut self.ended);
        ended.sort_unstable();
        ended
    }

    /// The edition. `given` names module and day where the release does not say them itself. None where neither does.
    pub fn finish(mut self, given: EditionVersion) -> Option<Edition> {
        self.members.sort_unstable();
        self.members.dedup();
        let mut reference_sets: Vec<u64> = self.members.iter().map(|(id, _)| *id).collect();
        reference_sets.dedup();
        let number = |id: &u64| reference_sets.binary_search(id).ok().and_then(|at| u32::try_from(at).ok());
        let numbers = self.members.iter().filter_map(|(id, _)| number(id));
        self.edition.refsets.starts = starts(reference_sets.len(), numbers);
        self.edition.refsets.items = self.members.iter().map(|(_, at)| *at).collect();
        self.edition.refset_ids = reference_sets;
        let stated = super::version::of(&self.modules, &self.edition);
        self.edition.version = EditionVersion {
            module: if given.module == 0 { stated.module } else { given.module },
            date: if given.date == 0 { stated.date } else { given.date },
        };
        self.edition.complete();
        (self.edition.version.module != 0 && self.edition.version.date != 0).then_some(self.edition)
    }

    /// How many concepts were read.
    #[must_use]
    pub const fn concepts(&self) -> usize {
        self.edition.len() + self.concepts.len()
    }
}

/// True where a later row says that a component is not active.
fn is_ended(ended: &[(u64, u32)], id: u64, time: u32) -> bool {
    let first = ended.partition_point(|(known, _)| *known < id);
    ended.iter().skip(first).take_while(|(known, _)| *known == id).any(|(_, since)| *since > time)
}

/// Where the list of each of `count` begins, from their owners in order.
fn starts(count: usize, owners: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut starts = vec![0; count + 1];
    for owner in owners {
        if let Some(next) = starts.get_mut(owner as usize + 1) {
            *next += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    starts
}

fn lists(count: usize, pairs: &mut Vec<(u32, u32)>) -> Lists<u32> {
    pairs.sort_unstable();
    pairs.dedup();
    Lists {
        starts: starts(count, pairs.iter().map(|(owner, _)| *owner)),
        items: pairs.iter().map(|(_, item)| *item).collect(),
    }
}
