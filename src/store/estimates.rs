//! What estimates of searches came to, in memory. An estimate only chooses between two ways to the same answer, so it may be old;
//! a client that asks for its work again and again should not have it counted each time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// An estimate is given out so often before it is made again.
const USES: u8 = 64;
/// Beyond this all are forgotten.
const MOST: usize = 4096;

/// Estimates by the name of the statement that makes them.
#[derive(Debug, Default)]
pub(super) struct Estimates(Mutex<HashMap<String, (i64, u8)>>);

impl Estimates {
    /// What an estimate came to, if it is not due again.
    pub(super) fn get(&self, name: &str) -> Option<i64> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, uses) = known.get_mut(name)?;
        *uses = uses.checked_sub(1)?;
        Some(*count)
    }

    /// Remembers an estimate.
    pub(super) fn add(&self, name: String, count: i64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(name, (count, USES));
    }
}
