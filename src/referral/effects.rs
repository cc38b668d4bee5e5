//! What one change causes in other resources: each effect is written as a version of its own, with a Provenance that
//! names the version which caused it.

use serde_json::{Value, json};

use super::element::text;
use super::{Actor, element};
use crate::clock::Micros;
use crate::fhir::temporal::format_instant;

/// A further write that a change causes.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// The whole new content; `id` says which resource, `meta.versionId` which version it is based on.
    pub resource: Value,
    /// Why, for the Provenance.
    pub reason: &'static str,
}

impl Effect {
    /// `Type/id` of the resource to write.
    #[must_use]
    pub fn reference(&self) -> String {
        element::own_reference(&self.resource)
    }

    /// The version that was looked at; the write must replace exactly that one.
    #[must_use]
    pub fn based_on(&self) -> Option<i64> {
        self.resource.get("meta").and_then(|meta| text(meta, "versionId").parse().ok())
    }
}

/// The Provenance (<https://hl7.org/fhir/R4/provenance.html>) of an effect: `target` is the versioned reference of what was
/// written, `cause` that of the change which led to it. The server is the agent, on behalf of the caller's organisation.
#[must_use]
pub fn provenance(effect: &Effect, target: &str, cause: &str, recorded: Micros, actor: &Actor) -> Value {
    let mut agent = json!({
        "type": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "code": "assembler"
        }] },
        "who": { "type": "Device", "display": "Kith referral server" }
    });
    if let Some(organisation) = &actor.organisation {
        let organisation_reference =
            organisation.references.iter().find(|reference| reference.starts_with("Organization/"));
        if let Some(reference) = organisation_reference {
            agent["onBehalfOf"] = json!({ "reference": reference });
        } else if let Some(identifier) = organisation.identifiers.first() {
            agent["onBehalfOf"] = json!({ "identifier": { "system": identifier.system, "value": identifier.value } });
        }
    }
    let mut entities = vec![json!({ "role": "source", "what": { "reference": cause } })];
    if let Some(version) = effect.based_on() {
        let replaced = format!("{}/_history/{version}", effect.reference());
        entities.push(json!({ "role": "revision", "what": { "reference": replaced } }));
    }
    json!({
        "resourceType": "Provenance",
        "target": [{ "reference": target }],
        "recorded": format_instant(recorded),
        "reason": [{ "text": effect.reason }],
        "activity": { "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/v3-DataOperation", "code": "UPDATE"
        }] },
        "agent": [agent],
        "entity": entities
    })
}
