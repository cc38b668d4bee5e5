//! Every R4 search parameter that has a table is understood.

use kith::fhir::types::Types;
use kith::search::query::Weight;

use super::registry;

/// Parameters whose expression needs no index rows of their own or that this server does not offer yet.
const WITHOUT_SOURCE: [&str; 8] =
    ["_content", "_filter", "_id", "_lastUpdated", "_query", "_text", "age", "birthOrderBoolean"];

#[test]
fn every_parameter_of_every_type_leads_somewhere() {
    let registry = registry();
    let mut without: Vec<String> = Vec::new();
    let mut count = 0;
    for resource_type in Types::r4().resource_types() {
        for parameter in registry.of_type(resource_type).unwrap().iter() {
            count += 1;
            if !parameter.is_searchable() && !WITHOUT_SOURCE.contains(&parameter.code()) {
                without.push(format!("{resource_type}.{}: {}", parameter.code(), parameter.expression));
            }
        }
    }
    assert!(count > 1900, "{count}");
    assert!(without.is_empty(), "{without:#?}");
}

#[test]
fn expressions_are_cut_to_the_type() {
    let registry = registry();
    let code = registry.get("AllergyIntolerance", "code").unwrap();
    assert_eq!(code.expression, "AllergyIntolerance.code | AllergyIntolerance.reaction.substance");
    let patient = registry.get("ServiceRequest", "patient").unwrap();
    assert_eq!(patient.expression, "ServiceRequest.subject.where(resolve() is Patient)");
    assert_eq!(patient.targets, ["Patient"]);
}

#[test]
fn identifiers_are_expected_to_find_few_and_statuses_many() {
    let registry = registry();
    let weight = |resource_type, code| registry.get(resource_type, code).unwrap().weight;
    assert_eq!(weight("Patient", "identifier"), Weight::Unique);
    assert_eq!(weight("Task", "owner"), Weight::Few);
    assert_eq!(weight("Task", "code"), Weight::Some);
    assert_eq!(weight("Task", "status"), Weight::Many);
}

#[test]
fn plain_codes_imply_the_system_of_their_binding() {
    let registry = registry();
    let status = registry.get("Task", "status").unwrap();
    assert!(status.plain_code);
    assert_eq!(registry.implied_systems(status), ["http://hl7.org/fhir/task-status"]);
}
