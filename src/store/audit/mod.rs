//! The audit trail: one row for every interaction, each row's hash covering the row before it. The writer appends rows in
//! the transaction of the change; `kith audit verify` recomputes them (`verify`).

pub mod chain;
pub mod checkpoint;
pub(in crate::store) mod digest;
pub mod find;
pub mod record;
pub(in crate::store) mod subjects;
pub mod verify;

pub use find::AuditSearch;
pub use record::{AuditRecord, AuditRow};
