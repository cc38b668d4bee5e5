//! `_include` and `_revinclude` (<https://hl7.org/fhir/R4/search.html#revinclude>).

use super::fault::{self, Fault};
use super::parse::Context;
use crate::search::index::ParameterCode;
use crate::search::kinds::Kind;
use crate::search::parameters::OfType;

/// Further resources to bring with the matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// `_revinclude`: those that refer to the matches, rather than those the matches refer to.
    pub reverse: bool,
    /// Also follow the resources that were brought by other inclusions.
    pub iterate: bool,
    /// The type that has the references.
    pub source: String,
    /// The reference parameters to follow.
    pub codes: Vec<ParameterCode>,
    /// Only references to this type.
    pub target: Option<String>,
}

impl Include {
    /// Parses the value of `_include` or `_revinclude`, in full the parameter `name`, of a search on `resource_type`.
    pub(super) fn parse(resource_type: &str, name: &str, value: &str, context: &Context<'_>) -> Result<Self, Fault> {
        let (reverse, iterate) = match name {
            "_include" => (false, false),
            "_include:iterate" | "_include:recurse" => (false, true),
            "_revinclude" => (true, false),
            "_revinclude:iterate" | "_revinclude:recurse" => (true, true),
            _ => return Err(fault::modifier(name, "inclusion", ":iterate")),
        };
        let mut parts = value.splitn(3, ':');
        let (source, code) = match (parts.next(), parts.next()) {
            (Some("*"), None) if !reverse => (resource_type, "*"),
            (Some(source), Some(code)) => (source, code),
            _ => {
                return Err(fault::value(
                    name,
                    "An inclusion is written [type]:[parameter] or [type]:[parameter]:[target type].",
                ));
            }
        };
        let target = parts.next().filter(|target| !target.is_empty());
        for part in [Some(source), target].into_iter().flatten() {
            if !context.registry.is_resource_type(part) {
                return Err(fault::value(name, "The inclusion names a type that is not a resource type."));
            }
        }
        if !reverse && !iterate && source != resource_type {
            let text =
                format!("An inclusion starts at what is searched for, {resource_type}; for others add `:iterate`.");
            return Err(fault::value(name, text));
        }
        let codes = codes(name, source, code, context)?;
        Ok(Self { reverse, iterate, source: source.to_owned(), codes, target: target.map(str::to_owned) })
    }
}

fn codes(name: &str, source: &str, code: &str, context: &Context<'_>) -> Result<Vec<ParameterCode>, Fault> {
    let parameters = context.registry.of_type(source).into_iter().flat_map(OfType::iter);
    let references = parameters.filter(|parameter| parameter.kind == Kind::Reference && parameter.is_searchable());
    let found: Vec<ParameterCode> = references
        .filter(|parameter| code == "*" || parameter.code() == code)
        .map(|parameter| parameter.codes.own.clone())
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    match context.registry.get(source, code) {
        Some(_) => Err(fault::value(name, "Only reference parameters can be included.")),
        None => Err(fault::unknown(name, code, source, context.registry)),
    }
}
