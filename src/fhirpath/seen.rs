//! Which items a collection has already, for `|`, `distinct()` and the like. Texts are looked up by hash, so that
//! thousands of ids cost little; everything else is compared.

use std::borrow::Cow;
use std::collections::HashSet;

use super::equality;
use super::error::EvaluateError;
use super::evaluate::{Evaluator, Items};
use super::item::Item;

/// Below this many texts comparing is cheaper than hashing.
const FEW: usize = 8;

/// A set of items under FHIRPath equality.
pub(super) struct Seen<'e, 'a> {
    evaluator: &'e Evaluator<'a>,
    texts: Vec<Cow<'a, str>>,
    hashed: HashSet<Cow<'a, str>>,
    others: Items<'a>,
}

impl<'e, 'a> Seen<'e, 'a> {
    pub(super) fn new(evaluator: &'e Evaluator<'a>) -> Self {
        Self { evaluator, texts: Vec::new(), hashed: HashSet::new(), others: Items::new() }
    }

    /// Adds an item; says whether it is new.
    pub(super) fn insert(&mut self, item: &Item<'a>) -> Result<bool, EvaluateError> {
        let types = self.evaluator.context.types;
        if let Some(Item::Text(text)) = item.system(types) {
            return self.insert_text(text);
        }
        self.evaluator.step(self.others.len())?;
        if self.others.iter().any(|known| equality::equal(known, item, types) == Some(true)) {
            return Ok(false);
        }
        let _ = self.evaluator.push(&mut self.others, item.clone())?;
        Ok(true)
    }

    /// Whether the item has been added.
    pub(super) fn contains(&self, item: &Item<'a>) -> Result<bool, EvaluateError> {
        let types = self.evaluator.context.types;
        if let Some(Item::Text(text)) = item.system(types) {
            self.evaluator.step(1)?;
            return Ok(self.hashed.contains(&text) || self.texts.contains(&text));
        }
        self.evaluator.step(self.others.len())?;
        Ok(self.others.iter().any(|known| equality::equal(known, item, types) == Some(true)))
    }

    fn insert_text(&mut self, text: Cow<'a, str>) -> Result<bool, EvaluateError> {
        self.evaluator.step(1)?;
        if self.hashed.is_empty() && self.texts.len() < FEW {
            let new = !self.texts.contains(&text);
            if new {
                self.texts.push(text);
            }
            return Ok(new);
        }
        self.hashed.extend(self.texts.drain(..));
        if self.hashed.len() >= self.evaluator.context.limits.items {
            return Err(EvaluateError::TooManyItems);
        }
        Ok(self.hashed.insert(text))
    }
}
