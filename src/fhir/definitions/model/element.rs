//! ElementDefinition. <https://hl7.org/fhir/R4/elementdefinition.html>

use std::sync::Arc;

use serde_json::Value;

use super::parse::{choice, count, flag, items, text, text_or_empty, texts};

/// Upper bound of a cardinality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Max {
    /// At most this many.
    Count(u32),
    /// `*`.
    Unbounded,
}

impl Max {
    /// True where a number of items is within the bound.
    #[must_use]
    pub fn allows(self, number: usize) -> bool {
        match self {
            Self::Count(most) => number <= most as usize,
            Self::Unbounded => true,
        }
    }

    /// Reads `0`, `1`, `*` …
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "*" { Some(Self::Unbounded) } else { text.parse().ok().map(Self::Count) }
    }
}

/// One of the types an element may have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TypeRef {
    /// The FHIR type; FHIRPath system types are replaced by what they are in FHIR, except on the value of a primitive.
    pub code: String,
    /// Profiles of which the value must satisfy one.
    pub profiles: Vec<String>,
    /// For references and canonicals: profiles of which the target must satisfy one.
    pub target_profiles: Vec<String>,
    /// How references may be held; empty for any way.
    pub aggregation: Vec<Aggregation>,
}

/// How the target of a reference is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aggregation {
    /// In the same resource.
    Contained,
    /// Anywhere else.
    Referenced,
    /// In the same Bundle.
    Bundled,
}

/// An invariant. Its wording is not kept; the key names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// Key, unique within the structure: `ele-1`.
    pub key: String,
    /// True for `error`, false for `warning`.
    pub is_error: bool,
    /// FHIRPath; absent where the rule exists in words only.
    pub expression: Option<String>,
    /// Canonical of the structure that defines it.
    pub source: Option<String>,
}

/// How strictly a binding binds (<https://hl7.org/fhir/R4/terminologies.html#strength>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Strength {
    /// For illustration.
    Example,
    /// Encouraged.
    Preferred,
    /// Where a code fits.
    Extensible,
    /// Always.
    Required,
}

/// A binding to a value set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// How strictly.
    pub strength: Strength,
    /// Canonical of the value set.
    pub value_set: Option<String>,
    /// Canonical of the value set that bounds the codes of a binding that is not required.
    pub max_value_set: Option<String>,
    /// Further bindings that hold always: how strictly and to which value set
    /// (<https://hl7.org/fhir/extensions/StructureDefinition-additional-binding.html>).
    pub additional: Vec<(Strength, String)>,
}

/// What tells slices apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiscriminatorKind {
    /// By fixed, pattern or required binding.
    Value,
    /// By presence.
    Exists,
    /// By pattern; in R4 the same as value.
    Pattern,
    /// By type.
    Type,
    /// By conformance to a profile.
    Profile,
}

/// One discriminator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discriminator {
    /// What is compared.
    pub kind: DiscriminatorKind,
    /// Restricted FHIRPath to the element that is compared.
    pub path: String,
}

/// What items beside the slices may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SlicingRules {
    /// Only slices.
    Closed,
    /// Anything.
    Open,
    /// Anything after the slices.
    OpenAtEnd,
}

/// How an element is sliced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slicing {
    /// What tells the slices apart; empty where only the slices' own content does.
    pub discriminators: Vec<Discriminator>,
    /// Slices must come in the order of their definitions.
    pub ordered: bool,
    /// What else is allowed.
    pub rules: SlicingRules,
}

/// One element of a differential or snapshot. In a snapshot `min`, `max` and everything inherited is filled in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ElementDefinition {
    /// Path with slice names: `Patient.identifier:nhsNumber.system`.
    pub id: String,
    /// Path: `Patient.identifier.system`.
    pub path: String,
    /// Name of the slice this element defines.
    pub slice_name: Option<String>,
    /// Least number of items.
    pub min: Option<u32>,
    /// Largest number of items.
    pub max: Option<Max>,
    /// The types it may have.
    pub types: Vec<TypeRef>,
    /// Id of the element whose content this one shares: `#Questionnaire.item`.
    pub content_reference: Option<String>,
    /// Exactly this value.
    pub fixed: Option<Arc<Value>>,
    /// At least this value.
    pub pattern: Option<Arc<Value>>,
    /// Least value; the type is the suffix of the JSON name.
    pub min_value: Option<Arc<Value>>,
    /// Largest value.
    pub max_value: Option<Arc<Value>>,
    /// Longest text.
    pub max_length: Option<u32>,
    /// Invariants.
    pub constraints: Vec<Arc<Constraint>>,
    /// The profile marks it.
    pub must_support: Option<bool>,
    /// It may change the meaning of what contains it.
    pub is_modifier: Option<bool>,
    /// It belongs to the summary.
    pub is_summary: Option<bool>,
    /// A primitive must have a value; extensions alone are not enough.
    pub must_have_value: Option<bool>,
    /// The value set codes come from.
    pub binding: Option<Binding>,
    /// How it is sliced.
    pub slicing: Option<Slicing>,
    /// How XML holds it: `xmlAttr`, `xhtml` …
    pub representation: Vec<String>,
}

impl ElementDefinition {
    /// Reads an element; `None` where it has no path. A missing id is made of the path and slice name.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        let path = text(value, "path")?;
        let slice_name = text(value, "sliceName");
        let id = text(value, "id").unwrap_or_else(|| match &slice_name {
            Some(slice) => format!("{path}:{slice}"),
            None => path.clone(),
        });
        let chosen = |stem: &str| choice(value, stem).map(|(_, value)| Arc::new(value.clone()));
        Some(Self {
            slice_name,
            min: count(value, "min"),
            max: value.get("max").and_then(Value::as_str).and_then(Max::parse),
            types: items(value, "type").iter().map(|kind| type_ref(kind, &path)).collect(),
            content_reference: text(value, "contentReference"),
            fixed: chosen("fixed"),
            pattern: chosen("pattern"),
            min_value: chosen("minValue"),
            max_value: chosen("maxValue"),
            max_length: count(value, "maxLength"),
            constraints: items(value, "constraint").iter().filter_map(constraint).collect(),
            must_support: flag(value, "mustSupport"),
            is_modifier: flag(value, "isModifier"),
            is_summary: flag(value, "isSummary"),
            must_have_value: flag(value, "mustHaveValue").or_else(|| must_have_value(value)),
            binding: value.get("binding").and_then(binding),
            slicing: value.get("slicing").map(slicing),
            representation: texts(value, "representation"),
            id,
            path,
        })
    }

    /// The last step of the path: `value[x]` for `Observation.value[x]`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }

    /// True where the element must not be used.
    #[must_use]
    pub fn is_prohibited(&self) -> bool {
        self.max == Some(Max::Count(0))
    }
}

/// The element of later versions, as an extension.
fn must_have_value(value: &Value) -> Option<bool> {
    let is_it = |extension: &&Value| {
        text(extension, "url").is_some_and(|url| url.ends_with("extension-ElementDefinition.mustHaveValue"))
    };
    items(value, "extension").iter().find(is_it).and_then(|extension| flag(extension, "valueBoolean"))
}

fn type_ref(value: &Value, path: &str) -> TypeRef {
    let code = text_or_empty(value, "code");
    TypeRef {
        code: if code.contains("/System.") { fhir_type(value, path, code) } else { code },
        profiles: texts(value, "profile"),
        target_profiles: texts(value, "targetProfile"),
        aggregation: items(value, "aggregation").iter().filter_map(aggregation).collect(),
    }
}

fn fhir_type(value: &Value, path: &str, code: String) -> String {
    let is_value_of_primitive = path
        .rsplit_once('.')
        .is_some_and(|(parent, name)| name == "value" && parent.starts_with(|first: char| first.is_ascii_lowercase()));
    if is_value_of_primitive {
        return code;
    }
    // The published definition says string; the specification says that a logical id is an id.
    if path == "Resource.id" {
        return "id".to_owned();
    }
    let named = items(value, "extension").iter().find_map(|extension| text(extension, "valueUrl"));
    named.unwrap_or_else(|| "string".to_owned())
}

fn aggregation(value: &Value) -> Option<Aggregation> {
    Some(match value.as_str()? {
        "contained" => Aggregation::Contained,
        "referenced" => Aggregation::Referenced,
        "bundled" => Aggregation::Bundled,
        _ => return None,
    })
}

fn constraint(value: &Value) -> Option<Arc<Constraint>> {
    Some(Arc::new(Constraint {
        key: text(value, "key")?,
        is_error: value.get("severity").and_then(Value::as_str) != Some("warning"),
        expression: text(value, "expression"),
        source: text(value, "source"),
    }))
}

fn binding(value: &Value) -> Option<Binding> {
    let strength = match value.get("strength")?.as_str()? {
        "required" => Strength::Required,
        "extensible" => Strength::Extensible,
        "preferred" => Strength::Preferred,
        _ => Strength::Example,
    };
    let max_value_set = items(value, "extension").iter().find_map(|extension| text(extension, "valueCanonical"));
    let additional = items(value, "extension").iter().chain(items(value, "additional")).filter_map(additional);
    Some(Binding { strength, value_set: text(value, "valueSet"), max_value_set, additional: additional.collect() })
}

/// An additional binding, as the extension of R4 or the element of later versions; none for those that depend on
/// circumstances or bind nothing.
fn additional(value: &Value) -> Option<(Strength, String)> {
    let parts = items(value, "extension");
    let part = |name: &str| {
        let found = parts.iter().find(|part| text(part, "url").as_deref() == Some(name))?;
        choice(found, "value")?.1.as_str().map(str::to_owned)
    };
    let stated = |name: &str| text(value, name).or_else(|| part(name));
    let is_one = text(value, "url").is_none_or(|url| {
        url.ends_with("extension-ElementDefinition.binding.additional")
            || url.ends_with("StructureDefinition/additional-binding")
    });
    let has_usage =
        value.get("usage").is_some() || parts.iter().any(|part| text(part, "url").as_deref() == Some("usage"));
    if !is_one || has_usage {
        return None;
    }
    let strength = match stated("purpose")?.as_str() {
        "required" | "maximum" => Strength::Required,
        "extensible" => Strength::Extensible,
        "preferred" => Strength::Preferred,
        _ => return None,
    };
    Some((strength, stated("valueSet")?))
}

fn slicing(value: &Value) -> Slicing {
    Slicing {
        discriminators: items(value, "discriminator").iter().filter_map(discriminator).collect(),
        ordered: flag(value, "ordered").unwrap_or(false),
        rules: match value.get("rules").and_then(Value::as_str) {
            Some("closed") => SlicingRules::Closed,
            Some("openAtEnd") => SlicingRules::OpenAtEnd,
            _ => SlicingRules::Open,
        },
    }
}

fn discriminator(value: &Value) -> Option<Discriminator> {
    let kind = match value.get("type")?.as_str()? {
        "value" => DiscriminatorKind::Value,
        "exists" => DiscriminatorKind::Exists,
        "pattern" => DiscriminatorKind::Pattern,
        "type" => DiscriminatorKind::Type,
        "profile" => DiscriminatorKind::Profile,
        _ => return None,
    };
    Some(Discriminator { kind, path: text(value, "path")? })
}
