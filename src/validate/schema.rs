//! What definitions are compiled into: plain data that names its parts by index and prints itself (`print`). Base types
//! become a `TypeSchema` each (names, kinds, cardinalities, rules); profiles become a `ProfileSchema` each, a tree that
//! holds only what a profile adds to its base type, so that one walk of the JSON serves the base and every profile.

use std::sync::Arc;

pub use crate::fhir::definitions::SlicingRules;
use crate::fhir::types::{PrimitiveKind, TypeIndex};
use crate::fhirpath::Expression;

use super::rule::Rule;

/// The most elements one type may have; the walk counts occurrences in an array of this size.
pub const MAX_ELEMENTS: usize = 128;

/// Names of at most so many bytes are in their key as a whole.
pub const WHOLE: usize = 7;

/// A short key of a name: its length with its letters, or with some of them where it is longer than [`WHOLE`]. Names with
/// different keys differ, so that a search compares numbers and looks at letters only of long names whose numbers agree.
#[must_use]
pub const fn key(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let length = bytes.len();
    let mut key = length as u64;
    let mut position = 0;
    while position < WHOLE && position < length {
        // Of a long name: the first three letters, and four from its end on.
        let letter = if length <= WHOLE || position < 3 { bytes[position] } else { bytes[length - 1 - (position - 3)] };
        key = (key << 8) | letter as u64;
        position += 1;
    }
    key
}

/// Position of a profile in the arena of the validator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProfileIndex(pub u32);

/// How the JSON of a type looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A JSON string, number or boolean, with an optional `_name` object beside it.
    Primitive(PrimitiveKind),
    /// A JSON object.
    Object,
    /// A JSON object with `resourceType` of exactly this type.
    Resource,
    /// A JSON object with `resourceType` of any resource type.
    AnyResource,
}

/// A base type: datatype, backbone element or resource.
#[derive(Debug)]
pub struct TypeSchema {
    /// Type name, for example `Patient.contact`.
    pub name: String,
    /// Canonical of the definition it comes from.
    pub url: String,
    /// Its place in the type table.
    pub type_: TypeIndex,
    /// How its JSON looks.
    pub shape: Shape,
    /// Elements in definition order, inherited first.
    pub elements: Vec<Element>,
    /// JSON names in definition order; a choice has one per type.
    pub names: Vec<Name>,
    /// The keys of the names, in the same order.
    pub keys: Vec<u64>,
    /// Elements with a minimum above zero.
    pub required: Vec<u16>,
    /// Rules of the type itself, cheap ones first.
    pub rules: Vec<Rule>,
}

/// One JSON name of a type.
#[derive(Debug, Clone)]
pub struct Name {
    /// As it stands in JSON, for example `valueQuantity`.
    pub json: String,
    /// The name of the `_name` member of a primitive; empty for other types.
    pub sibling: String,
    /// As a FHIRPath step, for example `value.ofType(Quantity)`.
    pub step: String,
    /// Which element.
    pub element: u16,
    /// Type of the value.
    pub type_: TypeIndex,
}

/// One element of a base type.
#[derive(Debug, Clone)]
pub struct Element {
    /// Definition id, for example `Patient.contact.name`.
    pub id: String,
    /// Canonical of the definition it comes from.
    pub url: String,
    /// Name without `[x]`.
    pub name: String,
    /// Key of the name.
    pub key: u64,
    /// True where JSON has an array.
    pub repeats: bool,
    /// True for `value[x]`.
    pub is_choice: bool,
    /// Least number of occurrences.
    pub min: u32,
    /// Rules of the element, cheap ones first.
    pub rules: Vec<Rule>,
    /// Profiles that every value of a type must meet, of the rules.
    pub demanded: Vec<(TypeIndex, ProfileIndex)>,
}

/// Where an extension may stand.
#[derive(Debug, Clone)]
pub enum Context {
    /// On elements of a type (its place in the type table stands beside it), or at a definition path.
    Element(String, Option<TypeIndex>),
    /// In another extension, by url.
    Extension(String),
    /// On what an expression on the resource selects.
    Path(String, Arc<Expression>),
}

impl Context {
    /// As the definition writes it.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Element(text, _) | Self::Extension(text) | Self::Path(text, _) => text,
        }
    }
}

/// What a profile (or an extension definition) adds to its base type.
#[derive(Debug)]
pub struct ProfileSchema {
    /// Canonical url, without version.
    pub url: String,
    /// Version, where stated.
    pub version: Option<String>,
    /// Its place in the arena.
    pub index: ProfileIndex,
    /// Constrained type.
    pub type_: TypeIndex,
    /// Name of the constrained type.
    pub type_name: String,
    /// True where the definition's status is `retired`.
    pub retired: bool,
    /// Where an extension may stand; empty for anything else.
    pub contexts: Vec<Context>,
    /// What must hold for the element that has the extension.
    pub context_invariants: Vec<Arc<Expression>>,
    /// True where an extension definition says that the extension is a modifier.
    pub modifier: bool,
    /// The profiles it is derived from.
    pub ancestors: Vec<ProfileIndex>,
    /// The tree of added rules; the root is the first.
    pub nodes: Vec<Node>,
}

impl ProfileSchema {
    /// The urls of the parts of a complex extension.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        let children = self.nodes.first().map(|root| root.children.as_slice()).unwrap_or_default();
        let extensions = children
            .iter()
            .filter(|(name, _)| name == "extension")
            .filter_map(|(_, node)| self.nodes.get(*node as usize));
        let slices = extensions.filter_map(|node| node.slicing.as_ref()).flat_map(|slicing| &slicing.slices);
        slices.flat_map(|slice| &slice.conditions).flat_map(|condition| &condition.tests).filter_map(
            |test| match test {
                Test::Equals(serde_json::Value::String(url)) => Some(url.as_str()),
                _ => None,
            },
        )
    }
}

/// One element (or slice) of a profile.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// Definition id, for example `Patient.identifier:nhsNumber.value`.
    pub id: String,
    /// Name without `[x]`; the slice's element name for a slice.
    pub name: String,
    /// True where the profile marks it as mustSupport.
    pub must_support: bool,
    /// Constrained children: element name and node.
    pub children: Vec<(String, u32)>,
    /// The keys of the children's names, in the same order.
    pub keys: Vec<u64>,
    /// Least number of occurrences, where above the base's.
    pub min: u32,
    /// Greatest number of occurrences, where below the base's.
    pub max: Option<u32>,
    /// Types the element may have, where fewer than the base's.
    pub types: Vec<TypeIndex>,
    /// Added rules, cheap ones first.
    pub rules: Vec<Rule>,
    /// Profiles that every value of a type must meet, of the rules.
    pub demanded: Vec<(TypeIndex, ProfileIndex)>,
    /// Of the children those whose occurrences are limited: their positions.
    pub limited: Vec<u32>,
    /// How occurrences are told apart.
    pub slicing: Option<Slicing>,
}

/// How occurrences are told apart (<https://hl7.org/fhir/R4/profiling.html#slicing>).
#[derive(Debug, Clone)]
pub struct Slicing {
    /// Whether others may stand.
    pub rules: SlicingRules,
    /// Whether slices must come in definition order.
    pub ordered: bool,
    /// The slices in definition order.
    pub slices: Vec<Slice>,
    /// True where two slices are told by the same, so that an occurrence may belong to both.
    pub ambiguous: bool,
}

/// One slice.
#[derive(Debug, Clone)]
pub struct Slice {
    /// Name in the profile.
    pub name: String,
    /// Its rules.
    pub node: u32,
    /// Least number of occurrences.
    pub min: u32,
    /// Greatest number of occurrences.
    pub max: Option<u32>,
    /// What an occurrence must meet to belong to the slice; all of them. Empty: the profile does not say.
    pub conditions: Vec<Condition>,
}

/// One discriminator of one slice.
#[derive(Debug, Clone)]
pub struct Condition {
    /// The way from the occurrence to the value that decides.
    pub steps: Vec<Step>,
    /// Number of the way: conditions of one slicing with the same steps have the same.
    pub way: usize,
    /// What the value must be; one of these.
    pub tests: Vec<Test>,
}

/// One step of a discriminator path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A child element by JSON name; several names for a choice, each with its type.
    Child(Vec<(String, TypeIndex)>),
    /// `extension(url)`.
    Extension(String),
    /// `resolve()`.
    Resolve,
    /// `ofType(type)`.
    OfType(TypeIndex),
}

/// What the value at the end of a discriminator path must be.
#[derive(Debug, Clone)]
pub enum Test {
    /// Exactly this value.
    Equals(serde_json::Value),
    /// At least what this pattern has.
    Contains(serde_json::Value),
    /// A code of this value set.
    InValueSet(super::rule::Binding),
    /// There is one, or there is none.
    Exists(bool),
    /// Of one of these types.
    Types(Vec<TypeIndex>),
    /// Valid against one of these profiles.
    Profiles(Vec<ProfileIndex>),
}
