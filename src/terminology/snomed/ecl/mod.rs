//! Expression constraints (<https://confluence.ihtsdotools.org/display/DOCECL>): which concepts a value set takes, as an
//! expression of the Expression Constraint Language. Parsed once (`parser`, `refinement`, `scanner`), worked out on an edition
//! (`evaluate`). Called for ValueSet filters, implicit value sets and `kith terminology`.
//!
//! Understood: operators in their short and long form, `^` on reference sets, `*`, AND (`,`), OR, MINUS, brackets, terms, comments,
//! dotted attributes, refinements with groups and cardinalities, `=` and `!=`, reversed attributes. Filters (`{{ }}`), history
//! supplements, numbers and texts as values and alternate identifiers are refused by name: an answer without them would be wrong.

mod evaluate;
mod parser;
mod refinement;
mod scanner;

pub(super) use evaluate::Unanswered;
pub use parser::EclError;

/// An expression constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ecl(Expression);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Expression {
    /// `*`
    Any,
    /// A concept by its identifier.
    Concept(u64),
    Related(Relation, Box<Self>),
    /// `^`: what is in reference sets.
    MembersOf(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
    Minus(Box<Self>, Box<Self>),
    Refined(Box<Self>, Box<Refinement>),
    /// The values of an attribute.
    Values(Box<Self>, Box<Self>),
}

/// How concepts are chosen from those that are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Below,
    BelowOrSelf,
    Children,
    ChildrenOrSelf,
    Above,
    AboveOrSelf,
    Parents,
    ParentsOrSelf,
    /// Of these, the ones that are not below another of them.
    Top,
    /// Of these, the ones that are not above another of them.
    Bottom,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Refinement {
    And(Vec<Self>),
    Or(Vec<Self>),
    Attribute(AttributeConstraint),
    /// Attributes of one relationship group.
    Group(Cardinality, Box<Self>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct AttributeConstraint {
    cardinality: Cardinality,
    /// The concept is the value, and what is named has the attribute.
    reversed: bool,
    name: Expression,
    /// False for `!=`.
    equal: bool,
    value: Expression,
}

/// How often something must be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cardinality {
    least: u32,
    most: Option<u32>,
}

impl Cardinality {
    /// What holds where none is written.
    const SOME: Self = Self { least: 1, most: None };

    fn admits(self, count: usize) -> bool {
        u32::try_from(count).is_ok_and(|count| count >= self.least && self.most.is_none_or(|most| count <= most))
    }
}
