//! One SearchParameter definition becomes a [`Parameter`] of one resource type.

use super::{Parameter, Source, Standing, composite, shape_of, standing};
use crate::fhir::definitions::{Definitions, SearchParameter};
use crate::fhir::types::{TypeIndex, Types};
use crate::fhirpath::Expression;
use crate::search::kinds::{Codes, Kind, Shape};
use crate::search::query::Weight;
use crate::search::walk;

/// Compiles a definition for `resource_type`; none for a type of search that FHIR R4 does not have.
pub(super) fn compile(
    definition: &SearchParameter,
    resource_type: &str,
    definitions: &Definitions,
    types: &Types,
) -> Option<Parameter> {
    let kind = definition.kind;
    let expression =
        walk::alternatives(definition.expression.as_deref().unwrap_or_default(), resource_type).join(" | ");
    let root = types.get(resource_type)?;
    let has_rows = !matches!(&*definition.code, "_id" | "_lastUpdated") && kind.table().is_some();
    let sources = if has_rows && !expression.is_empty() { sources(&expression, root, types) } else { Vec::new() };
    let shapes: Vec<Shape> = sources.iter().map(Source::shape).collect();
    let (sources, parts, groups) = if kind == Kind::Composite {
        let groups = composite::groups(definition, sources, types);
        (Vec::new(), composite::parts(definition, resource_type, &groups, definitions), groups)
    } else {
        (sources, Vec::new(), Vec::new())
    };
    Some(Parameter {
        resource_type: resource_type.to_owned(),
        codes: Codes::new(&definition.code),
        kind,
        url: definition.url.clone(),
        targets: targets(definition, &expression),
        weight: weight(kind, &shapes),
        plain_code: !shapes.is_empty() && shapes.iter().all(|shape| *shape == Shape::Code),
        standing: Standing::Ready,
        generation: standing::of_definition(definition, &expression),
        expression,
        sources,
        parts,
        groups,
    })
}

pub(super) fn sources(expression: &str, root: TypeIndex, types: &Types) -> Vec<Source> {
    match walk::compile(expression, root, types) {
        Some(walks) => walks.into_iter().map(|walk| Source::Walk(walk.clone(), shape_of(walk.end, types))).collect(),
        None => Expression::compile(expression).ok().map(Source::Expression).into_iter().collect(),
    }
}

impl Source {
    pub(super) fn shape(&self) -> Shape {
        match self {
            Self::Walk(_, shape) => *shape,
            Self::Expression(_) => Shape::Other,
        }
    }
}

/// `where(resolve() is Patient)` narrows what the definition says.
pub(super) fn targets(definition: &SearchParameter, expression: &str) -> Vec<String> {
    let narrowed: Vec<String> = expression
        .split("resolve() is ")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .map(str::to_owned)
        .collect();
    if narrowed.is_empty() || expression.contains(" | ") { definition.target.clone() } else { narrowed }
}

pub(super) fn weight(kind: Kind, shapes: &[Shape]) -> Weight {
    let has = |shape: Shape| shapes.contains(&shape);
    match kind {
        Kind::Token if has(Shape::Identifier) => Weight::Unique,
        Kind::Reference | Kind::Uri | Kind::String | Kind::Date | Kind::Number | Kind::Quantity => Weight::Few,
        Kind::Token if has(Shape::ContactPoint) => Weight::Few,
        Kind::Token if has(Shape::Coding) || has(Shape::CodeableConcept) => Weight::Some,
        _ => Weight::Many,
    }
}
