//! Filters of a value set's compose on the concepts of a loaded code system
//! (<https://hl7.org/fhir/R4/valueset-filter-operator.html>).

use serde_json::Value;

use crate::fhir::definitions::Filter;

use super::code_system::{CompiledCodeSystem, CompiledConcept};

/// Whether a concept passes a filter; none where the operator or property is not one that can be answered here.
pub(super) fn passes(system: &CompiledCodeSystem, concept: &CompiledConcept, filter: &Filter) -> Option<bool> {
    let code = &*concept.code;
    let value = filter.value.as_str();
    if matches!(filter.property.as_str(), "concept" | "code") {
        return match filter.op.as_str() {
            "is-a" => Some(system.is_below(code, value, true)),
            "descendent-of" => Some(system.is_below(code, value, false)),
            "is-not-a" => Some(!system.is_below(code, value, true)),
            "generalizes" => Some(code == value || system.is_below(value, code, false)),
            "=" => Some(code == value),
            "in" => Some(value.split(',').any(|item| item.trim() == code)),
            "not-in" => Some(!value.split(',').any(|item| item.trim() == code)),
            "regex" => matches_pattern(code, value),
            _ => None,
        };
    }
    let found = || values(concept, &filter.property);
    match filter.op.as_str() {
        "=" => Some(found().any(|found| found == value)),
        "in" => Some(found().any(|found| value.split(',').any(|item| item.trim() == found))),
        "not-in" => Some(!found().any(|found| value.split(',').any(|item| item.trim() == found))),
        "exists" => Some(found().next().is_some() == (value == "true")),
        "regex" => found().map(|found| matches_pattern(&found, value)).try_fold(false, |any, one| Some(any || one?)),
        _ => None,
    }
}

fn values<'c>(concept: &'c CompiledConcept, property: &'c str) -> impl Iterator<Item = String> + 'c {
    let parents = (property == "parent").then(|| concept.parents.iter().map(ToString::to_string)).into_iter().flatten();
    let display = (property == "display").then(|| concept.display.as_deref().map(str::to_owned)).flatten();
    let stated =
        concept.properties.iter().filter(move |stated| stated.code == property).map(|stated| match &stated.value {
            Value::String(text) => text.clone(),
            Value::Object(coding) => coding.get("code").and_then(Value::as_str).unwrap_or_default().to_owned(),
            other => other.to_string(),
        });
    parents.chain(display).chain(stated)
}

fn matches_pattern(text: &str, pattern: &str) -> Option<bool> {
    let pattern = regex::RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(1 << 20).build().ok()?;
    Some(pattern.is_match(text))
}
