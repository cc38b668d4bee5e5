//! Which definitions name which canonical urls, so that a change of one touches only what depends on it. Everything that an
//! engine makes of a definition it finds by canonicals in the definition's text, or in the texts of what those name.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::entry::Entry;

/// The number of a canonical; version and fragment do not count.
pub(super) fn number(canonical: &str) -> u64 {
    let url = canonical.split(['|', '#', '?']).next().unwrap_or(canonical);
    let mut hasher = DefaultHasher::new();
    url.hash(&mut hasher);
    hasher.finish()
}

/// The numbers of all urls in a JSON text, sorted. Whatever looks like one counts: one too many costs little.
pub(super) fn of_text(text: &str) -> Box<[u64]> {
    const LONGEST: usize = 1000;
    // FHIRPath has urls in quotes of its own within the strings of JSON.
    let pieces = text.split(['"', '\'']).map(|piece| piece.trim_end_matches('\\'));
    let urls = pieces.filter(|piece| piece.len() <= LONGEST && piece.contains(':') && !piece.contains(' '));
    let mut numbers: Vec<u64> = urls.map(number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.into_boxed_slice()
}

/// Positions of definitions by the number of each url that they name.
#[derive(Debug, Default)]
pub(super) struct Mentions(HashMap<u64, Vec<u32>>);

impl Mentions {
    /// The mentions of all these definitions.
    pub(super) fn new<'a>(entries: impl Iterator<Item = &'a Entry>) -> Self {
        let mut table: HashMap<u64, Vec<u32>> = HashMap::new();
        for (entry, position) in entries.zip(0..) {
            for number in entry.mentions() {
                table.entry(*number).or_default().push(position);
            }
        }
        Self(table)
    }

    fn of(&self, number: u64) -> &[u32] {
        self.0.get(&number).map_or(&[], Vec::as_slice)
    }
}

/// What differs between a registry and the one it succeeds: the definitions that came or went, and all that depend on them.
#[derive(Debug, Default)]
pub struct Changed {
    urls: HashSet<u64>,
}

impl Changed {
    /// The urls `first`, and those of all `entries` that name one of them, directly or through others. `indexed` has the
    /// mentions of the first `count` entries.
    pub(super) fn reach<'a>(
        first: impl Iterator<Item = &'a str>,
        entries: &[&Entry],
        (indexed, count): (&Mentions, usize),
    ) -> Self {
        let mut urls: HashSet<u64> = HashSet::new();
        let mut open: Vec<u64> = first.map(number).filter(|number| urls.insert(*number)).collect();
        let (known, further) = entries.split_at(count.min(entries.len()));
        while !open.is_empty() {
            let round: HashSet<u64> = open.drain(..).collect();
            let named = round.iter().flat_map(|number| indexed.of(*number)).filter_map(|at| known.get(*at as usize));
            let naming = further.iter().filter(|entry| entry.mentions().iter().any(|number| round.contains(number)));
            open.extend(named.chain(naming).map(|entry| number(&entry.url)).filter(|number| urls.insert(*number)));
        }
        Self { urls }
    }

    /// True where what was made of the definition with this canonical may be another now.
    #[must_use]
    pub fn touches(&self, canonical: &str) -> bool {
        !self.urls.is_empty() && self.urls.contains(&number(canonical))
    }
}
