//! The editions that are loaded, and which one a version means.

use std::sync::Arc;

use super::SYSTEM;
use super::edition::Edition;

/// Editions in the order in which they were loaded; the last one counts where no version is named.
#[derive(Debug, Clone, Default)]
pub struct Editions(Vec<(String, Arc<Edition>)>);

impl From<Edition> for Editions {
    fn from(edition: Edition) -> Self {
        Self(vec![(String::new(), Arc::new(edition))])
    }
}

impl Editions {
    /// These editions, each under the id that it is stored by.
    #[must_use]
    pub const fn new(editions: Vec<(String, Arc<Edition>)>) -> Self {
        Self(editions)
    }

    /// All of them.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Arc<Edition>> {
        self.0.iter().map(|(_, edition)| edition)
    }

    /// The edition that is stored by an id.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&Arc<Edition>> {
        self.0.iter().find(|(known, _)| known == id).map(|(_, edition)| edition)
    }

    /// True where these are the same editions as others.
    #[must_use]
    pub fn are(&self, others: &Self) -> bool {
        self.0.iter().map(|(id, _)| id).eq(others.0.iter().map(|(id, _)| id))
    }

    /// The edition that a canonical names: `http://snomed.info/sct` with or without `|version`. A version may be that of an
    /// edition, `http://snomed.info/sct/MODULE/version/DATE`, its beginning, the module or the day alone.
    #[must_use]
    pub fn find(&self, canonical: &str) -> Option<Arc<Edition>> {
        let rest = canonical.strip_prefix(SYSTEM)?;
        let version = match rest.strip_prefix('|') {
            Some(version) => version,
            None => rest.is_empty().then_some("")?,
        };
        let wanted = version.strip_prefix(SYSTEM).map_or(version, |path| path.trim_matches('/'));
        let found = self.0.iter().map(|(_, edition)| edition).rev().find(|edition| {
            let version = edition.version();
            let (module, date) = (version.module.to_string(), format!("{:08}", version.date));
            match wanted.split_once("/version/") {
                Some((named, day)) => named == module && day == date,
                None => wanted.is_empty() || wanted == module || wanted == date,
            }
        });
        found.cloned()
    }
}
