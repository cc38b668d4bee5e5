//! Registries from registries: definitions are added, and what was made of the others is taken over as far as it does not
//! depend on those that came or went.

use std::sync::{Arc, OnceLock};

use super::Definitions;
use super::entry::Entry;
use super::mentions::{Changed, Mentions};
use super::package::Package;
use super::part::Part;
use super::precedence;
use crate::problem::Problem;

impl Definitions {
    /// A registry with these packages added. Where an unversioned canonical names several versions, the newest active one is
    /// meant; the base definitions of FHIR itself cannot be replaced.
    pub fn with_packages(&self, packages: Vec<Package>) -> Result<Self, Problem> {
        let parts: Result<Vec<Part>, Problem> = packages.into_iter().map(Part::of_package).collect();
        Ok(self.with_parts(&parts?))
    }

    /// A registry with these definitions added.
    #[must_use]
    pub fn with_parts<'p>(&self, parts: impl IntoIterator<Item = &'p Part>) -> Self {
        let mut next = self.copied();
        next.add(parts.into_iter().flat_map(|part| part.entries.iter().cloned()));
        next
    }

    /// A registry in which these definitions are added and, whatever their status and version, are what their urls mean;
    /// others with the same version are gone.
    #[must_use]
    pub fn preferring(&self, part: &Part) -> Self {
        let mut next = self.with_parts([part]);
        for added in &part.entries {
            let entries = &next.entries;
            let is_added = |at: &u32| entries.get(*at as usize).is_some_and(|entry| Arc::ptr_eq(entry, added));
            let is_replaced = |at: &u32| {
                entries.get(*at as usize).is_some_and(|entry| {
                    entry.resource_type == added.resource_type && entry.version == added.version && !is_added(at)
                })
            };
            if let Some(group) = next.by_url.get_mut(&added.url) {
                group.retain(|at| !is_replaced(at));
                group.sort_by_key(is_added);
            }
        }
        next
    }

    fn copied(&self) -> Self {
        let mut next = Self::with_capacity(self.entries.len());
        next.entries.clone_from(&self.entries);
        next.by_url.clone_from(&self.by_url);
        next.snapshots.extend(self.entries.iter().map(|_| OnceLock::new()));
        next
    }

    pub(super) fn add(&mut self, entries: impl IntoIterator<Item = Arc<Entry>>) {
        let mut several = Vec::new();
        for (entry, at) in entries.into_iter().zip(u32::try_from(self.entries.len()).unwrap_or(u32::MAX)..) {
            let group = self.by_url.entry(Arc::clone(&entry.url)).or_default();
            group.push(at);
            if group.len() > 1 {
                several.push(Arc::clone(&entry.url));
            }
            self.entries.push(entry);
            self.snapshots.push(OnceLock::new());
        }
        several.sort_unstable();
        several.dedup();
        for url in several {
            let Some(group) = self.by_url.get_mut(&url) else { continue };
            // The sort is stable: of equals the one added last stays last.
            group.sort_by(|left, right| {
                let entries = self.entries.get(*left as usize).zip(self.entries.get(*right as usize));
                entries.map_or(std::cmp::Ordering::Equal, |(left, right)| precedence::order(left, right))
            });
        }
    }

    /// Takes over the snapshots of `earlier` that are still true, and says what is not.
    pub fn succeed(&self, earlier: &Self) -> Changed {
        let common = self.entries.iter().zip(&earlier.entries).take_while(|(new, old)| Arc::ptr_eq(new, old)).count();
        let mut differing = self.entries.iter().skip(common).chain(earlier.entries.iter().skip(common)).peekable();
        if differing.peek().is_none() {
            return Changed::default();
        }
        let all: Vec<&Entry> = self.entries.iter().take(common).map(|entry| &**entry).collect();
        let changed = Changed::reach(differing.map(|entry| &*entry.url), &all, embedded_mentions());
        for ((new, old), entry) in self.snapshots.iter().zip(&earlier.snapshots).zip(&all) {
            if let Some(snapshot) = old.get().filter(|_| !changed.touches(&entry.url)) {
                let _ = new.set(Arc::clone(snapshot));
            }
        }
        changed
    }
}

/// The mentions of what is embedded, with which every registry begins, and how many definitions that is.
fn embedded_mentions() -> (&'static Mentions, usize) {
    static MENTIONS: OnceLock<(Mentions, usize)> = OnceLock::new();
    let (mentions, count) = MENTIONS.get_or_init(|| {
        let embedded = Definitions::embedded();
        (Mentions::new(embedded.entries.iter().map(|entry| &**entry)), embedded.entries.len())
    });
    (mentions, *count)
}
