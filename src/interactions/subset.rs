//! `_summary` and `_elements`: leaves elements out of a resource and marks it as incomplete
//! (<https://hl7.org/fhir/R4/search.html#summary>, <https://hl7.org/fhir/R4/search.html#elements>). Called by every interaction
//! that shows resources.

use std::borrow::Cow;

use actix_web::web::Bytes;
use serde_json::{Map, Value, json};

use super::request::Request;
use crate::fhir::codec::json as fhir_json;
use crate::fhir::types::{Child, TypeIndex, TypeKind, Types};
use crate::problem::{Kind, Problem};
use crate::search::query::fault::Fault;
use crate::search::query::{Query, Summary, result};
use crate::store::Stored;

/// The code system of SUBSETTED.
const SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";

/// The tag of a resource that is not shown whole.
pub const SUBSETTED: &str = "SUBSETTED";

/// Which part of a resource is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subset {
    /// `_summary`.
    pub summary: Option<Summary>,
    /// `_elements`: names, or paths with dots.
    pub elements: Vec<String>,
}

impl Subset {
    /// What a request asks for by `_summary` and `_elements`. 400 where a value is wrong or the two contradict each other.
    pub fn of(request: &Request) -> Result<Self, Problem> {
        let mut subset = Self::default();
        if let Some(text) = request.parameter("_summary") {
            subset.summary = Some(result::summary(text).map_err(problem)?);
        }
        if let Some(text) = request.parameter("_elements") {
            subset.elements = result::elements(text).map_err(problem)?;
        }
        subset.check()?;
        Ok(subset)
    }

    /// As [`Subset::of`] for an interaction that shows one resource, of which there is nothing to count.
    pub fn of_one(request: &Request) -> Result<Self, Problem> {
        let subset = Self::of(request)?;
        if subset.summary == Some(Summary::Count) {
            let text = "_summary=count asks how many resources there are; this address is of one resource.";
            return Err(Problem::new(Kind::Invalid, text).at("http.query._summary"));
        }
        Ok(subset)
    }

    /// 400 where `_summary` chooses elements and `_elements` chooses others.
    fn check(&self) -> Result<(), Problem> {
        let chooses = matches!(self.summary, Some(Summary::True | Summary::Text | Summary::Data));
        if chooses && !self.elements.is_empty() {
            let text = "_summary and _elements each say which elements to show. Give one of them.";
            return Err(Problem::new(Kind::Invalid, text).at("http.query._elements"));
        }
        Ok(())
    }

    /// True where resources are shown as they are.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.elements.is_empty() && matches!(self.summary, None | Some(Summary::False | Summary::Count))
    }

    /// Leaves out of a resource what is not wanted, and marks it.
    pub fn reduce(&self, resource: &mut Value) {
        let types = Types::r4();
        let index = resource.get("resourceType").and_then(Value::as_str).and_then(|name| types.get(name));
        let (Some(index), Value::Object(map)) = (index, resource) else { return };
        if self.is_whole() {
            return;
        }
        let choice = match self.summary {
            Some(Summary::Text) => Choice::Text,
            Some(Summary::Data) => Choice::Data,
            Some(Summary::True) => Choice::Summary,
            _ => Choice::Elements(paths(&self.elements, &types.definition(index).name)),
        };
        retain(map, index, &choice);
        mark(map);
    }

    /// The bytes of a stored resource with what is wanted of it.
    pub fn of_bytes<'a>(&self, body: &'a Bytes) -> Result<Cow<'a, [u8]>, Problem> {
        if self.is_whole() || body.is_empty() {
            return Ok(Cow::Borrowed(body));
        }
        let mut value: Value = fhir_json::parse_stored(body)?;
        self.reduce(&mut value);
        serde_json::to_vec(&value).map(Cow::Owned).map_err(Problem::internal)
    }
}

/// The JSON of a match, reduced to what the query asks for.
pub fn resource<'a>(query: &Query, stored: &'a Stored) -> Result<Cow<'a, [u8]>, Problem> {
    if query.summary.is_none() && query.elements.is_empty() {
        return Ok(Cow::Borrowed(&stored.body));
    }
    Subset { summary: query.summary, elements: query.elements.clone() }.of_bytes(&stored.body)
}

/// True where a resource says of itself that it is not whole.
#[must_use]
pub fn is_subsetted(resource: &Value) -> bool {
    let tags = resource.get("meta").and_then(|meta| meta.get("tag")).and_then(Value::as_array);
    tags.into_iter().flatten().any(is_subsetted_tag)
}

fn is_subsetted_tag(tag: &Value) -> bool {
    let is = |name: &str, text: &str| tag.get(name).and_then(Value::as_str) == Some(text);
    is("code", SUBSETTED) && is("system", SYSTEM)
}

fn problem(fault: Fault) -> Problem {
    let (Fault::Unknown(issue) | Fault::Wrong(issue)) = fault;
    Problem::with_issues(Kind::Invalid, vec![*issue])
}

/// Which children of a type stay.
enum Choice<'a> {
    Summary,
    Text,
    Data,
    Elements(Vec<Vec<&'a str>>),
}

/// The paths split at their dots, without a leading name of the type itself.
fn paths<'a>(elements: &'a [String], resource_type: &str) -> Vec<Vec<&'a str>> {
    let split = |element: &'a String| {
        let path = element.strip_prefix(resource_type).and_then(|rest| rest.strip_prefix('.')).unwrap_or(element);
        path.split('.').collect()
    };
    elements.iter().map(split).collect()
}

fn retain(map: &mut Map<String, Value>, index: TypeIndex, choice: &Choice<'_>) {
    let types = Types::r4();
    map.retain(|name, value| {
        let plain = name.strip_prefix('_').unwrap_or(name);
        match types.child(index, plain) {
            Some((child, kind)) => keep(child, plain, kind, value, choice),
            None => plain == "resourceType",
        }
    });
}

/// Decides about one child; where only a part of it stays, reduces it.
fn keep(child: &Child, name: &str, kind: TypeIndex, value: &mut Value, choice: &Choice<'_>) -> bool {
    if matches!(name, "id" | "meta" | "modifierExtension") {
        return true;
    }
    let always = child.min > 0 || child.is_modifier;
    match choice {
        Choice::Data => name != "text",
        Choice::Text => always || name == "text",
        Choice::Summary => {
            let stays = always || child.is_summary;
            if stays {
                reduce_children(kind, value, choice);
            }
            stays
        }
        Choice::Elements(paths) => {
            let rest: Vec<Vec<&str>> = paths.iter().filter_map(|path| below(path, child, name)).collect();
            let whole = rest.iter().any(Vec::is_empty) || (rest.is_empty() && always);
            if !whole && !rest.is_empty() {
                reduce_children(kind, value, &Choice::Elements(rest));
                return true;
            }
            whole
        }
    }
}

/// What a path says of the inside of a child; none where it does not name the child.
fn below<'a>(path: &[&'a str], child: &Child, name: &str) -> Option<Vec<&'a str>> {
    let (first, rest) = path.split_first()?;
    let plain = first.strip_suffix("[x]").unwrap_or(first);
    (plain == name || plain == &*child.name).then(|| rest.to_vec())
}

/// Reduces the inside of datatypes and backbone elements; primitives and resources stay whole.
fn reduce_children(kind: TypeIndex, value: &mut Value, choice: &Choice<'_>) {
    if !matches!(Types::r4().definition(kind).kind, TypeKind::Complex | TypeKind::Backbone) {
        return;
    }
    match value {
        Value::Object(map) => retain(map, kind, choice),
        Value::Array(items) => items.iter_mut().for_each(|item| reduce_children(kind, item, choice)),
        _ => {}
    }
}

/// Adds the tag that warns against storing the reduced resource.
fn mark(map: &mut Map<String, Value>) {
    let meta = map.entry("meta").or_insert_with(|| json!({}));
    let tag = json!({ "system": SYSTEM, "code": SUBSETTED, "display": "subsetted" });
    match meta.get_mut("tag").and_then(Value::as_array_mut) {
        Some(tags) if tags.iter().any(is_subsetted_tag) => {}
        Some(tags) => tags.push(tag),
        None => meta["tag"] = json!([tag]),
    }
}
