//! What a search asks for, as plain data: conditions, order, page size, inclusions. Parsed from a query string, turned into SQL
//! by `search::sql`. Compartments, party restrictions and `_filter` are conditions like any other.

pub mod chain;
mod concepts;
pub mod expression;
pub mod fault;
pub mod filter;
pub mod include;
mod link;
pub mod parse;
mod reading;
pub mod restrict;
pub mod result;
pub mod sort;
mod text;
pub mod value;

pub use include::{Follow, Include};
pub use parse::{Context, Handling, parse};
pub use restrict::Restrictions;
pub use result::{Summary, Total};
pub use sort::{Sort, SortBy};

use std::sync::Arc;

use crate::clock::Micros;
use crate::fhir::issue::Issue;
use crate::search::index::ParameterCode;
use crate::search::kinds::date::Span;
use crate::search::kinds::{Criterion, Table};

/// A parsed search over one resource type.
#[derive(Debug, Clone)]
pub struct Query {
    /// The resource type that is searched.
    pub resource_type: String,
    /// All of these must hold.
    pub conditions: Vec<Condition>,
    /// The order; empty for the server's own.
    pub sort: Vec<Sort>,
    /// Page size as asked for; 0 asks for the total only.
    pub count: Option<u32>,
    /// Whether the total is wanted.
    pub total: Option<Total>,
    /// `_summary`.
    pub summary: Option<Summary>,
    /// `_elements`.
    pub elements: Vec<String>,
    /// `_include` and `_revinclude`.
    pub includes: Vec<Include>,
    /// The continuation token of a paging link, as it came.
    pub page: Option<String>,
    /// The parameters that were understood, in order, as the self link shows them.
    pub understood: Vec<(String, String)>,
    /// What was passed over (lenient handling), for the answer's OperationOutcome.
    pub warnings: Vec<Issue>,
}

/// Something that is true of a resource or not.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// The resource has an index row of this kind.
    Rows(Rows),
    /// The logical id is one of these.
    Id(Vec<String>),
    /// The time of the last change is in one of these relations.
    LastUpdated(Vec<Span>),
    /// The resource refers, by this parameter, to a resource of a type for which a condition holds.
    Chain(Link, Box<Condition>),
    /// A resource of another type refers to this one by one of its parameters, and a condition holds for it.
    Has(Link, Box<Condition>),
    /// All hold.
    All(Vec<Condition>),
    /// At least one holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// An organisation has one of these parts in the resource.
    Party(Parties),
    /// The patient that the resource is about objects to its being shown.
    Objection(Objection),
    /// The last change is not after this instant.
    NotAfter(Micros),
}

/// A condition on rows of one index table.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The table.
    pub table: Table,
    /// The resource type whose parameter it is.
    pub resource_type: String,
    /// Code or pseudo-code of the parameter.
    pub code: ParameterCode,
    /// One of these holds for the row; an empty list asks only that there is a row.
    pub any: Vec<Criterion>,
    /// How few resources such a condition is expected to leave.
    pub weight: Weight,
}

/// An organisation and the parts that it may have in a resource, as the store keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parties {
    /// The parts, for example `owner`; one of them is enough.
    pub roles: Vec<String>,
    /// The names of the organisation: `Organization/id`, `system|value` and so on; one of them is enough.
    pub names: Arc<[String]>,
}

/// Whose objections count: those with one of these parts, where the same Consent has none of the exceptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// Parts that object.
    pub roles: Arc<[String]>,
    /// Parts that except the caller from the objection.
    pub exceptions: Arc<[String]>,
    /// The part under which Patients have the names of their person.
    pub person: String,
}

/// A reference parameter of one type that points to resources of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The type that has the reference.
    pub source: String,
    /// The code of the reference parameter.
    pub code: ParameterCode,
    /// The type that is referred to.
    pub target: String,
    /// True where the reference is the canonical url of its target, perhaps with a version, rather than type and id.
    pub by_url: bool,
}

/// How selective a condition is expected to be, best first. The search starts from the index of the best one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// At most a handful: ids and identifiers.
    Unique,
    /// Few: what one resource refers to, names, urls.
    Few,
    /// A share of all: clinical codes, dates.
    Some,
    /// Most may match: statuses, booleans, open ranges.
    Many,
}

impl Condition {
    /// How selective the condition is; [`Weight::Many`] also where it cannot start a search.
    #[must_use]
    pub fn weight(&self) -> Weight {
        match self {
            Self::Rows(rows) if rows.any.is_empty() => Weight::Many,
            Self::Rows(rows) => rows.weight,
            Self::Id(_) => Weight::Unique,
            Self::Chain(_, inner) | Self::Has(_, inner) => inner.weight().max(Weight::Few),
            Self::All(all) => all.iter().map(Self::weight).min().unwrap_or(Weight::Many),
            Self::Any(any) => any.iter().map(Self::weight).max().unwrap_or(Weight::Unique),
            Self::Party(_) => Weight::Some,
            Self::LastUpdated(_) | Self::Not(_) | Self::NotAfter(_) | Self::Objection(_) => Weight::Many,
        }
    }
}
