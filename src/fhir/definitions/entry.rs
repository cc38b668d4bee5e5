//! One definition of a registry: its text, and what was parsed of it so far.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::head::{head, status, structure_kind};
use super::mentions;
use super::model::{CodeSystem, SearchParameter, StructureDefinition, StructureKind, ValueSet};

/// The text of a definition: in the binary, or on the heap for packages loaded at run time.
#[derive(Debug)]
pub(super) enum Text {
    Embedded(&'static str),
    Loaded(Box<str>),
}

impl Text {
    fn as_str(&self) -> &str {
        match self {
            Self::Embedded(text) => text,
            Self::Loaded(text) => text,
        }
    }
}

/// A definition that is parsed when it is first asked for.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) resource_type: Box<str>,
    pub(super) url: Arc<str>,
    pub(super) version: Option<Box<str>>,
    /// The package it came with.
    pub(super) package: Arc<str>,
    text: Text,
    parsed: OnceLock<Parsed>,
    status: OnceLock<Box<str>>,
    mentions: OnceLock<Box<[u64]>>,
}

/// The model of a definition, by resource type.
#[derive(Debug, Clone)]
pub(super) enum Parsed {
    Structure(Arc<StructureDefinition>),
    ValueSet(Arc<ValueSet>),
    CodeSystem(Arc<CodeSystem>),
    SearchParameter(Arc<SearchParameter>),
    Other(Arc<Value>),
    /// Not what its resource type requires.
    Broken,
}

impl Entry {
    /// An entry for a definition; `None` where the text has no canonical url.
    pub(super) fn new(text: Text, package: &Arc<str>) -> Option<Self> {
        let head = head(text.as_str())?;
        let (resource_type, url) = (head.resource_type.into(), head.url.into());
        let version = head.version.map(Into::into);
        Some(Self {
            resource_type,
            url,
            version,
            package: Arc::clone(package),
            text,
            parsed: OnceLock::new(),
            status: OnceLock::new(),
            mentions: OnceLock::new(),
        })
    }

    /// Its publication status; empty where it has none.
    pub(super) fn status(&self) -> &str {
        self.status.get_or_init(|| status(self.text.as_str()).unwrap_or_default().into())
    }

    /// The numbers of the urls in its text, sorted.
    pub(super) fn mentions(&self) -> &[u64] {
        self.mentions.get_or_init(|| mentions::of_text(self.text.as_str()))
    }

    /// `url|version`, or the url alone where there is no version.
    pub(super) fn canonical(&self) -> String {
        match &self.version {
            Some(version) => format!("{}|{version}", self.url),
            None => self.url.to_string(),
        }
    }

    /// True for a StructureDefinition with what makes it one; its elements are not looked at.
    pub(super) fn is_structure(&self) -> bool {
        structure_kind(self.text.as_str()).is_some_and(|kind| StructureKind::parse(&kind).is_some())
    }

    /// The definition as JSON.
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_str(self.text.as_str()).ok()
    }

    /// The definition as its model.
    pub(super) fn parsed(&self) -> &Parsed {
        self.parsed.get_or_init(|| self.parse().unwrap_or(Parsed::Broken))
    }

    fn parse(&self) -> Option<Parsed> {
        let value = self.json()?;
        Some(match &*self.resource_type {
            "StructureDefinition" => Parsed::Structure(Arc::new(StructureDefinition::from_json(&value)?)),
            "ValueSet" => Parsed::ValueSet(Arc::new(ValueSet::from_json(&value)?)),
            "CodeSystem" => Parsed::CodeSystem(Arc::new(CodeSystem::from_json(&value)?)),
            "SearchParameter" => Parsed::SearchParameter(Arc::new(SearchParameter::from_json(&value)?)),
            _ => Parsed::Other(Arc::new(value)),
        })
    }

    /// True where `wanted` is the version of this definition or the beginning of it (`4.0` for `4.0.1`).
    pub(super) fn has_version(&self, wanted: &str) -> bool {
        self.version.as_deref().is_some_and(|version| {
            version.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
        })
    }
}
