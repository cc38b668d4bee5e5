//! A resource made ready to be stored, before any lock is held: validated, indexed, serialised but for its version.

use actix_web::web::Bytes;
use serde_json::{Map, Value};

use super::live;
use super::server::Server;
use crate::clock::Micros;
use crate::config::References;
use crate::fhir::issue::Issue;
use crate::fhir::temporal;
use crate::problem::{Kind, Problem};
use crate::referral;
use crate::search::index::IndexRows;
use crate::search::references::{self, LocalReference};
use crate::store::Stored;

/// A resource ready to be stored.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its type.
    pub resource_type: String,
    /// The logical id it will have.
    pub id: String,
    /// The resource, with `id`, without server-set meta.
    pub value: Value,
    /// What it will be found by.
    pub rows: IndexRows,
    /// Warnings of the validator.
    pub issues: Vec<Issue>,
    /// What it refers to on this server and what must therefore be there; empty where that is not asked for.
    pub references: Vec<LocalReference>,
    /// It has the time that the server gives a referral's Task when it is sent.
    pub stamped: bool,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl Draft {
    /// Validates `value` under the id it will have, extracts index rows and serialises. 422 where it is not valid, or a
    /// definition that does not compile.
    pub fn new(server: &Server, value: Value, id: String) -> Result<Self, Problem> {
        Self::validated(server, value, id, false)
    }

    /// As [`Draft::new`] for what will be a new resource: the Task of a referral gets its `lastModified` here, before any lock,
    /// except where it is imported as it was elsewhere.
    pub fn of_new(server: &Server, value: Value, id: String, imports: bool) -> Result<Self, Problem> {
        Self::validated(server, value, id, !imports)
    }

    fn validated(server: &Server, value: Value, id: String, stamps: bool) -> Result<Self, Problem> {
        let mut value = placed(value, &id)?;
        let issues = match (server.validate(&value), live::admission(server, &value)) {
            (Ok(issues), Ok(())) => issues,
            (Err(invalid), Err(useless)) if invalid.kind == useless.kind => {
                let issues = invalid.issues().iter().chain(useless.issues()).cloned().collect();
                return Err(Problem::with_issues(invalid.kind, issues));
            }
            (Err(problem), _) | (Ok(_), Err(problem)) => return Err(problem),
        };
        let stamped = stamps && referral::stamp_new(&mut value, server.clock.now());
        let mut draft = Self::unchecked(server, value, id)?;
        draft.issues = issues;
        draft.stamped = stamped;
        Ok(draft)
    }

    /// As [`Draft::new`] without validation: for resources that rules of the server have made from valid ones.
    pub fn unchecked(server: &Server, value: Value, id: String) -> Result<Self, Problem> {
        let mut value = placed(value, &id)?;
        referral::localise(&mut value, &server.base);
        let resource_type = value.get("resourceType").and_then(Value::as_str).unwrap_or_default().to_owned();
        let rows = server.extractor.extract(&value);
        let references = match server.settings.references_write {
            References::Enforce => references::local(&value, &server.base),
            References::Allow => Vec::new(),
        };
        let (head, tail) = around_meta(&value)?;
        let (issues, stamped) = (Vec::new(), false);
        Ok(Self { resource_type, id, value, rows, issues, references, stamped, head, tail })
    }

    /// The same content under another id, already validated.
    pub fn under(&self, server: &Server, id: String) -> Result<Self, Problem> {
        let mut draft = Self::unchecked(server, self.value.clone(), id)?;
        draft.issues.clone_from(&self.issues);
        draft.references.clone_from(&self.references);
        draft.stamped = self.stamped;
        Ok(draft)
    }

    /// Names the places of its references below `Bundle.entry[index]`.
    #[must_use]
    pub fn within(mut self, index: usize) -> Self {
        for reference in &mut self.references {
            let rest = reference.place.split_once('.').map_or("", |(_, rest)| rest);
            reference.place = format!("Bundle.entry[{index}].resource.{rest}");
        }
        self
    }

    /// True where storing this would change nothing: the content is that of the version stored, in whatever order its
    /// members stand.
    #[must_use]
    pub fn is_stored_as(&self, stored: &Stored) -> bool {
        let body = self.body(stored.version, stored.last_updated);
        let parsed = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).ok();
        body.len() == stored.body.len() && (body == stored.body || parsed(&body) == parsed(&stored.body))
    }

    /// The final bytes of a version.
    #[must_use]
    pub fn body(&self, version: i64, last_updated: Micros) -> Bytes {
        let stamp =
            format!("\"versionId\":\"{version}\",\"lastUpdated\":\"{}\"", temporal::format_instant(last_updated));
        let mut bytes = Vec::with_capacity(self.head.len() + stamp.len() + self.tail.len());
        bytes.extend_from_slice(&self.head);
        bytes.extend_from_slice(stamp.as_bytes());
        bytes.extend_from_slice(&self.tail);
        Bytes::from(bytes)
    }
}

/// Puts `resourceType`, `id` and `meta` first and drops what the server sets itself.
fn placed(value: Value, id: &str) -> Result<Value, Problem> {
    let Value::Object(mut map) = value else { return Err(not_a_resource()) };
    let Some(Value::String(resource_type)) = map.shift_remove("resourceType") else { return Err(not_a_resource()) };
    let mut placed = Map::with_capacity(map.len() + 2);
    placed.insert("resourceType".to_owned(), Value::String(resource_type));
    placed.insert("id".to_owned(), Value::String(id.to_owned()));
    map.shift_remove("id");
    if let Some(mut meta) = map.shift_remove("meta") {
        if let Value::Object(fields) = &mut meta {
            for name in ["versionId", "lastUpdated", "_versionId", "_lastUpdated"] {
                fields.shift_remove(name);
            }
        }
        if meta.as_object().is_none_or(|fields| !fields.is_empty()) {
            placed.insert("meta".to_owned(), meta);
        }
    }
    placed.extend(map);
    Ok(Value::Object(placed))
}

/// The serialised resource up to the inside of `meta`, and from behind the version on.
fn around_meta(value: &Value) -> Result<(Vec<u8>, Vec<u8>), Problem> {
    let Value::Object(map) = value else { return Err(not_a_resource()) };
    let mut head = b"{".to_vec();
    for name in ["resourceType", "id"] {
        if let Some(child) = map.get(name) {
            member(&mut head, name, child)?;
            head.push(b',');
        }
    }
    head.extend_from_slice(b"\"meta\":{");
    let mut tail = Vec::with_capacity(1024);
    if let Some(Value::Object(meta)) = map.get("meta") {
        for (name, child) in meta {
            tail.push(b',');
            member(&mut tail, name, child)?;
        }
    }
    tail.push(b'}');
    for (name, child) in map.iter().filter(|(name, _)| !matches!(name.as_str(), "resourceType" | "id" | "meta")) {
        tail.push(b',');
        member(&mut tail, name, child)?;
    }
    tail.push(b'}');
    Ok((head, tail))
}

fn member(bytes: &mut Vec<u8>, name: &str, value: &Value) -> Result<(), Problem> {
    serde_json::to_writer(&mut *bytes, name).map_err(Problem::internal)?;
    bytes.push(b':');
    serde_json::to_writer(bytes, value).map_err(Problem::internal)
}

/// The type that a body names. 400 where it is no resource.
pub fn resource_type(value: &Value) -> Result<&str, Problem> {
    value.get("resourceType").and_then(Value::as_str).ok_or_else(not_a_resource)
}

fn not_a_resource() -> Problem {
    Problem::new(Kind::Invalid, "The body is not a FHIR resource: it must be a JSON object with a resourceType.")
        .at("http.body")
}
