//! Type names in expressions (`is Patient`, `as FHIR.Quantity`, `ofType(System.String)`) and what is of that type
//! (<https://hl7.org/fhirpath/N1/#types-and-reflection>). Resolved by `compile`, asked by `evaluate`.

use super::item::{Item, TypeName};
use super::temporal::TemporalKind;
use crate::fhir::types::{TypeIndex, TypeKind, Types};

/// The types of the System namespace.
const SYSTEM: [&str; 9] = ["Any", "Boolean", "Integer", "Decimal", "String", "Date", "DateTime", "Time", "Quantity"];

/// A resolved type name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TypeSpecifier {
    fhir: Option<TypeIndex>,
    system: Option<&'static str>,
}

impl TypeSpecifier {
    /// Resolves a qualified name. A name without a namespace may mean both (`Quantity`). `System.Patient` is no type of
    /// anything; a name that neither namespace has is an error, told as the text to show.
    pub(super) fn resolve(name: &[String], types: &Types) -> Result<Self, String> {
        let system = |name: &str| SYSTEM.into_iter().find(|known| *known == name);
        match name {
            [namespace, name] if namespace == "System" => Ok(Self { fhir: None, system: system(name) }),
            [namespace, name] if namespace == "FHIR" => match types.get(name) {
                Some(index) => Ok(Self { fhir: Some(index), system: None }),
                None => Err(format!("`FHIR.{name}` is no type of FHIR R4")),
            },
            _ => {
                let whole = name.join(".");
                let found = Self { fhir: types.get(&whole), system: system(&whole) };
                if found.fhir.is_none() && found.system.is_none() {
                    return Err(format!("`{whole}` is no type of FHIR R4 and no System type"));
                }
                Ok(found)
            }
        }
    }

    /// The FHIR type, where it is one.
    pub(super) const fn fhir(&self) -> Option<TypeIndex> {
        self.fhir
    }

    /// `is`: of this type or of a type derived from it.
    pub(super) fn is(&self, item: &Item<'_>, types: &Types) -> bool {
        match item {
            Item::Node(node) => match (node.type_index(), self.fhir) {
                (Some(actual), Some(wanted)) => types.is_subtype(actual, wanted),
                _ => false,
            },
            other => self.system.is_some_and(|wanted| wanted == "Any" || wanted == system_name(other)),
        }
    }

    /// `as` and `ofType`: as `is`, but a primitive must be of the very type, since `as(string)` does not mean codes.
    pub(super) fn selects(&self, item: &Item<'_>, types: &Types) -> bool {
        match (item, self.fhir) {
            (Item::Node(node), Some(wanted)) if matches!(types.definition(wanted).kind, TypeKind::Primitive(_)) => {
                node.type_index() == Some(wanted)
            }
            _ => self.is(item, types),
        }
    }
}

/// The name of a system value's type.
pub(super) const fn system_name(item: &Item<'_>) -> &'static str {
    match item {
        Item::Node(_) | Item::Type(_) => "Any",
        Item::Boolean(_) => "Boolean",
        Item::Integer(_) => "Integer",
        Item::Decimal(_) => "Decimal",
        Item::Text(_) => "String",
        Item::Quantity(_) => "Quantity",
        Item::Temporal(temporal) => match temporal.kind {
            TemporalKind::Date => "Date",
            TemporalKind::DateTime => "DateTime",
            TemporalKind::Time => "Time",
        },
    }
}

/// What `type()` returns; nothing for an element whose type is not known.
pub(super) fn type_name(item: &Item<'_>, types: &'static Types) -> Option<TypeName> {
    match item {
        Item::Node(node) => {
            let name = &types.definition(node.type_index()?).name;
            Some(TypeName { namespace: "FHIR", name })
        }
        other => Some(TypeName { namespace: "System", name: system_name(other) }),
    }
}
