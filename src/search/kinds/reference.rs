//! References: literal ones to this server as type and id, others by their url, logical ones by identifier
//! (<https://hl7.org/fhir/R4/search.html#reference>).

use serde_json::Value;

use super::{Shape, Sink, bounded, token, uri};
use crate::fhir::reference::{Reference, Target as Literal};
use crate::search::index::ReferenceRow;
use crate::search::sql::builder::Sql;

/// What a reference value asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A resource of this server: its id, and its type where only one can be meant.
    Local {
        /// The resource type.
        resource_type: Option<String>,
        /// The logical id, with `/_history/version` if a version is asked for.
        id: String,
    },
    /// A url elsewhere, or the canonical url of a definition, which also finds its versions.
    Url(String),
}

/// Rows of a Reference, canonical, uri, or a resource within a Bundle.
pub(super) fn index(shape: Shape, value: &Value, sink: &mut Sink<'_>) {
    match shape {
        Shape::Reference => {
            if let Some(literal) = value.get("reference").and_then(Value::as_str) {
                index_literal(literal, value, sink);
            }
            if let Some(identifier) = value.get("identifier") {
                token::add_logical(sink, identifier);
            }
        }
        Shape::Canonical | Shape::Uri => {
            if let Some(url) = value.as_str().filter(|url| !url.is_empty()) {
                index_url(url, sink);
            }
        }
        Shape::Resource => {
            let text = |name: &str| value.get(name).and_then(Value::as_str);
            if let (Some(resource_type), Some(id)) = (text("resourceType"), text("id")) {
                add(sink, resource_type, id);
            }
        }
        _ => {}
    }
}

fn index_literal(literal: &str, reference: &Value, sink: &mut Sink<'_>) {
    match Reference::parse(literal) {
        Some(Reference::Relative(target)) => add_target(sink, &target),
        Some(Reference::Absolute { base, target }) if base == sink.base => add_target(sink, &target),
        Some(Reference::Absolute { target, .. }) => add(sink, target.resource_type, literal),
        Some(Reference::Contained(_) | Reference::Conditional { .. }) => {}
        _ => {
            let resource_type = reference.get("type").and_then(Value::as_str).unwrap_or_default();
            add(sink, resource_type, literal);
        }
    }
}

fn add_target(sink: &mut Sink<'_>, target: &Literal<'_>) {
    add(sink, target.resource_type, target.id);
    if let Some(version) = target.version {
        add(sink, target.resource_type, &format!("{}/_history/{version}", target.id));
    }
}

/// A canonical that has the form of an address on this server is also found as that resource.
fn index_url(url: &str, sink: &mut Sink<'_>) {
    add(sink, "", url);
    if let Some(Reference::Absolute { base, target }) = Reference::parse(url)
        && base == sink.base
    {
        add_target(sink, &target);
    }
}

fn add(sink: &mut Sink<'_>, target_type: &str, target_id: &str) {
    let parameter = sink.codes.own.clone();
    sink.rows.references.push(ReferenceRow {
        parameter,
        target_type: bounded(target_type),
        target_id: bounded(target_id),
    });
}

impl Target {
    /// Reads `id`, `Type/id`, `Type/id/_history/version`, an absolute url or a canonical. `named` is the type given as modifier
    /// (`subject:Patient`), `targets` are the types the parameter may refer to, `base` is this server. Errors say what is wrong.
    pub fn parse(text: &str, named: Option<&str>, targets: &[String], base: &str) -> Result<Self, String> {
        let local = |target: &Literal<'_>| {
            let version = target.version.map(|version| format!("/_history/{version}")).unwrap_or_default();
            Self::Local { resource_type: Some(target.resource_type.to_owned()), id: format!("{}{version}", target.id) }
        };
        if crate::fhir::primitive::is_id(text) {
            let only = if let [only] = targets { Some(only.clone()) } else { None };
            return Ok(Self::Local { resource_type: named.map(str::to_owned).or(only), id: text.to_owned() });
        }
        match Reference::parse(text) {
            Some(Reference::Relative(target)) => match named {
                Some(named) if named != target.resource_type => {
                    Err(format!("the modifier asks for {named}, the value for another resource type"))
                }
                _ => Ok(local(&target)),
            },
            Some(Reference::Absolute { base: other, target }) if other == base => Ok(local(&target)),
            Some(Reference::Absolute { .. } | Reference::Uuid(_) | Reference::Oid(_) | Reference::Other(_)) => {
                Ok(Self::Url(bounded(text)))
            }
            _ => Err("a reference is `id`, `Type/id` or an absolute url".to_owned()),
        }
    }

    /// See [`super::Criterion::condition`].
    pub(super) fn condition(&self, alias: &str, sql: &mut Sql) {
        match self {
            Self::Local { resource_type, id } => {
                sql.push(&format!("{alias}.target_id = ")).text(id);
                if let Some(resource_type) = resource_type {
                    sql.push(&format!(" and {alias}.target_type = ")).text(resource_type);
                }
            }
            Self::Url(url) => uri::with_versions(&format!("{alias}.target_id"), url, sql),
        }
    }
}
