//! What kind of element a walk ends at, as far as indexing tells elements apart.

use crate::fhir::types::{PrimitiveKind, TypeDefinition, TypeKind};

/// The shapes that become index rows in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// code
    Code,
    /// boolean
    Boolean,
    /// string, markdown, id
    Text,
    /// uri, url, oid, uuid
    Uri,
    /// canonical
    Canonical,
    /// date, dateTime, instant
    Date,
    /// decimal and the integers
    Number,
    /// Coding
    Coding,
    /// CodeableConcept
    CodeableConcept,
    /// Identifier
    Identifier,
    /// ContactPoint
    ContactPoint,
    /// HumanName
    HumanName,
    /// Address
    Address,
    /// Period
    Period,
    /// Timing
    Timing,
    /// Quantity and its specialisations
    Quantity,
    /// Money
    Money,
    /// Range
    Range,
    /// Reference
    Reference,
    /// Extension: its value counts
    Extension,
    /// A resource inside another
    Resource,
    /// `Location.position`
    Position,
    /// SampledData
    SampledData,
    /// Anything that is not indexed
    Other,
}

impl Shape {
    /// The shape of an element type.
    #[must_use]
    pub fn of(definition: &TypeDefinition) -> Self {
        match definition.kind {
            TypeKind::Primitive(kind) => Self::of_primitive(kind),
            TypeKind::Resource => Self::Resource,
            _ => Self::of_complex(&definition.name),
        }
    }

    /// The shape of a value by its name in a choice, such as `valueCodeableConcept` without the `value`.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "Code" => Self::Code,
            "Boolean" => Self::Boolean,
            "String" | "Markdown" | "Id" => Self::Text,
            "Uri" | "Url" | "Oid" | "Uuid" => Self::Uri,
            "Canonical" => Self::Canonical,
            "Date" | "DateTime" | "Instant" => Self::Date,
            "Decimal" | "Integer" | "PositiveInt" | "UnsignedInt" => Self::Number,
            _ => Self::of_complex(name),
        }
    }

    fn of_primitive(kind: PrimitiveKind) -> Self {
        match kind {
            PrimitiveKind::Code => Self::Code,
            PrimitiveKind::Boolean => Self::Boolean,
            PrimitiveKind::String | PrimitiveKind::Markdown | PrimitiveKind::Id => Self::Text,
            PrimitiveKind::Uri | PrimitiveKind::Url | PrimitiveKind::Oid | PrimitiveKind::Uuid => Self::Uri,
            PrimitiveKind::Canonical => Self::Canonical,
            PrimitiveKind::Date | PrimitiveKind::DateTime | PrimitiveKind::Instant => Self::Date,
            PrimitiveKind::Decimal
            | PrimitiveKind::Integer
            | PrimitiveKind::PositiveInt
            | PrimitiveKind::UnsignedInt => Self::Number,
            PrimitiveKind::Time | PrimitiveKind::Base64Binary | PrimitiveKind::Xhtml => Self::Other,
        }
    }

    fn of_complex(name: &str) -> Self {
        match name {
            "Coding" => Self::Coding,
            "CodeableConcept" => Self::CodeableConcept,
            "Identifier" => Self::Identifier,
            "ContactPoint" => Self::ContactPoint,
            "HumanName" => Self::HumanName,
            "Address" => Self::Address,
            "Period" => Self::Period,
            "Timing" => Self::Timing,
            "Quantity" | "Age" | "Duration" | "Distance" | "Count" | "SimpleQuantity" | "MoneyQuantity" => {
                Self::Quantity
            }
            "Money" => Self::Money,
            "Range" => Self::Range,
            "SampledData" => Self::SampledData,
            "Location.position" => Self::Position,
            "Reference" => Self::Reference,
            "Extension" => Self::Extension,
            "Resource" | "DomainResource" => Self::Resource,
            _ => Self::Other,
        }
    }
}
