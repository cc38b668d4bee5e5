//! `value-set-system`, `value-set-code`, `value-set-filter`: what a ValueSet's rule names is there, where the code system is
//! loaded (<https://hl7.org/fhir/R4/valueset.html#compositions>).

use serde_json::Value;

use crate::fhir::definitions::CodeSystem;
use crate::fhir::issue::IssueCode;
use crate::fhir::member::{member, text};
use crate::fhir::path::Path;
use crate::terminology::{Existence, snomed};

use crate::validate::run::{Origin, Place, Run};

/// Filters that take one code of the system.
const CODE_FILTERS: [&str; 5] = ["is-a", "descendent-of", "is-not-a", "generalizes", "child-of"];

/// Checks the rule (`compose`) of a ValueSet.
pub fn check<'a>(run: &mut Run<'_, 'a>, value_set: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let Some(compose) = member(value_set, "compose") else { return };
    let path = place.path.element("compose");
    for name in ["include", "exclude"] {
        let clauses = path.element(name);
        for (index, clause) in list(compose, name).iter().enumerate() {
            check_clause(run, clause, &clauses.index(index), origin);
        }
    }
}

fn check_clause(run: &mut Run<'_, '_>, clause: &Value, path: &Path<'_>, origin: Origin<'_>) {
    let Some(system) = text(clause, "system") else { return };
    if !system.contains(':') {
        let fault = "The code system must be named by its absolute url, one that is contained too.".to_owned();
        return run.error(IssueCode::Value, "value-set-system", fault, path, origin);
    }
    let concepts = path.element("concept");
    for (index, concept) in list(clause, "concept").iter().enumerate() {
        let is_missing = |code| is_missing(run, system, code);
        if text(concept, "code").is_some_and(is_missing) {
            let fault = format!("Code system {system} has no such code.");
            run.error(IssueCode::CodeInvalid, "value-set-code", fault, &concepts.index(index), origin);
        }
    }
    let filters = path.element("filter");
    for (index, filter) in list(clause, "filter").iter().enumerate() {
        if let Some(fault) = fault_of_filter(run, system, filter) {
            run.error(IssueCode::Invalid, "value-set-filter", fault, &filters.index(index), origin);
        }
    }
}

/// What is wrong with the operand of a filter.
fn fault_of_filter(run: &Run<'_, '_>, system: &str, filter: &Value) -> Option<String> {
    let (property, op, value) = (text(filter, "property")?, text(filter, "op")?, text(filter, "value")?);
    let is_missing = |system: &str, code: &str| is_missing(run, system, code);
    if system == snomed::SYSTEM && property == "constraint" && op == "=" {
        let fault = snomed::ecl::Ecl::parse(value).err()?;
        return Some(format!("The expression constraint (ECL) cannot be read: {fault}"));
    }
    if CODE_FILTERS.contains(&op) {
        return is_missing(system, value).then(|| format!("The operand of {op} must be a code of {system}."));
    }
    if op == "exists" {
        let is_flag = matches!(value, "true" | "false");
        return (!is_flag).then(|| "The operand of exists must be true or false.".to_owned());
    }
    let definition = run.validator.terminology().code_system(system)?;
    let kind = kind_of(&definition, property)?;
    let values: Vec<&str> =
        if matches!(op, "in" | "not-in") { value.split(',').map(str::trim).collect() } else { vec![value] };
    if op == "regex" {
        return None;
    }
    values.iter().find_map(|value| match kind {
        "boolean" if !matches!(*value, "true" | "false") => Some(format!("{property} is true or false.")),
        "code" if is_missing(system, value) => Some(format!("{property} must be a code of {system}.")),
        "Coding" => match value.split_once('#') {
            None => Some(format!("{property} is a Coding: write system#code.")),
            Some((of, code)) => {
                let of = of.split('|').next().unwrap_or(of);
                is_missing(of, code).then(|| format!("{property} must be a code of {of}; it has no such code."))
            }
        },
        _ => None,
    })
}

/// Whether a code system lacks a code for certain. A SNOMED CT identifier shows by itself whether it can be one.
fn is_missing(run: &Run<'_, '_>, system: &str, code: &str) -> bool {
    (system == snomed::SYSTEM && snomed::concept_identifier(code).is_none() && !code.contains(':'))
        || run.validator.terminology().code_exists(system, code) == Existence::Missing
}

/// The type of a property, as the concepts of the code system show it; every system has `inactive` and `notSelectable`.
fn kind_of(system: &CodeSystem, property: &str) -> Option<&'static str> {
    const KINDS: [(&str, &str); 3] = [("Boolean", "boolean"), ("Code", "code"), ("Coding", "Coding")];
    if matches!(property, "inactive" | "notSelectable") {
        return Some("boolean");
    }
    let kind =
        system.concepts.iter().flat_map(|concept| concept.properties.iter()).find(|found| found.code == property)?;
    KINDS.iter().find(|(suffix, _)| *suffix == kind.kind).map(|(_, name)| *name)
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    member(value, name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
