//! Composite definitions: where their elements stand, and where in each element the components
//! (<https://hl7.org/fhir/R4/search.html#composite>).

use std::sync::Arc;

use super::compile::{sources, targets, weight};
use super::{Parameter, Source, Standing};
use crate::fhir::definitions::{Component, Definitions, SearchParameter};
use crate::fhir::types::Types;
use crate::fhirpath::Expression;
use crate::search::kinds::{Codes, Shape};

/// The elements of one alternative of a composite, and the components within each.
#[derive(Debug)]
pub(crate) struct Group {
    /// Where the elements stand.
    pub(crate) elements: Source,
    /// Where the values of each component stand, seen from an element.
    pub(crate) components: Vec<Vec<Source>>,
}

/// The components of a composite, each as a parameter of its own under `composite$number`; empty where a definition is missing.
pub(super) fn parts(
    definition: &SearchParameter,
    resource_type: &str,
    groups: &[Group],
    definitions: &Definitions,
) -> Vec<Arc<Parameter>> {
    let part = |(number, component): (usize, &Component)| {
        let known = described(definition, component, definitions)?;
        let expression = known.expression.clone().unwrap_or_default();
        Some(Arc::new(Parameter {
            resource_type: resource_type.to_owned(),
            codes: Codes::new(&format!("{}${}", definition.code, number + 1)),
            kind: known.kind,
            url: known.url.clone(),
            targets: targets(&known, &expression),
            weight: weight(known.kind, &[]),
            plain_code: !groups.is_empty() && groups.iter().all(|group| group.is_plain_code(number)),
            expression,
            sources: Vec::new(),
            parts: Vec::new(),
            groups: Vec::new(),
            standing: Standing::Ready,
            generation: 0,
        }))
    };
    let parts: Option<Vec<_>> = definition.components.iter().enumerate().map(part).collect();
    parts.unwrap_or_default()
}

/// The definition of a component. Where the official definitions have the components of a composite crossed
/// (DocumentReference's `relationship`), the one that leads to the component's element.
fn described(
    composite: &SearchParameter,
    component: &Component,
    definitions: &Definitions,
) -> Option<Arc<SearchParameter>> {
    let own = definitions.search_parameter(&component.definition)?;
    let element = format!(".{}", component.expression);
    let leads = |known: &Arc<SearchParameter>| known.expression.as_ref().is_some_and(|path| path.ends_with(&element));
    if leads(&own) {
        return Some(own);
    }
    let others = composite.components.iter().filter_map(|other| definitions.search_parameter(&other.definition));
    Some(others.into_iter().find(leads).unwrap_or(own))
}

/// The places of a composite's values in resources of one type.
pub(super) fn groups(definition: &SearchParameter, elements: Vec<Source>, types: &Types) -> Vec<Group> {
    elements.into_iter().filter_map(|elements| group(definition, elements, types)).collect()
}

fn group(definition: &SearchParameter, elements: Source, types: &Types) -> Option<Group> {
    let component = |expression: &str| match &elements {
        Source::Walk(walk, _) => Some(sources(expression, walk.end, types)).filter(|found| !found.is_empty()),
        Source::Expression(_) => Expression::compile(expression).ok().map(|found| vec![Source::Expression(found)]),
    };
    let components =
        definition.components.iter().map(|part| component(&part.expression)).collect::<Option<Vec<_>>>()?;
    (!components.is_empty()).then_some(Group { elements, components })
}

impl Group {
    /// True if the values of every one of a component's sources are codes without a system.
    fn is_plain_code(&self, component: usize) -> bool {
        let sources = self.components.get(component);
        sources.is_some_and(|sources| sources.iter().all(|source| source.shape() == Shape::Code))
    }
}
