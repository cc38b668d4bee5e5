//! Definitions as plain data, read from facts when first asked for.

mod element;
mod parse;
mod search_parameter;
mod structure;
mod terminology;

pub use element::{
    Aggregation, Binding, Constraint, Discriminator, DiscriminatorKind, ElementDefinition, Max, Slicing, SlicingRules,
    Strength, TypeRef,
};
pub use search_parameter::{Component, SearchKind, SearchParameter};
pub use structure::{Derivation, ExtensionContext, StructureDefinition, StructureKind};
pub use terminology::{
    CodeSystem, Compose, Concept, ConceptProperty, Content, Expanded, Filter, Include, ListedConcept, ValueSet,
};
