//! What a transaction has gathered and not yet written: rows of new versions, index rows, audit rows. Gathering lets a whole
//! batch of jobs become one statement per table.

use std::collections::HashMap;

use super::audit::AuditRecord;
use super::references::Demands;
use super::resources::Stored;
use crate::clock::Micros;
use crate::search::index::IndexRows;
use crate::search::kinds::bounded;

/// A new version of a resource, ready to be stored. `Tx::create` and `Tx::update` take it.
#[derive(Debug, Clone)]
pub struct NewResource {
    /// Resource type.
    pub resource_type: String,
    /// Logical id.
    pub id: String,
    /// The number that this version gets.
    pub version: i64,
    /// `meta.lastUpdated` of this version.
    pub last_updated: Micros,
    /// HTTP method: `POST`, `PUT`, `PATCH`.
    pub method: &'static str,
    /// The patient that it is about, as `Patient/id`; empty where it is about none.
    pub patient: String,
    /// The organisation that makes the version; empty where it is not known.
    pub author: String,
    /// The whole resource as JSON, `meta` included.
    pub body: bytes::Bytes,
    /// What is searchable about it.
    pub rows: IndexRows,
    /// The organisations that take part.
    pub parties: Vec<Party>,
}

/// An organisation that takes part in what a resource is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Which organisation: its logical id, or its ODS code, as `access` decides.
    pub organisation: String,
    /// In which role, for example `referrer`, `provider`.
    pub role: String,
}

impl Party {
    /// The part of whoever creates a resource.
    #[must_use]
    pub fn author(organisation: &str) -> Self {
        Self { organisation: bounded(organisation), role: "author".to_owned() }
    }
}

/// A job for later, written with the change that causes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Which kind of job.
    pub kind: String,
    /// What it needs, as JSON text.
    pub payload: String,
    /// When it may run first.
    pub due: Micros,
    /// Under which its progress is asked for; empty where nobody will ask.
    pub address: String,
}

impl NewJob {
    /// A job that may run at once and that nobody asks for.
    #[must_use]
    pub fn new(kind: impl Into<String>, payload: impl Into<String>) -> Self {
        Self { kind: kind.into(), payload: payload.into(), due: 0, address: String::new() }
    }
}

/// Index rows of one version, with the key of their resource.
#[derive(Debug)]
pub(super) struct KeyedRows {
    pub(super) key: i64,
    pub(super) resource_type: String,
    pub(super) rows: IndexRows,
    pub(super) parties: Vec<Party>,
}

/// A row of table `resource` to insert.
#[derive(Debug)]
pub(super) struct ResourceRow {
    pub(super) key: i64,
    pub(super) resource_type: String,
    pub(super) id: String,
    pub(super) version: i64,
    pub(super) last_updated: Micros,
    pub(super) indexed: i64,
    pub(super) generation: i64,
}

/// Gathered writes.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Resources whose old index rows go, with the tables that may have some (bits as in `index::mask`).
    pub(super) cleared: Vec<(i64, i64)>,
    pub(super) resources: Vec<ResourceRow>,
    pub(super) versions: Vec<Stored>,
    pub(super) index: Vec<KeyedRows>,
    pub(super) jobs: Vec<NewJob>,
    pub(super) audit: Vec<AuditRecord>,
    /// What must hold when all jobs have written.
    pub(super) demands: Demands,
    /// Place in `versions` of each resource written, by `Type/id`.
    current: HashMap<String, usize>,
}

impl Pending {
    /// The newest version gathered of a resource.
    pub(super) fn current(&self, resource_type: &str, id: &str) -> Option<&Stored> {
        if self.current.is_empty() {
            return None;
        }
        self.current.get(&name(resource_type, id)).and_then(|place| self.versions.get(*place))
    }

    /// Adds a version.
    pub(super) fn push_version(&mut self, version: Stored) {
        self.current.insert(name(&version.resource_type, &version.id), self.versions.len());
        self.versions.push(version);
    }

    /// True where nothing but audit rows was gathered.
    pub(super) fn is_empty(&self) -> bool {
        self.versions.is_empty() && self.jobs.is_empty() && self.cleared.is_empty()
    }

    /// Forgets what has been written; audit rows stay, they are written once, at the end, and so do demands.
    pub(super) fn clear_written(&mut self) {
        let audit = std::mem::take(&mut self.audit);
        let demands = std::mem::take(&mut self.demands);
        *self = Self { audit, demands, ..Self::default() };
    }

    /// Takes over what a finished job gathered.
    pub(super) fn absorb(&mut self, mut job: Self) {
        let offset = self.versions.len();
        self.cleared.append(&mut job.cleared);
        self.resources.append(&mut job.resources);
        self.versions.append(&mut job.versions);
        self.index.append(&mut job.index);
        self.jobs.append(&mut job.jobs);
        self.audit.append(&mut job.audit);
        self.demands.absorb(job.demands);
        self.current.extend(job.current.into_iter().map(|(name, place)| (name, place + offset)));
    }
}

fn name(resource_type: &str, id: &str) -> String {
    let mut name = String::with_capacity(resource_type.len() + id.len() + 1);
    name.push_str(resource_type);
    name.push('/');
    name.push_str(id);
    name
}
