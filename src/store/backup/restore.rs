//! Takes a backup back. The whole file is read once before the database is touched: digests, and the audit trail in it. Then
//! everything is written in one transaction, so that a restoration that is broken off leaves what was there.

use std::io::Read;
use std::time::Duration;

use super::cell::{Cell, bind_cells, insert_text};
use super::format::{Head, Piece, Reader};
use super::tables::{self, Table};
use super::{Contents, Progress};
use crate::clock::Clock;
use crate::problem::{Kind, Problem};
use crate::store::audit::checkpoint::Checkpoint;
use crate::store::audit::record::AuditRow;
use crate::store::audit::verify::{Report, TrailVerifier, Trust};
use crate::store::database::{Connection, on};
use crate::store::{StoreSettings, dialect, error, migrate};

/// How often, and after how long again, is looked whether others are connected.
const LOOKS: usize = 20;
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Values in one insert at most; both databases take more.
const MOST_VALUES: usize = 2000;

/// How a backup is taken back.
#[derive(Debug, Default)]
pub struct Restore {
    /// Replace what the database holds.
    pub overwrite: bool,
    /// Only verify the backup.
    pub verify_only: bool,
    /// Whose word counts for the signatures in the audit trail.
    pub trust: Trust,
}

/// Verifies the backup that `open` opens and writes it into the database. `Kind::Invalid` where the backup is damaged or its
/// audit trail broken, `Kind::Conflict` where the database holds something or is in use.
pub async fn restore<R: Read>(
    settings: &StoreSettings,
    clock: &Clock,
    open: impl Fn() -> Result<R, Problem>,
    how: &Restore,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(Contents, Report), Problem> {
    let (contents, report) = examine(open()?, &how.trust, progress)?;
    if let Some(first) = report.breaks.first() {
        let text = format!(
            "The audit trail in the backup is broken: chain {}, row {}: {}.",
            first.chain, first.sequence, first.reason
        );
        return Err(Problem::new(Kind::Invalid, text));
    }
    if contents.head.schema > migrate::newest() {
        return Err(Problem::new(Kind::Invalid, "The backup was made by a newer kith. Use that version."));
    }
    if how.verify_only {
        return Ok((contents, report));
    }
    let options = dialect::exclusive(dialect::options(settings)?);
    let mut connection = Connection::open(&options).await.map_err(|problem| in_use(&problem))?;
    let begin = dialect::begin(&connection);
    connection.execute(begin).await.map_err(|error| in_use(&error::problem(error)))?;
    let written = fill(&mut connection, clock, open()?, how, &contents, progress).await;
    let end = if written.is_ok() { "commit" } else { "rollback" };
    let ended = connection.execute(end).await;
    connection.close().await;
    written?;
    ended.map_err(error::problem)?;
    let mut connection = Connection::open(&dialect::options(settings)?).await?;
    let migrated = migrate::run(&mut connection, clock).await;
    connection.close().await;
    migrated.map(|()| (contents, report))
}

fn in_use(problem: &Problem) -> Problem {
    let text = "The database cannot be had alone: stop every kith that has it open.";
    Problem::new(Kind::Conflict, text).because(problem.to_string())
}

/// Reads everything once.
fn examine<R: Read>(
    source: R,
    trust: &Trust,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(Contents, Report), Problem> {
    let (mut reader, head) = Reader::new(source)?;
    let (mut keys, mut checkpoints) = (Vec::new(), Vec::new());
    let mut verifier: Option<TrailVerifier> = None;
    let mut table: Option<Table> = None;
    let mut done = 0;
    while let Some(piece) = reader.next()? {
        match piece {
            Piece::Table(begun) => {
                if begun.name == "audit" {
                    verifier = Some(TrailVerifier::new(trust, &keys, std::mem::take(&mut checkpoints)));
                }
                table = Some(begun);
            }
            Piece::End => table = None,
            Piece::Row(mut row) => {
                done += 1;
                if done % 1000 == 0 {
                    progress(Progress { what: "verifying", done, total: 0 });
                }
                let Some(table) = &table else { continue };
                let mut columns = Columns { table, row: &mut row };
                match table.name.as_str() {
                    "audit_key" => keys.extend(columns.text("public_key")),
                    "audit_checkpoint" => checkpoints.extend(columns.checkpoint()),
                    "audit" => {
                        let row = columns.audit_row().ok_or_else(|| wrong_audit_row(done))?;
                        if let Some(verifier) = &mut verifier {
                            verifier.step(&row);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    let verifier = verifier.unwrap_or_else(|| TrailVerifier::new(trust, &keys, checkpoints));
    Ok((Contents { head, parts: reader.into_parts() }, verifier.finish()))
}

fn wrong_audit_row(number: u64) -> Problem {
    Problem::new(Kind::Invalid, format!("Row {number} of the backup is not a row of the audit trail."))
}

/// The values of a row by the names of its columns.
struct Columns<'a> {
    table: &'a Table,
    row: &'a mut [Cell],
}

impl Columns<'_> {
    fn take(&mut self, name: &str) -> Option<Cell> {
        let cell = self.row.get_mut(self.table.place(name)?)?;
        Some(std::mem::replace(cell, Cell::Null))
    }

    fn text(&mut self, name: &str) -> Option<String> {
        self.take(name)?.into_text()
    }

    fn integer(&mut self, name: &str) -> Option<i64> {
        self.take(name)?.as_integer()
    }

    fn bytes(&mut self, name: &str) -> Option<Vec<u8>> {
        self.take(name)?.into_bytes()
    }

    fn checkpoint(&mut self) -> Option<Checkpoint> {
        Some(Checkpoint {
            chain: self.text("chain")?,
            sequence: self.integer("sequence")?,
            hash: self.bytes("hash")?,
            recorded: self.integer("recorded")?,
            key_id: self.text("key_id")?,
            signature: self.bytes("signature")?,
        })
    }

    fn audit_row(&mut self) -> Option<AuditRow> {
        Some(AuditRow {
            chain: self.text("chain")?,
            sequence: self.integer("sequence")?,
            recorded: self.integer("recorded")?,
            interaction: self.text("interaction")?,
            status: self.integer("status")?,
            request_id: self.text("request_id")?,
            correlation_id: self.text("correlation_id")?,
            client: self.text("client")?,
            organisation: self.text("organisation")?,
            user_id: self.text("user_id")?,
            user_role: self.text("user_role")?,
            purpose: self.text("purpose")?,
            resource_type: self.text("resource_type")?,
            resource_id: self.text("resource_id")?,
            version_before: self.integer("version_before"),
            version_after: self.integer("version_after"),
            patients: self.text("patients")?,
            query: self.text("query")?,
            address: self.text("address")?,
            problem: self.text("problem")?,
            hash: self.bytes("hash")?,
        })
    }
}

/// Makes the schema of the backup and writes its rows, in the running transaction.
async fn fill<R: Read>(
    connection: &mut Connection,
    clock: &Clock,
    source: R,
    how: &Restore,
    contents: &Contents,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<(), Problem> {
    if others_stay(connection).await? {
        return Err(in_use(&Problem::internal("others are connected")));
    }
    let there = tables::tables(connection).await?;
    if !how.overwrite && holds_something(connection, &there).await? {
        let text = "The database is not empty. Give --overwrite to replace all that it holds, or choose another one.";
        return Err(Problem::new(Kind::Conflict, text));
    }
    for table in &there {
        run(connection, format!("drop table {}", table.name)).await?;
    }
    migrate::create(connection, contents.head.schema, clock).await?;
    let made = tables::tables(connection).await?;
    for table in &made {
        // Migrations write a few rows of their own.
        run(connection, format!("delete from {}", table.name)).await?;
    }
    let (mut reader, _): (_, Head) = Reader::new(source)?;
    let total = contents.rows();
    let mut open: Option<(Table, Vec<Vec<Cell>>)> = None;
    let mut done = 0;
    while let Some(piece) = reader.next()? {
        match piece {
            Piece::Table(table) => open = Some((known(&made, table)?, Vec::new())),
            Piece::Row(row) => {
                let Some((table, rows)) = &mut open else { continue };
                rows.push(row);
                done += 1;
                if rows.len() >= chunk(table) {
                    insert(connection, table, rows).await?;
                    rows.clear();
                    progress(Progress { what: &table.name, done, total });
                }
            }
            Piece::End => {
                if let Some((table, rows)) = open.take() {
                    insert(connection, &table, &rows).await?;
                }
            }
        }
    }
    tables::set_counters(connection).await
}

/// True where other connections of kith stay. Those of a process that has just ended take PostgreSQL a moment to notice.
async fn others_stay(connection: &mut Connection) -> Result<bool, Problem> {
    let Connection::Postgres(c) = connection else { return Ok(false) };
    for _ in 0..LOOKS {
        let others: Result<i64, _> = sqlx::query_scalar(dialect::OTHERS_CONNECTED).fetch_one(&mut *c).await;
        if others.map_err(error::problem)? == 0 {
            return Ok(false);
        }
        sqlx::query(dialect::LOOK_ANEW).execute(&mut *c).await.map_err(error::problem)?;
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(true)
}

/// A table of the backup must be one of the schema, with the same columns.
fn known(made: &[Table], table: Table) -> Result<Table, Problem> {
    let mut same: Vec<_> = table.columns.clone();
    same.sort_by(|a, b| a.0.cmp(&b.0));
    let fits = made.iter().find(|made| made.name == table.name).is_some_and(|made| {
        let mut columns = made.columns.clone();
        columns.sort_by(|a, b| a.0.cmp(&b.0));
        columns == same
    });
    if fits {
        return Ok(table);
    }
    Err(Problem::new(Kind::Invalid, format!("The backup has a table {} that its schema has not.", table.name)))
}

async fn holds_something(connection: &mut Connection, there: &[Table]) -> Result<bool, Problem> {
    for table in there.iter().filter(|table| !["counter", "setting", "audit_key"].contains(&table.name.as_str())) {
        let text = format!("select count(*) from (select 1 from {} limit 1) found", table.name);
        let rows: i64 =
            on!(&mut *connection, |c| { sqlx::query_scalar(sqlx::AssertSqlSafe(text)).fetch_one(&mut *c).await })
                .map_err(error::problem)?;
        if rows > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn run(connection: &mut Connection, text: String) -> Result<(), Problem> {
    connection.execute_script(text).await.map_err(error::problem)
}

fn chunk(table: &Table) -> usize {
    (MOST_VALUES / table.columns.len().max(1)).max(1)
}

async fn insert(connection: &mut Connection, table: &Table, rows: &[Vec<Cell>]) -> Result<(), Problem> {
    if rows.is_empty() {
        return Ok(());
    }
    let text = insert_text(table, rows.len());
    on!(connection, |c| {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
        for row in rows {
            query = bind_cells!(query, table, row);
        }
        query.execute(&mut *c).await.map(|_| ())
    })
    .map_err(error::problem)
}
