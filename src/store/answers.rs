//! Pages of searches in memory, for clients that ask for their work again and again. `cache` keeps them with the same care as
//! resources, and forgets at every commit those that it may have made others: `touched` tells which.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::search::Found;
use super::touched::Touched;
use crate::search::sql::{Bind, Dependence, Statement};

/// What a match needs besides its body.
const OVERHEAD: usize = 400;
/// A page beyond this part of the whole is not kept.
const LARGEST_PART: usize = 16;
/// Pages of one generation: every commit looks at all of them.
const MOST: usize = 1000;

/// A page, and which changes may make it another one.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) found: Arc<[Found]>,
    pub(super) dependence: Dependence,
}

/// Two generations, as of resources: what is not used while the young one fills up is forgotten.
#[derive(Debug, Default)]
pub(super) struct Answers {
    young: HashMap<String, Page>,
    old: HashMap<String, Page>,
    bytes: usize,
}

impl Answers {
    /// The page that a statement has answered, by the name of the statement.
    pub(super) fn get(&mut self, name: &str, room: usize) -> Option<Arc<[Found]>> {
        if let Some(page) = self.young.get(name) {
            return Some(Arc::clone(&page.found));
        }
        let (name, page) = self.old.remove_entry(name)?;
        let found = Arc::clone(&page.found);
        self.insert(name, page, room);
        Some(found)
    }

    /// Keeps a page, in `room` bytes for each generation.
    pub(super) fn insert(&mut self, name: String, page: Page, room: usize) {
        let bodies: usize = page.found.iter().map(|found| found.stored.body.len() + OVERHEAD).sum();
        let size = bodies + name.len() + OVERHEAD;
        if size > room / LARGEST_PART {
            return;
        }
        if self.bytes + size > room || self.young.len() >= MOST {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += size;
        self.young.insert(name, page);
    }

    /// Forgets every page that a transaction may have made another one.
    pub(super) fn forget(&mut self, touched: &Touched) {
        // The bytes stay counted: pages are moved on a little early then.
        self.young.retain(|_, page| !touched.reaches(&page.dependence, &page.found));
        self.old.retain(|_, page| !touched.reaches(&page.dependence, &page.found));
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
