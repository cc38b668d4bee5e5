//! The names of an organisation: every reference and identifier by which resources may mean it. The interactions find them;
//! the rules of what it sees are written on them.

use std::sync::Arc;

/// What stands for every organisation among the names of a part.
pub const ANYBODY: &str = "*";

/// The names of one organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// As the client's registration has it: `system|value`.
    pub token: String,
    /// `Organization/id`, and the services, roles, practitioners and teams that belong to it.
    pub references: Vec<String>,
}

impl Names {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> Arc<[String]> {
        std::iter::once(&self.token).chain(&self.references).cloned().collect()
    }

    /// All of them, and the name of anybody.
    #[must_use]
    pub fn or_anybody(&self) -> Arc<[String]> {
        self.all().iter().cloned().chain([ANYBODY.to_owned()]).collect()
    }

    /// True where a reference or identifier is one of them.
    #[must_use]
    pub fn contain(&self, name: &str) -> bool {
        name == self.token || self.references.iter().any(|reference| reference == name)
    }
}
