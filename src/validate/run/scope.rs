//! What a value stands in: the resource, the container, the bundle, the chain of objects around it.

use std::collections::HashMap;

use serde_json::Value;

use crate::fhir::types::TypeIndex;

/// An object on the way from the resource to the value, for the context of extensions.
#[derive(Debug, Clone, Copy)]
pub struct Holder<'p, 'a> {
    /// Element name without index; the type name at the root of a resource.
    pub name: &'p str,
    /// Type of the object.
    pub type_: TypeIndex,
    /// The object or primitive.
    pub value: Option<&'a Value>,
    /// What holds it, within the same resource.
    pub parent: Option<&'p Holder<'p, 'a>>,
}

impl Holder<'_, '_> {
    /// The definition path, for example `Patient.contact.name`.
    #[must_use]
    pub fn definition_path(&self) -> String {
        match self.parent {
            Some(parent) => format!("{}.{}", parent.definition_path(), self.name),
            None => self.name.to_owned(),
        }
    }
}

/// The resource that is being walked.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The resource that holds the value (`%resource`).
    pub resource: &'a Value,
    /// The resource that contains it, or the same (`%rootResource`).
    pub root: &'a Value,
    /// The Bundle around it, where there is one.
    pub bundle: Option<&'a Value>,
    /// True where a profile of Kith applies to the resource.
    pub strict: bool,
}

/// Resources of a Bundle by full url, for references.
#[derive(Debug, Default)]
pub struct BundleEntries<'a> {
    by_url: HashMap<&'a str, &'a Value>,
}

impl<'a> BundleEntries<'a> {
    /// Reads the entries of a Bundle.
    #[must_use]
    pub fn of(bundle: &'a Value) -> Self {
        let entries = bundle.get("entry").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let by_url = entries
            .iter()
            .filter_map(|entry| Some((entry.get("fullUrl")?.as_str()?, entry.get("resource")?)))
            .collect();
        Self { by_url }
    }

    /// The entry that a reference names: by full url, or by `Type/id` at the end of one.
    #[must_use]
    pub fn find(&self, reference: &str) -> Option<&'a Value> {
        if let Some(found) = self.by_url.get(reference) {
            return Some(found);
        }
        if reference.contains(':') {
            return None;
        }
        self.by_url
            .iter()
            .find(|(url, _)| url.strip_suffix(reference).is_some_and(|base| base.ends_with('/')))
            .map(|(_, resource)| *resource)
    }
}
