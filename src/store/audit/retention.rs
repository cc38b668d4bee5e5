//! Removes audit rows that are old enough and exported: whole segments, each up to a signed checkpoint. A signed statement stays in
//! their place, so that what is left of the chain still verifies, and rows that went without one are missed.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::chain::Head;
use super::checkpoint::{self, Signatory};
use super::record::{AuditRecord, AuditRow};
use super::verify::REMOVED;
use crate::clock::{Clock, Micros};
use crate::problem::Problem;
use crate::store::Shared;
use crate::store::database::{Database, on};
use crate::store::resources::retrying;
use crate::store::tx::Tx;
use crate::store::writer::{self, Queue};

/// When a row was recorded, its sequence, the type and id of its resource, its patients.
type Subjects = (i64, i64, String, String, String);

/// Ends of segments that may go, the oldest of each chain first.
pub(in crate::store) const SEGMENTS: &str = "select c.number, k.chain, k.sequence from audit_checkpoint k \
     join audit_chain c on c.chain = k.chain where k.recorded < $1 and k.sequence <= c.exported and k.sequence <= c.indexed \
     and exists (select 1 from audit a where a.chain = k.chain and a.sequence = k.sequence) order by c.number, k.sequence";
pub(in crate::store) const ROWS: &str = "select recorded, sequence, resource_type, resource_id, patients from audit \
     where chain = $1 and sequence <= $2 order by sequence";
pub(in crate::store) const HASH: &str = "select hash from audit where chain = $1 and sequence = $2";
pub(in crate::store) const REMOVE: &str = "delete from audit where chain = $1 and sequence <= $2";
pub(in crate::store) const REMOVE_SUBJECT: &str =
    "delete from audit_subject where subject = $1 and recorded = $2 and chain = $3 and sequence = $4";
pub(in crate::store) const REMOVE_CHECKPOINTS: &str = "delete from audit_checkpoint where chain = $1 and sequence < $2";
pub(in crate::store) const REMOVE_STATEMENT: &str = "delete from audit_checkpoint where chain = $1";

const DAY: Micros = 86_400_000_000;
/// How often old rows are looked for.
const EVERY: Duration = Duration::from_hours(1);
/// How soon the end of the store is noticed.
const TICK: Duration = Duration::from_millis(50);

/// Looks for old rows at start and every hour, until the queue is closed.
pub(in crate::store) fn start(
    shared: &Arc<Shared>,
    database: &Database,
    queue: &Arc<Queue>,
    days: i64,
    tasks: &mut JoinSet<()>,
) {
    let (shared, database, queue) = (Arc::clone(shared), database.clone(), Arc::clone(queue));
    tasks.spawn(async move {
        let mut waited = EVERY;
        while queue.is_open() {
            if waited >= EVERY {
                waited = Duration::ZERO;
                if let Err(problem) = remove(&shared, &database, &queue, days).await {
                    tracing::error!(%problem, "old audit rows could not be removed; it is tried again");
                }
            }
            tokio::time::sleep(TICK).await;
            waited += TICK;
        }
    });
}

/// Removes what is older than `days` days and exported; says how many segments that were.
pub(in crate::store) async fn remove(
    shared: &Arc<Shared>,
    database: &Database,
    queue: &Queue,
    days: i64,
) -> Result<usize, Problem> {
    let before = shared.clock.now() - days.saturating_mul(DAY);
    let segments: Vec<(i64, String, i64)> =
        retrying!(on!(database, |pool| sqlx::query_as(SEGMENTS).bind(before).fetch_all(pool).await))?;
    let count = segments.len();
    for (number, chain, last) in segments {
        let segment = Arc::new(Segment { shared: Arc::clone(shared), number, chain, last });
        let removed = writer::keep_books(queue, move |tx| {
            let segment = Arc::clone(&segment);
            Box::pin(async move { Ok(((), segment.take_out(tx).await?)) })
        });
        removed.await?;
    }
    Ok(count)
}

/// What goes in one transaction.
struct Segment {
    shared: Arc<Shared>,
    number: i64,
    chain: String,
    last: i64,
}

impl Segment {
    async fn take_out(&self, tx: &mut Tx) -> Result<Vec<AuditRecord>, Problem> {
        tx.lock("audit retention").await?;
        tx.begin_savepoint().await?;
        let hash: Result<Option<Vec<u8>>, _> = on!(&mut tx.connection, |c| {
            sqlx::query_scalar(HASH).bind(self.chain.as_str()).bind(self.last).fetch_optional(&mut *c).await
        });
        // Another process was faster.
        let Some(hash) = tx.check(hash)? else { return Ok(Vec::new()) };
        let hash = <[u8; 32]>::try_from(hash.as_slice()).map_err(Problem::internal)?;
        self.forget_subjects(tx).await?;
        let statement = format!("{}{REMOVED}", self.chain);
        let head = Head { chain: statement.clone(), sequence: self.last, hash };
        let signed = sign(&self.shared.signatory, &head, &self.shared.clock)?;
        let done = on!(&mut tx.connection, |c| {
            let mut done =
                sqlx::query(REMOVE).bind(self.chain.as_str()).bind(self.last).execute(&mut *c).await.map(|_| ());
            if done.is_ok() {
                let query = sqlx::query(REMOVE_CHECKPOINTS).bind(self.chain.as_str()).bind(self.last);
                done = query.execute(&mut *c).await.map(|_| ());
            }
            if done.is_ok() {
                done = sqlx::query(REMOVE_STATEMENT).bind(statement.as_str()).execute(&mut *c).await.map(|_| ());
            }
            done
        });
        tx.check(done)?;
        let stated = checkpoint::insert(&mut tx.connection, &signed).await;
        tx.check(stated)?;
        Ok(vec![AuditRecord {
            recorded: self.shared.clock.now(),
            interaction: "audit-retention".to_owned(),
            status: 200,
            request_id: self.shared.clock.new_id(),
            client: "kith".to_owned(),
            address: "local".to_owned(),
            query: format!("{}&through={}", self.chain, self.last),
            ..AuditRecord::default()
        }])
    }

    async fn forget_subjects(&self, tx: &mut Tx) -> Result<(), Problem> {
        let rows: Result<Vec<Subjects>, _> = on!(&mut tx.connection, |c| {
            sqlx::query_as(ROWS).bind(self.chain.as_str()).bind(self.last).fetch_all(&mut *c).await
        });
        for (recorded, sequence, resource_type, id, patients) in tx.check(rows)? {
            let mut subjects = AuditRow::texts_in(&patients);
            subjects.push(format!("{resource_type}/{id}"));
            for subject in subjects {
                let done: Result<(), _> = on!(&mut tx.connection, |c| {
                    let query = sqlx::query(REMOVE_SUBJECT).bind(subject.as_str()).bind(recorded);
                    query.bind(self.number).bind(sequence).execute(&mut *c).await.map(|_| ())
                });
                tx.check(done)?;
            }
        }
        Ok(())
    }
}

fn sign(signatory: &Signatory, head: &Head, clock: &Clock) -> Result<checkpoint::Checkpoint, Problem> {
    signatory.sign(head, clock.now())
}
