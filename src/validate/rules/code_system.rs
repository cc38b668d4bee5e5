//! `code-system-content`: what a CodeSystem says of its content is true
//! (<https://hl7.org/fhir/R4/codesystem-definitions.html#CodeSystem.content>).

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member::{member, text};

use crate::validate::run::{Origin, Place, Run};

const RULE: &str = "code-system-content";

/// Checks a CodeSystem: no concepts where it says that there are none, and as many as it says.
pub fn check<'a>(run: &mut Run<'_, 'a>, system: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let content = text(system, "content").unwrap_or_default();
    let stated = member(system, "count").and_then(Value::as_u64);
    let found = count(system, 0);
    if content == "not-present" && found > 0 {
        let list = place.path.element("concept");
        let fault =
            "The code system says that its concepts are not present. Leave them out, or change content.".to_owned();
        run.error(IssueCode::BusinessRule, RULE, fault, &list.index(0), origin);
    }
    if content == "complete"
        && let Some(stated) = stated.filter(|stated| *stated != found)
    {
        let fault = format!("The code system says that it is complete with {stated} concepts; it has {found}.");
        run.error(IssueCode::BusinessRule, RULE, fault, &place.path.element("count"), origin);
    }
}

/// How many concepts there are, at all levels.
fn count(holder: &Value, depth: u32) -> u64 {
    let list = member(holder, "concept").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter(|_| depth < 64).map(|concept| 1 + count(concept, depth + 1)).sum()
}
