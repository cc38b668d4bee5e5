//! Whether a SearchParameter that an operator wants to add can work here. Called by the write path before it is stored.

use std::collections::BTreeSet;

use serde_json::Value;

use super::compile::{compile, sources};
use super::{Registry, Source};
use crate::fhir::definitions::SearchParameter;
use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::types::{TypeIndex, Types};
use crate::fhirpath::Expression;
use crate::search::kinds::{Kind, Shape};
use crate::search::walk;

/// Longest expression, in bytes.
const LONGEST: usize = 4000;

/// Longest code.
const LONGEST_CODE: usize = 64;

/// True where a definition of this status is used: resources are indexed by it.
#[must_use]
pub fn is_used(definition: &Value) -> bool {
    matches!(definition.get("status").and_then(Value::as_str), Some("active" | "draft"))
}

/// Everything that stands against using `definition`, a SearchParameter, beside the parameters of `standard`.
#[must_use]
pub fn check(definition: &Value, standard: &Registry) -> Vec<Issue> {
    let Some(parameter) = SearchParameter::from_json(definition) else {
        return vec![fault("SearchParameter", IssueCode::Required, "A search parameter needs url, code and type.")];
    };
    let mut issues = Vec::new();
    code(&parameter.code, &mut issues);
    support(definition, &parameter, &mut issues);
    let types = base_types(&parameter, &mut issues);
    names(&parameter, &types, standard, &mut issues);
    if issues.is_empty() {
        expression(&parameter, &types, standard, &mut issues);
    }
    issues
}

/// That two used definitions cannot both stand: they have one url, or one code for one type.
#[must_use]
pub fn clash(definition: &Value, other: &Value) -> Option<Issue> {
    let (one, other) = (SearchParameter::from_json(definition)?, SearchParameter::from_json(other)?);
    if one.url == other.url {
        let text = "Another SearchParameter here has this url. Update that one, or give this one a url of its own.";
        return Some(fault("SearchParameter.url", IssueCode::Duplicate, text));
    }
    let theirs: BTreeSet<String> = concrete(&other).collect();
    let shared = concrete(&one).find(|name| theirs.contains(name))?;
    (one.code == other.code).then(|| taken(&one.code, &shared, &other.url))
}

fn fault(element: &str, code: IssueCode, text: impl Into<String>) -> Issue {
    Issue::new(Severity::Error, code, "search-parameter-definition", text).at(element)
}

fn taken(code: &str, resource_type: &str, url: &str) -> Issue {
    let text = format!("{resource_type} has a search parameter {code} already, defined by {url}. Choose another code.");
    fault("SearchParameter.code", IssueCode::Duplicate, text)
}

fn code(code: &str, issues: &mut Vec<Issue>) {
    let mut bytes = code.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if !first
        || code.len() > LONGEST_CODE
        || !bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    {
        let text =
            "A code that stands in addresses begins with a letter and has up to 64 letters, digits, '-' and '_'.";
        issues.push(fault("SearchParameter.code", IssueCode::Value, text));
    }
}

fn support(definition: &Value, parameter: &SearchParameter, issues: &mut Vec<Issue>) {
    if parameter.kind == Kind::Special {
        let text = format!("This server cannot add search parameters of type {}.", parameter.kind.code());
        issues.push(fault("SearchParameter.type", IssueCode::NotSupported, text));
    }
    let usage = definition.get("xpathUsage").and_then(Value::as_str).unwrap_or("normal");
    if usage != "normal" {
        let text = "This server searches for the values themselves: xpathUsage can only be normal.";
        issues.push(fault("SearchParameter.xpathUsage", IssueCode::NotSupported, text));
    }
    match parameter.expression.as_deref().map(str::trim) {
        None | Some("") => {
            let text = "Without an expression nothing can be indexed. Give the FHIRPath that leads to the values.";
            issues.push(fault("SearchParameter.expression", IssueCode::Required, text));
        }
        Some(text) if text.len() > LONGEST => {
            let text = format!("An expression may be at most {LONGEST} bytes long.");
            issues.push(fault("SearchParameter.expression", IssueCode::TooLong, text));
        }
        Some(_) => {}
    }
}

/// The resource types that a definition is for, those built on an abstract base included.
pub(super) fn concrete(parameter: &SearchParameter) -> impl Iterator<Item = String> {
    let types = Types::r4();
    types
        .resource_types()
        .iter()
        .filter(|name| types.get(name).is_some_and(|index| is_for(parameter, index, types)))
        .cloned()
}

fn is_for(parameter: &SearchParameter, index: TypeIndex, types: &Types) -> bool {
    let mut next = Some(index);
    while let Some(index) = next {
        let definition = types.definition(index);
        if parameter.base.iter().any(|base| **base == *definition.name) {
            return true;
        }
        next = definition.base;
    }
    false
}

fn base_types(parameter: &SearchParameter, issues: &mut Vec<Issue>) -> Vec<String> {
    let types = Types::r4();
    let known = |base: &str| types.is_resource_type(base) || matches!(base, "Resource" | "DomainResource");
    if parameter.base.is_empty() || !parameter.base.iter().all(|base| known(base)) {
        let text = "Each base must be a resource type of FHIR R4, or Resource or DomainResource.";
        issues.push(fault("SearchParameter.base", IssueCode::CodeInvalid, text));
    }
    concrete(parameter).collect()
}

/// A parameter that FHIR or a package defines cannot be replaced.
fn names(parameter: &SearchParameter, types: &[String], standard: &Registry, issues: &mut Vec<Issue>) {
    if standard.definitions().search_parameter(&parameter.url).is_some() {
        let text = "This url belongs to a search parameter that this server has from FHIR or a package. Give yours one of its own.";
        issues.push(fault("SearchParameter.url", IssueCode::Duplicate, text));
        return;
    }
    let found =
        types.iter().find_map(|name| standard.get(name, &parameter.code).map(|known| (name, known.url.clone())));
    issues.extend(found.map(|(name, url)| taken(&parameter.code, name, &url)));
}

fn expression(parameter: &SearchParameter, types: &[String], standard: &Registry, issues: &mut Vec<Issue>) {
    let text = parameter.expression.as_deref().unwrap_or_default();
    for name in types {
        let Some(root) = Types::r4().get(name) else { continue };
        let alternatives = walk::alternatives(text, name);
        if alternatives.is_empty() {
            let text = format!("No part of the expression is for {name}, which is one of its bases.");
            issues.push(fault("SearchParameter.expression", IssueCode::Invalid, text));
            return;
        }
        let wrong = alternatives.iter().find_map(|alternative| compiles(alternative, root).err());
        let fits = || {
            if parameter.kind == Kind::Composite {
                return components(parameter, name, standard);
            }
            fits(parameter.kind, &alternatives.join(" | "), root)
        };
        if let Some(reason) = wrong.or_else(|| fits().err()) {
            issues.push(fault("SearchParameter.expression", IssueCode::Invalid, format!("For {name}: {reason}")));
            return;
        }
    }
}

fn compiles(alternative: &str, root: TypeIndex) -> Result<(), String> {
    if walk::compile(alternative, root, Types::r4()).is_some_and(|walks| !walks.is_empty()) {
        return Ok(());
    }
    let compiled = Expression::compile(alternative).map_err(|error| error.to_string())?;
    compiled.check(root).map_err(|error| error.to_string())
}

/// Each component must be there, and lead to values.
fn components(parameter: &SearchParameter, resource_type: &str, standard: &Registry) -> Result<(), String> {
    let compiled = compile(parameter, resource_type, standard.definitions(), Types::r4());
    if compiled.is_some_and(|compiled| compiled.has_values()) {
        return Ok(());
    }
    Err("each component of a composite must name a search parameter of FHIR or a package, and an expression."
        .to_owned())
}

/// At least one of the elements must be of a type that the kind of search knows.
fn fits(kind: Kind, expression: &str, root: TypeIndex) -> Result<(), String> {
    let sources = sources(expression, root, Types::r4());
    let known = |source: &Source| match source {
        Source::Walk(_, shape) => takes(kind, *shape),
        Source::Expression(_) => true,
    };
    if sources.iter().any(known) {
        return Ok(());
    }
    Err(format!("the expression leads to no element that a search of type {} can compare.", kind.code()))
}

/// The shapes that become rows of each kind (<https://hl7.org/fhir/R4/search.html#table>).
const fn takes(kind: Kind, shape: Shape) -> bool {
    use Shape as S;
    match (kind, shape) {
        // What an extension holds is known only when it is met.
        (_, S::Extension) => true,
        (Kind::Number, shape) => matches!(shape, S::Number | S::Range),
        (Kind::Date, shape) => matches!(shape, S::Date | S::Period | S::Timing),
        (Kind::String, shape) => {
            is_text(shape)
                || matches!(shape, S::HumanName | S::Address | S::CodeableConcept | S::ContactPoint | S::Identifier)
        }
        (Kind::Token, shape) => {
            is_text(shape)
                || matches!(shape, S::Boolean | S::Coding | S::CodeableConcept | S::Identifier | S::ContactPoint)
        }
        (Kind::Reference, shape) => matches!(shape, S::Reference | S::Canonical | S::Uri | S::Resource),
        (Kind::Quantity, shape) => matches!(shape, S::Quantity | S::Money | S::Range),
        (Kind::Uri, shape) => matches!(shape, S::Uri | S::Canonical | S::Text),
        (Kind::Composite | Kind::Special, _) => false,
    }
}

const fn is_text(shape: Shape) -> bool {
    matches!(shape, Shape::Code | Shape::Text | Shape::Uri | Shape::Canonical)
}
