//! SQL behind the store's back: what a test looks at, and what it breaks.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, FromRow};

use super::TestDatabase;

/// The rows of a query.
pub async fn rows<T>(database: &TestDatabase, sql: &'static str) -> Vec<T>
where
    T: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
{
    if database.is_postgres() {
        let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
        sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap()
    } else {
        let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap()
    }
}

/// Runs a statement; how many rows it changed.
pub async fn execute(database: &TestDatabase, sql: &'static str) -> u64 {
    if database.is_postgres() {
        let mut connection = sqlx::PgConnection::connect(&database.url).await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.unwrap().rows_affected()
    } else {
        let mut connection = sqlx::SqliteConnection::connect(&database.url).await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.unwrap().rows_affected()
    }
}
