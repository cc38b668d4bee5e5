//! `GET [base]/metadata?mode=terminology`: the TerminologyCapabilities (<https://hl7.org/fhir/R4/terminologycapabilities.html>),
//! derived from the code systems that packages bring and from the operations that are offered.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::operation::Level;
use super::server::Server;
use crate::fhir::definitions::Content;
use crate::fhir::temporal;
use crate::terminology::snomed::SYSTEM;

/// The parameters of `$expand` that change its answer.
const EXPANSION_PARAMETERS: [&str; 14] = [
    "displayLanguage",
    "exclude-system",
    "system-version",
    "check-system-version",
    "force-system-version",
    "useSupplement",
    "filter",
    "offset",
    "count",
    "includeDesignations",
    "includeDefinition",
    "activeOnly",
    "excludeNested",
    "excludeNotForUI",
];

/// The TerminologyCapabilities of this server.
#[must_use]
pub fn statement(server: &Server) -> Value {
    let mut statement = json!({
        "resourceType": "TerminologyCapabilities",
        "url": format!("{}/metadata?mode=terminology", server.base),
        "version": env!("CARGO_PKG_VERSION"),
        "name": "KithTerminology",
        "title": "Terminology of the Kith referral server",
        "status": "active",
        "date": temporal::format_instant(server.started),
        "kind": "instance",
        "description": "Code systems of the loaded packages. CodeSystem resources stored on this server are used where no \
                        package has their url.",
        "software": { "name": "Kith", "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": "Kith, FHIR R4 referral server", "url": server.base },
        "codeSystem": code_systems(server),
    });
    if offers(server, "ValueSet", "expand") {
        let parameters: Vec<Value> = EXPANSION_PARAMETERS.iter().map(|name| json!({ "name": name })).collect();
        statement["expansion"] = json!({
            "hierarchical": true, "paging": true, "incomplete": false, "parameter": parameters,
            "textFilter": "Every word must be in a text of the code, in any case; or the code begins with the filter.",
        });
    }
    if offers(server, "ValueSet", "validate-code") {
        statement["validateCode"] = json!({ "translations": true });
    }
    if offers(server, "ConceptMap", "translate") {
        statement["translation"] = json!({ "needsMap": false });
    }
    statement
}

fn offers(server: &Server, resource_type: &str, name: &str) -> bool {
    let level = Level::Type(resource_type.to_owned());
    server.operations.iter().any(|operation| operation.name() == name && operation.offered_at(&level))
}

/// The code systems that are loaded whole, with their versions.
fn code_systems(server: &Server) -> Vec<Value> {
    let definitions = server.validator.definitions();
    let mut systems: BTreeMap<String, (bool, Vec<Value>)> = BTreeMap::new();
    for (_, canonical) in definitions.canonicals("CodeSystem") {
        let Some(definition) = definitions.code_system(&canonical) else { continue };
        if definition.content != Content::Complete {
            continue;
        }
        let default = definitions.code_system(&definition.url);
        let is_default = default.is_some_and(|default| default.version == definition.version);
        let is_taxonomy = definition.hierarchy.as_deref() == Some("is-a");
        let (subsumption, versions) = systems.entry(definition.url.clone()).or_default();
        *subsumption |= is_taxonomy;
        if let Some(version) = &definition.version {
            let shown = json!({ "code": version, "isDefault": is_default });
            if !versions.contains(&shown) {
                versions.push(shown);
            }
        }
    }
    let editions = server.validator.terminology().editions();
    let newest = editions.all().next_back();
    for edition in editions.all() {
        let (subsumption, versions) = systems.entry(SYSTEM.to_owned()).or_default();
        *subsumption = true;
        let is_default = newest.is_some_and(|newest| Arc::ptr_eq(newest, edition));
        versions.push(json!({ "code": edition.version().uri(), "isDefault": is_default }));
    }
    systems
        .into_iter()
        .map(|(url, (subsumption, versions))| {
            let mut shown = json!({ "uri": url });
            if !versions.is_empty() {
                shown["version"] = json!(versions);
            }
            shown["subsumption"] = json!(subsumption);
            shown
        })
        .collect()
}
