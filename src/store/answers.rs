//! Pages of searches in memory, for clients that ask for their work again and again. `cache` keeps them with the same care as
//! resources, and forgets all of them at every commit that may change what a search finds: of audit rows, none do.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::search::Found;
use crate::search::sql::{Bind, Statement};

/// What a match needs besides its body.
const OVERHEAD: usize = 400;
/// A page beyond this part of the whole is not kept.
const LARGEST_PART: usize = 16;

/// Two generations, as of resources: what is not used while the young one fills up is forgotten.
#[derive(Debug, Default)]
pub(super) struct Answers {
    young: HashMap<String, Vec<Found>>,
    old: HashMap<String, Vec<Found>>,
    bytes: usize,
}

impl Answers {
    /// The page that a statement has answered, by the name of the statement.
    pub(super) fn get(&mut self, name: &str, room: usize) -> Option<Vec<Found>> {
        if let Some(found) = self.young.get(name) {
            return Some(found.clone());
        }
        let (name, found) = self.old.remove_entry(name)?;
        self.insert(name, found.clone(), room);
        Some(found)
    }

    /// Keeps a page, in `room` bytes for each generation.
    pub(super) fn insert(&mut self, name: String, found: Vec<Found>, room: usize) {
        let bodies: usize = found.iter().map(|found| found.stored.body.len() + OVERHEAD).sum();
        let size = bodies + name.len() + OVERHEAD;
        if size > room / LARGEST_PART {
            return;
        }
        if self.bytes + size > room {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += size;
        self.young.insert(name, found);
    }
}

/// What tells statements apart: text and values.
pub(super) fn name(statement: &Statement) -> String {
    let mut name = String::with_capacity(statement.sql.len() + statement.binds.len() * 40);
    name.push_str(&statement.sql);
    for bind in &statement.binds {
        // Writing to a String cannot fail. Lengths keep values from running into each other.
        let _ = match bind {
            Bind::Text(text) => write!(name, "\n{}:{text}", text.len()),
            Bind::Parameter { resource_type, code } => write!(name, "\n{} {resource_type}.{code}", code.len()),
            Bind::Integer(value) => write!(name, "\n{value}"),
            Bind::Real(value) => write!(name, "\n{value:?}"),
            Bind::Bool(value) => write!(name, "\n{value}"),
        };
    }
    name
}
