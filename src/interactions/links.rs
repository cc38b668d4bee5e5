//! The link in each issue of an OperationOutcome to the page of this server that explains its rule, with an example. Called
//! where an answer is about to leave, by itself or in a response Bundle.

use serde_json::{Value, json};

use super::server::Server;
use crate::fhir::issue::RULE_PAGE;
use crate::validate::catalogue;

/// Adds the links to an OperationOutcome; every other resource stays as it is.
pub fn add(server: &Server, resource: &mut Value) {
    if resource.get("resourceType").and_then(Value::as_str) != Some("OperationOutcome") {
        return;
    }
    let issues = resource.get_mut("issue").and_then(Value::as_array_mut);
    for issue in issues.into_iter().flatten() {
        let rule = issue.pointer("/details/coding/0/code").and_then(Value::as_str);
        let Some(entry) = rule.and_then(catalogue::find) else { continue };
        let link = json!({ "url": RULE_PAGE, "valueUrl": format!("{}/rules#{}", root(&server.base), entry.id) });
        match issue.get_mut("extension").and_then(Value::as_array_mut) {
            // An entry of a batch has come through here before.
            Some(extensions) if extensions.contains(&link) => {}
            Some(extensions) => extensions.insert(0, link),
            None => issue["extension"] = json!([link]),
        }
    }
}

/// The address that holds the FHIR base and the pages beside it: `https://kith.example` for `https://kith.example/fhir`.
fn root(base: &str) -> &str {
    let after_scheme = base.find("://").map_or(0, |at| at + 3);
    match base.rfind('/') {
        Some(at) if at >= after_scheme => base.get(..at).unwrap_or(base),
        _ => base,
    }
}
