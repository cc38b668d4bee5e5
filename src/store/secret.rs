//! A secret that all processes on one database share: made by the first that opens it, kept in the database.

use super::database::{Connection, on};
use crate::clock::Clock;

pub(super) const OFFER: &str = "insert into setting (name, value) values ('secret', $1) on conflict do nothing";
pub(super) const READ: &str = "select value from setting where name = 'secret'";

/// The secret; the one offered here is kept only where there is none yet.
pub(super) async fn shared(connection: &mut Connection, clock: &Clock) -> Result<String, sqlx::Error> {
    // Each id has 74 random bits.
    let offered: String = std::iter::repeat_with(|| clock.new_id()).take(4).collect();
    on!(connection, |c| {
        sqlx::query(OFFER).bind(offered.as_str()).execute(&mut *c).await?;
        sqlx::query_scalar(READ).fetch_one(&mut *c).await
    })
}
