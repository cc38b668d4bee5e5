//! `unknown-element`: a JSON member that the type does not have.

use crate::fhir::issue::IssueCode;
use crate::fhir::path::Path;
use crate::fhir::suggest;

use crate::validate::run::{Origin, Run};
use crate::validate::schema::TypeSchema;

/// Reports a member that the type does not have, with the nearest name it has.
pub fn report(run: &mut Run<'_, '_>, schema: &TypeSchema, key: &str, path: &Path<'_>, origin: Origin<'_>) {
    let plain = key.trim_start_matches('_');
    let names = schema.names.iter().map(|name| name.json.as_str());
    let hint = suggest::nearest(plain, names).map_or_else(String::new, |name| format!(" Did you mean {name}?"));
    let text = format!("{} has no element {}.{hint}", schema.name, printable(key));
    run.error(IssueCode::Structure, "unknown-element", text, path, origin);
}

/// A member name that is safe to show: element names are letters and digits, and short.
fn printable(key: &str) -> &str {
    let is_name = key.len() <= 64 && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name { key } else { "of this name" }
}
