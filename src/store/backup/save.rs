//! Writes a backup: all tables in one transaction that sees one state, so that a server may go on writing meanwhile.

use std::io::Write;

use futures_util::TryStreamExt as _;

use super::cell::cells;
use super::format::{Head, Writer};
use super::tables::{self, Table};
use super::{Contents, Progress};
use crate::clock::Clock;
use crate::fhir::temporal::format_instant;
use crate::problem::{Kind, Problem};
use crate::store::database::{Connection, on};
use crate::store::{StoreSettings, dialect, error, migrate};

/// Progress is told after so many rows.
const TELL: u64 = 1000;

/// Writes all that the database holds to `out` and gives it back, written to the end. `Kind::Unavailable` where the database or
/// the file cannot be used; nothing is changed in the database.
pub async fn backup<W: Write>(
    settings: &StoreSettings,
    clock: &Clock,
    out: W,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(W, Contents), Problem> {
    let options = dialect::existing(dialect::options(settings)?);
    let mut connection = Connection::open(&options).await?;
    let begin = dialect::begin_snapshot(&connection);
    connection.execute(begin).await.map_err(error::problem)?;
    let schema = migrate::version(&mut connection).await;
    if schema == 0 {
        return Err(Problem::new(Kind::Invalid, "The database is not one of kith's: it has no schema."));
    }
    let head = Head {
        schema,
        made: format_instant(clock.now()),
        database: if connection.is_postgres() { "postgresql" } else { "sqlite" }.to_owned(),
        by: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let tables = tables::tables(&mut connection).await?;
    let total = count(&mut connection, &tables).await?;
    let mut writer = Writer::new(out, &head).map_err(|error| cannot_write(&error))?;
    let mut done = 0;
    for table in &tables {
        writer.table(table).map_err(|error| cannot_write(&error))?;
        copy(&mut connection, table, &mut writer, &mut |rows| {
            if rows % TELL == 0 {
                progress(Progress { what: &table.name, done: done + rows, total });
            }
        })
        .await
        .map(|rows| done += rows)?;
        writer.end(table).map_err(|error| cannot_write(&error))?;
    }
    connection.execute("rollback").await.map_err(error::problem)?;
    connection.close().await;
    let (out, parts) = writer.finish().map_err(|error| cannot_write(&error))?;
    Ok((out, Contents { head, parts }))
}

async fn count(connection: &mut Connection, tables: &[Table]) -> Result<u64, Problem> {
    let mut total = 0;
    for table in tables {
        let text = format!("select count(*) from {}", table.name);
        let rows: i64 =
            on!(&mut *connection, |c| { sqlx::query_scalar(sqlx::AssertSqlSafe(text)).fetch_one(&mut *c).await })
                .map_err(error::problem)?;
        total += rows.unsigned_abs();
    }
    Ok(total)
}

async fn copy<W: Write>(
    connection: &mut Connection,
    table: &Table,
    writer: &mut Writer<W>,
    tell: &mut dyn FnMut(u64),
) -> Result<u64, Problem> {
    let text = table.select();
    let mut number = 0;
    on!(connection, |c| {
        let mut rows = sqlx::query(sqlx::AssertSqlSafe(text)).fetch(&mut *c);
        while let Some(row) = rows.try_next().await.map_err(|error| cannot_read(table, error))? {
            let cells = cells!(row, table).map_err(|error| cannot_read(table, error))?;
            writer.row(&cells).map_err(|error| cannot_write(&error))?;
            number += 1;
            tell(number);
        }
    });
    Ok(number)
}

fn cannot_read(table: &Table, error: sqlx::Error) -> Problem {
    let text = format!("The table {} cannot be read to its end: {error}. kith check says more.", table.name);
    Problem::new(Kind::Unavailable, text).because(error)
}

fn cannot_write(error: &std::io::Error) -> Problem {
    Problem::new(Kind::Unavailable, format!("The backup cannot be written: {error}"))
}
