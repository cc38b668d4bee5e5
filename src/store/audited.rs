//! What a store does for the audit trail beside the rows that changes bring: rows of reads and refusals, and the verification of all.
//! Interactions call the former, `kith audit verify` and the tests the latter.

use super::audit::{self, AuditRecord};
use super::database::{Connection, Database};
use super::settings::StoreSettings;
use super::{Store, dialect, writer};
use crate::problem::{Kind, Problem};

impl Store {
    /// Appends the audit row of a read or a refusal. Returns when the row is durable; with buffered reads, the row of a
    /// successful interaction follows within 100 ms instead. The row of a refusal that the writers have no room for is kept and
    /// follows when they have, while its caller is told that the server is busy.
    pub async fn audit(&self, record: AuditRecord) -> Result<(), Problem> {
        #[cfg(feature = "unaudited")]
        if record.status < 400 && audit::is_off() {
            return Ok(());
        }
        if record.status < 400 && self.0.buffered_reads {
            return match self.0.buffer.push(record) {
                None => Ok(()),
                Some(refused) => writer::audit(&self.0.queue, vec![refused]).await,
            };
        }
        let refusal = (record.status >= 400).then(|| record.clone());
        let outcome = writer::audit(&self.0.queue, vec![record]).await;
        if let (Err(problem), Some(refusal)) = (&outcome, refusal)
            && problem.kind == Kind::Unavailable
        {
            self.audit_soon(refusal);
        }
        outcome
    }

    /// Appends the audit row of a request that was turned away because the server is busy: as soon as there is room for it.
    pub fn audit_soon(&self, record: AuditRecord) {
        let record = AuditRecord { status: Kind::Unavailable.status(), ..record };
        if self.0.buffer.push(record).is_some() {
            self.0.shared.metrics.unaudited();
            tracing::error!("the audit record of a request that was turned away is lost: too many wait");
        }
    }

    /// Verifies every audit chain, see [`audit::verify::verify`].
    pub async fn verify_audit(&self, trust: &audit::verify::Trust) -> Result<audit::verify::Report, Problem> {
        audit::verify::verify(&self.0.database, trust).await
    }
}

/// Verifies every audit chain of an existing database without opening it as a store: nothing is created, migrated or
/// written. `Kind::Unavailable` where there is no such database.
pub async fn verify_audit(
    settings: &StoreSettings,
    trust: &audit::verify::Trust,
) -> Result<audit::verify::Report, Problem> {
    let options = dialect::existing(dialect::options(settings)?);
    Connection::open(&options).await?.close().await;
    let database = Database::pool(&options, 1, None);
    let report = audit::verify::verify(&database, trust).await;
    database.close().await;
    report
}
