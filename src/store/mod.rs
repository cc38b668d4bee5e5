//! Everything that lasts, and the only SQL of the product. The layers above see [`Store`] and, inside [`Store::write`], [`Tx`].
//!
//! One SQL text runs on SQLite and PostgreSQL (`database`, `dialect`). Writes go through a queue to writer lanes (`writer`,
//! `lane`), which commit many jobs at once and cannot commit without the audit rows (`audit`). Reads go to a pool.

mod activity;
mod answers;
pub mod audit;
mod audited;
pub mod backup;
mod batch;
mod buffer;
mod cache;
pub mod check;
mod clients;
mod condition;
pub mod database;
mod dialect;
mod editions;
mod error;
mod estimates;
mod flush;
mod history;
mod index;
mod indexed;
pub mod insert;
mod jobs;
mod keys;
mod labels;
mod lane;
mod lifetime;
mod matches;
mod migrate;
mod packages;
mod pending;
pub mod references;
mod resources;
mod search;
mod secret;
mod seen;
mod settings;
pub mod statements;
mod tokens;
mod touched;
mod touches;
mod tx;
mod wal_index;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Notify};
use tokio::task::JoinSet;

pub use self::activity::Activity;
pub use self::audit::{AuditRecord, AuditRow, AuditSearch};
pub use self::audited::verify_audit;
pub use self::clients::Client;
pub use self::editions::StoredEdition;
pub use self::history::{HistoryOf, HistoryPage, Past};
pub use self::indexed::Rows;
pub use self::jobs::{Claim, JobState};
pub use self::labels::Labels;
pub use self::packages::Installed;
pub use self::pending::{NewJob, NewResource, Party};
pub use self::references::reference_missing;
pub use self::resources::Stored;
pub use self::search::Found;
pub use self::seen::Part;
pub use self::settings::StoreSettings;
pub use self::tokens::StoredKey;
pub use self::tx::Tx;
pub use self::writer::JobFuture;

use self::audit::checkpoint::Signatory;
use self::audit::export::Exporter;
use self::buffer::Buffer;
use self::cache::Cache;
use self::database::{Connection, Database, on};
use self::dialect::Options;
use self::estimates::Estimates;
use self::index::Parameters;
use self::lane::Lane;
use self::writer::{Queue, Waiting};
use crate::clock::Clock;
use crate::config::AuditReads;
use crate::problem::Problem;
use crate::search::sql::{Dependence, Statement};
use crate::telemetry::Metrics;

pub(in crate::store) const PING: &str = "select cast(1 as bigint)";

/// What lanes and readers share.
#[derive(Debug)]
struct Shared {
    clock: Arc<Clock>,
    options: Options,
    parameters: Parameters,
    signatory: Signatory,
    cache: Option<Cache>,
    metrics: Metrics,
    /// The audit chains that this process has begun.
    chains: std::sync::Mutex<Vec<String>>,
    checkpoint_rows: i64,
    checkpoint_interval: Duration,
    /// How long a transaction may take.
    patience: Duration,
    /// Woken where a transaction has left a job.
    job_left: Notify,
}

#[derive(Debug)]
struct Inner {
    database: Database,
    secret: String,
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    /// Where audit rows wait that need not be durable before the answer.
    buffer: Buffer,
    /// Audit rows of reads are among them.
    buffered_reads: bool,
    estimates: Estimates,
    /// Writes the audit trail elsewhere, where that is set.
    exporter: Option<Arc<Mutex<Exporter>>>,
    tasks: Mutex<JoinSet<()>>,
    location: String,
}

/// An open database. Cheap to clone; all clones are one store.
#[derive(Debug, Clone)]
pub struct Store(Arc<Inner>);

impl Store {
    /// Opens the database, creating and migrating it as needed, and starts the writers on the current tokio runtime.
    /// `Kind::Invalid` for a wrong URL, `Kind::Unavailable` where the database or the audit key cannot be opened.
    pub async fn open(settings: &StoreSettings, clock: Arc<Clock>) -> Result<Self, Problem> {
        let options = dialect::options(settings)?;
        let mut first = Connection::open(&options).await?;
        migrate::run(&mut first, &clock).await?;
        let parameters = Parameters::default();
        let known: Vec<(String, String, i64)> =
            on!(&mut first, |c| sqlx::query_as(index::PARAMETERS).fetch_all(&mut *c).await).map_err(error::problem)?;
        parameters.add(known);
        let secret = secret::shared(&mut first, &clock).await.map_err(error::problem)?;
        let signatory = Signatory::open(&settings.audit_key_file(), settings.audit_checkpoints.clone())?;
        signatory.register(&mut first, clock.now()).await.map_err(error::problem)?;
        let database = Database::pool(&options, settings.readers, Some(settings.patience));
        let cache = dialect::file(&options).and_then(|file| Cache::new(file, settings.cache));
        let shared = Arc::new(Shared {
            clock,
            options,
            parameters,
            signatory,
            cache,
            metrics: Metrics::default(),
            chains: std::sync::Mutex::default(),
            checkpoint_rows: settings.checkpoint_rows,
            checkpoint_interval: settings.checkpoint_interval,
            patience: settings.patience,
            job_left: Notify::new(),
        });
        let (queue, waiting) = Queue::new(settings.queue);
        let queue = Arc::new(queue);
        let mut tasks = start_lanes(&shared, &waiting, first, settings.writers).await?;
        audit::subjects::start(&database, &queue, &mut tasks);
        let exporter = keep_elsewhere(settings, &shared, &database, &queue, &mut tasks)?;
        let buffer = Buffer::start(&queue, &mut tasks);
        Ok(Self(Arc::new(Inner {
            database,
            secret,
            shared,
            queue,
            buffer,
            buffered_reads: settings.audit_reads == AuditReads::Buffered,
            estimates: Estimates::default(),
            exporter,
            tasks: Mutex::new(tasks),
            location: settings.location(),
        })))
    }

    /// A secret text that all processes on this database share.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0.secret
    }

    /// The current version of a resource, also where it is a deletion.
    pub async fn read(&self, resource_type: &str, id: &str) -> Result<Option<Stored>, Problem> {
        Ok(self.look_at(resource_type, id).await?.map(Arc::unwrap_or_clone))
    }

    /// As [`Store::read`], for those who only look at it.
    pub async fn look_at(&self, resource_type: &str, id: &str) -> Result<Option<Arc<Stored>>, Problem> {
        let Some(cache) = &self.0.shared.cache else {
            return Ok(resources::read(&self.0.database, resource_type, id).await?.map(Arc::new));
        };
        let state = cache.current();
        if let Some(stored) = state.and_then(|_| cache.get(resource_type, id)) {
            return Ok(Some(stored));
        }
        let stored = resources::read(&self.0.database, resource_type, id).await?.map(Arc::new);
        if let (Some(state), Some(stored)) = (state, &stored) {
            cache.offer(state, stored);
        }
        Ok(stored)
    }

    /// One version of a resource.
    pub async fn read_version(&self, resource_type: &str, id: &str, version: i64) -> Result<Option<Stored>, Problem> {
        resources::read_version(&self.0.database, resource_type, id, version).await
    }

    /// A page of a history, newest version first.
    pub async fn history(&self, of: HistoryOf<'_>, page: &HistoryPage) -> Result<Vec<Past>, Problem> {
        history::page(&self.0.database, of, page).await
    }

    /// How many versions all pages of a history have.
    pub async fn history_count(&self, of: HistoryOf<'_>, page: &HistoryPage) -> Result<i64, Problem> {
        history::count(&self.0.database, of, page).await
    }

    /// How many referrals were authored from an instant (inclusive) to another (exclusive), by status and service.
    pub async fn activity(
        &self,
        from: crate::clock::Micros,
        to: crate::clock::Micros,
    ) -> Result<Vec<Activity>, Problem> {
        activity::count(&self.0.database, from, to).await
    }

    /// The profiles, tags and security labels that current resources of a type, or of all types, have.
    pub async fn labels(&self, resource_type: Option<&str>) -> Result<Labels, Problem> {
        labels::labels(&self.0.database, resource_type).await
    }

    /// Runs a search statement: the matching resources in its order, with their sort values.
    pub async fn search(&self, statement: &Statement) -> Result<Vec<Found>, Problem> {
        Ok(self.page(statement, &Dependence::Everything).await?.to_vec())
    }

    /// As [`Store::search`] where it is known which changes may make the answer another one.
    pub async fn page(&self, statement: &Statement, dependence: &Dependence) -> Result<Arc<[Found]>, Problem> {
        let shared = &self.0.shared;
        search::search(&self.0.database, shared.cache.as_ref(), &shared.parameters, statement, dependence).await
    }

    /// Runs a count statement that only chooses between two ways to an answer: the count may be an old one.
    pub async fn estimate(&self, statement: &Statement) -> Result<i64, Problem> {
        let name = answers::name(statement);
        if let Some(count) = self.0.estimates.get(&name) {
            return Ok(count);
        }
        let count = self.count(statement).await?;
        self.0.estimates.add(name, count);
        Ok(count)
    }

    /// Runs a count statement.
    pub async fn count(&self, statement: &Statement) -> Result<i64, Problem> {
        search::count(&self.0.database, &self.0.shared.parameters, statement).await
    }

    /// How many resources of a type there are, deleted ones not counted.
    pub async fn count_type(&self, resource_type: &str) -> Result<i64, Problem> {
        resources::count(&self.0.database, resource_type).await
    }

    /// How many resources of each type there are, deleted ones not counted.
    pub async fn counts(&self) -> Result<Vec<(String, i64)>, Problem> {
        resources::counts(&self.0.database).await
    }

    /// The resource types of which there has ever been a resource, sorted.
    pub async fn types(&self) -> Result<Vec<String>, Problem> {
        resources::types(&self.0.database).await
    }

    /// Runs `job` in a transaction and answers when it is committed, durably. The job returns its value and the audit rows
    /// that are committed with it; where it returns a problem, nothing of it is written. It may be run more than once.
    /// `Kind::Unavailable` where too many jobs wait, `Kind::Conflict` where somebody else was faster.
    pub async fn write<T, F>(&self, job: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> JobFuture<'t, T> + Send + Sync + 'static,
    {
        writer::write(&self.0.queue, job).await
    }

    /// Asks the database for an answer. `Kind::Unavailable` where there is none.
    pub async fn ping(&self) -> Result<(), Problem> {
        on!(&self.0.database, |pool| sqlx::query_scalar::<_, i64>(PING).fetch_one(pool).await)
            .map(|_| ())
            .map_err(error::problem)
    }

    /// Brings what the database knows of its tables up to date; call after much has been written at once.
    pub async fn analyze(&self) -> Result<(), Problem> {
        let Database::Postgres(pool) = &self.0.database else { return Ok(()) };
        sqlx::query(dialect::ANALYZE).execute(pool).await.map(|_| ()).map_err(error::problem)
    }

    /// Where data lies, for people: the file, or the database URL without its password.
    #[must_use]
    pub fn location(&self) -> String {
        self.0.location.clone()
    }

    /// Takes no more work, finishes what was taken, signs the ends of the audit chains and closes the database.
    pub async fn close(&self) {
        self.0.buffer.flush(&self.0.queue).await;
        if let Some(exporter) = &self.0.exporter {
            exporter.lock().await.run().await;
        }
        self.0.queue.close();
        let mut tasks = self.0.tasks.lock().await;
        while tasks.join_next().await.is_some() {}
        self.0.database.close().await;
        if let Some(cache) = &self.0.shared.cache {
            cache.release();
        }
    }
}

async fn start_lanes(
    shared: &Arc<Shared>,
    waiting: &Waiting,
    first: Connection,
    writers: u32,
) -> Result<JoinSet<()>, Problem> {
    let mut connections = vec![first];
    if shared.options.is_postgres() {
        for _ in 1..writers {
            connections.push(Connection::open(&shared.options).await?);
        }
    }
    let mut tasks = JoinSet::new();
    for (number, connection) in connections.into_iter().enumerate() {
        tasks.spawn(Lane::new(Arc::clone(shared), connection, number).run(Arc::clone(waiting)));
    }
    Ok(tasks)
}

/// Starts the export of the audit trail, and the removal of what is old and exported, where they are set.
fn keep_elsewhere(
    settings: &StoreSettings,
    shared: &Arc<Shared>,
    database: &Database,
    queue: &Arc<Queue>,
    tasks: &mut JoinSet<()>,
) -> Result<Option<Arc<Mutex<Exporter>>>, Problem> {
    let Some(folder) = &settings.audit_export else { return Ok(None) };
    let owner = Arc::clone(shared);
    let own = move |chain: &str| owner.chains.lock().is_ok_and(|chains| chains.iter().any(|own| own == chain));
    let exporter = Exporter::new(database, queue, &shared.clock, folder, Box::new(own))?.start(tasks);
    if let Some(days) = settings.audit_retention {
        audit::retention::start(shared, database, queue, days, tasks);
    }
    Ok(Some(exporter))
}
