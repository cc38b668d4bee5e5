//! `bundle-full-url`, `bundle-link`: `fullUrl` of a Bundle entry is there where it must be, is an absolute url and agrees with
//! the id of its resource (<https://hl7.org/fhir/R4/bundle.html#bundle-unique>); links for paging stand once. The invariants
//! of Bundle run as FHIRPath.

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member::{has, text};
use crate::fhir::reference::Reference;

use crate::validate::run::{Origin, Place, Run};

/// Links that a Bundle has at most one of.
const SINGLE: [&str; 6] = ["self", "first", "previous", "prev", "next", "last"];

/// Checks the links and the full urls of a Bundle.
pub fn check<'a>(run: &mut Run<'_, 'a>, bundle: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    links(run, bundle, place, origin);
    // Within documents and messages the entries refer to each other, which takes a url to refer by.
    let needs_urls = matches!(text(bundle, "type"), Some("document" | "message"));
    let Some(entries) = bundle.get("entry").and_then(Value::as_array) else { return };
    let list = place.path.element("entry");
    for (index, entry) in entries.iter().enumerate() {
        let path = list.index(index);
        let Some(url) = text(entry, "fullUrl") else {
            if needs_urls && has(entry, "resource") && !has(entry, "_fullUrl") {
                let fault = "Each entry of a document or message needs a fullUrl, for example urn:uuid:….".to_owned();
                run.error(IssueCode::Required, "bundle-full-url", fault, &path, origin);
            }
            continue;
        };
        if !url.contains(':') {
            let fault = "fullUrl must be an absolute url, for example https://…/Patient/1 or urn:uuid:….".to_owned();
            run.error(IssueCode::Value, "bundle-full-url", fault, &path, origin);
            continue;
        }
        let resource = entry.get("resource");
        let id = resource.and_then(|resource| resource.get("id")).and_then(Value::as_str);
        let type_ = resource.and_then(|resource| resource.get("resourceType")).and_then(Value::as_str);
        if let (Some(Reference::Absolute { target, .. }), Some(id)) = (Reference::parse(url), id)
            && run.validator.types().is_resource_type(target.resource_type)
            && (target.id != id || Some(target.resource_type) != type_)
        {
            let fault = "fullUrl ends in another type or id than its resource has. Make them agree.".to_owned();
            run.error(IssueCode::Value, "bundle-full-url", fault, &path, origin);
        }
    }
}

fn links<'a>(run: &mut Run<'_, 'a>, bundle: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let Some(links) = bundle.get("link").and_then(Value::as_array) else { return };
    let list = place.path.element("link");
    let mut seen: Vec<&str> = Vec::new();
    for (index, relation) in links.iter().enumerate().filter_map(|(index, link)| Some((index, text(link, "relation")?)))
    {
        if SINGLE.contains(&relation) && seen.contains(&relation) {
            let fault = format!("A Bundle has one link with relation {relation}. Remove the others.");
            run.error(IssueCode::Structure, "bundle-link", fault, &list.index(index), origin);
        }
        if SINGLE.contains(&relation) {
            seen.push(relation);
        }
    }
}
