//! The table of FHIR R4 types, compiled from the base StructureDefinitions: which children a type has, in which order, what
//! their types are. The codecs, FHIRPath, validation and search extraction walk resources with it.
//! <https://hl7.org/fhir/R4/datatypes.html>

mod build;
mod source;

pub use crate::fhir::primitive::PrimitiveKind;

use std::sync::OnceLock;

/// A type in the table. Only valid for the table that handed it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeIndex(pub(crate) u32);

/// What kind of type it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TypeKind {
    /// A JSON scalar, with `id` and `extension` beside it.
    Primitive(PrimitiveKind),
    /// A datatype such as HumanName.
    Complex,
    /// Elements defined inside a type, such as `Patient.contact` or `Timing.repeat`.
    Backbone,
    /// A resource type.
    Resource,
}

/// One type: its name, its base and its children.
#[derive(Debug)]
pub struct TypeDefinition {
    /// `Patient`, `string`, or the path for a backbone: `Patient.contact`.
    pub name: Box<str>,
    /// What kind of type.
    pub kind: TypeKind,
    /// The type it specialises.
    pub base: Option<TypeIndex>,
    /// True for types that have no instances of their own, such as `DomainResource`.
    pub abstract_: bool,
    /// The children in definition order, inherited ones first. A primitive has `id` and `extension`, not `value`.
    pub children: Vec<Child>,
    /// JSON name, child and type, sorted by name.
    lookup: Vec<(Box<str>, u32, TypeIndex)>,
}

/// A child element of a type.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about an element")]
#[derive(Debug, Clone)]
pub struct Child {
    /// The name without the choice suffix: `value` for `value[x]`.
    pub name: Box<str>,
    /// True where the upper bound is above one, so that JSON has an array.
    pub repeats: bool,
    /// The lower bound.
    pub min: u32,
    /// JSON names and their types: one for a plain element, one a type for a choice.
    pub choices: Vec<(Box<str>, TypeIndex)>,
    /// True for `[x]` elements.
    pub is_choice: bool,
    /// True where XML has an attribute: `id` of elements, `Extension.url`.
    pub attribute: bool,
    /// The element is part of the summary.
    pub is_summary: bool,
    /// The element may change the meaning of what contains it.
    pub is_modifier: bool,
    /// The resource types a Reference here may point to, or that a canonical here may name; empty where any may.
    pub reference_targets: Vec<Box<str>>,
}

/// The table.
#[derive(Debug)]
pub struct Types {
    definitions: Vec<TypeDefinition>,
    by_name: Vec<(Box<str>, TypeIndex)>,
    resources: Vec<String>,
    /// Where in `resources` the names with each capital letter begin, and at last where they end.
    letters: [usize; LETTERS + 1],
}

/// Capital letters, one of which each resource type begins with.
const LETTERS: usize = 26;

impl Types {
    /// The types of FHIR 4.0.1, compiled at the first call.
    pub fn r4() -> &'static Self {
        static TYPES: OnceLock<Types> = OnceLock::new();
        TYPES.get_or_init(|| build::compile(&build::embedded()))
    }

    /// The type with this name (`Patient`, `Patient.contact`, `string`).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<TypeIndex> {
        let at = self.by_name.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        self.by_name.get(at).map(|(_, index)| *index)
    }

    /// The definition of a type of this table.
    ///
    /// # Panics
    /// Where the index comes from another table.
    #[must_use]
    pub fn definition(&self, index: TypeIndex) -> &TypeDefinition {
        &self.definitions[index.0 as usize]
    }

    /// The child with this JSON name (`valueQuantity` for the choice `value[x]`) and the type it then has.
    #[must_use]
    pub fn child(&self, index: TypeIndex, json_name: &str) -> Option<(&Child, TypeIndex)> {
        let definition = self.definition(index);
        let at = definition.lookup.binary_search_by(|(known, ..)| (**known).cmp(json_name)).ok()?;
        let (_, child, kind) = definition.lookup.get(at)?;
        Some((definition.children.get(*child as usize)?, *kind))
    }

    /// True where `a` is `b` or specialises it, directly or not.
    #[must_use]
    pub fn is_subtype(&self, a: TypeIndex, b: TypeIndex) -> bool {
        std::iter::successors(Some(a), |index| self.definition(*index).base).any(|index| index == b)
    }

    /// The primitive kind of a type, `None` for the others.
    #[must_use]
    pub fn primitive(&self, index: TypeIndex) -> Option<PrimitiveKind> {
        match self.definition(index).kind {
            TypeKind::Primitive(kind) => Some(kind),
            _ => None,
        }
    }

    /// The names of all resource types that have instances, sorted.
    #[must_use]
    pub fn resource_types(&self) -> &[String] {
        &self.resources
    }

    /// True for the name of a resource type that has instances.
    #[must_use]
    pub fn is_resource_type(&self, name: &str) -> bool {
        let letter = usize::from(name.bytes().next().unwrap_or(0).wrapping_sub(b'A'));
        let (Some(start), Some(end)) = (self.letters.get(letter), self.letters.get(letter + 1)) else { return false };
        // Asked several times for each reference: few names share a letter and a length.
        self.resources[*start..*end].iter().any(|known| known.len() == name.len() && known == name)
    }

    /// Every type of the table.
    pub fn all(&self) -> impl Iterator<Item = (TypeIndex, &TypeDefinition)> {
        (0..).map(TypeIndex).zip(&self.definitions)
    }
}
