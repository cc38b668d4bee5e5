//! A FHIR package in memory: its manifest and the facts of its definitions. `crate::package` reads one from disk;
//! `Definitions::with_packages` adds it to a registry.

use serde_json::{Map, Value, json};

use super::import::{Others, compact_line, facts, without_narrative};

/// What a package says of itself (<https://confluence.hl7.org/display/FHIR/NPM+Package+Specification>).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifest {
    /// Package name, for example `hl7.fhir.r4.core`.
    pub name: String,
    /// Package version.
    pub version: String,
    /// The FHIR versions the package is for.
    pub fhir_versions: Vec<String>,
    /// Names and versions of the packages it needs.
    pub dependencies: Vec<(String, String)>,
}

impl Manifest {
    /// Reads the fields this server uses from a `package.json`.
    #[must_use]
    pub fn from_json(value: &Value) -> Self {
        let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let versions = value.get("fhirVersions").or_else(|| value.get("fhir-version-list"));
        Self {
            name: text("name"),
            version: text("version"),
            fhir_versions: versions
                .and_then(Value::as_array)
                .map(|items| items.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect())
                .unwrap_or_default(),
            dependencies: value
                .get("dependencies")
                .and_then(Value::as_object)
                .map(|fields| {
                    fields
                        .iter()
                        .map(|(name, version)| (name.clone(), version.as_str().unwrap_or("").to_owned()))
                        .collect()
                })
                .unwrap_or_default(),
        }
    }

    /// The `package.json` of the committed facts.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let dependencies: Map<String, Value> =
            self.dependencies.iter().map(|(name, version)| (name.clone(), Value::from(version.as_str()))).collect();
        json!({
            "name": self.name,
            "version": self.version,
            "fhirVersions": self.fhir_versions,
            "dependencies": dependencies,
        })
    }
}

/// A package whose definitions are trimmed to facts, ready to be added to a registry.
#[derive(Debug, Clone, Default)]
pub struct Package {
    /// What it says of itself.
    pub manifest: Manifest,
    /// One compact JSON text a definition.
    pub(super) definitions: Vec<Box<str>>,
}

impl Package {
    /// A package of these definitions; what has no canonical url is left out.
    #[must_use]
    pub fn new(manifest: Manifest, resources: &[Value]) -> Self {
        let mut package = Self { manifest, definitions: Vec::new() };
        for resource in resources {
            package.add(resource);
        }
        package
    }

    /// Adds the facts of a definition; what has no canonical url is passed over.
    pub fn add(&mut self, resource: &Value) {
        // A supplement is nothing but what facts leave out.
        let is_supplement = resource.get("content").and_then(Value::as_str) == Some("supplement");
        let kept =
            facts(resource, Others::Keep).map(|facts| if is_supplement { without_narrative(resource) } else { facts });
        self.definitions.extend(kept.map(|value| compact_line(&value).into_boxed_str()));
    }

    /// A package of definitions that [`Package::lines`] has given.
    #[must_use]
    pub fn of_lines<'l>(manifest: Manifest, lines: impl Iterator<Item = &'l str>) -> Self {
        Self { manifest, definitions: lines.map(Into::into).collect() }
    }

    /// The facts of its definitions, one JSON text each, none with a line end in it.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.definitions.iter().map(|text| &**text)
    }

    /// How many definitions it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.definitions.len()
    }

    /// True where it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.definitions.is_empty()
    }
}
