//! What a page of a search depends on, so that a page kept in memory (`store::answers`) outlives changes that cannot touch it.

use crate::search::kinds::reference::Target;
use crate::search::kinds::{Criterion, Table};
use crate::search::query::{Condition, Query, Rows};

/// Which changes may make a page another one. A change of a resource that is on the page always may.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Dependence {
    /// Any change of any resource.
    #[default]
    Everything,
    /// Changes of resources of this type.
    Type(String),
    /// Changes that leave a resource of this type with this reference: nothing else can enter the page.
    Reference {
        /// The resource type that is searched.
        resource_type: String,
        /// The code of the reference parameter.
        code: String,
        /// The logical id that it must name.
        id: String,
    },
}

impl Dependence {
    /// What the pages of a search depend on.
    #[must_use]
    pub fn of(query: &Query) -> Self {
        if !query.conditions.iter().all(|condition| is_own(condition, &query.resource_type)) {
            return Self::Everything;
        }
        let resource_type = query.resource_type.clone();
        match query.conditions.iter().find_map(reference) {
            Some((code, id)) => Self::Reference { resource_type, code: code.to_owned(), id: id.to_owned() },
            None => Self::Type(resource_type),
        }
    }
}

/// True where only the resource itself decides whether the condition holds for it.
fn is_own(condition: &Condition, resource_type: &str) -> bool {
    match condition {
        Condition::Rows(rows) => rows.resource_type == resource_type,
        Condition::Id(_) | Condition::LastUpdated(_) | Condition::NotAfter(_) => true,
        Condition::All(all) | Condition::Any(all) => all.iter().all(|each| is_own(each, resource_type)),
        Condition::Not(inner) => is_own(inner, resource_type),
        _ => false,
    }
}

/// The code and the target of a condition that asks for one reference.
fn reference(condition: &Condition) -> Option<(&str, &str)> {
    let Condition::Rows(Rows { table: Table::Reference, code, any, .. }) = condition else { return None };
    match any.as_slice() {
        [Criterion::Reference(Target::Local { id, .. })] => Some((code, id)),
        _ => None,
    }
}
