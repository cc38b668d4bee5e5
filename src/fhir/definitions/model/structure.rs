//! StructureDefinition. <https://hl7.org/fhir/R4/structuredefinition.html>

use serde_json::Value;

use super::element::ElementDefinition;
use super::parse::{flag, items, text, text_or_empty, texts};

/// What a StructureDefinition describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StructureKind {
    /// A primitive type.
    PrimitiveType,
    /// A datatype or extension.
    ComplexType,
    /// A resource type or profile.
    Resource,
    /// A logical model; nothing is an instance of it.
    Logical,
}

impl StructureKind {
    /// Reads the code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Some(match code {
            "primitive-type" => Self::PrimitiveType,
            "complex-type" => Self::ComplexType,
            "resource" => Self::Resource,
            "logical" => Self::Logical,
            _ => return None,
        })
    }
}

/// How a StructureDefinition relates to its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Derivation {
    /// A new type.
    Specialization,
    /// A profile.
    Constraint,
}

/// Where an extension may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionContext {
    /// `fhirpath`, `element` or `extension`.
    pub kind: String,
    /// What the kind says it is: an element path, an extension url, a FHIRPath expression.
    pub expression: String,
}

/// A type, profile or extension: its identity and its differential. Snapshots are generated
/// (`Definitions::snapshot`).
#[derive(Debug, Clone, PartialEq)]
pub struct StructureDefinition {
    /// Canonical url.
    pub url: String,
    /// Business version.
    pub version: Option<String>,
    /// Computer-friendly name.
    pub name: String,
    /// Publication status: `draft`, `active`, `retired`, `unknown`.
    pub status: String,
    /// What it describes.
    pub kind: StructureKind,
    /// True where instances must be of something derived from it.
    pub abstract_: bool,
    /// The type it defines or constrains.
    pub type_: String,
    /// Canonical of the base.
    pub base: Option<String>,
    /// Relation to the base; absent on the roots.
    pub derivation: Option<Derivation>,
    /// Where the extension may be used; empty for what is not an extension.
    pub context: Vec<ExtensionContext>,
    /// FHIRPath expressions that must hold where the extension is used.
    pub context_invariants: Vec<String>,
    /// The elements it changes, in order.
    pub differential: Vec<ElementDefinition>,
}

impl StructureDefinition {
    /// Reads a StructureDefinition resource or its facts. `None` where url, kind or type are missing.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        let kind = StructureKind::parse(value.get("kind")?.as_str()?)?;
        let type_ = text(value, "type")?;
        let differential = value.get("differential").map_or(&[][..], |differential| items(differential, "element"));
        Some(Self {
            url: text(value, "url")?,
            version: text(value, "version"),
            name: text_or_empty(value, "name"),
            status: text_or_empty(value, "status"),
            kind,
            abstract_: flag(value, "abstract").unwrap_or(false),
            base: text(value, "baseDefinition"),
            derivation: match value.get("derivation").and_then(Value::as_str) {
                Some("specialization") => Some(Derivation::Specialization),
                Some("constraint") => Some(Derivation::Constraint),
                _ => None,
            },
            context: items(value, "context").iter().map(context).collect(),
            context_invariants: texts(value, "contextInvariant"),
            differential: elements(differential),
            type_,
        })
    }

    /// True for definitions of extensions.
    #[must_use]
    pub fn is_extension(&self) -> bool {
        self.type_ == "Extension" && self.derivation == Some(Derivation::Constraint)
    }

    /// `url|version`, or the url alone where there is no version.
    #[must_use]
    pub fn canonical(&self) -> String {
        match &self.version {
            Some(version) => format!("{}|{version}", self.url),
            None => self.url.clone(),
        }
    }
}

/// The elements, with ids. An element without one belongs below the last element before it with the path of its parent, which
/// may be a slice.
fn elements(values: &[Value]) -> Vec<ElementDefinition> {
    let mut elements: Vec<ElementDefinition> = Vec::with_capacity(values.len());
    for value in values {
        let Some(mut element) = ElementDefinition::from_json(value) else { continue };
        if value.get("id").is_none() {
            element.id = id_after(&elements, &element);
        }
        elements.push(element);
    }
    elements
}

fn id_after(before: &[ElementDefinition], element: &ElementDefinition) -> String {
    let slice = element.slice_name.as_deref().map(|slice| format!(":{slice}")).unwrap_or_default();
    let mut parent = element.path.as_str();
    while let Some((above, _)) = parent.rsplit_once('.') {
        parent = above;
        if let Some(earlier) = before.iter().rev().find(|earlier| earlier.path == parent) {
            let below = element.path.get(parent.len()..).unwrap_or_default();
            return format!("{}{below}{slice}", earlier.id);
        }
    }
    format!("{}{slice}", element.path)
}

fn context(value: &Value) -> ExtensionContext {
    ExtensionContext { kind: text_or_empty(value, "type"), expression: text_or_empty(value, "expression") }
}
