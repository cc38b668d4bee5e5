//! Writes what a transaction gathered: one statement per table. Called by `Tx` before a search and by the lane at the end.

use super::Shared;
use super::database::Connection;
use super::index::{self, NewParameters};
use super::insert::{Insert, insert_rows};
use super::pending::{Pending, ResourceRow};

pub(super) static RESOURCE: Insert =
    Insert::new("resource", &["key", "type", "id", "version", "last_updated", "deleted", "indexed", "generation"], "");
pub(super) static VERSION: Insert = Insert::new(
    "resource_version",
    &[
        "sequence",
        "resource_key",
        "version",
        "type",
        "id",
        "last_updated",
        "deleted",
        "method",
        "patient",
        "author",
        "body",
    ],
    "",
);
pub(super) static JOB: Insert =
    Insert::new("job", &["kind", "payload", "due", "attempts", "locked_until", "last_error", "address", "created"], "");

/// Writes everything but the audit rows, which close the batch.
pub(super) async fn write(
    connection: &mut Connection,
    shared: &Shared,
    added: &mut NewParameters,
    pending: &Pending,
) -> Result<(), sqlx::Error> {
    index::clear(connection, &pending.cleared).await?;
    let mut resources: Vec<&ResourceRow> = pending.resources.iter().collect();
    if connection.is_postgres() {
        // Who inserts an id that another transaction inserts just now waits for it; in one order, no two wait for each other.
        resources.sort_unstable_by(|a, b| (&a.resource_type, &a.id).cmp(&(&b.resource_type, &b.id)));
    }
    insert_rows!(connection, &RESOURCE, resources.as_slice(), |row| [
        row.key,
        row.resource_type.as_str(),
        row.id.as_str(),
        row.version,
        row.last_updated,
        false,
        row.indexed,
        row.generation,
    ])?;
    insert_rows!(connection, &VERSION, pending.versions.as_slice(), |row| [
        row.sequence,
        row.key,
        row.version,
        row.resource_type.as_str(),
        row.id.as_str(),
        row.last_updated,
        row.deleted,
        row.method.as_str(),
        row.patient.as_str(),
        row.author.as_str(),
        row.body.as_ref(),
    ])?;
    index::insert(connection, &shared.parameters, added, &pending.index).await?;
    insert_rows!(connection, &JOB, pending.jobs.as_slice(), |row| [
        row.kind.as_str(),
        row.payload.as_str(),
        row.due,
        0_i64,
        0_i64,
        "",
        row.address.as_str(),
        shared.clock.now(),
    ])
}
