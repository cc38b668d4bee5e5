//! `uri-format`, `canonical-absolute`, `example-url`: what a uri must be beyond its pattern
//! (<https://hl7.org/fhir/R4/datatypes.html#uri>): UUIDs and OIDs are what they say, canonicals are absolute. Urls that are
//! reserved for examples, and experimental definitions, are reported where the deployment gives `example-url` and
//! `experimental-content` a severity.

use crate::fhir::issue::{Issue, IssueCode, Severity};
use crate::fhir::path::Path;
use crate::fhir::primitive::{PrimitiveKind, is_oid, is_uuid};

use serde_json::Value;

use crate::validate::run::{Origin, Place, Run};

/// Hosts that nobody can own (<https://www.rfc-editor.org/rfc/rfc2606>).
const EXAMPLE_HOSTS: [&str; 3] = ["example.org", "example.com", "example.net"];

/// Checks the text of a `uri`, `url` or `canonical`.
pub fn check(run: &mut Run<'_, '_>, kind: PrimitiveKind, text: &str, path: &Path<'_>, origin: Origin<'_>) {
    let first = text.as_bytes().first();
    if first == Some(&b'u') && text.starts_with("urn:") {
        urn(run, text, path, origin);
    }
    if kind == PrimitiveKind::Canonical && first != Some(&b'#') && !text.contains(':') {
        relative(run, path, origin);
    }
    if run.validator.reports_example_urls() && is_example(text) {
        let fault = "The url is reserved for examples. Use one that you own.".to_owned();
        run.error(IssueCode::Value, "example-url", fault, path, origin);
    }
}

fn urn(run: &mut Run<'_, '_>, text: &str, path: &Path<'_>, origin: Origin<'_>) {
    // A canonical or narrative link may have a version or fragment after it.
    let bare = &text[..text.find(['|', '#']).unwrap_or(text.len())];
    let fault = if text.starts_with("urn:uuid:") && !is_uuid(bare) {
        "After urn:uuid: must stand a UUID in lower case."
    } else if text.starts_with("urn:oid:") && !is_oid(bare) {
        "After urn:oid: must stand an OID such as 1.2.3, without leading zeros."
    } else {
        return;
    };
    run.error(IssueCode::Value, "uri-format", fault.to_owned(), path, origin);
}

fn relative(run: &mut Run<'_, '_>, path: &Path<'_>, origin: Origin<'_>) {
    let fault =
        "A canonical url must be absolute, for example https://…/Questionnaire/1, or name a contained resource (#…).";
    run.error(IssueCode::Value, "canonical-absolute", fault.to_owned(), path, origin);
}

/// Checks `url` of a definition, by which others refer to it.
pub fn check_own<'a>(run: &mut Run<'_, 'a>, url: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    if url.as_str().is_some_and(|url| !url.contains(':')) {
        let fault = "The url of a definition must be absolute, since others refer to it by this url.".to_owned();
        run.error(IssueCode::Value, "canonical-absolute", fault, place.path, origin);
    }
}

/// Reports a definition that says it is an experiment, where the deployment gives `experimental-content` a severity.
pub fn check_experimental<'a>(run: &mut Run<'_, 'a>, flag: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    if run.validator.reports_experimental() && flag == &Value::Bool(true) {
        let fault = "Experimental definitions are not accepted here.".to_owned();
        let path = place.path.parent().unwrap_or(place.path);
        run.error(IssueCode::BusinessRule, "experimental-content", fault, path, origin);
    }
}

/// Whether the host of a url is the one that examples of FHIR use.
#[must_use]
pub fn is_of_examples(text: &str) -> bool {
    is_example(text) && text.contains(EXAMPLE_HOSTS[0])
}

/// Whether the host of a url is one that is reserved for examples.
fn is_example(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let host = rest.split(['/', ':', '?', '#', '|']).next().unwrap_or_default();
    EXAMPLE_HOSTS
        .iter()
        .any(|example| host.strip_suffix(example).is_some_and(|before| before.is_empty() || before.ends_with('.')))
}

/// Checks an Identifier whose system says that its value is a uri (<https://hl7.org/fhir/R4/datatypes.html#Identifier>).
pub fn check_identifier<'a>(run: &mut Run<'_, 'a>, identifier: &'a Value, place: Place<'_, 'a>, origin: Origin<'_>) {
    use crate::fhir::member::text;
    if text(identifier, "system") != Some("urn:ietf:rfc:3986") {
        return;
    }
    if text(identifier, "value").is_some_and(|value| !value.contains(':')) {
        let fault = "The system says that the value is a uri; write it in full, for example urn:oid:1.2.3.".to_owned();
        let issue = Issue::new(Severity::Error, IssueCode::Value, "identifier-uri", fault);
        run.push(issue, place.path, origin);
    }
}
