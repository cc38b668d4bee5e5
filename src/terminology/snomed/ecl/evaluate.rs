//! Works a constraint out on an edition: which concepts it takes. The work is bounded.

use super::{AttributeConstraint, Cardinality, Ecl, Expression, Refinement, Relation};
use crate::terminology::snomed::concept_set::Bits;
use crate::terminology::snomed::edition::{Attribute, Edition};

/// How many concepts and relationships may be looked at for one constraint.
const MOST_WORK: usize = 200_000_000;

/// Why a constraint has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::terminology::snomed) enum Unanswered {
    /// The members of this reference set are not loaded.
    ReferenceSet(u64),
    /// It takes more work than is allowed.
    TooCostly,
}

type Answer = Result<Bits, Unanswered>;

impl Ecl {
    /// The concepts that the constraint takes.
    pub(in crate::terminology::snomed) fn evaluate(&self, edition: &Edition) -> Answer {
        Evaluation { edition, left: MOST_WORK }.expression(&self.0)
    }
}

struct Evaluation<'e> {
    edition: &'e Edition,
    left: usize,
}

/// An attribute constraint whose sets are worked out.
struct Ready {
    cardinality: Cardinality,
    names: Bits,
    equal: bool,
    values: Bits,
}

/// A refinement whose sets are worked out.
enum Prepared {
    And(Vec<Self>),
    Or(Vec<Self>),
    Attribute(Ready),
    /// Concepts that are values of the attribute (reversed).
    OneOf(Bits),
    Group(Cardinality, Box<Self>),
}

impl Evaluation<'_> {
    fn spend(&mut self, work: usize) -> Result<(), Unanswered> {
        self.left = self.left.checked_sub(work).ok_or(Unanswered::TooCostly)?;
        Ok(())
    }

    fn none(&mut self) -> Answer {
        self.spend(self.edition.len() / 64 + 1)?;
        Ok(Bits::none(self.edition.len()))
    }

    fn expression(&mut self, expression: &Expression) -> Answer {
        match expression {
            Expression::Any => Ok(self.edition.active.clone()),
            Expression::Concept(_) => {
                let mut one = self.none()?;
                self.add(expression, &mut one)?;
                Ok(one)
            }
            Expression::Related(relation, inner) => self.related(*relation, inner),
            Expression::MembersOf(inner) => self.members(inner),
            Expression::And(all) => {
                let Some((first, others)) = all.split_first() else { return self.none() };
                let mut common = self.expression(first)?;
                for part in others {
                    common.keep(&self.expression(part)?);
                }
                Ok(common)
            }
            Expression::Or(all) => {
                let mut sum = self.none()?;
                for part in all {
                    self.add(part, &mut sum)?;
                }
                Ok(sum)
            }
            Expression::Minus(from, out) => {
                let mut rest = self.expression(from)?;
                rest.take_away(&self.expression(out)?);
                Ok(rest)
            }
            Expression::Refined(focus, refinement) => self.refined(focus, refinement),
            Expression::Values(of, name) => {
                let (of, names) = (self.expression(of)?, self.expression(name)?);
                self.values(&of, &names)
            }
        }
    }

    /// Adds what a part takes; long lists of single concepts need no set each.
    fn add(&mut self, part: &Expression, sum: &mut Bits) -> Result<(), Unanswered> {
        if let Expression::Concept(id) = part {
            if let Some(at) = self.edition.position(*id) {
                sum.insert(at);
            }
            return Ok(());
        }
        sum.add(&self.expression(part)?);
        Ok(())
    }

    fn related(&mut self, relation: Relation, inner: &Expression) -> Answer {
        let start = self.expression(inner)?;
        let edition = self.edition;
        let with_self = |mut found: Bits| {
            found.add(&start);
            found
        };
        let found = match relation {
            Relation::Below => edition.below(&start),
            Relation::BelowOrSelf => with_self(edition.below(&start)),
            Relation::Children => edition.children_of(&start),
            Relation::ChildrenOrSelf => with_self(edition.children_of(&start)),
            Relation::Above => edition.above(&start),
            Relation::AboveOrSelf => with_self(edition.above(&start)),
            Relation::Parents => edition.parents_of(&start),
            Relation::ParentsOrSelf => with_self(edition.parents_of(&start)),
            Relation::Top | Relation::Bottom => {
                let inner = if relation == Relation::Top { edition.below(&start) } else { edition.above(&start) };
                let mut ends = start.clone();
                ends.take_away(&inner);
                ends
            }
        };
        self.spend(found.len() + edition.len() / 64)?;
        Ok(found)
    }

    fn members(&mut self, inner: &Expression) -> Answer {
        let mut sum = self.none()?;
        if let Expression::Concept(id) = inner {
            let members = self.edition.reference_set(*id).ok_or(Unanswered::ReferenceSet(*id))?;
            sum.extend(members.iter().copied());
            return Ok(sum);
        }
        let sets = self.expression(inner)?;
        for at in sets.iter() {
            if let Some(members) = self.edition.reference_set(self.edition.id(at)) {
                sum.extend(members.iter().copied());
            }
        }
        Ok(sum)
    }

    fn values(&mut self, of: &Bits, names: &Bits) -> Answer {
        let mut found = self.none()?;
        self.spend(self.edition.relationships())?;
        for at in of.iter() {
            for attribute in self.edition.attributes_of(at).filter(|attribute| names.contains(attribute.name)) {
                found.insert(attribute.value);
            }
        }
        Ok(found)
    }

    fn refined(&mut self, focus: &Expression, refinement: &Refinement) -> Answer {
        let focus = self.expression(focus)?;
        let prepared = self.prepare(refinement)?;
        self.spend(self.edition.relationships())?;
        let mut found = self.none()?;
        let mut attributes = Vec::new();
        for at in focus.iter() {
            attributes.clear();
            attributes.extend(self.edition.attributes_of(at));
            if prepared.holds(at, &attributes) {
                found.insert(at);
            }
        }
        Ok(found)
    }

    fn prepare(&mut self, refinement: &Refinement) -> Result<Prepared, Unanswered> {
        let mut each = |all: &[Refinement]| -> Result<Vec<Prepared>, Unanswered> {
            all.iter().map(|part| self.prepare(part)).collect()
        };
        match refinement {
            Refinement::And(all) => each(all).map(Prepared::And),
            Refinement::Or(all) => each(all).map(Prepared::Or),
            Refinement::Group(cardinality, inner) => Ok(Prepared::Group(*cardinality, Box::new(self.prepare(inner)?))),
            Refinement::Attribute(attribute) => self.attribute(attribute),
        }
    }

    fn attribute(&mut self, attribute: &AttributeConstraint) -> Result<Prepared, Unanswered> {
        let names = self.expression(&attribute.name)?;
        let values = self.expression(&attribute.value)?;
        if !attribute.reversed {
            let AttributeConstraint { cardinality, equal, .. } = *attribute;
            return Ok(Prepared::Attribute(Ready { cardinality, names, equal, values }));
        }
        let mut bearers = values;
        if !attribute.equal {
            let mut others = self.edition.active.clone();
            others.take_away(&bearers);
            bearers = others;
        }
        self.values(&bearers, &names).map(Prepared::OneOf)
    }
}

impl Prepared {
    fn holds(&self, at: u32, attributes: &[Attribute]) -> bool {
        match self {
            Self::And(all) => all.iter().all(|part| part.holds(at, attributes)),
            Self::Or(all) => all.iter().any(|part| part.holds(at, attributes)),
            Self::OneOf(concepts) => concepts.contains(at),
            Self::Attribute(ready) => {
                let fits = |attribute: &&Attribute| {
                    ready.names.contains(attribute.name) && ready.values.contains(attribute.value) == ready.equal
                };
                ready.cardinality.admits(attributes.iter().filter(fits).count())
            }
            Self::Group(cardinality, inner) => {
                let fitting = groups(attributes).filter(|group| inner.holds(at, group)).count();
                cardinality.admits(fitting)
            }
        }
    }
}

/// The relationship groups of a concept; each attribute of group 0 stands alone.
fn groups(attributes: &[Attribute]) -> impl Iterator<Item = Vec<Attribute>> + '_ {
    let alone = attributes.iter().filter(|attribute| attribute.group == 0).map(|attribute| vec![*attribute]);
    let mut numbers: Vec<u16> =
        attributes.iter().map(|attribute| attribute.group).filter(|group| *group != 0).collect();
    numbers.sort_unstable();
    numbers.dedup();
    alone.chain(
        numbers
            .into_iter()
            .map(move |number| attributes.iter().filter(|attribute| attribute.group == number).copied().collect()),
    )
}
