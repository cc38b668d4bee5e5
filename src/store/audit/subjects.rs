//! The index of the audit trail: which rows speak of a patient or another resource. A row at a time would cost a read more than
//! the read itself, so the rows of a chain are indexed many at once, within seconds of their commit; whoever searches by a
//! patient has the rest indexed first, so that a search misses nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::record::AuditRow;
use crate::problem::{Kind, Problem};
use crate::store::Inner;
use crate::store::database::{Connection, Database, on};
use crate::store::insert::{Insert, insert_rows};
use crate::store::resources::retrying;
use crate::store::tx::Tx;
use crate::store::writer::{self, Queue};

pub(in crate::store) const REGISTER: &str =
    "insert into audit_chain (chain, indexed, ended) values ($1, 0, 0) on conflict do nothing";
pub(in crate::store) const END: &str = "update audit_chain set ended = $1 where chain = $2";
/// Chains with rows that are not indexed yet.
pub(in crate::store) const PENDING: &str = "select number, chain, indexed, newest from (select number, chain, indexed, \
     case when ended > 0 then ended else coalesce((select max(a.sequence) from audit a where a.chain = c.chain), 0) end as newest \
     from audit_chain c where c.ended = 0 or c.indexed < c.ended) pending where indexed < newest order by number";
/// What there is to index of the next rows of a chain.
pub(in crate::store) const NEXT: &str = "select recorded, sequence, resource_type, resource_id, patients from audit \
     where chain = $1 and sequence > $2 order by sequence limit $3";
pub(in crate::store) const ADVANCE: &str = "update audit_chain set indexed = $1 where number = $2 and indexed = $3";
pub(in crate::store) static SUBJECT: Insert =
    Insert::new("audit_subject", &["subject", "recorded", "chain", "sequence"], " on conflict do nothing");

/// Rows that are indexed in one transaction: few enough that nobody waits for it.
const PIECE: i64 = 500;
/// How often what was committed meanwhile is indexed.
const EVERY: Duration = Duration::from_secs(2);
/// How soon the end of the store is noticed.
const TICK: Duration = Duration::from_millis(50);

/// A chain with rows that are not indexed: number, name, last indexed row, last row.
type Pending = (i64, String, i64, i64);
/// What there is to index of a row: time, sequence, resource type, id, patients as JSON.
type Facts = (i64, i64, String, String, String);

/// A row of the index: subject, time, number of the chain, sequence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Subject(String, i64, i64, i64);

/// Indexes in the background until the queue is closed.
pub(in crate::store) fn start(database: &Database, queue: &Arc<Queue>, tasks: &mut JoinSet<()>) {
    let (database, queue) = (database.clone(), Arc::clone(queue));
    tasks.spawn(async move {
        let mut ticks = 0_u32;
        while queue.is_open() {
            tokio::time::sleep(TICK).await;
            ticks += 1;
            if TICK * ticks < EVERY {
                continue;
            }
            ticks = 0;
            if let Err(problem) = catch_up(&database, &queue).await {
                tracing::warn!(%problem, "the audit trail could not be indexed; it is tried again");
            }
        }
    });
}

/// Indexes everything that was committed before the call.
pub(in crate::store) async fn catch_up(database: &Database, queue: &Queue) -> Result<(), Problem> {
    for (number, chain, mut indexed, newest) in pending(database).await? {
        while indexed < newest && queue.is_open() {
            let rows: Vec<Facts> = retrying!(on!(database, |pool| {
                sqlx::query_as(NEXT).bind(chain.as_str()).bind(indexed).bind(PIECE).fetch_all(pool).await
            }))?;
            let Some(last) = rows.last().map(|row| row.1) else { break };
            let piece = Arc::new(Piece { number, before: indexed, last, subjects: subjects(number, &rows) });
            if !add(queue, piece).await? {
                // Another process is at this chain.
                break;
            }
            indexed = last;
        }
    }
    Ok(())
}

/// How many rows are not indexed yet.
pub(in crate::store) async fn lag(database: &Database) -> Result<i64, Problem> {
    Ok(pending(database).await?.iter().map(|(_, _, indexed, newest)| newest - indexed).sum())
}

async fn pending(database: &Database) -> Result<Vec<Pending>, Problem> {
    retrying!(on!(database, |pool| sqlx::query_as(PENDING).fetch_all(pool).await))
}

/// What the next rows of a chain bring.
struct Piece {
    number: i64,
    before: i64,
    last: i64,
    subjects: Vec<Subject>,
}

/// The index rows, sorted, so that neighbours are written together.
fn subjects(chain: i64, rows: &[Facts]) -> Vec<Subject> {
    let mut subjects = Vec::with_capacity(rows.len());
    for (recorded, sequence, resource_type, id, patients) in rows {
        let mut add = |subject: String| subjects.push(Subject(subject, *recorded, chain, *sequence));
        if !id.is_empty() {
            add(format!("{resource_type}/{id}"));
        }
        AuditRow::texts_in(patients).into_iter().for_each(&mut add);
    }
    subjects.sort_unstable();
    subjects.dedup();
    subjects
}

/// Writes a piece; false where somebody else has indexed these rows.
async fn add(queue: &Queue, piece: Arc<Piece>) -> Result<bool, Problem> {
    let written = writer::keep_books(queue, move |tx| {
        let piece = Arc::clone(&piece);
        Box::pin(async move { Ok((write(tx, &piece).await?, Vec::new())) })
    });
    match written.await {
        Ok(()) => Ok(true),
        Err(problem) if problem.kind == Kind::Conflict => Ok(false),
        Err(problem) => Err(problem),
    }
}

async fn write(tx: &mut Tx, piece: &Piece) -> Result<(), Problem> {
    tx.begin_savepoint().await?;
    let advanced: Result<u64, _> = on!(&mut tx.connection, |c| {
        let query = sqlx::query(ADVANCE).bind(piece.last).bind(piece.number).bind(piece.before);
        query.execute(&mut *c).await.map(|done| done.rows_affected())
    });
    if tx.check(advanced)? == 0 {
        return Err(Problem::new(Kind::Conflict, "Another process has indexed these audit rows."));
    }
    let connection = &mut tx.connection;
    let inserted =
        insert_rows!(connection, &SUBJECT, piece.subjects.as_slice(), |row| [row.0.as_str(), row.1, row.2, row.3,]);
    tx.check(inserted)?;
    tx.kept_books = true;
    Ok(())
}

/// Makes a new chain known to the index, in the transaction of its first row.
pub(in crate::store) async fn register(connection: &mut Connection, chain: &str) -> Result<(), sqlx::Error> {
    on!(connection, |c| sqlx::query(REGISTER).bind(chain).execute(&mut *c).await.map(|_| ()))
}

/// Notes that a chain will get no more rows, so that nobody asks for them.
pub(in crate::store) async fn end(connection: &mut Connection, chain: &str, last: i64) -> Result<(), sqlx::Error> {
    on!(connection, |c| sqlx::query(END).bind(last).bind(chain).execute(&mut *c).await.map(|_| ()))
}

impl Inner {
    /// See [`catch_up`].
    pub(in crate::store) async fn index_audit(&self) -> Result<(), Problem> {
        catch_up(&self.database, &self.queue).await
    }
}
