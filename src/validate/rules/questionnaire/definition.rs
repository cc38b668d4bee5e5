//! `questionnaire-enable-when`: a condition of a Questionnaire's item names a question that stands outside that item
//! (<https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen.question>).

use std::collections::HashSet;

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member;

use crate::validate::run::{Origin, Place, Run};

use super::{collect, list};

/// Checks the conditions of a Questionnaire.
pub fn check<'a>(run: &mut Run<'_, 'a>, questionnaire: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let mut links = HashSet::new();
    collect(questionnaire, &mut links, 0);
    items(run, &links, questionnaire, place, origin);
}

fn items<'a>(
    run: &mut Run<'_, 'a>,
    links: &HashSet<&str>,
    holder: &'a Value,
    place: Place<'_, 'a>,
    origin: Origin<'_>,
) {
    let path = place.path.element("item");
    for (index, item) in list(holder, "item").iter().enumerate() {
        let path = path.index(index);
        let place = place.with_path(&path);
        let conditions = list(item, "enableWhen");
        let mut own = HashSet::new();
        if !conditions.is_empty() {
            own.extend(member::text(item, "linkId"));
            collect(item, &mut own, 0);
        }
        for question in conditions.iter().filter_map(|condition| member::text(condition, "question")) {
            let text = if own.contains(question) {
                "A condition (enableWhen) asks the item itself or an item within it. Ask a question outside."
            } else if links.contains(question) {
                continue;
            } else {
                "A condition (enableWhen) names a question that the Questionnaire does not have."
            };
            run.error(IssueCode::Structure, "questionnaire-enable-when", text.to_owned(), place.path, origin);
        }
        items(run, links, item, place, origin);
    }
}
