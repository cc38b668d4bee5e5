//! What the store is opened with; `config::Settings` turns into it.

use std::path::PathBuf;
use std::time::Duration;

use crate::config::{AuditReads, Settings, Synchronous};

/// How to open a store.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// `sqlite:FILE` or `postgres://…`.
    pub url: String,
    /// How hard a commit is pushed to the disk (SQLite).
    pub synchronous: Synchronous,
    /// When audit rows of reads are on the disk.
    pub audit_reads: AuditReads,
    /// The Ed25519 key (PEM) that signs audit checkpoints; made beside the database where not set.
    pub audit_key: Option<PathBuf>,
    /// A file outside the database to which checkpoints are appended.
    pub audit_checkpoints: Option<PathBuf>,
    /// A folder to which the audit trail is written while the store is open.
    pub audit_export: Option<PathBuf>,
    /// Days after which exported audit rows are removed; none for never.
    pub audit_retention: Option<i64>,
    /// A checkpoint is signed after so many audit rows of a chain …
    pub checkpoint_rows: i64,
    /// … or after so long.
    pub checkpoint_interval: Duration,
    /// Bytes of memory for current resources of a SQLite file; 0 for none.
    pub cache: usize,
    /// Connections for reads.
    pub readers: u32,
    /// Connections for writes (PostgreSQL; SQLite has one writer).
    pub writers: u32,
    /// How long a statement that reads, or a transaction that writes, may take (PostgreSQL).
    pub patience: Duration,
    /// Jobs that may wait for a writer; more are refused with 503.
    pub queue: usize,
}

impl StoreSettings {
    /// Default settings for a database URL.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            synchronous: Synchronous::Full,
            audit_reads: AuditReads::Durable,
            audit_key: None,
            audit_checkpoints: None,
            audit_export: None,
            audit_retention: None,
            checkpoint_rows: 1000,
            checkpoint_interval: Duration::from_mins(1),
            cache: 32 << 20,
            readers: 8,
            writers: 8,
            patience: Duration::from_secs(30),
            queue: 2048,
        }
    }

    /// Where data lies, for people: the URL without a password.
    #[must_use]
    pub fn location(&self) -> String {
        match (self.url.find("://"), self.url.rfind('@')) {
            (Some(start), Some(end)) if start + 3 < end => {
                let user = self.url.get(start + 3..end).and_then(|both| both.split(':').next()).unwrap_or_default();
                let (scheme, host) =
                    (self.url.get(..start).unwrap_or_default(), self.url.get(end..).unwrap_or_default());
                format!("{scheme}://{user}{host}")
            }
            _ => self.url.clone(),
        }
    }

    /// The private key that signs checkpoints: as set, or beside the SQLite file, or in the working directory.
    #[must_use]
    pub fn audit_key_file(&self) -> PathBuf {
        if let Some(path) = &self.audit_key {
            return path.clone();
        }
        match self.url.strip_prefix("sqlite:") {
            Some(rest) => {
                let file = rest.trim_start_matches("//").split('?').next().unwrap_or(rest);
                PathBuf::from(format!("{file}.audit-key.pem"))
            }
            None => PathBuf::from("kith.audit-key.pem"),
        }
    }
}

impl From<&Settings> for StoreSettings {
    fn from(settings: &Settings) -> Self {
        Self {
            synchronous: settings.synchronous,
            audit_reads: settings.audit_reads,
            audit_key: settings.audit_key.clone(),
            audit_checkpoints: settings.audit_checkpoints.clone(),
            audit_export: settings.audit_export.clone(),
            audit_retention: settings.audit_retention,
            cache: settings.cache,
            patience: Duration::from_secs(u64::try_from(settings.limits.database_seconds).unwrap_or(30)),
            ..Self::new(settings.database.clone())
        }
    }
}
