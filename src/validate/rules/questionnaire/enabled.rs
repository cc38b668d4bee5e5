//! Whether an item is enabled by the answers to other questions: `enableWhen` and `enableBehavior`
//! (<https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen>).

use std::cmp::Ordering;

use serde_json::Value;

use crate::fhir::member;

use super::{Form, choice, limits, list};

/// Whether the answers so far enable the item.
pub fn check(form: &mut Form<'_, '_>, definition: &Value) -> bool {
    let conditions = list(definition, "enableWhen");
    if conditions.is_empty() {
        return true;
    }
    let any = member::text(definition, "enableBehavior") == Some("any");
    let mut results = conditions.iter().map(|condition| holds(form, condition));
    if any { results.any(|holds| holds) } else { results.all(|holds| holds) }
}

fn holds(form: &mut Form<'_, '_>, condition: &Value) -> bool {
    let Some(question) = member::text(condition, "question") else { return true };
    let Some((_, wanted)) = choice(condition, "answer") else { return true };
    let operator = member::text(condition, "operator").unwrap_or("=");
    let answers = answers(form, question);
    if operator == "exists" {
        return wanted.as_bool().is_none_or(|wanted| wanted != answers.is_empty());
    }
    answers.iter().filter_map(|answer| choice(answer, "value")).any(|(_, found)| {
        let order = || limits::compare(found, wanted);
        match operator {
            "=" => same(found, wanted),
            "!=" => !same(found, wanted),
            ">" => order() == Some(Ordering::Greater),
            "<" => order() == Some(Ordering::Less),
            ">=" => order().is_some_and(Ordering::is_ge),
            "<=" => order().is_some_and(Ordering::is_le),
            _ => true,
        }
    })
}

/// Equality of answers: codes by system and code, numbers by value. A system that the Questionnaire leaves out does not count.
fn same(found: &Value, wanted: &Value) -> bool {
    if let Some(code) = member::text(wanted, "code") {
        let system = member::text(wanted, "system");
        return member::text(found, "code") == Some(code)
            && (system.is_none() || member::text(found, "system") == system);
    }
    limits::compare(found, wanted).map_or_else(|| super::super::fixed_value::same(found, wanted), Ordering::is_eq)
}

/// The answers to a question: in the same group first, then in the groups around it.
fn answers<'a>(form: &mut Form<'_, 'a>, question: &str) -> Vec<&'a Value> {
    let mut found = Vec::new();
    for position in (0..form.holders.len()).rev() {
        below(form.holders[position], question, &mut form.budget, &mut found);
        if !found.is_empty() {
            break;
        }
    }
    found
}

fn below<'a>(holder: &'a Value, question: &str, budget: &mut usize, found: &mut Vec<&'a Value>) {
    for item in list(holder, "item") {
        let Some(rest) = budget.checked_sub(1) else { return };
        *budget = rest;
        if member::text(item, "linkId") == Some(question) {
            found.extend(list(item, "answer"));
        }
        below(item, question, budget, found);
        for answer in list(item, "answer") {
            below(answer, question, budget, found);
        }
    }
}
