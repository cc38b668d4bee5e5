//! What stands against a StructureDefinition: its base, the circle it would close, elements that fit nowhere, expressions
//! that do not compile, slices that nothing tells apart.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use crate::fhir::definitions::{Derivation, ElementDefinition, Slicing, StructureDefinition, StructureKind};
use crate::fhir::issue::{Issue, IssueCode};
use crate::fhirpath::Expression;
use crate::validate::Validator;

use super::{fault, items, text};

/// Longer chains of derivation than this are refused.
const LONGEST_CHAIN: usize = 32;

/// Everything that stands against using a StructureDefinition.
pub(super) fn check(validator: &Validator, definition: &Value, canonical: &str) -> Vec<Issue> {
    let Some(structure) = StructureDefinition::from_json(definition).map(Arc::new) else {
        let text = "A StructureDefinition needs url, kind and type, and kind is one of FHIR's.";
        return vec![fault("StructureDefinition", IssueCode::Required, text)];
    };
    let mut issues = Vec::new();
    base(validator, &structure, &mut issues);
    expressions(definition, &mut issues);
    if structure.kind == StructureKind::Logical {
        return issues;
    }
    slices(validator, &structure, canonical, &mut issues);
    if issues.is_empty() { compile(validator, canonical) } else { issues }
}

/// Generates the snapshot and compiles the schema of a StructureDefinition; what the engines say against it.
pub(super) fn compile(validator: &Validator, canonical: &str) -> Vec<Issue> {
    let Some(structure) = validator.definitions().structure(canonical) else { return Vec::new() };
    if structure.kind == StructureKind::Logical {
        return Vec::new();
    }
    if let Err(problem) = validator.definitions().try_snapshot(canonical) {
        return problem.issues().iter().map(|issue| placed(issue, &structure)).collect();
    }
    let index = validator.schemas().profile_index(canonical);
    let refused = index.and_then(|index| validator.schemas().profile(index).err());
    refused.map(|issue| placed(issue, &structure)).into_iter().collect()
}

/// An issue of an engine as one of the definition: an error, at the element it is about.
fn placed(issue: &Issue, structure: &StructureDefinition) -> Issue {
    let named = issue.element.as_deref();
    let at = named.and_then(|id| structure.differential.iter().position(|element| element.id == id));
    let place = match (&issue.expression, at, named) {
        (Some(expression), ..) if expression.starts_with("StructureDefinition") => expression.clone(),
        (_, Some(at), _) => format!("StructureDefinition.differential.element[{at}]"),
        (_, None, Some(name @ ("baseDefinition" | "type" | "context"))) => format!("StructureDefinition.{name}"),
        _ => "StructureDefinition".to_owned(),
    };
    fault(place, IssueCode::Invalid, issue.text.clone())
}

/// The base must be known, be of the same type, and not lead back.
fn base(validator: &Validator, structure: &StructureDefinition, issues: &mut Vec<Issue>) {
    const PLACE: &str = "StructureDefinition.baseDefinition";
    let Some(canonical) = &structure.base else {
        if structure.derivation == Some(Derivation::Constraint) {
            issues.push(fault(PLACE, IssueCode::Required, "A profile needs a base that it constrains."));
        }
        return;
    };
    if structure.kind == StructureKind::Logical {
        return;
    }
    let definitions = validator.definitions();
    let Some(base) = definitions.structure(canonical) else {
        let text =
            format!("The base {canonical} is not known here. Add its package, or store its StructureDefinition first.");
        return issues.push(fault(PLACE, IssueCode::NotFound, text));
    };
    if structure.derivation == Some(Derivation::Constraint) && base.type_ != structure.type_ {
        let text = format!(
            "The base is of type {}, this profile of type {}: both must be the same.",
            base.type_, structure.type_
        );
        issues.push(fault("StructureDefinition.type", IssueCode::Invalid, text));
    }
    let mut seen: HashSet<String> = HashSet::from([structure.url.clone()]);
    let mut next = Some(base);
    while let Some(current) = next {
        if !seen.insert(current.url.clone()) || seen.len() > LONGEST_CHAIN {
            let text =
                format!("The chain of bases goes in a circle, or is longer than {LONGEST_CHAIN}: see {}.", current.url);
            return issues.push(fault(PLACE, IssueCode::Invalid, text));
        }
        next = current.base.as_deref().and_then(|base| definitions.structure(base));
    }
}

/// Every FHIRPath expression must compile.
fn expressions(definition: &Value, issues: &mut Vec<Issue>) {
    let mut compile = |source: &str, place: String| {
        if let Err(error) = Expression::compile(source) {
            issues.push(fault(place, IssueCode::Invalid, format!("The FHIRPath expression does not compile: {error}")));
        }
    };
    for (at, context) in items(definition, "context").iter().enumerate() {
        if text(context, "type") == Some("fhirpath")
            && let Some(source) = text(context, "expression")
        {
            compile(source, format!("StructureDefinition.context[{at}].expression"));
        }
    }
    for (at, source) in items(definition, "contextInvariant").iter().enumerate() {
        compile(source.as_str().unwrap_or_default(), format!("StructureDefinition.contextInvariant[{at}]"));
    }
    let elements = definition.get("differential").map_or(&[][..], |differential| items(differential, "element"));
    for (at, element) in elements.iter().enumerate() {
        for (number, constraint) in items(element, "constraint").iter().enumerate() {
            if let Some(source) = text(constraint, "expression") {
                let place = format!("StructureDefinition.differential.element[{at}].constraint[{number}].expression");
                compile(source, place);
            }
        }
    }
}

/// Slices that nothing tells apart: neither this profile nor its base says how. Extensions are told apart by url, choices by
/// type without anybody saying so.
fn slices(validator: &Validator, structure: &StructureDefinition, canonical: &str, issues: &mut Vec<Issue>) {
    let base = structure.base.as_deref().and_then(|base| validator.definitions().snapshot(base).ok());
    let inherited = |element: &ElementDefinition| -> Option<Slicing> {
        let base = base.as_ref()?;
        base.elements.iter().find(|known| known.path == element.path && known.slicing.is_some())?.slicing.clone()
    };
    let own = |element: &ElementDefinition| {
        let here = structure.differential.iter().filter(|other| other.path == element.path);
        here.filter_map(|other| other.slicing.clone()).find(|slicing| !slicing.discriminators.is_empty())
    };
    for (at, element) in structure.differential.iter().enumerate() {
        let Some(name) = &element.slice_name else { continue };
        let is_implied = matches!(element.name(), "extension" | "modifierExtension")
            || element.name().ends_with("[x]")
            || is_typed_choice(validator, canonical, element);
        let told =
            own(element).or_else(|| inherited(element)).is_some_and(|slicing| !slicing.discriminators.is_empty());
        if !is_implied && !told {
            let text = format!(
                "Nothing tells the slice {name} of {} apart from others: give the element a slicing with a discriminator.",
                element.path
            );
            issues.push(fault(format!("StructureDefinition.differential.element[{at}]"), IssueCode::Required, text));
        }
    }
}

/// True for `valueQuantity` in place of `value[x]`.
fn is_typed_choice(validator: &Validator, canonical: &str, element: &ElementDefinition) -> bool {
    let parent = element.path.rsplit_once('.').map_or("", |(parent, _)| parent);
    validator.definitions().snapshot(canonical).is_ok_and(|snapshot| {
        snapshot.elements.iter().any(|known| {
            known.path.strip_suffix("[x]").is_some_and(|stem| {
                known.path.rsplit_once('.').is_some_and(|(above, _)| above == parent) && element.path.starts_with(stem)
            })
        })
    })
}
