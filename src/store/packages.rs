//! Installed FHIR packages and the counts by which every process notices that definitions have changed. `kith package` writes
//! packages, the live definitions read them.

use super::Store;
use super::database::on;
use super::error;
use super::resources::retrying;
use super::tx::Tx;
use crate::clock::Micros;
use crate::problem::{Kind, Problem};

pub(super) const LIST: &str =
    "select name, version, added, definitions, manifest from package order by added, name, version";
pub(super) const CONTENT: &str = "select content from package where name = $1 and version = $2";
pub(super) const ADD: &str = "insert into package (name, version, added, definitions, manifest, content) \
     values ($1, $2, $3, $4, $5, $6) on conflict do nothing";
pub(super) const REMOVE: &str = "delete from package where name = $1 and version = $2";
pub(super) const HEADS: &str = "select id, version from resource where type = $1 and not deleted order by key";
pub(super) const COUNTS: &str = "select d.next, c.next from counter d cross join counter c \
     where d.name = 'definitions' and c.name = 'conformance'";
pub(super) const CHANGED: &str = "update counter set next = next + 1 where name = 'conformance' returning next";

/// An installed package without its definitions.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Installed {
    /// Package name.
    pub name: String,
    /// Package version.
    pub version: String,
    /// When it was added.
    pub added: Micros,
    /// How many definitions it holds.
    pub definitions: i64,
    /// Its `package.json`, as far as it is used.
    pub manifest: String,
}

impl Store {
    /// The installed packages, in the order in which they were added.
    pub async fn packages(&self) -> Result<Vec<Installed>, Problem> {
        retrying!(on!(&self.0.database, |pool| sqlx::query_as(LIST).fetch_all(pool).await))
    }

    /// The definitions of an installed package, as [`Tx::add_package`] took them; none where it is not installed.
    pub async fn package_content(&self, name: &str, version: &str) -> Result<Option<Vec<u8>>, Problem> {
        let query = on!(&self.0.database, |pool| {
            sqlx::query_scalar(CONTENT).bind(name).bind(version).fetch_optional(pool).await
        });
        query.map_err(error::problem)
    }

    /// Id and version of every current resource of a type, in the order in which they were created.
    pub async fn heads(&self, resource_type: &str) -> Result<Vec<(String, i64)>, Problem> {
        retrying!(on!(&self.0.database, |pool| sqlx::query_as(HEADS).bind(resource_type).fetch_all(pool).await))
    }

    /// How often search parameters or packages were changed, and how often other stored definitions.
    pub async fn definition_counts(&self) -> Result<(i64, i64), Problem> {
        retrying!(on!(&self.0.database, |pool| sqlx::query_as(COUNTS).fetch_one(pool).await))
    }
}

impl Tx {
    /// Counts a change of stored definitions that search does not depend on, so that every process notices.
    pub async fn conformance_changed(&mut self) -> Result<(), Problem> {
        self.begin_change().await?;
        let count: Result<i64, _> = on!(&mut self.connection, |c| sqlx::query_scalar(CHANGED).fetch_one(&mut *c).await);
        self.check(count).map(|_| ())
    }

    /// Installs a package. `Kind::Duplicate` where that version is installed.
    pub async fn add_package(&mut self, package: &Installed, content: &[u8]) -> Result<(), Problem> {
        self.begin_change().await?;
        let done = on!(&mut self.connection, |c| {
            let query = sqlx::query(ADD).bind(package.name.as_str()).bind(package.version.as_str());
            let query = query.bind(package.added).bind(package.definitions).bind(package.manifest.as_str());
            query.bind(content).execute(&mut *c).await.map(|done| done.rows_affected())
        });
        if self.check(done)? == 0 {
            let text = format!("The package {}#{} is installed already.", package.name, package.version);
            return Err(Problem::new(Kind::Duplicate, text));
        }
        self.definitions_changed().await.map(|_| ())
    }

    /// Removes a package. `Kind::NotFound` where that version is not installed.
    pub async fn remove_package(&mut self, name: &str, version: &str) -> Result<(), Problem> {
        self.begin_change().await?;
        let done = on!(&mut self.connection, |c| {
            let query = sqlx::query(REMOVE).bind(name).bind(version);
            query.execute(&mut *c).await.map(|done| done.rows_affected())
        });
        if self.check(done)? == 0 {
            return Err(Problem::new(Kind::NotFound, format!("The package {name}#{version} is not installed.")));
        }
        self.definitions_changed().await.map(|_| ())
    }
}
