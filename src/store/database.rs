//! The two databases behind one name, and the macro that runs one SQL text on either. Everything in `store` uses these.

use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool, SqliteConnection, SqlitePool};

use super::dialect::{self, Options};
use super::error;
use crate::problem::Problem;

/// How long anybody waits for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// Something that exists once for each database.
#[derive(Debug, Clone)]
pub enum Backend<S, P> {
    /// SQLite's.
    Sqlite(S),
    /// PostgreSQL's.
    Postgres(P),
}

/// The pool that reads outside a transaction use.
pub type Database = Backend<SqlitePool, PgPool>;

/// One connection, owned by a writer lane.
pub type Connection = Backend<SqliteConnection, PgConnection>;

/// Runs one body on whichever database is there: `on!(connection, |c| sqlx::query(SQL).execute(&mut *c).await)`.
macro_rules! on {
    ($target:expr, |$connection:ident| $body:expr) => {
        match $target {
            $crate::store::database::Backend::Sqlite($connection) => $body,
            $crate::store::database::Backend::Postgres($connection) => $body,
        }
    };
}
pub(crate) use on;

impl<S, P> Backend<S, P> {
    /// True for PostgreSQL.
    pub const fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

impl Database {
    /// A pool of readers, whose statements may take as long as `patience`. Connections are opened when first used.
    pub(super) fn pool(options: &Options, readers: u32, patience: Option<Duration>) -> Self {
        match options {
            Backend::Sqlite(options) => Self::Sqlite(
                PoolOptions::new()
                    .max_connections(readers)
                    .test_before_acquire(false)
                    .acquire_timeout(PATIENCE)
                    .connect_lazy_with(dialect::sqlite_reader(options)),
            ),
            Backend::Postgres(options) => Self::Postgres(
                PoolOptions::new()
                    .max_connections(readers)
                    .test_before_acquire(false)
                    .acquire_timeout(PATIENCE)
                    .connect_lazy_with(dialect::postgres_reader(options, patience)),
            ),
        }
    }

    /// Closes every pooled connection.
    pub(super) async fn close(&self) {
        on!(self, |pool| pool.close().await);
    }
}

impl Connection {
    /// Opens a connection for writing.
    pub(super) async fn open(options: &Options) -> Result<Self, Problem> {
        let opening = async {
            match options {
                Backend::Sqlite(options) => options.connect().await.map(Self::Sqlite),
                Backend::Postgres(options) => options.connect().await.map(Self::Postgres),
            }
        };
        let opened = tokio::time::timeout(PATIENCE, opening).await;
        opened.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(error::cannot_open)
    }

    /// Closes the connection in order, so that SQLite folds its log into the file.
    pub(super) async fn close(self) {
        let closed = match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "a database connection did not close in order");
        }
    }

    /// Runs a statement without values and returns how many rows it changed.
    pub(super) async fn execute(&mut self, sql: &'static str) -> Result<u64, sqlx::Error> {
        on!(self, |c| sqlx::query(sql).execute(&mut *c).await.map(|done| done.rows_affected()))
    }

    /// Runs a text of several statements, as a migration is.
    pub(super) async fn execute_script(&mut self, sql: String) -> Result<(), sqlx::Error> {
        let sql: Arc<str> = sql.into();
        on!(self, |c| sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *c).await.map(|_| ()))
    }
}
