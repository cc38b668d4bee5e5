//! Replaces the temporary names of a transaction (`urn:uuid:…`, `urn:oid:…`, absolute full URLs) by the addresses that
//! the entries get (<https://hl7.org/fhir/R4/http.html#trules>): in references, in uri-like elements, in narrative links.
//! Driven by the type table, so that a text that only looks like a name is left alone. Used by `transaction`.

use std::collections::HashMap;

use serde_json::Value;

use crate::fhir::types::{PrimitiveKind, TypeIndex, TypeKind, Types};

/// From full URL to `Type/id`.
pub type Names = HashMap<String, String>;

/// Rewrites `resource` in place; true where anything changed.
pub fn rewrite(resource: &mut Value, names: &Names, types: &Types) -> bool {
    let Some(index) = resource_type(resource, types) else { return false };
    Rewriter { names, types }.node(resource, index)
}

/// Every Reference.reference text in `resource` that has search criteria in it (`Patient?identifier=…`).
pub fn conditional_references(resource: &Value) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in references(resource).into_iter().filter(|text| is_conditional(text)) {
        if !found.iter().any(|known| known == text) {
            found.push(text.to_owned());
        }
    }
    found
}

/// Where the first of [`conditional_references`] stands, as a FHIRPath expression such as `Observation.subject`.
pub fn conditional_place(resource: &Value) -> Option<String> {
    let name = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default();
    place(resource, name)
}

fn place(value: &Value, here: &str) -> Option<String> {
    match value {
        Value::Object(map) if map.get("reference").and_then(Value::as_str).is_some_and(is_conditional) => {
            Some(here.to_owned())
        }
        Value::Object(map) => map.iter().find_map(|(name, child)| place(child, &format!("{here}.{name}"))),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| place(item, &format!("{here}[{index}]")))
        }
        _ => None,
    }
}

/// Every Reference.reference text in `resource`.
pub fn references(resource: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    collect(resource, &mut found);
    found
}

fn collect<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("reference").and_then(Value::as_str));
            map.values().for_each(|child| collect(child, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

fn is_conditional(text: &str) -> bool {
    text.split_once('?').is_some_and(|(name, criteria)| {
        !criteria.is_empty() && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic())
    })
}

struct Rewriter<'a> {
    names: &'a Names,
    types: &'a Types,
}

impl Rewriter<'_> {
    fn node(&self, value: &mut Value, index: TypeIndex) -> bool {
        match value {
            Value::Array(items) => items.iter_mut().fold(false, |changed, item| self.node(item, index) | changed),
            Value::Object(_) => self.object(value, index),
            Value::String(text) => self.text(text, index),
            _ => false,
        }
    }

    fn object(&self, value: &mut Value, index: TypeIndex) -> bool {
        let index = resource_type(value, self.types).unwrap_or(index);
        let is_reference = self.types.definition(index).name.as_ref() == "Reference";
        let Value::Object(map) = value else { return false };
        let mut changed = false;
        for (name, child) in map.iter_mut() {
            if is_reference && name == "reference" {
                changed |= self.reference(child);
            } else if let Some(stem) = name.strip_prefix('_') {
                if let Some(element) = self.types.get("Element").filter(|_| self.types.child(index, stem).is_some()) {
                    changed |= self.node(child, element);
                }
            } else if let Some((_, child_index)) = self.types.child(index, name) {
                changed |= self.node(child, child_index);
            }
        }
        changed
    }

    fn reference(&self, value: &mut Value) -> bool {
        let Value::String(text) = value else { return false };
        replace_whole(text, self.names)
    }

    fn text(&self, text: &mut String, index: TypeIndex) -> bool {
        match self.types.definition(index).kind {
            TypeKind::Primitive(
                PrimitiveKind::Uri
                | PrimitiveKind::Url
                | PrimitiveKind::Canonical
                | PrimitiveKind::Oid
                | PrimitiveKind::Uuid,
            ) => replace_whole(text, self.names),
            TypeKind::Primitive(PrimitiveKind::Xhtml) => replace_links(text, self.names),
            _ => false,
        }
    }
}

fn resource_type(value: &Value, types: &Types) -> Option<TypeIndex> {
    value.get("resourceType").and_then(Value::as_str).and_then(|name| types.get(name))
}

/// The whole text, or what stands before a `#` fragment, is a name.
fn replace_whole(text: &mut String, names: &Names) -> bool {
    let (stem, fragment) = text.split_once('#').map_or((text.as_str(), None), |(stem, rest)| (stem, Some(rest)));
    let Some(address) = names.get(stem) else { return false };
    *text = fragment.map_or_else(|| address.clone(), |fragment| format!("{address}#{fragment}"));
    true
}

/// `href="…"` and `src="…"` in narrative.
fn replace_links(text: &mut String, names: &Names) -> bool {
    let mut changed = false;
    for attribute in ["href", "src"] {
        for quote in ['"', '\''] {
            let opening = format!("{attribute}={quote}");
            let mut from = 0;
            while let Some(start) = text[from..].find(&opening).map(|at| from + at + opening.len()) {
                let Some(length) = text[start..].find(quote) else { break };
                let mut link = text[start..start + length].to_owned();
                if replace_whole(&mut link, names) {
                    text.replace_range(start..start + length, &link);
                    changed = true;
                }
                from = start + link.len();
            }
        }
    }
    changed
}
