//! `bundle-link`: links for paging stand once and only where there are pages; the stylesheet of a document is in it
//! (<https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.link>, <https://hl7.org/fhir/R4/documents.html#presentation>).

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member::{member, text};

use crate::validate::run::{Origin, Place, Run};

const RULE: &str = "bundle-link";

/// Links that a Bundle has at most one of.
const SINGLE: [&str; 6] = ["self", "first", "previous", "prev", "next", "last"];

/// Checks the links of a Bundle.
pub fn check<'a>(run: &mut Run<'_, 'a>, bundle: &'a Value, type_: &str, place: Place<'_, 'a>, origin: Origin<'_>) {
    let Some(links) = member(bundle, "link").and_then(Value::as_array) else { return };
    let has_pages = matches!(type_, "searchset" | "history" | "");
    let list = place.path.element("link");
    let mut seen: Vec<&str> = Vec::new();
    for (index, link) in links.iter().enumerate() {
        let path = list.index(index);
        let Some(relation) = text(link, "relation") else { continue };
        if SINGLE.contains(&relation) {
            if seen.contains(&relation) {
                let fault = format!("A Bundle has one link with relation {relation}. Remove the others.");
                run.error(IssueCode::Structure, RULE, fault, &path, origin);
            }
            if relation != "self" && !has_pages {
                let fault = format!("A Bundle of type {type_} has no pages, so no link {relation}. Remove it.");
                run.error(IssueCode::Structure, RULE, fault, &path.element("relation"), origin);
            }
            seen.push(relation);
        } else if relation == "stylesheet" && type_ == "document" && !leads_somewhere(bundle, link) {
            let fault = "The link to the stylesheet is relative and names no entry of the document.".to_owned();
            run.error(IssueCode::NotFound, RULE, fault, &path.element("url"), origin);
        }
    }
}

/// Whether the link is absolute or the `Type/id` of an entry.
fn leads_somewhere(bundle: &Value, link: &Value) -> bool {
    text(link, "url").is_none_or(|url| {
        url.contains(':')
            || super::entries(bundle).iter().filter_map(|entry| member(entry, "resource")).any(|resource| {
                let (type_, id) = (text(resource, "resourceType"), text(resource, "id"));
                url.split_once('/').is_some_and(|(wanted, tail)| Some(wanted) == type_ && Some(tail) == id)
            })
    })
}
