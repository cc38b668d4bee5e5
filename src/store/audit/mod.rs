//! The audit trail: one row for every interaction, each row's hash covering the row before it. The writer appends rows in
//! the transaction of the change; `kith audit verify` recomputes them (`verify`).

pub mod chain;
pub mod checkpoint;
pub(in crate::store) mod digest;
pub mod record;
pub mod verify;

pub use record::AuditRecord;
