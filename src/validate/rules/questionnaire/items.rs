//! `questionnaire-link-id`, `questionnaire-structure`, `questionnaire-required`, `questionnaire-repeats`,
//! `questionnaire-disabled`: which items stand where, how often, and whether they may.

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member;

use crate::validate::run::{Origin, Place, Run};

use super::{Form, answer, enabled, extensions, flag, list};

/// Items with the places they stand at.
type Found<'a> = Vec<(usize, &'a Value)>;

/// Checks the items of the innermost holder against the items that the Questionnaire has there.
pub fn check<'a>(
    run: &mut Run<'_, 'a>,
    form: &mut Form<'_, 'a>,
    definitions: &[Value],
    place: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    let Some(holder) = form.holders.last().copied() else { return };
    let items = list(holder, "item");
    order(run, form, definitions, items, place, origin);
    let path = place.path.element("item");
    for definition in definitions {
        let Some(link) = member::text(definition, "linkId") else { continue };
        let of_link = items.iter().enumerate().filter(|(_, item)| member::text(item, "linkId") == Some(link));
        let found: Found<'a> = of_link.collect();
        let is_enabled = enabled::check(form, definition);
        if found.is_empty() {
            let is_display = member::text(definition, "type") == Some("display");
            if is_enabled && form.complete && !is_display && flag(definition, "required") {
                let text = format!("Item {link} of the Questionnaire is required and missing. Answer it.");
                run.error(IssueCode::Required, "questionnaire-required", text, place.path, origin);
            }
            continue;
        }
        if found.len() > 1 && !flag(definition, "repeats") {
            let (second, _) = found[1];
            let text = format!("Item {link} stands {} times and does not repeat. Keep one.", found.len());
            run.error(IssueCode::Structure, "questionnaire-repeats", text, &path.index(second), origin);
        }
        for (index, item) in found {
            let path = path.index(index);
            let place = place.with_path(&path);
            if is_enabled {
                form.holders.push(item);
                one(run, form, definition, item, place, origin);
                form.holders.pop();
            } else if !list(item, "answer").is_empty() || !list(item, "item").is_empty() {
                let text = format!(
                    "Item {link} is answered although the answers before do not enable it (enableWhen). Remove it."
                );
                run.error(IssueCode::BusinessRule, "questionnaire-disabled", text, place.path, origin);
            }
        }
    }
}

/// Every item is one of the Questionnaire's at this place, in its order.
fn order<'a>(
    run: &mut Run<'_, 'a>,
    form: &Form<'_, 'a>,
    definitions: &[Value],
    items: &[Value],
    place: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    let path = place.path.element("item");
    let mut last = 0;
    for (index, item) in items.iter().enumerate() {
        let Some(link) = member::text(item, "linkId") else { continue };
        let position = definitions.iter().position(|known| member::text(known, "linkId") == Some(link));
        match position {
            Some(position) if position < last => {
                let text = "Items must stand in the order that the Questionnaire has them.".to_owned();
                run.error(IssueCode::Structure, "questionnaire-structure", text, &path.index(index), origin);
            }
            Some(position) => last = position,
            None if form.links.contains(link) => {
                let text =
                    format!("item[{index}] stands at a place where the Questionnaire has no such item. Move it.");
                run.error(IssueCode::Structure, "questionnaire-structure", text, place.path, origin);
            }
            None => {
                let text = format!("The linkId of item[{index}] is none of the Questionnaire's.");
                run.error(IssueCode::Structure, "questionnaire-link-id", text, place.path, origin);
            }
        }
    }
}

/// One item that stands where it may.
fn one<'a>(
    run: &mut Run<'_, 'a>,
    form: &mut Form<'_, 'a>,
    definition: &Value,
    item: &'a Value,
    place: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    let answers = list(item, "answer");
    let is_required = form.complete && flag(definition, "required");
    match member::text(definition, "type").unwrap_or_default() {
        "display" if !answers.is_empty() => {
            let text = "An item of type display shows something; it has no answers. Remove them.".to_owned();
            run.error(IssueCode::Structure, "questionnaire-structure", text, place.path, origin);
        }
        "display" => {}
        "group" => {
            if !answers.is_empty() {
                let text = "An item of type group has items, not answers.".to_owned();
                run.error(IssueCode::Structure, "questionnaire-structure", text, place.path, origin);
            }
            if is_required && list(item, "item").is_empty() {
                let text = "The group is required and has no items. Answer some of it.".to_owned();
                run.error(IssueCode::Required, "questionnaire-required", text, place.path, origin);
            }
            check(run, form, list(definition, "item"), place, origin);
        }
        _ => question(run, form, definition, answers, place, origin),
    }
}

fn question<'a>(
    run: &mut Run<'_, 'a>,
    form: &mut Form<'_, 'a>,
    definition: &Value,
    answers: &'a [Value],
    place: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    count(run, form, definition, answers.len(), place, origin);
    let path = place.path.element("answer");
    for (index, value) in answers.iter().enumerate() {
        let path = path.index(index);
        let place = place.with_path(&path);
        answer::check(run, form, definition, value, place, origin);
        form.holders.push(value);
        check(run, form, list(definition, "item"), place, origin);
        form.holders.pop();
    }
}

/// How many answers a question has.
fn count<'a>(
    run: &mut Run<'_, 'a>,
    form: &Form<'_, 'a>,
    definition: &Value,
    found: usize,
    place: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    let limit = |url: &str| extensions(definition, url).find_map(Value::as_u64).and_then(|limit| limit.try_into().ok());
    let most: usize = limit("questionnaire-maxOccurs").unwrap_or(usize::MAX);
    let most = if flag(definition, "repeats") { most } else { 1 };
    let least: usize = limit("questionnaire-minOccurs").unwrap_or(0).max(usize::from(flag(definition, "required")));
    if found > most {
        let text = format!("The question has {found} answers; the Questionnaire allows {most}.");
        run.error(IssueCode::Structure, "questionnaire-repeats", text, place.path, origin);
    }
    if form.complete && found < least {
        let text = format!("The question has {found} answers; the Questionnaire requires {least}.");
        run.error(IssueCode::Required, "questionnaire-required", text, place.path, origin);
    }
}
