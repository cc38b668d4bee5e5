//! Brings a database to the schema of this version: forward only, each migration in its own transaction, one process at a
//! time. Called when the store opens.
//!
//! sqlx's own migrator runs one text per database; ours turns one text into two spellings (see `dialect`).

use super::database::{Connection, on};
use super::{dialect, error};
use crate::clock::Clock;
use crate::problem::{Kind, Problem};

/// Every migration, oldest first. A landed text never changes.
const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("migrations/0001_initial.sql")),
    (2, include_str!("migrations/0002_jobs.sql")),
    (3, include_str!("migrations/0003_search_kinds.sql")),
    (4, include_str!("migrations/0004_access.sql")),
    (5, include_str!("migrations/0005_reference_order.sql")),
    (6, include_str!("migrations/0006_packages.sql")),
    (7, include_str!("migrations/0007_audit_subjects.sql")),
    (8, include_str!("migrations/0008_terminology.sql")),
    (9, include_str!("migrations/0009_audit_export.sql")),
    (10, include_str!("migrations/0010_client_device.sql")),
];

const CREATE_TABLE: &str =
    "create table if not exists schema_migration (version bigint primary key, applied bigint not null)";
pub(super) const NEWEST: &str = "select coalesce(max(version), 0) from schema_migration";
pub(super) const RECORD: &str = "insert into schema_migration (version, applied) values ($1, $2)";

/// Applies what is missing. A database of a newer version is refused.
pub(super) async fn run(connection: &mut Connection, clock: &Clock) -> Result<(), Problem> {
    if applied(connection).await == Ok(newest()) {
        return Ok(());
    }
    loop {
        let begin = dialect::begin(connection);
        connection.execute(begin).await.map_err(error::problem)?;
        let step = step(connection, clock).await;
        let end = if step.is_ok() { "commit" } else { "rollback" };
        connection.execute(end).await.map_err(error::problem)?;
        if step? {
            return Ok(());
        }
    }
}

async fn applied(connection: &mut Connection) -> Result<i64, ()> {
    on!(connection, |c| sqlx::query_scalar(NEWEST).fetch_one(&mut *c).await).map_err(|_| ())
}

/// The version of the schema of this kith.
pub(super) fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |(version, _)| *version)
}

/// The texts of all migrations.
pub(super) fn texts() -> impl Iterator<Item = &'static str> {
    MIGRATIONS.iter().map(|(_, text)| *text)
}

/// The version of the schema that the database has; 0 where it has none.
pub(super) async fn version(connection: &mut Connection) -> i64 {
    applied(connection).await.unwrap_or(0)
}

/// Makes the schema as it was at `version`, in the running transaction, where no table of Kith's is.
pub(super) async fn create(connection: &mut Connection, version: i64, clock: &Clock) -> Result<(), Problem> {
    connection.execute("drop table if exists schema_migration").await.map_err(error::problem)?;
    connection.execute(CREATE_TABLE).await.map_err(error::problem)?;
    for (number, text) in MIGRATIONS.iter().filter(|(number, _)| *number <= version) {
        apply(connection, *number, text, clock).await?;
    }
    Ok(())
}

async fn apply(connection: &mut Connection, version: i64, text: &str, clock: &Clock) -> Result<(), Problem> {
    let text = dialect::migration(text, connection.is_postgres());
    connection.execute_script(text).await.map_err(error::problem)?;
    let now = clock.now();
    on!(connection, |c| sqlx::query(RECORD).bind(version).bind(now).execute(&mut *c).await.map(|_| ()))
        .map_err(error::problem)
}

/// Applies one migration; true where none is missing.
async fn step(connection: &mut Connection, clock: &Clock) -> Result<bool, Problem> {
    if let Connection::Postgres(c) = connection {
        let lock = sqlx::query(dialect::ADVISORY_LOCK).bind(dialect::MIGRATION_LOCK);
        lock.execute(&mut *c).await.map_err(error::problem)?;
    }
    connection.execute(CREATE_TABLE).await.map_err(error::problem)?;
    let found: i64 =
        on!(connection, |c| sqlx::query_scalar(NEWEST).fetch_one(&mut *c).await).map_err(error::problem)?;
    if found > newest() {
        return Err(Problem::new(
            Kind::Unavailable,
            format!(
                "The database has schema version {found}, made by a newer kith. Use that version or a copy of an older database."
            ),
        ));
    }
    let Some((version, text)) = MIGRATIONS.iter().find(|(version, _)| *version > found) else { return Ok(true) };
    apply(connection, *version, text, clock).await?;
    Ok(false)
}
