//! `resolve()` within what is at hand: contained resources and the entries of the Bundle around the resource
//! (<https://hl7.org/fhir/R4/bundle.html#references>). Called by the `resolve` function.

use serde_json::Value;

use super::node::{NULL, Node};
use crate::fhir::types::Types;

/// Where references are looked up.
pub(super) struct Surroundings<'a> {
    pub(super) root: Option<Node<'a>>,
    pub(super) bundle: Option<Node<'a>>,
    pub(super) types: &'static Types,
}

impl<'a> Surroundings<'a> {
    /// The resource that a reference means.
    pub(super) fn resolve(&self, reference: &str) -> Option<Node<'a>> {
        match reference.strip_prefix('#') {
            Some("") => self.root,
            Some(id) => self.contained(id),
            None => self.entry(reference),
        }
    }

    fn contained(&self, id: &str) -> Option<Node<'a>> {
        let contained = self.root?.value().get("contained")?.as_array()?;
        let found = contained.iter().find(|resource| resource.get("id").and_then(Value::as_str) == Some(id))?;
        Some(Node::resource(found, self.types))
    }

    fn entry(&self, reference: &str) -> Option<Node<'a>> {
        let bundle = self.bundle.or(self.root)?.value();
        let unversioned = reference.split("/_history/").next().unwrap_or(reference);
        let entries = bundle.get("entry")?.as_array()?;
        let found = entries.iter().find(|entry| matches(entry, unversioned))?;
        Some(Node::resource(found.get("resource")?, self.types))
    }

    /// A resource of which nothing but the type is known, from a reference such as `Patient/1` or a URL that ends so.
    pub(super) fn by_type(&self, reference: &str) -> Option<Node<'a>> {
        let unversioned = reference.split("/_history/").next().unwrap_or(reference);
        let mut parts = unversioned.rsplit('/');
        parts.next()?;
        let name = parts.next().filter(|name| self.types.is_resource_type(name))?;
        Some(Node::new(&NULL, None, self.types.get(name)))
    }
}

/// Whether an entry is what the reference means: by its fullUrl, or a relative reference by the end of the fullUrl.
fn matches(entry: &Value, reference: &str) -> bool {
    let full_url = entry.get("fullUrl").and_then(Value::as_str).unwrap_or_default();
    if full_url == reference {
        return true;
    }
    let relative = !reference.contains(':') && reference.contains('/');
    relative && full_url.strip_suffix(reference).is_some_and(|start| start.ends_with('/'))
}
