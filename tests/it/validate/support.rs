//! Small definitions for tests of single rules.

use kith::fhir::definitions::Definitions;
use kith::fhir::definitions::package::{Manifest, Package};
use kith::fhir::issue::Issue;
use kith::validate::{Options, Settings, Validator};
use serde_json::{Value, json};

/// A profile of these elements on a base type.
pub fn profile(url: &str, type_: &str, elements: Value) -> Value {
    json!({
        "resourceType": "StructureDefinition", "url": url, "name": "Test", "status": "active", "abstract": false,
        "kind": if type_.starts_with(char::is_uppercase) && type_ != "Extension" { "resource" } else { "complex-type" },
        "type": type_, "baseDefinition": format!("http://hl7.org/fhir/StructureDefinition/{type_}"),
        "derivation": "constraint", "differential": { "element": elements },
    })
}

/// A validator that knows these definitions besides the embedded ones.
pub fn validator_with(definitions: &[Value]) -> Validator {
    let manifest = Manifest { name: "test".to_owned(), fhir_versions: vec!["4.0.1".to_owned()], ..Manifest::default() };
    let package = Package::new(manifest, definitions);
    assert_eq!(package.len(), definitions.len());
    let definitions = Definitions::embedded().with_packages(vec![package]).unwrap();
    Validator::new(definitions.into(), Settings::default()).unwrap()
}

/// `severity rule at place` of everything but good advice, against a profile.
pub fn findings(validator: &Validator, resource: &Value, profile: &str) -> Vec<String> {
    let options = Options { profiles: vec![profile.to_owned()], apply_by_type: false, ..Options::default() };
    let mut found: Vec<String> =
        validator.validate(resource, &options).iter().filter(|issue| issue.rule != "dom-6").map(show).collect();
    found.sort();
    found
}

fn show(issue: &Issue) -> String {
    format!("{} {} at {}", issue.severity.code(), issue.rule, issue.expression.as_deref().unwrap_or("nowhere"))
}
