//! ValueSet and CodeSystem. <https://hl7.org/fhir/R4/valueset.html>, <https://hl7.org/fhir/R4/codesystem.html>

use std::sync::Arc;

use serde_json::Value;

use super::parse::{choice, flag, items, text, text_or_empty, texts};

/// A set of codes, by rule and sometimes also enumerated.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ValueSet {
    /// Canonical url.
    pub url: String,
    /// Business version.
    pub version: Option<String>,
    /// Computer-friendly name.
    pub name: String,
    /// Publication status.
    pub status: String,
    /// The rule.
    pub compose: Compose,
    /// The codes as published, where the package has them.
    pub expansion: Option<Vec<Expanded>>,
}

/// The rule of a value set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compose {
    /// What is in.
    pub include: Vec<Include>,
    /// What is out again.
    pub exclude: Vec<Include>,
    /// False where codes that are not in use any more are out.
    pub inactive: Option<bool>,
}

/// One clause of a rule; its parts are combined by "and".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Include {
    /// Code system.
    pub system: Option<String>,
    /// Version of the code system.
    pub version: Option<String>,
    /// Exactly these codes; all of the system where there are neither codes nor filters.
    pub concepts: Vec<ListedConcept>,
    /// Codes with these properties.
    pub filters: Vec<Filter>,
    /// Codes that are in all of these value sets.
    pub value_sets: Vec<String>,
}

/// A code named by a value set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedConcept {
    /// The code.
    pub code: String,
    /// Text the value set gives it.
    pub display: Option<String>,
    /// Further texts, as ValueSet.compose.include.concept.designation.
    pub designations: Vec<Value>,
}

/// A property filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Property or filter code of the code system.
    pub property: String,
    /// Operator: `=`, `is-a`, `in` …
    pub op: String,
    /// Operand.
    pub value: String,
}

/// A code of an expansion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expanded {
    /// Code system.
    pub system: String,
    /// The code; absent on groups.
    pub code: Option<String>,
    /// Its text.
    pub display: Option<String>,
    /// True for groups that cannot be chosen.
    pub is_abstract: bool,
    /// Codes below it.
    pub contains: Vec<Self>,
}

impl ValueSet {
    /// Reads a ValueSet resource or its facts; `None` where it has no url.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        let expansion = value.get("expansion");
        Some(Self {
            url: text(value, "url")?,
            version: text(value, "version"),
            name: text_or_empty(value, "name"),
            status: text_or_empty(value, "status"),
            compose: value.get("compose").map(compose).unwrap_or_default(),
            expansion: expansion.map(|expansion| items(expansion, "contains").iter().map(expanded).collect()),
        })
    }
}

fn compose(value: &Value) -> Compose {
    Compose {
        include: items(value, "include").iter().map(include).collect(),
        exclude: items(value, "exclude").iter().map(include).collect(),
        inactive: flag(value, "inactive"),
    }
}

fn include(value: &Value) -> Include {
    Include {
        system: text(value, "system"),
        version: text(value, "version"),
        concepts: items(value, "concept").iter().filter_map(listed).collect(),
        filters: items(value, "filter").iter().map(filter).collect(),
        value_sets: texts(value, "valueSet"),
    }
}

fn listed(value: &Value) -> Option<ListedConcept> {
    Some(ListedConcept {
        code: text(value, "code")?,
        display: text(value, "display"),
        designations: items(value, "designation").to_vec(),
    })
}

fn filter(value: &Value) -> Filter {
    Filter {
        property: text_or_empty(value, "property"),
        op: text_or_empty(value, "op"),
        value: text_or_empty(value, "value"),
    }
}

fn expanded(value: &Value) -> Expanded {
    Expanded {
        system: text_or_empty(value, "system"),
        code: text(value, "code"),
        display: text(value, "display"),
        is_abstract: flag(value, "abstract").unwrap_or(false),
        contains: items(value, "contains").iter().map(expanded).collect(),
    }
}

/// How much of a code system its definition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// No codes at all.
    NotPresent,
    /// A few.
    Example,
    /// Some.
    Fragment,
    /// All.
    Complete,
    /// Additions to another code system.
    Supplement,
}

/// A code system.
#[derive(Debug, Clone, PartialEq)]
pub struct CodeSystem {
    /// Canonical url, which is the `system` of its codes.
    pub url: String,
    /// Business version.
    pub version: Option<String>,
    /// Computer-friendly name.
    pub name: String,
    /// Publication status.
    pub status: String,
    /// Codes differ by case; where the definition does not say, they do.
    pub case_sensitive: bool,
    /// How much of it is here.
    pub content: Content,
    /// The value set of all its codes.
    pub value_set: Option<String>,
    /// Meaning of the nesting: `is-a`, `part-of`, `grouped-by`, `classified-with`.
    pub hierarchy: Option<String>,
    /// The code system this one supplements.
    pub supplements: Option<String>,
    /// Its codes.
    pub concepts: Vec<Concept>,
}

/// A code.
#[derive(Debug, Clone, PartialEq)]
pub struct Concept {
    /// The code.
    pub code: String,
    /// Its text.
    pub display: Option<String>,
    /// What it means; facts do not hold it.
    pub definition: Option<String>,
    /// Further texts, as CodeSystem.concept.designation; facts do not hold them.
    pub designations: Vec<Value>,
    /// Its properties.
    pub properties: Arc<[ConceptProperty]>,
    /// Codes below it.
    pub concepts: Vec<Self>,
}

/// A property of a code.
#[derive(Debug, Clone, PartialEq)]
pub struct ConceptProperty {
    /// Property code.
    pub code: String,
    /// The type in the name of its element: `Code` of `valueCode`.
    pub kind: String,
    /// Value: text, boolean, number or Coding.
    pub value: Value,
}

impl CodeSystem {
    /// Reads a CodeSystem resource or its facts; `None` where it has no url.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        Some(Self {
            url: text(value, "url")?,
            version: text(value, "version"),
            name: text_or_empty(value, "name"),
            status: text_or_empty(value, "status"),
            case_sensitive: flag(value, "caseSensitive").unwrap_or(true),
            content: match value.get("content").and_then(Value::as_str) {
                Some("complete") => Content::Complete,
                Some("fragment") => Content::Fragment,
                Some("example") => Content::Example,
                Some("supplement") => Content::Supplement,
                _ => Content::NotPresent,
            },
            value_set: text(value, "valueSet"),
            hierarchy: text(value, "hierarchyMeaning"),
            supplements: text(value, "supplements"),
            concepts: items(value, "concept").iter().filter_map(concept).collect(),
        })
    }
}

fn concept(value: &Value) -> Option<Concept> {
    Some(Concept {
        code: text(value, "code")?,
        display: text(value, "display"),
        definition: text(value, "definition"),
        designations: items(value, "designation").to_vec(),
        properties: items(value, "property").iter().filter_map(property).collect(),
        concepts: items(value, "concept").iter().filter_map(concept).collect(),
    })
}

fn property(value: &Value) -> Option<ConceptProperty> {
    let (kind, content) = choice(value, "value")?;
    Some(ConceptProperty { code: text(value, "code")?, kind: kind.to_owned(), value: content.clone() })
}
