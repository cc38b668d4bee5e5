//! A fresh database for one test, on SQLite or PostgreSQL.

use std::path::Path;
use std::sync::Arc;

use kith::clock::Clock;
use kith::config::Synchronous;
use kith::store::{Store, StoreSettings};
use tempfile::TempDir;

use super::postgres;

/// An empty database that goes away with this value.
#[derive(Debug)]
pub struct TestDatabase {
    /// Its URL, as `--database` takes it.
    pub url: String,
    folder: TempDir,
    /// Name of a database on a server that outlives the tests.
    lasting: Option<String>,
}

impl TestDatabase {
    /// A SQLite file in a folder of its own.
    pub fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        Self { url: format!("sqlite:{}", folder.path().join("kith.db").display()), folder, lasting: None }
    }

    /// A database on the PostgreSQL server of the tests. `None` where this machine has no PostgreSQL; the test is then
    /// passed over, which has been said loudly.
    pub fn postgres() -> Option<Self> {
        let server = postgres::server()?;
        let (url, lasting) = server.create_database();
        Some(Self { url, folder: TempDir::new().unwrap(), lasting })
    }

    /// A folder for files of this test.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Settings for this database. Commits do not wait for the disk: tests kill processes, not machines.
    pub fn settings(&self) -> StoreSettings {
        StoreSettings {
            synchronous: Synchronous::Normal,
            audit_key: Some(self.folder.path().join("audit-key.pem")),
            ..StoreSettings::new(self.url.clone())
        }
    }

    /// Opens the database on the machine's clock.
    pub async fn open(&self) -> Store {
        self.open_with(&self.settings()).await
    }

    /// Opens the database with these settings.
    pub async fn open_with(&self, settings: &StoreSettings) -> Store {
        Store::open(settings, Arc::new(Clock::System)).await.unwrap()
    }

    /// True on PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let (Some(name), Some(server)) = (&self.lasting, postgres::server()) {
            server.drop_database(name);
        }
    }
}
