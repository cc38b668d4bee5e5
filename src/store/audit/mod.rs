//! The audit trail: one row for every interaction, each row's hash covering the row before it. The writer appends rows in
//! the transaction of the change; `kith audit verify` recomputes them (`verify`).

pub mod chain;
pub mod checkpoint;
pub(in crate::store) mod digest;
pub mod export;
pub mod find;
pub mod line;
pub mod record;
pub(in crate::store) mod retention;
pub(in crate::store) mod subjects;
pub mod verify;
mod walk;

/// True where a load run asks for reads without an audit trail; only a build for measurements can be asked.
#[cfg(feature = "unaudited")]
pub(in crate::store) fn is_off() -> bool {
    static OFF: std::sync::LazyLock<bool> =
        std::sync::LazyLock::new(|| std::env::var_os("KITH_BENCH_UNAUDITED").is_some());
    *OFF
}

pub use find::AuditSearch;
pub use record::{AuditRecord, AuditRow};
