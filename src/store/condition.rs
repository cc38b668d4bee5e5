//! How the store is doing: whether it can serve, and the figures that are measured when somebody asks. `app` calls it for health
//! checks and metrics.

use std::time::Duration;

use super::Store;
use super::audit::subjects;
use super::database::on;
use super::writer;
use crate::problem::Kind;
use crate::telemetry::Metrics;
use crate::telemetry::metrics::Level;

/// How long the database may take to show that it is well.
const PATIENCE: Duration = Duration::from_secs(5);

impl Store {
    /// The counters of this server.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.shared.metrics
    }

    /// Whether requests can be served: the database answers, and a writer commits. The error says what does not.
    pub async fn ready(&self) -> Result<(), &'static str> {
        let answers = tokio::time::timeout(PATIENCE, self.ping());
        if !matches!(answers.await, Ok(Ok(()))) {
            return Err("the database does not answer");
        }
        let nothing = writer::keep_books(&self.0.queue, |_| Box::pin(async { Ok(((), Vec::new())) }));
        match tokio::time::timeout(PATIENCE, nothing).await {
            Ok(Ok(())) => Ok(()),
            // A full queue is work that is being done; a closed one is the end.
            Ok(Err(problem)) if problem.kind == Kind::Unavailable && self.0.queue.waiting() > 0 => Ok(()),
            _ => Err("the database is not written to"),
        }
    }

    /// Queue, pool, lag of the audit trail and memory, as they are now.
    pub async fn levels(&self) -> Vec<Level> {
        let mut levels = Vec::new();
        let mut add = |name, help, value: f64| levels.push(Level { name, help, value });
        let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
        add("commit_queue_length", "Pieces of work that wait for a writer", count(self.0.queue.waiting()));
        let (size, idle) = on!(&self.0.database, |pool| (pool.size(), pool.num_idle()));
        add("pool_connections", "Open connections for reads", f64::from(size));
        add("pool_idle_connections", "Connections for reads that nobody uses", count(idle));
        add(
            "audit_waiting_records",
            "Audit records that are not in the queue of a writer yet",
            count(self.0.buffer.len()),
        );
        if let Ok(Ok(lag)) = tokio::time::timeout(PATIENCE, subjects::lag(&self.0.database)).await {
            add(
                "audit_unindexed_rows",
                "Audit rows that are not indexed by patient yet",
                count(usize::try_from(lag).unwrap_or(0)),
            );
        }
        if let Some(cache) = &self.0.shared.cache {
            add("resource_memory_bytes", "Memory of current resources", count(cache.held()));
        }
        levels
    }
}
