//! Loaded editions of code systems (SNOMED CT), kept in pieces that are read whole at start: every process on the database has
//! them. `kith terminology` writes and removes them, the start of the server and the refresh of its engines read them.

use super::Store;
use super::database::on;
use super::resources::retrying;
use super::tx::Tx;
use crate::clock::Micros;
use crate::problem::{Kind, Problem};

pub(super) const LIST: &str = "select id, version, layout, summary, pieces, bytes, loaded from terminology_edition \
     where loaded > 0 order by loaded, id";
pub(super) const ADD: &str = "insert into terminology_edition (id, version, layout, summary, pieces, bytes, loaded) \
     values ($1, '', '', '', 0, 0, 0)";
pub(super) const ADD_PIECE: &str = "insert into terminology_piece (edition, position, content) values ($1, $2, $3)";
pub(super) const FINISH: &str = "update terminology_edition set version = $1, layout = $2, summary = $3, pieces = $4, bytes = $5, \
     loaded = $6 where id = $7";
pub(super) const PIECE: &str = "select content from terminology_piece where edition = $1 and position = $2";
pub(super) const REMOVE: &str = "delete from terminology_edition where id = $1";
pub(super) const REMOVE_PIECES: &str = "delete from terminology_piece where edition = $1";
pub(super) const FORGET: &str = "delete from terminology_edition where loaded = 0";
pub(super) const FORGET_PIECES: &str =
    "delete from terminology_piece where edition in (select id from terminology_edition where loaded = 0)";

/// A loaded edition.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredEdition {
    /// Its id.
    pub id: String,
    /// Its version, a canonical.
    pub version: String,
    /// How its pieces are read, as JSON.
    pub layout: String,
    /// What it holds, for people.
    pub summary: String,
    /// How many pieces it has.
    pub pieces: i64,
    /// What the pieces take in the database.
    pub bytes: i64,
    /// When it was loaded.
    pub loaded: Micros,
}

impl Store {
    /// The loaded editions, oldest first.
    pub async fn editions(&self) -> Result<Vec<StoredEdition>, Problem> {
        retrying!(on!(&self.0.database, |pool| sqlx::query_as(LIST).fetch_all(pool).await))
    }

    /// One piece of an edition; none where it was removed.
    pub async fn edition_piece(&self, id: &str, position: i64) -> Result<Option<Vec<u8>>, Problem> {
        retrying!(on!(&self.0.database, |pool| {
            sqlx::query_scalar(PIECE).bind(id).bind(position).fetch_optional(pool).await
        }))
    }
}

impl Tx {
    /// Begins an edition. Nobody sees it before it is finished. What loads left that were broken off is cleared away.
    pub async fn begin_edition(&mut self, id: &str) -> Result<(), Problem> {
        self.begin_change().await?;
        for statement in [FORGET_PIECES, FORGET] {
            let done = on!(&mut self.connection, |c| sqlx::query(statement).execute(&mut *c).await.map(|_| ()));
            self.check(done)?;
        }
        let done = on!(&mut self.connection, |c| sqlx::query(ADD).bind(id).execute(&mut *c).await.map(|_| ()));
        self.check(done)
    }

    /// Adds a piece to an edition.
    pub async fn add_edition_piece(&mut self, id: &str, position: i64, content: &[u8]) -> Result<(), Problem> {
        self.begin_savepoint().await?;
        let done = on!(&mut self.connection, |c| {
            sqlx::query(ADD_PIECE).bind(id).bind(position).bind(content).execute(&mut *c).await.map(|_| ())
        });
        self.check(done)
    }

    /// Ends an edition: all processes notice it. `Kind::Conflict` where another load has cleared it away.
    pub async fn finish_edition(&mut self, edition: &StoredEdition) -> Result<(), Problem> {
        self.begin_change().await?;
        let done = on!(&mut self.connection, |c| {
            let query = sqlx::query(FINISH).bind(edition.version.as_str()).bind(edition.layout.as_str());
            let query = query.bind(edition.summary.as_str()).bind(edition.pieces).bind(edition.bytes);
            let query = query.bind(edition.loaded).bind(edition.id.as_str());
            query.execute(&mut *c).await.map(|done| done.rows_affected())
        });
        if self.check(done)? != 1 {
            return Err(Problem::new(Kind::Conflict, "Another load has begun meanwhile. Load the release again."));
        }
        self.definitions_changed().await.map(|_| ())
    }

    /// Removes an edition with its pieces: all processes notice it.
    pub async fn remove_edition(&mut self, id: &str) -> Result<(), Problem> {
        self.begin_change().await?;
        for statement in [REMOVE_PIECES, REMOVE] {
            let done =
                on!(&mut self.connection, |c| sqlx::query(statement).bind(id).execute(&mut *c).await.map(|_| ()));
            self.check(done)?;
        }
        self.definitions_changed().await.map(|_| ())
    }
}
