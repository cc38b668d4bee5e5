//! Numbers for new resources and versions, taken from the database in blocks so that an insert needs no answer from it.
//! Each writer lane has its own block; what is left of it at a stop is skipped.

use super::database::{Connection, on};

pub(super) const TAKE: &str = "update counter set next = next + $1 where name = 'key' returning next";

const BLOCK: i64 = 10_000;
/// Refilled outside a transaction below this many, so that a roll-back cannot give a block back.
const LOW: i64 = 2_000;

/// A block of numbers.
#[derive(Debug, Default)]
pub(super) struct Keys {
    next: i64,
    end: i64,
    /// The block in hand was taken inside the running transaction.
    provisional: bool,
}

impl Keys {
    /// Refills where few are left, and says whether it did. Call outside a transaction.
    pub(super) async fn prepare(&mut self, connection: &mut Connection) -> Result<bool, sqlx::Error> {
        let refills = self.end - self.next < LOW;
        if refills {
            self.take(connection).await?;
        }
        Ok(refills)
    }

    /// The next number; a transaction that needs more than a block takes another one by itself.
    pub(super) async fn next(&mut self, connection: &mut Connection) -> Result<i64, sqlx::Error> {
        if self.next >= self.end {
            self.take(connection).await?;
            self.provisional = true;
        }
        self.next += 1;
        Ok(self.next - 1)
    }

    /// The transaction was rolled back: a block taken inside it is not ours.
    pub(super) const fn rolled_back(&mut self) {
        if self.provisional {
            self.next = self.end;
            self.provisional = false;
        }
    }

    /// The transaction was committed.
    pub(super) const fn committed(&mut self) {
        self.provisional = false;
    }

    async fn take(&mut self, connection: &mut Connection) -> Result<(), sqlx::Error> {
        let end: i64 = on!(connection, |c| sqlx::query_scalar(TAKE).bind(BLOCK).fetch_one(&mut *c).await)?;
        self.next = end - BLOCK;
        self.end = end;
        Ok(())
    }
}
