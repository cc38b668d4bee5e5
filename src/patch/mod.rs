//! Patches as pure functions (<https://hl7.org/fhir/R4/http.html#patch>): a document read once, applied to a resource, which
//! stays as it was where any operation fails. JSON Patch (RFC 6902) works on the JSON, FHIRPath Patch on elements; the patch
//! interaction validates what comes out.

mod build;
mod element;
mod fhirpath;
mod json;
mod place;
mod pointer;
mod target;

use serde_json::Value;

use crate::clock::Micros;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::problem::{Kind, Problem};

/// Most operations in one patch.
const MOST_OPERATIONS: usize = 1000;

/// Most values that the operations of one patch may add in all, copies included.
const MOST_ADDED: usize = 1_000_000;

/// Deepest nesting of what comes out.
const DEEPEST: usize = 60;

/// A patch ready to be applied.
#[derive(Debug)]
pub struct Patch(Document);

#[derive(Debug)]
enum Document {
    Json(Vec<json::Operation>),
    FhirPath(Vec<fhirpath::Operation>),
}

impl Patch {
    /// Reads a JSON Patch document (<https://www.rfc-editor.org/rfc/rfc6902>). 400 where it is none.
    pub fn json(document: &Value) -> Result<Self, Problem> {
        json::read(document).map(|operations| Self(Document::Json(operations)))
    }

    /// Reads a FHIRPath Patch: a Parameters resource (<https://hl7.org/fhir/R4/fhirpatch.html>). 400 where it is none or a path
    /// cannot be compiled.
    pub fn fhirpath(parameters: &Value) -> Result<Self, Problem> {
        fhirpath::read(parameters).map(|operations| Self(Document::FhirPath(operations)))
    }

    /// The resource as the patch makes it. `now` is the instant of FHIRPath's `now()`. 422 where an operation cannot be
    /// applied, or would change the resource's type or id.
    pub fn apply(&self, resource: &Value, now: Micros) -> Result<Value, Problem> {
        let mut patched = resource.clone();
        match &self.0 {
            Document::Json(operations) => json::apply(&mut patched, operations)?,
            Document::FhirPath(operations) => fhirpath::apply(&mut patched, operations, now)?,
        }
        prune(&mut patched);
        let same = |name: &str| patched.get(name) == resource.get(name);
        if !same("resourceType") || !same("id") {
            let text = "A patch must not change resourceType or id.";
            return Err(refuse(IssueCode::BusinessRule, "patch-identity", text, "http.body"));
        }
        Ok(patched)
    }

    /// As [`Patch::apply`] for JSON Patch on any JSON, without FHIR's rules; for comparison with other implementations.
    pub fn apply_plainly(&self, document: &Value) -> Result<Value, Problem> {
        let mut patched = document.clone();
        match &self.0 {
            Document::Json(operations) => json::apply(&mut patched, operations)?,
            Document::FhirPath(_) => return Err(Problem::new(Kind::Invalid, "This is no JSON Patch.")),
        }
        Ok(patched)
    }
}

/// Takes out arrays and objects that the operations have left empty: FHIR's JSON has none, and nobody who removes the last
/// item of a list means to store one.
fn prune(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, child) in map.iter_mut() {
                if name.starts_with('_') { prune_siblings(child) } else { prune(child) }
            }
            map.retain(|_, child| !is_empty(child));
        }
        Value::Array(items) => {
            items.iter_mut().for_each(prune);
            items.retain(|item| !is_empty(item));
        }
        _ => {}
    }
}

/// As [`prune`] for what stands beside primitives, where each item keeps its place.
fn prune_siblings(value: &mut Value) {
    let Value::Array(items) = value else { return prune(value) };
    for item in items.iter_mut() {
        prune(item);
        if is_empty(item) {
            *item = Value::Null;
        }
    }
    if items.iter().all(Value::is_null) {
        items.clear();
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(serde_json::Map::is_empty)
}

/// A patch that is understood and cannot be applied: 422.
fn refuse(code: IssueCode, rule: &str, text: impl Into<String>, place: impl Into<String>) -> Problem {
    Problem::with_issues(Kind::Unprocessable, vec![Issue::new(Severity::Error, code, rule, text).at(place)])
}

/// A patch that is not understood: 400.
fn malformed(text: impl Into<String>, place: impl Into<String>) -> Problem {
    let issue = Issue::new(Severity::Error, IssueCode::Structure, "patch-syntax", text).at(place);
    Problem::with_issues(Kind::Invalid, vec![issue])
}

/// How many values there are in a value, itself included, and how deeply they are nested.
fn extent(value: &Value) -> (usize, usize) {
    let below = |children: &mut dyn Iterator<Item = &Value>| {
        children.map(extent).fold((1, 0), |(count, depth), (more, deep)| (count + more, depth.max(deep)))
    };
    match value {
        Value::Array(items) => {
            let (count, depth) = below(&mut items.iter());
            (count, depth + 1)
        }
        Value::Object(map) => {
            let (count, depth) = below(&mut map.values());
            (count, depth + 1)
        }
        _ => (1, 0),
    }
}
