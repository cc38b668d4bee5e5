//! The date by which the resources of a type are usually sorted. Index rows of references carry it (`store::index`), so that
//! what refers to one target is found in this order without looking at all of it (`sql::page`).

use super::index::IndexRows;
use crate::clock::Micros;

/// Resource type and code of its leading date. Only parameters of a single element of type date, dateTime or instant: a
/// resource has one such row or none. A change here needs every resource of the type to be indexed anew.
const LEADING: &[(&str, &str)] = &[
    ("Appointment", "date"),
    ("AuditEvent", "date"),
    ("Communication", "sent"),
    ("CommunicationRequest", "authored"),
    ("Composition", "date"),
    ("Condition", "recorded-date"),
    ("Consent", "date"),
    ("DiagnosticReport", "issued"),
    ("DocumentReference", "date"),
    ("MedicationRequest", "authoredon"),
    ("Provenance", "recorded"),
    ("QuestionnaireResponse", "authored"),
    ("ServiceRequest", "authored"),
    ("Task", "authored-on"),
];

/// Stands in a row for a resource without that date; earlier than any date.
pub const MISSING: Micros = Micros::MIN + 1;

/// The code of the leading date of a resource type; none where it has none.
#[must_use]
pub fn code(resource_type: &str) -> Option<&'static str> {
    LEADING.iter().find(|(name, _)| *name == resource_type).map(|(_, code)| *code)
}

/// The leading date of a resource with these index rows, or [`MISSING`].
#[must_use]
pub fn value(resource_type: &str, rows: &IndexRows) -> Micros {
    let Some(code) = code(resource_type) else { return MISSING };
    let dates = rows.dates.iter().filter(|row| &*row.parameter == code);
    dates.map(|row| row.low).max().unwrap_or(MISSING).max(MISSING)
}
