//! What the type table reads of the base StructureDefinitions; everything else in them is skipped unparsed.

use serde::Deserialize;

use crate::fhir::definitions::embedded;

#[derive(Deserialize)]
pub(super) struct Base<'a> {
    pub(super) r#type: &'a str,
    pub(super) kind: &'a str,
    #[serde(default, rename = "abstract")]
    pub(super) abstract_: bool,
    #[serde(default, rename = "baseDefinition")]
    pub(super) parent: Option<&'a str>,
    #[serde(borrow, default)]
    pub(super) differential: Differential<'a>,
}

#[derive(Deserialize, Default)]
pub(super) struct Differential<'a> {
    #[serde(borrow, default)]
    pub(super) element: Vec<Element<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Element<'a> {
    pub(super) path: &'a str,
    #[serde(default)]
    pub(super) min: u32,
    #[serde(default)]
    pub(super) max: Option<&'a str>,
    #[serde(borrow, default, rename = "type")]
    pub(super) types: Vec<Type<'a>>,
    #[serde(default)]
    content_reference: Option<&'a str>,
    #[serde(borrow, default)]
    pub(super) representation: Vec<&'a str>,
    #[serde(default)]
    pub(super) is_summary: bool,
    #[serde(default)]
    pub(super) is_modifier: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Type<'a> {
    pub(super) code: &'a str,
    #[serde(borrow, default)]
    target_profile: Vec<&'a str>,
    #[serde(borrow, default)]
    extension: Vec<FhirType<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FhirType<'a> {
    #[serde(default)]
    value_url: Option<&'a str>,
}

/// The base definitions embedded in the binary: specialisations, and the two roots that specialise nothing.
pub(super) fn embedded() -> Vec<Base<'static>> {
    let text = embedded::text(&format!("{}/StructureDefinition.jsonl", embedded::CORE));
    // The scan ends before the elements, so that it does not read the whole line.
    let is_base = |line: &&str| {
        let head = line.find("\"differential\"").map_or(*line, |end| line.get(..end).unwrap_or(line));
        !head.contains("\"derivation\":\"constraint\"") && !head.contains("\"kind\":\"logical\"")
    };
    text.lines().filter(is_base).filter_map(|line| serde_json::from_str(line).ok()).collect()
}

impl Element<'_> {
    /// True where the element defines its children itself.
    pub(super) fn is_backbone(&self) -> bool {
        self.path.contains('.') && self.types.iter().any(|kind| matches!(kind.code, "BackboneElement" | "Element"))
    }

    /// True for the pseudo-element that stands for the value of a primitive.
    pub(super) fn is_primitive_value(&self) -> bool {
        self.path.split_once('.').is_some_and(|(parent, name)| {
            name == "value" && parent.starts_with(|first: char| first.is_ascii_lowercase())
        })
    }

    /// The name of the type of an element that is not a choice.
    pub(super) fn type_name(&self) -> &str {
        if let Some(reference) = self.content_reference {
            return reference.rsplit('#').next().unwrap_or(reference);
        }
        if self.is_backbone() {
            return self.path;
        }
        let Some(kind) = self.types.first() else { return "" };
        if !kind.code.contains("/System.") {
            return kind.code;
        }
        // The published definition says string; the specification says that a logical id is an id.
        if self.path == "Resource.id" {
            return "id";
        }
        kind.extension.iter().find_map(|extension| extension.value_url).unwrap_or("string")
    }

    /// The resource types that references may point to; empty for any.
    pub(super) fn targets(&self) -> Vec<Box<str>> {
        let profiles = self.types.iter().flat_map(|kind| kind.target_profile.iter());
        let names: Vec<Box<str>> = profiles.filter_map(|url| url.rsplit('/').next()).map(Into::into).collect();
        if names.iter().any(|name| &**name == "Resource") { Vec::new() } else { names }
    }
}
