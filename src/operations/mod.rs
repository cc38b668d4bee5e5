//! Extended operations, one file each; [`ALL`] is the list that dispatch and the CapabilityStatement use.

pub mod access_log;
pub mod activity;
pub mod everything;
pub mod job_status;
pub mod labels;
pub mod meta;
pub mod reindex;
pub mod snapshot;
pub mod terminology;
pub mod validate;
pub mod validation_rules;

use crate::interactions::operation::Operation;

/// Every operation that this server offers.
pub const ALL: &[&dyn Operation] = &[
    &access_log::AccessLog,
    &activity::ReferralActivity,
    &everything::patient::PatientEverything,
    &everything::referral::ReferralEverything,
    &meta::Meta,
    &labels::META_ADD,
    &labels::META_DELETE,
    &validate::Validate,
    &validation_rules::ValidationRules,
    &snapshot::SNAPSHOT,
    &reindex::Reindex,
    &job_status::JobStatus,
    &terminology::expand::EXPAND,
    &terminology::validate_code::OF_VALUE_SET,
    &terminology::validate_code::OF_CODE_SYSTEM,
    &terminology::lookup::LOOKUP,
    &terminology::subsumes::SUBSUMES,
    &terminology::translate::TRANSLATE,
];
