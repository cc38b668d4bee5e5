//! Static check of an expression against the type it will run on: elements that do not exist, casts that lead nowhere,
//! operands that can never be right. An engine may leave all this to run time, where a mistyped element is simply empty
//! and the invariant silently holds; whoever writes profiles wants to know at once. Called by [`super::Expression::check`].

use super::check_call::{self, Checked};
use super::error::CompileError;
use super::expression::Meaning;
use super::navigate;
use super::specifier::TypeSpecifier;
use super::syntax::{Kind, Operator, Tree};
use crate::fhir::types::{TypeIndex, TypeKind, Types};

/// What is known about a collection before anything runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    pub(super) items: Items,
    /// May hold more than one item.
    pub(super) many: bool,
    /// Whether the order of the items means something.
    pub(super) ordered: bool,
}

/// The possible types of items.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Items {
    /// Nothing is known.
    Any,
    /// One of these FHIR types.
    Fhir(Vec<TypeIndex>),
    /// This System type.
    System(&'static str),
}

impl Known {
    pub(super) const fn any() -> Self {
        Self { items: Items::Any, many: true, ordered: true }
    }

    pub(super) const fn system(name: &'static str) -> Self {
        Self { items: Items::System(name), many: false, ordered: true }
    }

    pub(super) fn fhir(types: Vec<TypeIndex>, many: bool) -> Self {
        Self { items: Items::Fhir(types), many, ordered: true }
    }

    /// One item of the collection.
    pub(super) fn single(&self) -> Self {
        Self { many: false, ordered: true, ..self.clone() }
    }
}

/// Checks a whole expression that will run on elements of type `root`.
pub(super) fn check(tree: &Tree, source: &str, root: TypeIndex, types: &Types) -> Result<(), CompileError> {
    let focus = Known::fhir(vec![root], false);
    Checker { source, types }.infer(tree, &focus).map(|_| ())
}

/// The checker at work.
pub(super) struct Checker<'t> {
    pub(super) source: &'t str,
    pub(super) types: &'t Types,
}

impl Checker<'_> {
    pub(super) fn error(&self, tree: &Tree, text: impl Into<String>) -> CompileError {
        CompileError::new(self.source, tree.position, text)
    }

    /// What the expression gives on `focus`.
    pub(super) fn infer(&self, tree: &Tree, focus: &Known) -> Checked {
        match &tree.kind {
            Kind::Empty | Kind::Index | Kind::Total | Kind::Variable(_) => Ok(Known::any()),
            Kind::Boolean(_) => Ok(Known::system("Boolean")),
            Kind::Text(_) => Ok(Known::system("String")),
            Kind::Quantity { .. } => Ok(Known::system("Quantity")),
            Kind::Number(number) => Ok(Known::system(if number.contains('.') { "Decimal" } else { "Integer" })),
            Kind::Temporal(text) => Ok(Known::system(match text {
                text if text.starts_with('T') => "Time",
                text if text.contains('T') => "DateTime",
                _ => "Date",
            })),
            Kind::This => Ok(focus.clone()),
            Kind::Member { base, name } => self.member(tree, base.as_deref(), name, focus),
            Kind::Call { base, name, arguments } => {
                let input = base.as_deref().map_or_else(|| Ok(focus.clone()), |base| self.infer(base, focus))?;
                check_call::call(self, tree, name, &input, arguments, focus)
            }
            Kind::Indexer { base, index } => {
                self.infer(index, focus)?;
                let base = self.infer(base, focus)?;
                self.expect_order(tree, &base, "[]")?;
                Ok(base.single())
            }
            Kind::Polarity { operand, .. } => self.infer(operand, focus),
            Kind::Binary { operator, left, right } => self.binary(tree, *operator, left, right, focus),
            Kind::Union(members) => self.union(members, focus),
            Kind::Type { is, operand, name } => {
                let operand = self.infer(operand, focus)?;
                if *is { Ok(Known::system("Boolean")) } else { self.cast(tree, &operand, name) }
            }
        }
    }

    fn member(&self, tree: &Tree, base: Option<&Tree>, name: &str, focus: &Known) -> Checked {
        let Some(base) = base else {
            return if self.is_type_of(focus, name) { Ok(focus.clone()) } else { self.child(tree, focus, name) };
        };
        let base = self.infer(base, focus)?;
        self.child(tree, &base, name)
    }

    fn is_type_of(&self, focus: &Known, name: &str) -> bool {
        let (Items::Fhir(known), Some(wanted)) = (&focus.items, self.types.get(name)) else { return false };
        known.iter().any(|type_| self.types.is_subtype(*type_, wanted))
    }

    fn child(&self, tree: &Tree, base: &Known, name: &str) -> Checked {
        let Items::Fhir(parents) = &base.items else { return Ok(Known::any()) };
        let mut found = Vec::new();
        let mut many = base.many;
        for parent in parents {
            // A resource of any type, and an element of any type, may have any child.
            if self.types.definition(*parent).abstract_ {
                return Ok(Known::any());
            }
            match navigate::meaning(*parent, name, self.types) {
                Meaning::Absent => continue,
                Meaning::Element(type_) => found.push(type_),
                Meaning::Choice => {}
            }
            let child = self.types.definition(*parent).children.iter().find(|child| &*child.name == name);
            many |= child.is_some_and(|child| child.repeats);
            if let Some(child) = child.filter(|child| child.is_choice) {
                found.extend(child.choices.iter().map(|(_, type_)| *type_));
            }
        }
        if found.is_empty() {
            return Err(self.error(tree, self.no_child(parents, name)));
        }
        Ok(Known { items: Items::Fhir(found), many, ordered: base.ordered })
    }

    fn no_child(&self, parents: &[TypeIndex], name: &str) -> String {
        let names: Vec<&str> = parents.iter().map(|parent| &*self.types.definition(*parent).name).collect();
        let children = parents.iter().flat_map(|parent| &self.types.definition(*parent).children);
        let near = crate::fhir::suggest::nearest(name, children.map(|child| &*child.name));
        let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        format!("{} has no element `{name}`{hint}", names.join(", "))
    }

    /// `as` and `ofType`.
    pub(super) fn cast(&self, tree: &Tree, base: &Known, name: &[String]) -> Checked {
        let specifier = TypeSpecifier::resolve(name, self.types).map_err(|text| self.error(tree, text))?;
        let items = specifier.fhir().map_or(Items::Any, |type_| Items::Fhir(vec![type_]));
        Ok(Known { items, ..base.clone() })
    }

    /// Functions that count places need an input whose order means something.
    pub(super) fn expect_order(&self, tree: &Tree, input: &Known, name: &str) -> Result<(), CompileError> {
        if input.ordered { Ok(()) } else { Err(self.error(tree, format!("`{name}` on items that have no order"))) }
    }

    fn union(&self, members: &[Tree], focus: &Known) -> Checked {
        let mut types = Vec::new();
        let mut items = None;
        for member in members {
            match self.infer(member, focus)?.items {
                Items::Fhir(more) => types.extend(more),
                Items::System(name) if members.len() == 1 => items = Some(Items::System(name)),
                other => {
                    items = Some(if items.is_none() || items.as_ref() == Some(&other) { other } else { Items::Any });
                }
            }
        }
        let items = match items {
            None => Items::Fhir(types),
            Some(items) if types.is_empty() => items,
            Some(_) => Items::Any,
        };
        let literals = members.iter().filter(|member| !matches!(member.kind, Kind::Empty)).count();
        Ok(Known { items, many: literals > 1, ordered: true })
    }

    fn binary(&self, tree: &Tree, operator: Operator, left: &Tree, right: &Tree, focus: &Known) -> Checked {
        let (left, right) = (self.infer(left, focus)?, self.infer(right, focus)?);
        Ok(match operator {
            Operator::Add | Operator::Subtract => match (left.items, right.items) {
                (Items::System(name @ ("Date" | "DateTime" | "Time")), Items::System(other)) if other != "Quantity" => {
                    return Err(self.error(tree, format!("a {name} and {other} cannot be added or subtracted")));
                }
                (Items::System(name), _) => Known::system(name),
                _ => Known { many: false, ..Known::any() },
            },
            Operator::Concatenate => Known::system("String"),
            Operator::Multiply | Operator::Divide | Operator::Div | Operator::Mod => {
                Known { many: false, ..Known::any() }
            }
            _ => Known::system("Boolean"),
        })
    }

    /// Whether items of this kind can never be text.
    pub(super) fn never_text(&self, known: &Known) -> bool {
        let Items::Fhir(types) = &known.items else { return false };
        types.iter().all(|type_| {
            let definition = self.types.definition(*type_);
            !definition.abstract_ && !matches!(definition.kind, TypeKind::Primitive(_))
        })
    }
}
