//! `bundle-*`: what a Bundle asks of its entries and links (<https://hl7.org/fhir/R4/bundle.html>): full urls here, links in
//! `links`, results of a search in `search`, documents and messages in `linked`. The invariants of Bundle run as FHIRPath.

mod linked;
mod links;
mod search;

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member::{has, member, text};
use crate::fhir::path::Path;
use crate::fhir::reference::Reference;

use crate::validate::run::{Origin, Place, Run};

/// Checks a Bundle.
pub fn check<'a>(run: &mut Run<'_, 'a>, bundle: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let type_ = text(bundle, "type").unwrap_or_default();
    links::check(run, bundle, type_, place, origin);
    full_urls(run, bundle, type_, place, origin);
    match type_ {
        "document" | "message" => linked::check(run, bundle, type_ == "document", place, origin),
        "searchset" => search::check(run, bundle, place, origin),
        _ => {}
    }
}

fn entries(bundle: &Value) -> &[Value] {
    member(bundle, "entry").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn full_urls<'a>(run: &mut Run<'_, 'a>, bundle: &'a Value, type_: &str, place: Place<'_, 'a>, origin: Origin<'_>) {
    // Within documents and messages the entries refer to each other, which takes a url to refer by.
    let needs_urls = matches!(type_, "document" | "message");
    let list = place.path.element("entry");
    for (index, entry) in entries(bundle).iter().enumerate() {
        let path = list.index(index);
        if let Some(url) = text(entry, "fullUrl") {
            full_url(run, url, member(entry, "resource"), &path, origin);
        } else if needs_urls && has(entry, "resource") && !has(entry, "_fullUrl") {
            let fault = "Each entry of a document or message needs a fullUrl, for example urn:uuid:….".to_owned();
            run.error(IssueCode::Required, "bundle-full-url", fault, &path, origin);
        }
    }
}

fn full_url(run: &mut Run<'_, '_>, url: &str, resource: Option<&Value>, path: &Path<'_>, origin: Origin<'_>) {
    let fault = if url.contains(':') {
        let Some(Reference::Absolute { target, .. }) = Reference::parse(url) else { return };
        let Some(resource) = resource.filter(|_| run.validator.types().is_resource_type(target.resource_type)) else {
            return;
        };
        match text(resource, "id") {
            Some(id) if target.id != id || text(resource, "resourceType") != Some(target.resource_type) => {
                "fullUrl ends in another type or id than its resource has. Make them agree."
            }
            Some(_) => return,
            None => "fullUrl is the address of a resource on a server; give the resource the id that is in it.",
        }
    } else {
        "fullUrl must be an absolute url, for example https://…/Patient/1 or urn:uuid:…."
    };
    run.error(IssueCode::Value, "bundle-full-url", fault.to_owned(), path, origin);
}
