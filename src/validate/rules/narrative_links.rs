//! `narrative-link`: links of a narrative lead somewhere: a web address, or a place in the resource
//! (<https://hl7.org/fhir/R4/narrative.html#id>).

use serde_json::Value;

use crate::fhir::issue::IssueCode;
use crate::fhir::member;

use crate::validate::run::{Origin, Place, Run};

/// Schemes that a person can follow.
const SCHEMES: [&str; 7] = ["http", "https", "mailto", "tel", "ftp", "sms", "data"];

/// Checks the links of a narrative (`Narrative.div`).
pub fn check<'a>(run: &mut Run<'_, 'a>, div: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    let Some(text) = div.as_str().filter(|text| text.contains("<a ")) else { return };
    for tag in text.split("<a ").skip(1).filter_map(|rest| rest.split('>').next()) {
        let Some(target) = attribute(tag, "href") else { continue };
        let fault = match (target.strip_prefix('#'), target.split_once(':')) {
            (Some(id), _) if id.is_empty() || has_anchor(text, id) || is_within(place.scope.root, id) => continue,
            (Some(_), _) => "A link of the narrative (#…) leads to no place in it and to no contained resource.",
            (None, Some((scheme, _))) if is_scheme(scheme) && !SCHEMES.contains(&scheme) => {
                "A link of the narrative has a scheme that nobody can follow. Link to a web address."
            }
            _ => continue,
        };
        run.error(IssueCode::Invalid, "narrative-link", fault.to_owned(), place.path, origin);
    }
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-'))
}

/// The value of an attribute of a start tag.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = tag;
    while let Some(at) = rest.find(name) {
        let before = rest[..at].chars().next_back();
        let after = rest[at + name.len()..].trim_start();
        rest = &rest[at + name.len()..];
        if before.is_none_or(char::is_whitespace)
            && let Some(value) = after.strip_prefix('=').map(str::trim_start)
        {
            let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            return value[1..].split(quote).next();
        }
    }
    None
}

/// Whether some tag of the narrative has this id or name.
fn has_anchor(text: &str, id: &str) -> bool {
    text.split('<')
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
        .any(|tag| attribute(tag, "id") == Some(id) || attribute(tag, "name") == Some(id))
}

/// Whether a contained resource, or some element, has this id.
fn is_within(value: &Value, id: &str) -> bool {
    match value {
        Value::Object(members) => {
            member::text(value, "id") == Some(id) || members.values().any(|value| is_within(value, id))
        }
        Value::Array(items) => items.iter().any(|item| is_within(item, id)),
        _ => false,
    }
}
