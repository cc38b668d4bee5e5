//! `bundle-reference`, `bundle-unreachable`: in a document or message what the first entry refers to is in the Bundle, once,
//! and every other entry is connected with it (<https://hl7.org/fhir/R4/documents.html#content>). References within a Bundle
//! are resolved by full url (<https://hl7.org/fhir/R4/bundle.html#references>).

use std::collections::HashMap;

use serde_json::Value;

use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::member::{member, text};
use crate::fhir::path::Path;
use crate::fhir::reference::Reference;

use crate::validate::run::{Origin, Place, Run};

/// Deeper nesting than this is reported by the walk.
const MAX_DEPTH: usize = 64;

/// The entries of a Bundle, by full url.
struct Entries<'a> {
    list: &'a [Value],
    by_url: HashMap<&'a str, Vec<usize>>,
}

/// Ways from a Composition to what is part of the document.
const COMPOSITION: [&[&str]; 6] =
    [&["subject"], &["author"], &["encounter"], &["custodian"], &["attester", "party"], &["event", "detail"]];

/// Members of a section that do.
const SECTION: [&str; 3] = ["author", "focus", "entry"];

/// Checks the references between the entries of a document or message.
pub fn check<'a>(
    run: &mut Run<'_, 'a>,
    bundle: &'a Value,
    is_document: bool,
    place: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    let entries = Entries::of(bundle);
    let Some(first) = entries.list.first().and_then(|entry| member(entry, "resource")) else { return };
    let list = place.path.element("entry");
    let entry = list.index(0);
    let path = entry.element("resource");
    let mut check = Check { run, entries: &entries, origin };
    match text(first, "resourceType") {
        Some("Composition") if is_document => {
            for steps in COMPOSITION {
                check.references(first, steps, &path);
            }
            check.sections(first, &path, 0);
        }
        Some("MessageHeader") if !is_document => check.references(first, &["focus"], &path),
        _ => {}
    }
    let severity = if is_document { Severity::Error } else { Severity::Warning };
    for index in entries.unreachable(bundle) {
        let text =
            "Nothing leads from the first entry of the Bundle to this one, or back. Refer to it or leave it out.";
        let issue = Issue::new(severity, IssueCode::Invalid, "bundle-unreachable", text);
        run.push(issue, &list.index(index), origin);
    }
}

struct Check<'c, 'r, 'v, 'a> {
    run: &'r mut Run<'v, 'a>,
    entries: &'c Entries<'a>,
    origin: Origin<'c>,
}

impl<'a> Check<'_, '_, '_, 'a> {
    /// The references that a way of members leads to.
    fn references(&mut self, holder: &'a Value, steps: &[&str], path: &Path<'_>) {
        let [step, rest @ ..] = steps else { return self.reference(holder, path) };
        let path = path.element(step);
        match member(holder, step) {
            Some(Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.references(item, rest, &path.index(index));
                }
            }
            Some(item) => self.references(item, rest, &path),
            None => {}
        }
    }

    fn sections(&mut self, holder: &'a Value, path: &Path<'_>, depth: usize) {
        let Some(sections) = member(holder, "section").and_then(Value::as_array).filter(|_| depth < MAX_DEPTH) else {
            return;
        };
        let list = path.element("section");
        for (index, section) in sections.iter().enumerate() {
            let path = list.index(index);
            for step in SECTION {
                self.references(section, &[step], &path);
            }
            self.sections(section, &path, depth + 1);
        }
    }

    fn reference(&mut self, value: &'a Value, path: &Path<'_>) {
        let Some(reference) = text(value, "reference").filter(|reference| !reference.starts_with('#')) else { return };
        let text = match self.entries.resolve(reference, 0).len() {
            1 => return,
            0 if self.entries.has_other_url(reference) => {
                "The reference must lead to an entry of the Bundle. An entry has this type and id, but another fullUrl than \
                 the reference comes to: refer to it by its fullUrl."
            }
            0 => "The reference must lead to an entry of the Bundle, by its fullUrl. Add the entry.",
            _ => "The reference leads to more than one entry of the Bundle. Name the version, or remove the others.",
        };
        self.run.error(IssueCode::NotFound, "bundle-reference", text.to_owned(), path, self.origin);
    }
}

impl<'a> Entries<'a> {
    fn of(bundle: &'a Value) -> Self {
        let list = super::entries(bundle);
        let mut by_url: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, entry) in list.iter().enumerate() {
            if let Some(url) = text(entry, "fullUrl") {
                by_url.entry(url).or_default().push(index);
            }
        }
        Self { list, by_url }
    }

    fn resource(&self, index: usize) -> Option<&'a Value> {
        self.list.get(index).and_then(|entry| member(entry, "resource"))
    }

    /// The entries that a reference in the entry `source` names.
    fn resolve(&self, reference: &str, source: usize) -> Vec<usize> {
        let (plain, version) =
            reference.split_once("/_history/").map_or((reference, None), |(plain, version)| (plain, Some(version)));
        let plain = plain.split('#').next().unwrap_or(plain);
        let url = if plain.contains(':') {
            self.by_url.get(plain)
        } else {
            self.root(source).and_then(|root| self.by_url.get(format!("{root}/{plain}").as_str()))
        };
        let is_version = |index: &&usize| {
            let found = self.resource(**index).and_then(|resource| member(resource, "meta"));
            version.is_none() || found.and_then(|meta| text(meta, "versionId")) == version
        };
        url.map_or_else(Vec::new, |found| found.iter().filter(is_version).copied().collect())
    }

    /// The address of the server that the full url of an entry shows, for relative references in its resource.
    fn root(&self, source: usize) -> Option<&'a str> {
        let Reference::Absolute { base, target } = Reference::parse(text(self.list.get(source)?, "fullUrl")?)? else {
            return None;
        };
        let resource = self.resource(source)?;
        let agrees =
            text(resource, "id") == Some(target.id) && text(resource, "resourceType") == Some(target.resource_type);
        agrees.then_some(base)
    }

    /// Whether some entry has the type and id of a relative reference.
    fn has_other_url(&self, reference: &str) -> bool {
        let Some(Reference::Relative(target)) = Reference::parse(reference) else { return false };
        (0..self.list.len()).filter_map(|index| self.resource(index)).any(|resource| {
            text(resource, "id") == Some(target.id) && text(resource, "resourceType") == Some(target.resource_type)
        })
    }

    /// The entries that no chain of references connects with the first, whichever way they point.
    fn unreachable(&self, bundle: &'a Value) -> Vec<usize> {
        let mut neighbours: Vec<Vec<usize>> = vec![Vec::new(); self.list.len()];
        for source in 0..self.list.len() {
            let mut targets = Vec::new();
            if let Some(resource) = self.resource(source) {
                self.collect(resource, source, &mut targets, 0);
            }
            for target in targets {
                neighbours[source].push(target);
                neighbours[target].push(source);
            }
        }
        let mut reached = vec![false; self.list.len()];
        let mut next = self.stylesheets(bundle);
        next.push(0);
        while let Some(index) = next.pop() {
            if !std::mem::replace(&mut reached[index], true) {
                next.extend(&neighbours[index]);
            }
        }
        let is_left = |index: &usize| !reached[*index] && self.resource(*index).is_some();
        (0..self.list.len()).filter(is_left).collect()
    }

    /// The entries that the strings of a value name: references, and urls that are the full url of an entry.
    fn collect(&self, value: &'a Value, source: usize, targets: &mut Vec<usize>, depth: usize) {
        match value {
            Value::Object(members) if depth < MAX_DEPTH => {
                let is_inner_bundle = depth > 0 && text(value, "resourceType") == Some("Bundle");
                for (name, value) in members.iter().filter(|_| !is_inner_bundle) {
                    match value {
                        Value::String(text) if name == "reference" || text.contains(':') => {
                            targets.extend(self.resolve(text, source));
                        }
                        _ => self.collect(value, source, targets, depth + 1),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| match item {
                Value::String(text) => targets.extend(self.resolve(text, source)),
                _ => self.collect(item, source, targets, depth + 1),
            }),
            _ => {}
        }
    }

    /// The entries that the links of the Bundle name as stylesheets.
    fn stylesheets(&self, bundle: &Value) -> Vec<usize> {
        let links = member(bundle, "link").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let urls = links.iter().filter(|link| text(link, "relation") == Some("stylesheet"));
        let is_named = |index: &usize, url: &str| {
            self.resource(*index).is_some_and(|resource| {
                let (type_, id) = (text(resource, "resourceType"), text(resource, "id"));
                url.split_once('/').is_some_and(|(wanted, tail)| Some(wanted) == type_ && Some(tail) == id)
            })
        };
        let named = urls.filter_map(|link| text(link, "url"));
        named.flat_map(|url| (0..self.list.len()).filter(|index| is_named(index, url)).collect::<Vec<_>>()).collect()
    }
}
