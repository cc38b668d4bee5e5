//! Compartments (<https://hl7.org/fhir/R4/compartmentdefinition.html>): what belongs to a patient, encounter, practitioner, related
//! person or device. Read once from the CompartmentDefinitions; a compartment is a condition like any other. Called by the
//! search interaction and `$everything`.

use std::sync::OnceLock;

use serde_json::Value;

use super::kinds::reference::Target;
use super::kinds::{Criterion, Table};
use super::parameters::Registry;
use super::query::{Condition, Rows, Weight};
use crate::fhir::definitions::Definitions;

/// The compartments of FHIR R4; others cannot be defined.
const CANONICALS: [&str; 5] = [
    "http://hl7.org/fhir/CompartmentDefinition/device",
    "http://hl7.org/fhir/CompartmentDefinition/encounter",
    "http://hl7.org/fhir/CompartmentDefinition/patient",
    "http://hl7.org/fhir/CompartmentDefinition/practitioner",
    "http://hl7.org/fhir/CompartmentDefinition/relatedPerson",
];

/// FHIR R4 has forgotten Task, which belongs to nobody there; R5 puts it where its patient, encounter and parties are.
const TASK: [(&str, &[&str]); 5] = [
    ("Device", &["owner", "requester"]),
    ("Encounter", &["encounter"]),
    ("Patient", &["patient"]),
    ("Practitioner", &["owner", "requester"]),
    ("RelatedPerson", &["owner", "requester"]),
];

/// One compartment.
#[derive(Debug)]
pub struct Compartment {
    /// Canonical url of its definition.
    pub url: &'static str,
    /// The resource type in its centre.
    pub code: String,
    /// The types that can belong to it, with the reference parameters that say so; sorted by type, with its centre.
    members: Vec<(String, Vec<String>)>,
}

/// All compartments.
#[must_use]
pub fn all() -> &'static [Compartment] {
    static ALL: OnceLock<Vec<Compartment>> = OnceLock::new();
    ALL.get_or_init(|| {
        let definitions = Definitions::embedded();
        CANONICALS.iter().filter_map(|url| read(url, &definitions.other("CompartmentDefinition", url)?)).collect()
    })
}

/// The compartment around resources of this type.
#[must_use]
pub fn of(code: &str) -> Option<&'static Compartment> {
    all().iter().find(|compartment| compartment.code == code)
}

fn read(url: &'static str, definition: &Value) -> Option<Compartment> {
    let code = definition.get("code")?.as_str()?.to_owned();
    let member = |entry: &Value| {
        let parameters = entry.get("param").and_then(Value::as_array).into_iter().flatten();
        let name = entry.get("code")?.as_str()?;
        let added = TASK.iter().filter(|(centre, _)| name == "Task" && *centre == code).flat_map(|(_, codes)| *codes);
        let parameters: Vec<String> =
            parameters.filter_map(Value::as_str).chain(added.copied()).map(str::to_owned).collect();
        (name == code || !parameters.is_empty()).then(|| (name.to_owned(), parameters))
    };
    let mut members: Vec<_> = definition.get("resource")?.as_array()?.iter().filter_map(member).collect();
    members.sort();
    Some(Compartment { url, code, members })
}

impl Compartment {
    /// The resource types that can belong to the compartment, sorted.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(name, _)| name.as_str())
    }

    /// That a resource of `resource_type` belongs to the compartment of the resource with this `id`, or of any where there is
    /// none; the resource in the centre belongs to its own. None for a type that cannot belong to it.
    #[must_use]
    pub fn condition(&self, registry: &Registry, resource_type: &str, id: Option<&str>) -> Option<Condition> {
        let (_, codes) = self.members.iter().find(|(name, _)| name == resource_type)?;
        let target = id.map(|id| Target::Local { resource_type: Some(self.code.clone()), id: id.to_owned() });
        let rows = codes.iter().filter_map(|code| registry.get(resource_type, code)).map(|parameter| {
            Condition::Rows(Rows {
                table: Table::Reference,
                resource_type: resource_type.to_owned(),
                code: parameter.codes.own.clone(),
                any: target.clone().map(Criterion::Reference).into_iter().collect(),
                weight: Weight::Few,
            })
        });
        let centre = (resource_type == self.code).then(|| match id {
            Some(id) => Condition::Id(vec![id.to_owned()]),
            None => Condition::All(Vec::new()),
        });
        Some(Condition::Any(rows.chain(centre).collect()))
    }
}
