//! Backups: every table of the database, as one moment shows it, in one file that either database takes back. Called by
//! `kith backup` and `kith restore`; the readers of tables also by `kith check`.

pub(super) mod cell;
mod format;
mod restore;
mod save;
pub(super) mod tables;

pub use format::{Head, Part};
pub use restore::{Restore, restore};
pub use save::backup;

/// How far a backup or a restoration is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What is being done, for people.
    pub what: &'a str,
    /// Rows done.
    pub done: u64,
    /// Rows in all; 0 where it is not known.
    pub total: u64,
}

/// What a backup holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// What it is.
    pub head: Head,
    /// Its tables.
    pub parts: Vec<Part>,
}

impl Contents {
    /// True where the database that it was made of has the schema of this kith: opening it changes nothing.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.head.schema == super::migrate::newest()
    }

    /// Rows of all tables.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.parts.iter().map(|part| part.rows).sum()
    }
}
