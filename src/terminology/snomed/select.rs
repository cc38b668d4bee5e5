//! Filters of a value set on SNOMED CT (<https://hl7.org/fhir/R4/snomedct.html#filters>): each is an expression constraint, or said in
//! terms of one.

use super::SYSTEM;
use super::concept_set::{Bits, ConceptSet};
use super::ecl::{Ecl, Unanswered};
use super::edition::Edition;
use crate::fhir::definitions::Filter;

/// Why filters have no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::terminology) enum Unselected {
    /// What would have to be loaded.
    Missing(String),
    /// What is wrong with a filter.
    Filter(String),
    /// It takes more work than is allowed.
    TooCostly,
}

/// The concepts that pass every filter; all of the edition where there is none, inactive ones too.
pub(in crate::terminology) fn select(edition: &Edition, filters: &[Filter]) -> Result<ConceptSet, Unselected> {
    let mut passing: Option<Bits> = None;
    for filter in filters {
        let Some(found) = one(edition, filter)? else { continue };
        match &mut passing {
            None => passing = Some(found),
            Some(passing) => passing.keep(&found),
        }
    }
    Ok(passing.unwrap_or_else(|| everything(edition)).into())
}

fn everything(edition: &Edition) -> Bits {
    let mut all = Bits::none(edition.len());
    all.extend((0..).zip(&edition.ids).map(|(at, _)| at));
    all
}

/// What passes a filter; none where it lets everything pass.
fn one(edition: &Edition, filter: &Filter) -> Result<Option<Bits>, Unselected> {
    let value = filter.value.trim();
    let inverse = |inner: Bits| {
        let mut all = everything(edition);
        all.take_away(&inner);
        all
    };
    let found = match (filter.property.as_str(), filter.op.as_str()) {
        ("constraint" | "concept" | "code", "=") => constraint(edition, value)?,
        ("concept" | "code", "is-a") => constraint(edition, &format!("<< {value}"))?,
        ("concept" | "code", "descendent-of" | "descendant-of") => constraint(edition, &format!("< {value}"))?,
        ("concept" | "code", "is-not-a") => inverse(constraint(edition, &format!("<< {value}"))?),
        ("concept" | "code", "generalizes") => constraint(edition, &format!(">> {value}"))?,
        ("concept" | "code", "in") => constraint(edition, &format!("^ {}", value.trim_start_matches('^')))?,
        ("concept" | "code", "not-in") => {
            inverse(constraint(edition, &format!("^ {}", value.trim_start_matches('^')))?)
        }
        ("parent", "=") => constraint(edition, &format!("<! {value}"))?,
        ("child", "=") => constraint(edition, &format!(">! {value}"))?,
        ("inactive", "=") if value == "false" => edition.active.clone(),
        ("inactive", "=") if value == "true" => inverse(edition.active.clone()),
        // Expressions are not among the concepts, whether they are welcome or not.
        ("expressions", "=") => return Ok(None),
        (property, "=") if property.bytes().all(|byte| byte.is_ascii_digit()) => {
            constraint(edition, &format!("* : {property} = {value}"))?
        }
        (property, op) => {
            let text = format!("The filter {property} {op} is not answered for {SYSTEM}.");
            return Err(Unselected::Filter(text));
        }
    };
    Ok(Some(found))
}

fn constraint(edition: &Edition, text: &str) -> Result<Bits, Unselected> {
    let ecl = Ecl::parse(text)
        .map_err(|error| Unselected::Filter(format!("The expression constraint cannot be used: {error}.")))?;
    ecl.evaluate(edition).map_err(|unanswered| match unanswered {
        Unanswered::ReferenceSet(id) => Unselected::Missing(format!("{SYSTEM} with the reference set {id}")),
        Unanswered::TooCostly => Unselected::TooCostly,
    })
}
