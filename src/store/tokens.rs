//! What the token endpoint keeps: assertions that were used, tokens that were revoked, the keys that sign. All processes on
//! one database share them.

use super::Store;
use super::database::on;
use super::error;
use super::tx::Tx;
use crate::clock::Micros;
use crate::problem::Problem;

pub(super) const USE_ASSERTION: &str =
    "insert into client_assertion (client, id, expires) values ($1, $2, $3) on conflict do nothing";
pub(super) const FORGET_ASSERTIONS: &str = "delete from client_assertion where expires < $1";
pub(super) const REVOKE: &str = "insert into revoked_token (id, expires) values ($1, $2) on conflict do nothing";
pub(super) const FORGET_REVOKED: &str = "delete from revoked_token where expires < $1";
pub(super) const IS_REVOKED: &str = "select count(*) from revoked_token where id = $1";
pub(super) const SIGNING_KEYS: &str =
    "select id, private_key, created, expires from signing_key where expires > $1 order by created, id";
pub(super) const ADD_SIGNING_KEY: &str =
    "insert into signing_key (id, private_key, created, expires) values ($1, $2, $3, $4) on conflict do nothing";

/// A key that signs access tokens, as it is kept.
#[derive(Clone, sqlx::FromRow)]
pub struct StoredKey {
    /// Key id.
    pub id: String,
    /// The private key, PEM.
    pub private_key: String,
    /// When it was made.
    pub created: Micros,
    /// Until when tokens of it may be good.
    pub expires: Micros,
}

impl std::fmt::Debug for StoredKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("StoredKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Store {
    /// True where the token of this id was revoked.
    pub async fn is_revoked(&self, token: &str) -> Result<bool, Problem> {
        let count: i64 = on!(&self.0.database, |pool| sqlx::query_scalar(IS_REVOKED).bind(token).fetch_one(pool).await)
            .map_err(error::problem)?;
        Ok(count > 0)
    }

    /// The keys whose tokens may be good after `now`, oldest first.
    pub async fn signing_keys(&self, now: Micros) -> Result<Vec<StoredKey>, Problem> {
        on!(&self.0.database, |pool| sqlx::query_as(SIGNING_KEYS).bind(now).fetch_all(pool).await)
            .map_err(error::problem)
    }
}

impl Tx {
    /// Remembers that a client used an assertion until `expires` (seconds); false where it was used before. Forgets those
    /// that had expired at `now` (seconds).
    pub async fn use_assertion(&mut self, client: &str, id: &str, expires: i64, now: i64) -> Result<bool, Problem> {
        self.begin_savepoint().await?;
        let forgotten = on!(&mut self.connection, |c| {
            sqlx::query(FORGET_ASSERTIONS).bind(now).execute(&mut *c).await.map(|done| done.rows_affected())
        });
        self.check(forgotten)?;
        let done = on!(&mut self.connection, |c| {
            let query = sqlx::query(USE_ASSERTION).bind(client).bind(id).bind(expires);
            query.execute(&mut *c).await.map(|done| done.rows_affected())
        });
        Ok(self.check(done)? == 1)
    }

    /// Revokes a token that would be good until `expires` (seconds), and forgets those past `now` (seconds).
    pub async fn revoke_token(&mut self, token: &str, expires: i64, now: i64) -> Result<(), Problem> {
        self.begin_savepoint().await?;
        let done = on!(&mut self.connection, |c| {
            let forgotten = sqlx::query(FORGET_REVOKED).bind(now).execute(&mut *c).await;
            match forgotten {
                Ok(_) => sqlx::query(REVOKE).bind(token).bind(expires).execute(&mut *c).await.map(|_| ()),
                Err(error) => Err(error),
            }
        });
        self.check(done)
    }

    /// Keeps a new signing key.
    pub async fn add_signing_key(&mut self, key: &StoredKey) -> Result<(), Problem> {
        self.begin_savepoint().await?;
        let done = on!(&mut self.connection, |c| {
            let query = sqlx::query(ADD_SIGNING_KEY).bind(key.id.as_str()).bind(key.private_key.as_str());
            query.bind(key.created).bind(key.expires).execute(&mut *c).await.map(|_| ())
        });
        self.check(done)
    }
}
