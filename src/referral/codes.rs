//! The canonical urls and codes that the referral rules know. Every SNOMED CT code here is in public use for social
//! prescribing in England; none is invented.

/// SNOMED CT.
pub const SNOMED: &str = "http://snomed.info/sct";
/// Referral to social prescribing service (procedure).
pub const REFERRAL_TO_SOCIAL_PRESCRIBING: &str = "871731000000106";
/// Social prescribing declined (situation).
pub const SOCIAL_PRESCRIBING_DECLINED: &str = "871711000000103";
/// System of NHS numbers.
pub const NHS_NUMBER: &str = "https://fhir.nhs.uk/Id/nhs-number";
/// System of ODS organisation codes.
pub const ODS_ORGANISATION: &str = "https://fhir.nhs.uk/Id/ods-organization-code";
/// Profile of a social-prescribing ServiceRequest.
pub const REFERRAL_PROFILE: &str = "https://kith.example/fhir/StructureDefinition/kith-referral";
/// Profile of a Task that carries a referral to a provider.
pub const REFERRAL_TASK_PROFILE: &str = "https://kith.example/fhir/StructureDefinition/kith-referral-task";
/// Profile of a Task in a link worker's triage queue.
pub const TRIAGE_TASK_PROFILE: &str = "https://kith.example/fhir/StructureDefinition/kith-triage-task";
/// Code system of Task.input.type and Task.output.type.
pub const TASK_PARAMETER: &str = "https://kith.example/fhir/CodeSystem/kith-task-parameter";
/// Kith's own implementation guide.
pub const IMPLEMENTATION_GUIDE: &str = "https://kith.example/fhir/ImplementationGuide/kith";
