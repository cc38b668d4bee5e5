//! `bundle-search`: what the entries of a searchset say of themselves (`search.mode`) is what they are
//! (<https://hl7.org/fhir/R4/bundle.html#searchset>).

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member::{has, member, text};

use crate::validate::run::{Origin, Place, Run};

/// Checks the entries of a Bundle of type searchset.
pub fn check<'a>(run: &mut Run<'_, 'a>, bundle: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let searched = searched_types(run, bundle);
    let list = place.path.element("entry");
    for (index, entry) in super::entries(bundle).iter().enumerate() {
        let Some(resource) = member(entry, "resource") else { continue };
        let type_ = text(resource, "resourceType").unwrap_or_default();
        let mode = member(entry, "search").and_then(|search| text(search, "mode")).unwrap_or_default();
        let has_id = has(resource, "id");
        let fault = match mode {
            "outcome" if type_ != "OperationOutcome" => {
                "An entry with search mode outcome must be an OperationOutcome."
            }
            "match" | "include" if !has_id => "What a search found has an id; this resource has none.",
            "match" if !searched.is_empty() && !searched.contains(&type_) => {
                "The resource is of another type than was searched for (link self). Its search mode is include."
            }
            _ => continue,
        };
        let path = list.index(index);
        run.error(IssueCode::Invalid, "bundle-search", fault.to_owned(), &path.element("resource"), origin);
    }
}

/// The types that the link `self` says were searched for; none where it does not say.
fn searched_types<'a>(run: &Run<'_, 'a>, bundle: &'a Value) -> Vec<&'a str> {
    let links = member(bundle, "link").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let own = links.iter().find(|link| text(link, "relation") == Some("self")).and_then(|link| text(link, "url"));
    let Some(url) = own else { return Vec::new() };
    let (before, query) = url.split_once('?').unwrap_or((url, ""));
    let last = before.trim_end_matches("/_search").rsplit('/').next().unwrap_or_default();
    if run.validator.types().is_resource_type(last) {
        return vec![last];
    }
    let types = query.split('&').find_map(|parameter| parameter.strip_prefix("_type="));
    types.map_or_else(Vec::new, |types| types.split(',').collect())
}
