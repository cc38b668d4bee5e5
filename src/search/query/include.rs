//! `_include` and `_revinclude` (<https://hl7.org/fhir/R4/search.html#revinclude>).

use std::collections::HashMap;
use std::sync::Arc;

use super::fault::{self, Fault};
use super::link;
use super::parse::Context;
use crate::search::index::ParameterCode;
use crate::search::kinds::Kind;
use crate::search::parameters::{OfType, Parameter, Registry};

/// Further resources to bring with the matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// `_revinclude`: those that refer to the matches, rather than those the matches refer to.
    pub reverse: bool,
    /// Also follow the resources that were brought by other inclusions.
    pub iterate: bool,
    /// The references to follow; none for every reference there is (`*`).
    pub follow: Option<Follow>,
    /// Only references to this type.
    pub target: Option<String>,
}

/// The reference parameters of one type that an inclusion follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follow {
    /// The type that has the references.
    pub source: String,
    /// The parameters.
    pub codes: Vec<ParameterCode>,
    /// The types that these parameters may name by canonical url.
    pub by_url: Vec<String>,
}

impl Include {
    /// Parses the value of `_include` or `_revinclude`, in full the parameter `name`.
    pub(super) fn parse(name: &str, value: &str, context: &Context<'_>) -> Result<Self, Fault> {
        let (reverse, iterate) = match name {
            "_include" => (false, false),
            "_include:iterate" | "_include:recurse" => (false, true),
            "_revinclude" => (true, false),
            "_revinclude:iterate" | "_revinclude:recurse" => (true, true),
            _ => return Err(fault::modifier(name, "inclusion", ":iterate")),
        };
        if value == "*" {
            return Ok(Self { reverse, iterate, follow: None, target: None });
        }
        let mut parts = value.splitn(3, ':');
        let (Some(source), Some(code)) = (parts.next(), parts.next()) else {
            let text = "An inclusion is written [type]:[parameter], [type]:[parameter]:[target type], [type]:* or *.";
            return Err(fault::value(name, text));
        };
        let target = parts.next().filter(|target| !target.is_empty());
        for part in [Some(source), target].into_iter().flatten() {
            if !context.registry.is_resource_type(part) {
                return Err(fault::value(name, "The inclusion names a type that is not a resource type."));
            }
        }
        let follow = follow(name, source, code, target, context)?;
        Ok(Self { reverse, iterate, follow: Some(follow), target: target.map(str::to_owned) })
    }

    /// True unless it asks for what resources of other types refer to, and never comes to one.
    #[must_use]
    pub fn starts_at(&self, types: &[&str]) -> bool {
        self.reverse
            || self.iterate
            || self.follow.as_ref().is_none_or(|follow| types.contains(&follow.source.as_str()))
    }
}

/// The values that `_include` takes in a search on a resource type, for the CapabilityStatement.
#[must_use]
pub fn offered(registry: &Registry, resource_type: &str) -> Vec<String> {
    let references = references(registry, resource_type);
    let named = references.iter().map(|parameter| format!("{resource_type}:{}", parameter.code()));
    ["*".to_owned(), format!("{resource_type}:*")].into_iter().chain(named).collect()
}

/// The values that `_revinclude` takes, by the resource type that is searched.
#[must_use]
pub fn offered_reverse(registry: &Registry) -> HashMap<&str, Vec<String>> {
    let types = registry.definitions().resource_types();
    let mut offered: HashMap<&str, Vec<String>> = HashMap::new();
    for source in types {
        for parameter in references(registry, source) {
            let refers = |target: &&String| link::may_refer(&parameter, target);
            for target in types.iter().filter(refers) {
                offered.entry(target).or_default().push(format!("{source}:{}", parameter.code()));
            }
        }
    }
    offered
}

/// The reference parameters of a type that can be followed.
fn references(registry: &Registry, resource_type: &str) -> Vec<Arc<Parameter>> {
    let parameters = registry.of_type(resource_type).into_iter().flat_map(OfType::iter);
    parameters.filter(|parameter| parameter.kind == Kind::Reference && parameter.is_searchable()).cloned().collect()
}

fn follow(name: &str, source: &str, code: &str, target: Option<&str>, context: &Context<'_>) -> Result<Follow, Fault> {
    let named: Vec<_> = references(context.registry, source)
        .into_iter()
        .filter(|parameter| code == "*" || parameter.code() == code)
        .collect();
    if named.is_empty() {
        return Err(match context.registry.get(source, code) {
            Some(_) => fault::value(name, "Only reference parameters can be included."),
            None => fault::unknown(name, code, source, context.registry),
        });
    }
    let refers = |parameter: &Parameter| target.is_none_or(|target| link::may_refer(parameter, target));
    let found: Vec<_> = named.iter().filter(|parameter| refers(parameter)).collect();
    if found.is_empty() {
        let targets = named.first().map(|parameter| parameter.targets.join(", ")).unwrap_or_default();
        let text = format!("{source}.{code} does not refer to the type named last; it refers to {targets}.");
        return Err(fault::value(name, text));
    }
    let mut by_url: Vec<String> =
        found.iter().flat_map(|parameter| link::types_by_url(parameter, context.registry)).collect();
    by_url.retain(|name| target.is_none_or(|target| target == name));
    by_url.sort();
    by_url.dedup();
    Ok(Follow { source: source.to_owned(), codes: found.iter().map(|found| found.codes.own.clone()).collect(), by_url })
}
