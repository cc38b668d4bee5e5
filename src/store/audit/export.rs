//! Takes the audit trail out of the database: piece by piece, chain by chain, from a position on. `kith audit export` writes it
//! where it is told; with the setting `audit.export` a running server appends to a file of the day.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::checkpoint::Checkpoint;
use super::line::Line;
use super::record::AuditRow;
use super::verify::{CHECKPOINTS_OF, KEYS, ROWS_OF};
use crate::clock::Clock;
use crate::fhir::temporal;
use crate::problem::{Kind, Problem};
use crate::store::database::{Database, on};
use crate::store::resources::retrying;
use crate::store::writer::{self, Queue};
use crate::store::{StoreSettings, dialect, error};

pub(in crate::store) const CHAINS: &str = "select chain from audit_chain order by number";
/// Chains with rows that the server has not exported yet.
pub(in crate::store) const PENDING: &str = "select number, chain, exported, newest from (select number, chain, exported, \
     case when ended > 0 then ended else coalesce((select max(a.sequence) from audit a where a.chain = c.chain), 0) end as newest \
     from audit_chain c where c.ended = 0 or c.exported < c.ended) pending where exported < newest order by number";
pub(in crate::store) const ADVANCE: &str = "update audit_chain set exported = $1 where number = $2 and exported = $3";
pub(in crate::store) const HASH: &str = "select hash from audit where chain = $1 and sequence = $2";

/// Rows of a piece.
const PIECE: i64 = 1000;
/// How often a running server exports.
const EVERY: Duration = Duration::from_secs(1);
/// How soon the end of the store is noticed.
const TICK: Duration = Duration::from_millis(50);
/// A chain that another process is at is left to it unless it has not got on for so many rounds.
const PATIENCE: u32 = 30;

/// Where an export stands: the last row of each chain.
pub type Positions = BTreeMap<String, i64>;

/// The next rows of a chain behind `after`, with what was signed of them; empty where there are none.
pub(in crate::store) async fn piece(database: &Database, chain: &str, after: i64) -> Result<(Vec<Line>, i64), Problem> {
    let rows: Vec<AuditRow> = retrying!(on!(database, |pool| {
        sqlx::query_as(ROWS_OF).bind(chain).bind(after).bind(PIECE).fetch_all(pool).await
    }))?;
    let Some(last) = rows.last().map(|row| row.sequence) else { return Ok((Vec::new(), after)) };
    let previous: Option<Vec<u8>> = retrying!(on!(database, |pool| {
        sqlx::query_scalar(HASH).bind(chain).bind(after).fetch_optional(pool).await
    }))?;
    let signed: Vec<Checkpoint> = retrying!(on!(database, |pool| {
        sqlx::query_as(CHECKPOINTS_OF).bind(chain).bind(after).bind(last).fetch_all(pool).await
    }))?;
    let mut previous = previous;
    let mut lines: Vec<Line> = rows.into_iter().map(|row| Line::Row(Box::new(row), previous.take())).collect();
    lines.extend(signed.into_iter().map(Line::Checkpoint));
    Ok((lines, last))
}

/// The keys that have signed, to stand at the beginning of a file.
async fn keys(database: &Database) -> Result<Vec<Line>, Problem> {
    let keys: Vec<String> = retrying!(on!(database, |pool| sqlx::query_scalar(KEYS).fetch_all(pool).await))?;
    Ok(keys.into_iter().map(Line::Key).collect())
}

/// Passes everything behind `positions` to `sink`, and moves them on; says how many rows that were.
pub async fn export(
    settings: &StoreSettings,
    positions: &mut Positions,
    sink: &mut dyn FnMut(&[Line]) -> Result<(), Problem>,
) -> Result<u64, Problem> {
    let database = Database::pool(&dialect::existing(dialect::options(settings)?), 1, None);
    let chains: Vec<String> =
        on!(&database, |pool| sqlx::query_scalar(CHAINS).fetch_all(pool).await).map_err(error::problem)?;
    sink(&keys(&database).await?)?;
    let mut count = 0;
    for chain in chains {
        let mut after = positions.get(&chain).copied().unwrap_or(0);
        loop {
            let (lines, last) = piece(&database, &chain, after).await?;
            if lines.is_empty() {
                break;
            }
            sink(&lines)?;
            count += u64::try_from(last - after).unwrap_or(0);
            after = last;
            positions.insert(chain.clone(), after);
        }
    }
    database.close().await;
    Ok(count)
}

/// Whether a chain is of this process.
pub(in crate::store) type Own = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// The running export of a server.
pub(in crate::store) struct Exporter {
    database: Database,
    queue: Arc<Queue>,
    clock: Arc<Clock>,
    folder: PathBuf,
    /// True for the chains of this process.
    own: Own,
    /// Tells the files of this process from those of others.
    process: String,
    file: Option<(String, File)>,
    /// Chains where nothing moves: how far they were, and for how many rounds.
    waiting: HashMap<i64, (i64, u32)>,
}

impl std::fmt::Debug for Exporter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Exporter").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Exporter {
    /// An exporter to `folder`, which is made where it is not there.
    pub(in crate::store) fn new(
        database: &Database,
        queue: &Arc<Queue>,
        clock: &Arc<Clock>,
        folder: &Path,
        own: Own,
    ) -> Result<Self, Problem> {
        std::fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
        Ok(Self {
            database: database.clone(),
            queue: Arc::clone(queue),
            clock: Arc::clone(clock),
            folder: folder.to_owned(),
            own,
            process: clock.new_id(),
            file: None,
            waiting: HashMap::new(),
        })
    }

    /// Exports in the background until the queue is closed.
    pub(in crate::store) fn start(self, tasks: &mut JoinSet<()>) -> Arc<Mutex<Self>> {
        let queue = Arc::clone(&self.queue);
        let shared = Arc::new(Mutex::new(self));
        let exporter = Arc::clone(&shared);
        tasks.spawn(async move {
            let mut ticks = 0_u32;
            while queue.is_open() {
                tokio::time::sleep(TICK).await;
                ticks += 1;
                if TICK * ticks >= EVERY {
                    ticks = 0;
                    exporter.lock().await.run().await;
                }
            }
        });
        shared
    }

    /// Exports what is there now. What cannot be is logged, and tried again the next time.
    pub(in crate::store) async fn run(&mut self) {
        if let Err(problem) = self.round().await {
            tracing::error!(%problem, "the audit trail could not be exported; it is tried again");
        }
    }

    async fn round(&mut self) -> Result<(), Problem> {
        let pending: Vec<(i64, String, i64, i64)> =
            retrying!(on!(&self.database, |pool| sqlx::query_as(PENDING).fetch_all(pool).await))?;
        for (number, chain, mut exported, newest) in pending {
            if !(self.own)(&chain) && !self.is_orphan(number, exported) {
                continue;
            }
            while exported < newest && self.queue.is_open() {
                let (lines, last) = piece(&self.database, &chain, exported).await?;
                if lines.is_empty() {
                    break;
                }
                self.write(&lines).await?;
                if !self.advance(number, exported, last).await? {
                    break;
                }
                exported = last;
            }
        }
        Ok(())
    }

    /// True where a chain of another process has not got on for long: that process is gone, or does not export.
    fn is_orphan(&mut self, number: i64, exported: i64) -> bool {
        let (known, rounds) = self.waiting.entry(number).or_insert((exported, 0));
        *rounds = if *known == exported { *rounds + 1 } else { 0 };
        *known = exported;
        *rounds > PATIENCE
    }

    /// Appends lines to the file of the day, and returns when they are on the disk.
    async fn write(&mut self, lines: &[Line]) -> Result<(), Problem> {
        let time = temporal::format_instant(self.clock.now());
        let day = time.get(..10).unwrap_or_default().to_owned();
        let mut text = String::new();
        if self.file.as_ref().is_none_or(|(open, _)| *open != day) {
            let path = self.folder.join(format!("audit-{day}-{}.jsonl", self.process));
            // What is there is appended to and never overwritten.
            let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
            self.file = Some((day, file.map_err(|error| cannot_write(&path, &error))?));
            for key in keys(&self.database).await? {
                text.push_str(&key.text());
                text.push('\n');
            }
        }
        for line in lines {
            text.push_str(&line.text());
            text.push('\n');
        }
        let Some((_, file)) = &mut self.file else { return Ok(()) };
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
        written.map_err(|error| {
            self.file = None;
            cannot_write(&self.folder, &error)
        })
    }

    /// Notes how far a chain is exported; false where another process has exported these rows as well.
    async fn advance(&self, number: i64, before: i64, last: i64) -> Result<bool, Problem> {
        let noted = writer::keep_books(&self.queue, move |tx| {
            Box::pin(async move {
                tx.begin_savepoint().await?;
                let changed: Result<u64, _> = on!(&mut tx.connection, |c| {
                    let query = sqlx::query(ADVANCE).bind(last).bind(number).bind(before);
                    query.execute(&mut *c).await.map(|done| done.rows_affected())
                });
                let changed = tx.check(changed)?;
                tx.kept_books |= changed > 0;
                Ok((changed > 0, Vec::new()))
            })
        });
        noted.await
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(Kind::Unavailable, format!("The audit export {} cannot be written: {error}", path.display()))
}
