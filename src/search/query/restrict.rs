//! What a caller may see, as conditions on each resource type. This is the one place where they enter a search: the matches, and
//! every resource that a chain, `_has` or an inclusion goes through, so that what may not be seen cannot be told from what does
//! not exist. `access` makes them; the search interaction and the operations apply them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::{Condition, Query};

/// Conditions that hold for every resource that may be seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Restrictions {
    by_type: BTreeMap<String, Vec<Condition>>,
    /// Types that are not named here are not seen at all.
    closed: bool,
}

impl Restrictions {
    /// No restriction.
    #[must_use]
    pub const fn none() -> Self {
        Self { by_type: BTreeMap::new(), closed: false }
    }

    /// Nothing is seen but what [`Restrictions::open`] and [`Restrictions::restrict`] name.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { by_type: BTreeMap::new(), closed: true }
    }

    /// Lets all resources of a type be seen.
    pub fn open(&mut self, resource_type: &str) {
        self.by_type.entry(resource_type.to_owned()).or_default();
    }

    /// True where nothing is kept back.
    #[must_use]
    pub fn is_none(&self) -> bool {
        !self.closed && self.by_type.values().all(Vec::is_empty)
    }

    /// True where types that are not named are not seen.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Adds a condition for resources of one type.
    pub fn restrict(&mut self, resource_type: &str, condition: Condition) {
        self.by_type.entry(resource_type.to_owned()).or_default().push(condition);
    }

    /// Adds a condition for resources of one type, as far as any of them may be seen.
    pub fn narrow(&mut self, resource_type: &str, condition: Condition) {
        if !self.closed || self.by_type.contains_key(resource_type) {
            self.restrict(resource_type, condition);
        }
    }

    /// The same for resources of these types; of others nothing is seen.
    #[must_use]
    pub fn only<'t>(&self, types: impl IntoIterator<Item = &'t str>) -> Self {
        let kept = |name: &'t str| (name.to_owned(), self.on(name).to_vec());
        Self { by_type: types.into_iter().map(kept).collect(), closed: true }
    }

    /// The same, with what `other` says of one type.
    #[must_use]
    pub fn with(mut self, resource_type: &str, other: &Self) -> Self {
        self.by_type.insert(resource_type.to_owned(), other.on(resource_type).to_vec());
        self
    }

    /// What must hold of a resource of this type.
    #[must_use]
    pub fn on(&self, resource_type: &str) -> &[Condition] {
        match self.by_type.get(resource_type) {
            Some(conditions) => conditions,
            None if self.closed => never(),
            None => &[],
        }
    }

    /// The types that are restricted, with their conditions.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Condition])> {
        self.by_type.iter().map(|(name, conditions)| (name.as_str(), conditions.as_slice()))
    }

    /// The query with the restrictions on its matches and on all that its conditions go through.
    #[must_use]
    pub fn apply(&self, mut query: Query) -> Query {
        if !self.is_none() {
            query.conditions = query.conditions.into_iter().map(|condition| self.within(condition)).collect();
            query.conditions.extend_from_slice(self.on(&query.resource_type));
        }
        query
    }

    fn within(&self, condition: Condition) -> Condition {
        let all = |conditions: Vec<Condition>| conditions.into_iter().map(|each| self.within(each)).collect();
        match condition {
            Condition::Chain(link, inner) => {
                let inner = self.and(*inner, &link.target);
                Condition::Chain(link, Box::new(inner))
            }
            Condition::Has(link, inner) => {
                let inner = self.and(*inner, &link.source);
                Condition::Has(link, Box::new(inner))
            }
            Condition::All(conditions) => Condition::All(all(conditions)),
            Condition::Any(conditions) => Condition::Any(all(conditions)),
            Condition::Not(inner) => Condition::Not(Box::new(self.within(*inner))),
            other => other,
        }
    }

    fn and(&self, condition: Condition, resource_type: &str) -> Condition {
        let condition = self.within(condition);
        match self.on(resource_type) {
            [] => condition,
            more => Condition::All(std::iter::once(condition).chain(more.iter().cloned()).collect()),
        }
    }
}

/// What holds for no resource.
fn never() -> &'static [Condition] {
    static NEVER: OnceLock<[Condition; 1]> = OnceLock::new();
    NEVER.get_or_init(|| [Condition::Any(Vec::new())])
}
