//! The same rows by bare SQL, without the store: one connection, one statement per table and resource, a commit per batch.
//! This is what the store is measured against.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use kith::clock::Clock;
use kith::store::database::{Backend, Connection};
use kith::store::insert::Placeholders;
use kith::store::statements::inserts;
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use crate::sample;

/// Keys of bare rows start far above those of the store.
static KEY: AtomicI64 = AtomicI64::new(1 << 40);

macro_rules! on {
    ($target:expr, |$connection:ident| $body:expr) => {
        match $target {
            Backend::Sqlite($connection) => $body,
            Backend::Postgres($connection) => $body,
        }
    };
}

fn text(table: &str, rows: usize, placeholders: Placeholders) -> AssertSqlSafe<Arc<str>> {
    let insert = inserts().into_iter().find(|insert| insert.table() == table).unwrap();
    AssertSqlSafe(insert.text(rows, placeholders))
}

/// A connection with the pragmas that the store uses.
pub async fn connect(url: &str) -> Connection {
    if url.starts_with("sqlite:") {
        let options: sqlx::sqlite::SqliteConnectOptions = url.parse().unwrap();
        let options = options
            .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
            .pragma("cache_size", "-65536")
            .pragma("wal_autocheckpoint", "8000")
            .disable_statement_logging();
        return Connection::Sqlite(options.connect().await.unwrap());
    }
    let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
    Connection::Postgres(options.disable_statement_logging().connect().await.unwrap())
}

/// Writes batches of `batch` resources until the time is up; how many were written, in how long.
pub async fn batches(connection: &mut Connection, batch: usize, seconds: Duration) -> (usize, Duration) {
    let begin = Instant::now();
    let mut written = 0;
    while begin.elapsed() < seconds {
        on!(&mut *connection, |c| sqlx::query("begin").execute(&mut *c).await.map(|_| ())).unwrap();
        for _ in 0..batch {
            resource(connection).await.unwrap();
        }
        on!(&mut *connection, |c| sqlx::query("commit").execute(&mut *c).await.map(|_| ())).unwrap();
        written += batch;
    }
    (written, begin.elapsed())
}

/// The same from many connections at once, one resource per commit.
pub async fn clients(url: &str, clients: usize, seconds: Duration) -> (usize, Duration) {
    let mut tasks = Vec::new();
    for _ in 0..clients {
        let mut connection = connect(url).await;
        tasks.push(tokio::spawn(async move { batches(&mut connection, 1, seconds).await }));
    }
    let mut written = 0;
    for task in tasks {
        written += task.await.unwrap().0;
    }
    (written, seconds)
}

async fn resource(connection: &mut Connection) -> Result<(), sqlx::Error> {
    let key = KEY.fetch_add(2, Ordering::Relaxed);
    let (id, now) = (Clock::System.new_id(), Clock::System.now());
    let (rows, body) = (sample::rows(&id, now), sample::body(&id));
    let hash = [7_u8; 32];
    let style = if connection.is_postgres() { Placeholders::Numbered } else { Placeholders::Plain };
    on!(connection, |c| {
        let query = sqlx::query(text("resource", 1, style)).bind(key).bind("ServiceRequest").bind(id.as_str());
        query.bind(1_i64).bind(now).bind(false).bind(1_i64).bind(0_i64).execute(&mut *c).await?;
        let query =
            sqlx::query(text("resource_version", 1, style)).bind(key).bind(key).bind(1_i64).bind("ServiceRequest");
        let query = query
            .bind(id.as_str())
            .bind(now)
            .bind(false)
            .bind("POST")
            .bind("1234567890")
            .bind("client-1")
            .bind(body.as_ref());
        query.execute(&mut *c).await?;
        let mut query = sqlx::query(text("index_token", rows.tokens.len(), style));
        for (number, row) in (0_i64..).zip(&rows.tokens) {
            query = query.bind(number).bind(row.code.as_str()).bind(row.system.as_str()).bind(key);
        }
        query.execute(&mut *c).await?;
        let mut query = sqlx::query(text("index_date", rows.dates.len(), style));
        for (number, row) in (0_i64..).zip(&rows.dates) {
            query = query.bind(number).bind(row.low).bind(row.high).bind(key);
        }
        query.execute(&mut *c).await?;
        let mut query = sqlx::query(text("index_reference", rows.references.len(), style));
        for (number, row) in (0_i64..).zip(&rows.references) {
            query = query.bind(row.target_id.as_str()).bind(row.target_type.as_str()).bind(number).bind(now).bind(key);
        }
        query.execute(&mut *c).await?;
        let query = sqlx::query(text("index_uri", 1, style)).bind(1_i64).bind("https://profile.example/one").bind(key);
        query.execute(&mut *c).await?;
        let query = sqlx::query(text("party", 2, style)).bind("organisation-1").bind("referrer").bind(key);
        query.bind("organisation-2").bind("provider").bind(key).execute(&mut *c).await?;
        let query = sqlx::query(text("audit", 1, style)).bind("bare").bind(key).bind(now).bind("create").bind(201_i64);
        let query = query.bind("6f6f1f6e-0000-4000-8000-000000000000").bind("").bind("client-1").bind("organisation-1");
        let query = query.bind("").bind("").bind("").bind("ServiceRequest").bind(id.as_str());
        let query = query.bind(None::<i64>).bind(1_i64).bind(r#"["Patient/1234567890"]"#).bind("").bind("127.0.0.1");
        query.bind("[]").bind(hash.as_slice()).execute(&mut *c).await?;
    });
    Ok(())
}
