//! The editions that are loaded, and which one a version means.

use std::sync::Arc;

use super::SYSTEM;
use super::edition::Edition;

/// Editions in the order in which they were loaded; the last one counts where no version is named.
#[derive(Debug, Clone, Default)]
pub struct Editions(Vec<Arc<Edition>>);

impl Editions {
    /// These editions.
    #[must_use]
    pub const fn new(editions: Vec<Arc<Edition>>) -> Self {
        Self(editions)
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Arc<Edition>] {
        &self.0
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
        let found = self.0.iter().rev().find(|edition| {
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
