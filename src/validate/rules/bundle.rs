//! `bundle-full-url`: `fullUrl` of a Bundle entry is an absolute url and agrees with the id of its resource
//! (<https://hl7.org/fhir/R4/bundle.html#bundle-unique>). The invariants of Bundle run as FHIRPath.

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member::text;
use crate::fhir::reference::Reference;

use crate::validate::run::{Origin, Place, Run};

/// Checks the full urls of a Bundle's entries.
pub fn check<'a>(run: &mut Run<'_, 'a>, bundle: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let Some(entries) = bundle.get("entry").and_then(Value::as_array) else { return };
    let list = place.path.element("entry");
    for (index, entry) in entries.iter().enumerate() {
        let Some(url) = text(entry, "fullUrl") else { continue };
        let path = list.index(index);
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
