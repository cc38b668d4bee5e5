//! What the work of a transaction has changed, as far as pages of searches in memory must know it: gathered by `Tx`, asked by
//! `answers` once it is committed. Errs on the side of too much.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::search::Found;
use crate::search::index::IndexRows;
use crate::search::sql::Dependence;

/// Changes of a transaction.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Keys of resources that were there before.
    keys: HashSet<i64>,
    types: HashSet<String>,
    /// References of the versions that are current now, each as the number that stands for it.
    references: HashSet<u64>,
}

impl Touched {
    /// A resource of this type gets these index rows; `key` where it was there before.
    pub(super) fn add(&mut self, resource_type: &str, rows: &IndexRows, key: Option<i64>) {
        if !self.types.contains(resource_type) {
            self.types.insert(resource_type.to_owned());
        }
        self.keys.extend(key);
        let numbers = rows.references.iter().map(|row| number(resource_type, &row.parameter, &row.target_id));
        self.references.extend(numbers);
    }

    /// True where a page may be another one now.
    pub(super) fn reaches(&self, dependence: &Dependence, page: &[Found]) -> bool {
        let enters = match dependence {
            Dependence::Everything => return true,
            Dependence::Type(resource_type) => return self.types.contains(resource_type),
            Dependence::Reference { resource_type, code, id } => {
                self.references.contains(&number(resource_type, code, id))
            }
        };
        enters || (!self.keys.is_empty() && page.iter().any(|found| self.keys.contains(&found.stored.key)))
    }

    /// Forgets everything, for the next transaction.
    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.types.clear();
        self.references.clear();
    }
}

/// The number that stands for a reference. Two references of one number only make a page be read again without need.
fn number(resource_type: &str, code: &str, id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (resource_type, code, id).hash(&mut hasher);
    hasher.finish()
}
