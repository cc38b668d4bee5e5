//! The search parameters of every resource type, with their expressions compiled. Extraction runs them, query parsing looks
//! them up, the CapabilityStatement lists them.

pub mod admission;
mod compile;
mod composite;
mod registry;
mod standing;

use std::sync::Arc;

pub(crate) use composite::Group;
pub use registry::{OfType, Registry};
pub use standing::{Standing, Standings};

use crate::fhir::types::{TypeIndex, TypeKind, Types};
use crate::fhirpath::Expression;
use crate::search::kinds::{Codes, Kind, Shape, Table};
use crate::search::query::Weight;
use crate::search::walk::Walk;

/// One search parameter as it applies to one resource type.
#[derive(Debug)]
pub struct Parameter {
    /// The resource type.
    pub resource_type: String,
    /// The code and the pseudo-codes under which its rows are kept.
    pub codes: Codes,
    /// Its type.
    pub kind: Kind,
    /// Canonical url of its definition.
    pub url: String,
    /// The resource types it may refer to, for references.
    pub targets: Vec<String>,
    /// How few resources an equality by it is expected to leave.
    pub weight: Weight,
    /// True if its only elements are of type `code`, whose rows carry no system.
    pub plain_code: bool,
    /// The expression, cut to this resource type.
    pub expression: String,
    /// Whether searches may use it.
    pub standing: Standing,
    /// The number of its definition, see [`Standings`].
    pub generation: i64,
    /// Where its values stand.
    pub(crate) sources: Vec<Source>,
    /// The components of a composite.
    pub parts: Vec<Arc<Parameter>>,
    /// Where the elements of a composite stand.
    pub(crate) groups: Vec<Group>,
}

/// Where values of a parameter stand.
#[derive(Debug)]
pub(crate) enum Source {
    /// At the end of a walk, in elements of this shape.
    Walk(Walk, Shape),
    /// Wherever an expression leads.
    Expression(Expression),
}

impl Parameter {
    /// The parameter's code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.codes.own
    }

    /// True if a search can use it: it has a table and a way to its values, or a column of its own.
    #[must_use]
    pub fn is_searchable(&self) -> bool {
        self.standing == Standing::Ready && self.has_values()
    }

    /// True if its values are kept in rows that resources can be sorted by.
    #[must_use]
    pub fn is_sortable(&self) -> bool {
        let has_order = !self.sources.is_empty() && self.kind.table().is_some_and(Table::has_order);
        self.standing == Standing::Ready && has_order
    }

    /// True if there is a way to its values.
    fn has_values(&self) -> bool {
        if self.kind == Kind::Composite {
            !self.parts.is_empty() && !self.groups.is_empty()
        } else {
            let own_way = ["_id", "_lastUpdated", "_text", "_content", "_filter"];
            own_way.contains(&self.code()) || !self.sources.is_empty()
        }
    }
}

/// The shape of a type, seen through backbones (which have none).
pub(crate) fn shape_of(index: TypeIndex, types: &Types) -> Shape {
    let definition = types.definition(index);
    match definition.kind {
        TypeKind::Backbone if &*definition.name != "Location.position" => Shape::Other,
        _ => Shape::of(definition),
    }
}
