//! Which resources the referral rules (and Kith's own profiles) speak of. A plain FHIR client's Task or ServiceRequest is
//! none of their business: only what declares a Kith profile, or says by its code or category that it is a referral to
//! social prescribing, or is a Task whose focus is such a ServiceRequest.

use serde_json::Value;

use super::codes::{
    REFERRAL_PROFILE, REFERRAL_TASK_PROFILE, REFERRAL_TO_SOCIAL_PRESCRIBING, SNOMED, TRIAGE_TASK_PROFILE,
};
use super::element::{declares, has_coding, list, text};

/// When a Kith profile applies without being declared: resource type, FHIRPath condition, profile canonical. The
/// validator compiles these once and runs the profile on what fulfils the condition.
pub const PROFILES: &[(&str, &str, &str)] = &[
    (
        "ServiceRequest",
        "code.coding.where(system = 'http://snomed.info/sct' and code = '871731000000106').exists() or \
         category.coding.where(system = 'http://snomed.info/sct' and code = '871731000000106').exists()",
        REFERRAL_PROFILE,
    ),
    (
        "Task",
        "code.coding.where(system = 'http://snomed.info/sct' and code = '871731000000106').exists()",
        REFERRAL_TASK_PROFILE,
    ),
];

/// True for a ServiceRequest that is a social-prescribing referral by profile, code or category.
#[must_use]
pub fn is_referral(service_request: &Value) -> bool {
    text(service_request, "resourceType") == "ServiceRequest"
        && (declares(service_request, REFERRAL_PROFILE)
            || service_request.get("code").is_some_and(is_social_prescribing)
            || list(service_request, "category").iter().any(is_social_prescribing))
}

/// True for a Task that is a referral Task by its own profile or code. A Task may also be one by its focus: that takes
/// a look at the ServiceRequest.
#[must_use]
pub fn is_referral_task(task: &Value) -> bool {
    text(task, "resourceType") == "Task"
        && (declares(task, REFERRAL_TASK_PROFILE)
            || declares(task, TRIAGE_TASK_PROFILE)
            || task.get("code").is_some_and(is_social_prescribing))
}

fn is_social_prescribing(concept: &Value) -> bool {
    has_coding(concept, SNOMED, REFERRAL_TO_SOCIAL_PRESCRIBING)
}
