//! Where reference parameters lead: to resources by type and id, or to definitions by their canonical url
//! (<https://hl7.org/fhir/R4/references.html#canonical>). Shared by chains and inclusions.

use crate::search::kinds::{Kind, Shape};
use crate::search::parameters::{Parameter, Registry, Source};

/// True if references of this parameter may lead to resources of this type.
pub(super) fn may_refer(parameter: &Parameter, target: &str) -> bool {
    parameter.targets.is_empty() || parameter.targets.iter().any(|name| name == target)
}

/// True if the values of this parameter may be references by type and id.
pub(super) fn is_literal(parameter: &Parameter) -> bool {
    parameter.sources.iter().any(|source| !names_by_url(source))
}

/// The types that this parameter names by canonical url: those that have one.
pub(super) fn types_by_url(parameter: &Parameter, registry: &Registry) -> Vec<String> {
    let is_uri = |source: &Source| names_by_url(source) || matches!(source, Source::Expression(_));
    if !parameter.sources.iter().any(is_uri) {
        return Vec::new();
    }
    let has_url = |name: &&String| registry.get(name, "url").is_some_and(|url| url.kind == Kind::Uri);
    parameter.targets.iter().filter(has_url).cloned().collect()
}

fn names_by_url(source: &Source) -> bool {
    matches!(source, Source::Walk(_, Shape::Canonical | Shape::Uri))
}
