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
    /// Whether it stands at a definition path, for example `Patient.contact.name` or `Observation.value[x]`.
    #[must_use]
    pub fn is_at(&self, path: &str) -> bool {
        let (before, name) = path.rsplit_once('.').unwrap_or(("", path));
        name.trim_end_matches("[x]") == self.name
            && match self.parent {
                Some(parent) => !before.is_empty() && parent.is_at(before),
                None => before.is_empty(),
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
    /// Types of the resource, of the root and of the Bundle.
    pub types: [Option<TypeIndex>; 3],
    /// True where a profile of Kith applies to the resource.
    pub strict: bool,
}

/// Resources of a Bundle by full url, for references.
#[derive(Debug, Default)]
pub struct BundleEntries<'a> {
    by_url: HashMap<&'a str, &'a Value>,
    by_type_and_id: HashMap<&'a str, &'a Value>,
    /// How many entries there are, those without a url included.
    pub count: usize,
}

impl<'a> BundleEntries<'a> {
    /// Reads the entries of a Bundle. Of entries with the same url the first counts.
    #[must_use]
    pub fn of(bundle: &'a Value) -> Self {
        let mut entries = Self::default();
        let list = bundle.get("entry").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        entries.count = list.len();
        for entry in list {
            let url = entry.get("fullUrl").and_then(Value::as_str);
            let (Some(url), Some(resource)) = (url, entry.get("resource")) else { continue };
            entries.by_url.entry(url).or_insert(resource);
            let mut slashes = url.rmatch_indices('/').map(|(at, _)| at);
            if let Some(tail) = slashes.nth(1).and_then(|at| url.get(at + 1..)) {
                entries.by_type_and_id.entry(tail).or_insert(resource);
            }
        }
        entries
    }

    /// The entry that a reference names: by full url, or by `Type/id` at the end of one.
    #[must_use]
    pub fn find(&self, reference: &str) -> Option<&'a Value> {
        let unversioned = reference.split("/_history/").next().unwrap_or(reference);
        self.by_url.get(unversioned).or_else(|| self.by_type_and_id.get(unversioned)).copied()
    }
}
